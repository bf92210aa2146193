//! Reads pictures with Pascal VOC boxes: one XML file a picture.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::boxes::{BoxTally, PictureBox};
use super::masks::{CLASSES_FILE, class_names};
use super::pictures;
use super::placement::{self, Placement};
pub use super::voc_listing::is_folder;
use super::voc_listing::{Listing, file_name, listing, stem};
use super::voc_xml::{self, VocFile};
use crate::data::images::{PictureHeader, orientation_notes};
use crate::data::options::{Origin, ReadOptions};
use crate::data::samples::targets::{Boxes, TargetBox, Targets};
use crate::data::{Note, Samples};
use crate::{Error, Result};

/// Shape of the first picture, `[C, H, W]`.
///
/// # Errors
/// As [`read`].
pub fn first_shape(dir: &Path, options: &ReadOptions) -> Result<Vec<usize>> {
    pictures::first_shape(&listing(dir, options)?.pictures, options)
}

/// Reads pictures and boxes of `dir`, fitted to `network` (`[C, H, W]`) if there is one.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] for a folder without annotations, for files that cannot be read, annotations without
/// their picture or of another size, and objects without a sound box.
pub fn read(dir: &Path, network: Option<&[usize]>, options: &ReadOptions) -> Result<Samples> {
    let Listing { xml, pictures: files, files: annotations, notes } = listing(dir, options)?;
    let mut headers = files.par_iter().map(|path| PictureHeader::read(path)).collect::<Result<Vec<_>>>()?;
    let mut swapped = Vec::new();
    for ((path, annotation), header) in xml.iter().zip(&annotations).zip(&mut headers) {
        if let [Some(width), Some(height)] = annotation.size {
            header.turn_to_fit([width, height].map(|side| side as u32));
        }
        let [w, h] = header.size.map(f64::from);
        match annotation.size {
            [Some(width), Some(height)] if (width, height) == (h, w) && w != h => swapped.push(stem(path)),
            [width, height] if width.is_some_and(|width| width != w) || height.is_some_and(|height| height != h) => {
                let side = |side: Option<f64>| side.map_or("?".into(), |side| side.to_string());
                let reason = format!("says {}x{}, but the picture is {w}x{h}", side(width), side(height));
                return Err(Error::file(path, "size", reason));
            }
            _ => {}
        }
    }
    let (channels, size) = pictures::sample_size(&files, &headers, network, options)?;
    let fit = options.fit.unwrap_or_default();
    let places: Vec<Placement> = headers.iter().map(|header| Placement::new(fit, header.size, size)).collect();
    let mut samples = pictures::read(&files, &headers, &places, channels, size, options)?;

    let named = class_names(dir, CLASSES_FILE)?;
    let (class_names, class_note) = classes(&xml, &annotations, named)?;
    let (origin, origin_note) = origin_of(&annotations, options);
    let mut tally = BoxTally::default();
    let mut of_sample = Vec::with_capacity(files.len());
    for (((path, annotation), header), place) in xml.iter().zip(&annotations).zip(&headers).zip(&places) {
        let target = |(index, object): (usize, &voc_xml::XmlObject)| -> Option<TargetBox> {
            let class = class_names.iter().position(|name| *name == object.class)?;
            let [left, top, right, bottom] = object.corners;
            // One pixel, a click by mistake, is no box; else pixels from the first to the last belong to it.
            let is_point = left == right && top == bottom;
            let corners = match origin {
                Origin::One if !is_point => [left - 1.0, top - 1.0, right, bottom],
                Origin::One | Origin::Zero => [left, top, right, bottom],
            };
            let is_difficult = object.is_difficult;
            let boxed = PictureBox { class: class as u16, corners, area: None, is_crowd: false, is_difficult };
            let name = || format!("{}, object {} in line {}", file_name(path), index + 1, object.line);
            tally.target(&boxed, header.size, place, name)
        };
        of_sample.push(annotation.objects.iter().enumerate().filter_map(target).collect());
    }
    samples.source = format!("voc:{}{options}", dir.display());
    samples.notes.splice(0..0, notes);
    samples.notes.extend(class_note.into_iter().chain(origin_note));
    samples.notes.extend(swapped.first().map(|first| {
        let text = format!(
            "{} annotations state width and height in the wrong order (the first: {first}); those of the pictures are used",
            swapped.len()
        );
        Note::new(text)
    }));
    samples.notes.extend(orientation_notes(&headers));
    samples.notes.extend(tally.notes());
    samples.notes.extend(placement::note(&places, fit, "boxes follow"));
    samples.targets = Targets::Boxes(Boxes {
        of_sample: Arc::new(of_sample),
        class_names,
        places: Arc::new(places.iter().map(Placement::picture_place).collect()),
        file_names: Arc::new(files.iter().map(|path| file_name(path)).collect()),
    });
    Ok(samples)
}

/// Class names by index, and a note on their order: as `classes.txt` names them, else in the order of text.
fn classes(xml: &[PathBuf], files: &[VocFile], named: Option<Vec<String>>) -> Result<(Vec<String>, Option<Note>)> {
    let found: BTreeSet<&String> = files.iter().flat_map(|file| &file.objects).map(|object| &object.class).collect();
    if let Some(names) = named {
        for (path, file) in xml.iter().zip(files) {
            if let Some(object) = file.objects.iter().find(|object| !names.contains(&object.class)) {
                let reason = format!("has the class '{}', which classes.txt does not name", object.class);
                return Err(Error::file(path, format!("line {}", object.line), reason));
            }
        }
        return Ok((names, None));
    }
    if found.len() > usize::from(u16::MAX) {
        let path = xml.first().map_or(Path::new(""), PathBuf::as_path);
        return Err(Error::file(path, "", format!("and others have {} classes, more than {}", found.len(), u16::MAX)));
    }
    let names: Vec<String> = found.into_iter().cloned().collect();
    let twice = names.iter().find_map(|name| {
        let same = |other: &&String| *other != name && other.to_lowercase() == name.to_lowercase();
        names.iter().find(same).map(|other| (name, other))
    });
    let note =
        twice.map(|(a, b)| Note::new(format!("'{a}' and '{b}' are two classes; they differ in case alone")).warning());
    Ok((names, note))
}

/// What the coordinates are: as stated, else corners from 0 if one has a fraction or is below 1.
fn origin_of(files: &[VocFile], options: &ReadOptions) -> (Origin, Option<Note>) {
    if let Some(origin) = options.origin {
        return (origin, None);
    }
    let objects = || files.iter().flat_map(|file| &file.objects);
    let has_fraction = objects().any(|object| object.corners.iter().any(|value| value.fract() != 0.0));
    let has_zero = objects().any(|object| object.corners[0] < 1.0 || object.corners[1] < 1.0);
    let (origin, text, other) = match (has_fraction, has_zero) {
        (true, _) => (Origin::Zero, "have fractions: they are taken for corners from 0", Origin::One),
        (_, true) => (Origin::Zero, "begin at 0: they are taken for corners from 0", Origin::One),
        _ => (Origin::One, "are taken for numbers of pixels from 1, the last included, as in Pascal VOC", Origin::Zero),
    };
    let note = Note::new(format!("coordinates of boxes {text}")).or_option("origin", other.as_str());
    (origin, objects().next().is_some().then_some(note))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::images;

    /// A folder with one annotation of `objects` for a picture of 20x10.
    fn folder(objects: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("Annotations")).unwrap();
        std::fs::create_dir(dir.path().join("JPEGImages")).unwrap();
        image::RgbImage::new(20, 10).save(dir.path().join("JPEGImages/a.png")).unwrap();
        put(&dir, "a", objects);
        dir
    }

    fn put(dir: &tempfile::TempDir, name: &str, content: &str) {
        let text = format!("<annotation><filename>a.png</filename>{content}</annotation>");
        std::fs::write(dir.path().join(format!("Annotations/{name}.xml")), text).unwrap();
    }

    fn object(class: &str, [left, top, right, bottom]: [f64; 4]) -> String {
        format!(
            "<object><name>{class}</name><bndbox><xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax>\
             <ymax>{bottom}</ymax></bndbox></object>"
        )
    }

    fn plain(dir: &tempfile::TempDir) -> Result<Samples> {
        read(dir.path(), None, &ReadOptions::default())
    }

    fn corners(samples: &Samples) -> Vec<[f32; 4]> {
        samples.targets.boxes().unwrap().of_sample[0].iter().map(|boxed| boxed.corners).collect()
    }

    #[test]
    fn whole_numbers_count_pixels_from_one_and_fractions_are_corners() {
        let dir = folder(&(object("b", [1.0, 1.0, 20.0, 10.0]) + &object("a", [3.0, 3.0, 3.0, 4.0])));
        let samples = plain(&dir).unwrap();
        assert_eq!(corners(&samples), [[0.0, 0.0, 20.0, 10.0], [2.0, 2.0, 3.0, 4.0]]);
        let boxes = samples.targets.boxes().unwrap();
        assert_eq!((boxes.class_names.join(" "), boxes.of_sample[0][0].class), ("a b".into(), 1));
        let zero = ReadOptions { origin: Some(Origin::Zero), ..ReadOptions::default() };
        assert_eq!(corners(&read(dir.path(), None, &zero).unwrap()), [[1.0, 1.0, 20.0, 10.0]]);
        let fractions = folder(&object("a", [1.5, 1.0, 20.0, 10.0]));
        assert_eq!(corners(&plain(&fractions).unwrap()), [[1.5, 1.0, 20.0, 10.0]]);
        let from_zero = folder(&object("a", [0.0, 1.0, 20.0, 10.0]));
        assert_eq!(corners(&plain(&from_zero).unwrap()), [[0.0, 1.0, 20.0, 10.0]]);
        // Half the size, and the middle of it.
        let small = read(dir.path(), Some(&[3, 5, 10]), &ReadOptions::default()).unwrap();
        assert_eq!(corners(&small)[0], [0.0, 0.0, 10.0, 5.0]);
    }

    #[test]
    fn doubtful_boxes_are_told_and_doubtful_files_refused() {
        let wide = folder(
            &(object("a", [15.0, 1.0, 40.0, 9.0])
                + &object("a", [31.0, 1.0, 40.0, 9.0])
                + &object("A", [4.0, 4.0, 4.0, 4.0])),
        );
        let samples = plain(&wide).unwrap();
        assert_eq!(corners(&samples), [[14.0, 0.0, 20.0, 9.0]]);
        let told: String = samples.notes.iter().map(|note| format!("{}\n", note.text)).collect();
        for text in [
            "1 box outside of the picture, left out (the first: a.xml, object 2 in line 1)",
            "1 box without area",
            "clipped",
            "'A' and 'a' are two classes",
        ] {
            assert!(told.contains(text), "{told}");
        }
        let refused = |dir: &tempfile::TempDir| plain(dir).unwrap_err().to_string();
        let size = |w, h| format!("<size><width>{w}</width><height>{h}</height></size>");
        assert!(refused(&folder(&size(30, 10))).contains("a.xml: size: says 30x10, but the picture is 20x10"));
        assert!(plain(&folder(&size(10, 20))).unwrap().notes.iter().any(|note| note.text.contains("wrong order")));
        assert!(plain(&folder(&size(0, 0))).unwrap().targets.boxes().unwrap().of_sample[0].is_empty());
        let other = folder("");
        std::fs::write(other.path().join("classes.txt"), "cat\ndog").unwrap();
        put(&other, "a", &object("cow", [1.0, 1.0, 2.0, 2.0]));
        assert!(refused(&other).contains("a.xml: line 1: has the class 'cow', which classes.txt does not name"));
        std::fs::remove_file(other.path().join("JPEGImages/a.png")).unwrap();
        assert!(refused(&other).contains("a.xml: filename: no picture a or 'a.png'"), "{}", refused(&other));
        let empty = tempfile::tempdir().unwrap();
        assert!(refused(&empty).contains("contains no annotations"));
    }

    #[test]
    fn a_picture_on_its_side_is_turned_if_its_annotation_says_so() {
        let size = |w, h| format!("<size><width>{w}</width><height>{h}</height></size>");
        for (w, h, first) in [(20, 10, 0.0), (10, 20, 255.0)] {
            let dir = folder(&(size(w, h) + &object("a", [1.0, 1.0, 5.0, 9.0])));
            std::fs::write(dir.path().join("JPEGImages/a.png"), images::tests::on_its_side(20, 10)).unwrap();
            let samples = plain(&dir).unwrap();
            assert_eq!((samples.shape.clone(), samples.raw(0)[1]), (vec![1, h, w], first));
            assert_eq!(corners(&samples), [[0.0, 0.0, 5.0, 9.0]]);
            assert!(!samples.notes.iter().any(|note| note.text.contains("wrong order")));
        }
    }

    #[test]
    fn a_split_is_the_list_of_its_name() {
        let dir = folder(&object("a", [1.0, 1.0, 5.0, 5.0]));
        put(&dir, "b", &object("b", [1.0, 1.0, 5.0, 5.0]));
        image::RgbImage::new(20, 10).save(dir.path().join("JPEGImages/b.png")).unwrap();
        std::fs::create_dir_all(dir.path().join("ImageSets/Main")).unwrap();
        std::fs::write(dir.path().join("ImageSets/Main/val.txt"), "b  1\n").unwrap();
        std::fs::write(dir.path().join("ImageSets/Main/trainval.txt"), "\u{feff}a\r\nb\r\n").unwrap();
        let of_list = |name: &str| {
            let options = ReadOptions { list: Some(name.into()), ..ReadOptions::default() };
            read(dir.path(), None, &options)
        };
        let count = |name: &str| of_list(name).unwrap().len();
        assert_eq!((plain(&dir).unwrap().len(), count("val"), count("trainval")), (2, 1, 2));
        let missing = of_list("train").unwrap_err().to_string();
        assert!(
            missing.contains("Main/train.txt: there is no such list") && missing.contains("trainval, val"),
            "{missing}"
        );
        assert_eq!(of_list("val").unwrap().targets.boxes().unwrap().file_names.as_slice(), ["b.png"]);
    }
}
