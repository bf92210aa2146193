use std::path::PathBuf;

use super::*;
use crate::data::options::PictureFit;
use crate::data::{DataSpec, images};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(pictures: &[&str]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for name in pictures {
            std::fs::create_dir_all(folder.at(name).parent().unwrap()).unwrap();
            image::RgbImage::new(20, 10).save(folder.at(name)).unwrap();
        }
        folder
    }
    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    fn put(&self, name: &str, text: &str) -> &Self {
        std::fs::create_dir_all(self.at(name).parent().unwrap()).unwrap();
        std::fs::write(self.at(name), text).unwrap();
        self
    }
    fn read(&self, spec: &str) -> Result<Samples> {
        DataSpec::parse(&format!("yolo:{}{spec}", self.0.path().display()))?.load()
    }
}

fn corners(samples: &Samples) -> Vec<Vec<[f32; 4]>> {
    let boxes = samples.targets.boxes().unwrap();
    boxes.of_sample.iter().map(|all| all.iter().map(|boxed| boxed.corners).collect()).collect()
}

fn told(samples: &Samples) -> String {
    samples.notes.iter().map(|note| format!("{}\n", note.text)).collect()
}

#[test]
fn fractions_of_pictures_become_boxes_with_names() {
    let folder = Folder::new(&["images/a.jpg", "images/sub/b.png", "images/c.png"]);
    folder
        .put("labels/a.txt", "1 0.5 0.5 0.5 1\n0 0 0 0.2 0.2 0.2 0.4\n1 0.5 0.5 0.5 1\n")
        .put("labels/sub/b.txt", "")
        .put("labels/d.txt", "")
        .put("data.yaml", "names:\n  0: cat\n  1: dog\n");
    let samples = folder.read("").unwrap();
    let boxes = samples.targets.boxes().unwrap();
    assert_eq!(corners(&samples), [vec![[5.0, 0.0, 15.0, 10.0], [0.0, 0.0, 4.0, 4.0]], vec![], vec![]]);
    assert_eq!((boxes.class_names.join(" "), boxes.of_sample[0][0].class), ("cat dog".into(), 1));
    assert_eq!(boxes.file_names.as_slice(), ["a.jpg", "c.png", "sub/b.png"]);
    for text in [
        "rows that repeat one of their file, left out: 1 (the first: a.txt, line 3)",
        "1 rows are outlines",
        "pictures without a file of labels, read as pictures without objects: 1 (the first: c.png)",
        "text files without a picture, left out: 1 (the first: d.txt)",
    ] {
        assert!(told(&samples).contains(text), "{}", told(&samples));
    }
    let small = read(
        folder.0.path(),
        Some(&[1, 20, 20]),
        &ReadOptions { fit: Some(PictureFit::Letterbox), ..ReadOptions::default() },
    );
    assert_eq!(corners(&small.unwrap())[0][0], [5.0, 5.0, 15.0, 15.0]);
    assert_eq!(first_shape(folder.0.path(), &ReadOptions::default()).unwrap(), [3, 10, 20]);
    assert!(DataSpec::detect(folder.0.path()).unwrap().to_string().starts_with("yolo:"));
}

#[test]
fn errors_name_file_and_line() {
    let folder = Folder::new(&["a.png", "b.png"]);
    folder.put("a.txt", "0 0.5 0.5 0.5 0.5\n").put("classes.txt", "cat\n");
    assert_eq!(folder.read("").unwrap().targets.boxes().unwrap().class_names, ["cat"]);
    for (text, says) in [
        ("0 0.5 0.5 0.5 0.5\n1 0.5 0.5 0.5 0.5", "b.txt: line 2: has the class 1, but classes.txt has only 1 classes"),
        ("0 5 5 10 10", "b.txt: line 1: has the coordinate 5"),
        ("0 0.5 0.5 0.5", "b.txt: line 1: has 4 values"),
    ] {
        let why = folder.put("b.txt", text).read("").unwrap_err().to_string();
        assert!(why.contains(says), "{why}");
    }
    std::fs::write(folder.at("b.txt"), b"0 0.5\xff").unwrap();
    assert!(folder.read("").unwrap_err().to_string().contains("b.txt: line 1: is not UTF-8 text"));
    folder.put("b.txt", "").put("data.yaml", "names: [a, b]\nnc: 3\n");
    assert!(folder.read("").unwrap_err().to_string().contains("data.yaml: line 1: names has 2 classes, but nc says 3"));
    folder.put("data.yaml", "names: [a, b]\n");
    let samples = folder.read("").unwrap();
    assert!(
        told(&samples).contains("class names are those of data.yaml; classes.txt has others"),
        "{}",
        told(&samples)
    );
    let twice = Folder::new(&["a.png", "a.jpg"]);
    let samples = twice.put("a.txt", "0 0.5 0.5 1 1").read("").unwrap();
    assert_eq!(corners(&samples).concat(), [[0.0, 0.0, 20.0, 10.0]; 2], "pictures of one name share their labels");
    let empty = Folder::new(&["images/a.png"]);
    assert!(empty.read("").unwrap_err().to_string().contains("contains no pictures with labels"));
    // A text beside a picture may be anything.
    let captions = Folder::new(&["a.png"]);
    captions.put("a.txt", "a cat on a mat");
    assert!(DataSpec::detect(captions.0.path()).unwrap().to_string().starts_with("images:"));
}

#[test]
fn parts_are_read_one_at_a_time_from_folders_and_yaml() {
    for is_below in [true, false] {
        let of_part =
            |part: &str, what: &str| if is_below { format!("{what}/{part}") } else { format!("{part}/{what}") };
        let name = |part: &str, what: &str, file: &str| format!("{}/{file}", of_part(part, what));
        let folder = Folder::new(&[&name("train", "images", "a.png"), &name("val", "images", "b.png")]);
        folder
            .put(&name("train", "labels", "a.txt"), "0 0.5 0.5 1 1")
            .put(&name("val", "labels", "b.txt"), "1 0.25 0.5 0.5 1")
            .put(
                "data.yaml",
                &format!(
                    "path: elsewhere\ntrain: ../{}\nval: {} # a comment\nnames: [x, y]\n",
                    of_part("train", "images"),
                    of_part("val", "images")
                ),
            );
        for source in ["", "/data.yaml"] {
            let val = folder.read(source).unwrap();
            assert_eq!(corners(&val), [[[0.0, 0.0, 10.0, 10.0]]]);
            assert!(told(&val).contains("the part val is read;"), "{}", told(&val));
            assert_eq!(val.targets.boxes().unwrap().class_names, ["x", "y"]);
            assert_eq!(corners(&folder.read(&format!("{source},split=train")).unwrap()), [[[0.0, 0.0, 20.0, 10.0]]]);
            let why = folder.read(&format!("{source},split=test")).unwrap_err().to_string();
            assert!(why.contains("has no part 'test'. Use split with one of"), "{why}");
        }
        assert!(DataSpec::detect(&folder.at("data.yaml")).unwrap().to_string().ends_with("data.yaml"));
        // The part alone, whose names stand above it.
        let part = folder.at("train");
        if part.is_dir() {
            let samples = read(&part, None, &ReadOptions::default()).unwrap();
            assert_eq!(samples.targets.boxes().unwrap().class_names, ["x", "y"]);
        }
    }
}

#[test]
fn yaml_names_lists_of_pictures_and_several_folders() {
    let folder = Folder::new(&["a/images/1.png", "b/images/1.png", "b/images/2.png", "c/3.png"]);
    folder
        .put("a/labels/1.txt", "0 0.5 0.5 1 1")
        .put("b/labels/1.txt", "1 0.25 0.5 0.5 1")
        .put("c/3.txt", "1 0.5 0.5 1 1")
        .put("data.yaml", "train: [a/images, b/images]\nval: lists/val.txt\ntest:\n  - lists/bad.txt\nnames: [x, y]\n")
        // From the folder above, from another machine, of Windows, and with labels beside the picture.
        .put("lists/val.txt", "./b/images/1.png\n\n/home/me/set/a/images/1.png\r\nD:\\set\\c\\3.png\nb/images/2.png\n")
        .put("lists/bad.txt", "a/images/1.png\na/images/7.png\n");
    let listed = folder.read("/data.yaml").unwrap();
    let whole = [0.0, 0.0, 20.0, 10.0];
    assert_eq!(corners(&listed), [vec![[0.0, 0.0, 10.0, 10.0]], vec![whole], vec![whole], vec![]]);
    assert!(told(&listed).contains("the part val is read; the file names also test, train"), "{}", told(&listed));
    let several = folder.read("/data.yaml,split=train").unwrap();
    assert_eq!(corners(&several), [vec![whole], vec![[0.0, 0.0, 10.0, 10.0]], vec![]]);
    assert_eq!(
        several.targets.boxes().unwrap().file_names.as_slice(),
        ["a/images/1.png", "b/images/1.png", "b/images/2.png"]
    );
    let why = folder.read("/data.yaml,split=test").unwrap_err().to_string();
    assert!(why.contains("bad.txt: line 2: lists 'a/images/7.png', which is not there"), "{why}");
    folder.put("data.yaml", "val: nowhere\nnames: [a]\n");
    let why = folder.read("/data.yaml").unwrap_err().to_string();
    assert!(why.contains("data.yaml: val: 'nowhere' is no folder or list of pictures"), "{why}");
}

#[test]
fn pictures_are_read_upright() {
    let folder = Folder::new(&[]);
    folder.put("a.txt", "0 0.5 0.05 1 0.1\n");
    std::fs::write(folder.at("a.png"), images::tests::on_its_side(20, 10)).unwrap();
    let samples = folder.read("").unwrap();
    // The bright left column of the stored picture is the top row, ten pixels wide.
    assert_eq!(
        (samples.shape.as_slice(), samples.raw(0)[..11].to_vec()),
        ([1, 20, 10].as_slice(), [vec![255.0; 10], vec![0.0]].concat())
    );
    assert_eq!(corners(&samples), [[[0.0, 0.0, 10.0, 2.0]]]);
    assert!(told(&samples).contains("1 of 1 pictures are turned upright"), "{}", told(&samples));
    assert_eq!(first_shape(folder.0.path(), &ReadOptions::default()).unwrap(), [1, 20, 10]);
}
