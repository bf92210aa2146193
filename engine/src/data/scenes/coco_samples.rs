//! Reads pictures with COCO boxes: one JSON file and a folder of pictures.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::boxes::{BoxTally, MAX_BOXES, PictureBox};
use super::coco::GroundTruth;
use super::pictures;
use super::placement::{self, Placement};
use crate::data::images::{PictureHeader, orientation_notes};
use crate::data::options::ReadOptions;
use crate::data::samples::targets::{Boxes, TargetBox, Targets};
use crate::data::{Note, Samples};
use crate::{Error, Result};

/// Shape of the first picture, `[C, H, W]`.
///
/// # Errors
/// As [`read`].
pub fn first_shape(file: &Path, folder: Option<&Path>, options: &ReadOptions) -> Result<Vec<usize>> {
    let truth = GroundTruth::read(file)?;
    pictures::first_shape(&files_of(file, folder, &truth)?.0, options)
}

/// The pictures of the annotation file `file`.
///
/// # Errors
/// As [`read`].
pub fn picture_files(file: &Path) -> Result<Vec<PathBuf>> {
    Ok(files_of(file, None, &GroundTruth::read(file)?)?.0)
}

/// Reads the pictures and boxes of the annotation file `file`, fitted to `network` (`[C, H, W]`) if there is one. Pictures
/// lie in `folder`, else in a folder beside the file that has the first of them.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] for a file that is no such JSON ([`GroundTruth::read`]), and for pictures that are
/// absent, cannot be read, have another size than stated or more than 200,000 boxes.
pub fn read(file: &Path, folder: Option<&Path>, network: Option<&[usize]>, options: &ReadOptions) -> Result<Samples> {
    let truth = GroundTruth::read(file)?;
    let (files, by_name) = files_of(file, folder, &truth)?;
    let mut headers = files.par_iter().map(|path| PictureHeader::read(path)).collect::<Result<Vec<_>>>()?;
    for (index, (picture, header)) in truth.pictures.iter().zip(&mut headers).enumerate() {
        if let [Some(width), Some(height)] = picture.size {
            header.turn_to_fit([width, height].map(|side| side as u32));
        }
        let [w, h] = header.size.map(f64::from);
        if let [Some(width), Some(height)] = picture.size
            && (width, height) != (w, h)
        {
            let reason = format!("says {width}x{height}, but {} is {w}x{h}", picture.file_name);
            return Err(Error::file(file, format!("images[{index}]"), reason));
        }
    }
    let twice = entries_twice(file, &files, &truth)?;
    let (channels, size) = pictures::sample_size(&files, &headers, network, options)?;
    let fit = options.fit.unwrap_or_default();
    let places: Vec<Placement> = headers.iter().map(|header| Placement::new(fit, header.size, size)).collect();
    let mut samples = pictures::read(&files, &headers, &places, channels, size, options)?;

    // Classes in the order of the ids, as COCO's scores take them.
    let mut order: Vec<usize> = (0..truth.categories.len()).collect();
    order.sort_by(|a, b| truth.categories[*a].id.cmp(&truth.categories[*b].id));
    let mut class_of = vec![0u16; order.len()];
    for (class, &category) in order.iter().enumerate() {
        class_of[category] = u16::try_from(class).map_err(|_| {
            Error::file(file, "categories", format!("are {}; at most {} classes are supported", order.len(), u16::MAX))
        })?;
    }
    let mut of_sample: Vec<Vec<TargetBox>> = vec![Vec::new(); files.len()];
    let mut tally = BoxTally::default();
    for (index, object) in truth.objects.iter().enumerate() {
        let picture = object.picture as usize;
        let [left, top, width, height] = object.bbox;
        let boxed = PictureBox {
            class: class_of[object.category as usize],
            corners: [left, top, left + width, top + height],
            area: Some(object.area),
            is_crowd: object.is_crowd,
            is_difficult: false,
        };
        let name = || format!("annotations[{index}]");
        of_sample[picture].extend(tally.target(&boxed, headers[picture].size, &places[picture], name));
    }
    if let Some(picture) = of_sample.iter().position(|boxes| boxes.len() > MAX_BOXES) {
        let (count, name) = (of_sample[picture].len(), &truth.pictures[picture].file_name);
        let reason = format!("has {count} annotations ({name}); at most {MAX_BOXES} of one picture are supported");
        return Err(Error::file(file, format!("images[{picture}]"), reason));
    }
    let named = folder.map_or_else(String::new, |folder| format!(",{}", folder.display()));
    samples.source = format!("coco:{}{named}{options}", file.display());
    samples.notes.extend(by_name.into_iter().chain(twice));
    samples.notes.extend(truth.duplicates.map(|(count, first)| {
        Note::new(format!(
            "{count} annotations have the id of an earlier one and are read all the same (the first: {first})"
        ))
    }));
    samples.notes.extend(orientation_notes(&headers));
    samples.notes.extend(tally.notes());
    samples.notes.extend(placement::note(&places, fit, "boxes follow"));
    let class_names = order.iter().map(|&category| truth.categories[category].name.clone()).collect();
    samples.targets = Targets::Boxes(Boxes {
        of_sample: Arc::new(of_sample),
        class_names,
        places: Arc::new(places.iter().map(Placement::picture_place).collect()),
        file_names: Arc::new(truth.pictures.iter().map(|picture| picture.file_name.clone()).collect()),
    });
    Ok(samples)
}

/// A note on pictures that several entries name with the same boxes. pycocotools scores each entry as a picture of its own.
///
/// # Errors
/// [`Error::File`] where the entries of a picture have different boxes: in each, what the others have would count as false.
fn entries_twice(file: &Path, files: &[PathBuf], truth: &GroundTruth) -> Result<Option<Note>> {
    let mut of_file: BTreeMap<&PathBuf, usize> = BTreeMap::new();
    let twice: Vec<(usize, usize)> = (0..files.len())
        .filter_map(|index| match of_file.entry(&files[index]) {
            Entry::Vacant(free) => {
                free.insert(index);
                None
            }
            Entry::Occupied(first) => Some((*first.get(), index)),
        })
        .collect();
    let Some(&(first, second)) = twice.first() else { return Ok(None) };
    let of_several: BTreeSet<usize> = twice.iter().flat_map(|&(first, second)| [first, second]).collect();
    let mut boxes: BTreeMap<usize, Vec<(u32, bool, [u64; 4])>> = BTreeMap::new();
    for object in truth.objects.iter().filter(|object| of_several.contains(&(object.picture as usize))) {
        let key = (object.category, object.is_crowd, object.bbox.map(f64::to_bits));
        boxes.entry(object.picture as usize).or_default().push(key);
    }
    boxes.values_mut().for_each(|all| all.sort_unstable());
    if let Some((first, second)) = twice.iter().find(|(first, second)| boxes.get(first) != boxes.get(second)) {
        let reason = format!(
            "has the picture {} of images[{first}] with other annotations: of each entry, objects that only the other has would \
             count as false detections. Give the picture one entry with all its annotations",
            files[*second].display()
        );
        return Err(Error::file(file, format!("images[{second}]"), reason));
    }
    let text = format!(
        "entries of 'images' with the picture and the boxes of an earlier one: {} (the first: images[{second}], as \
         images[{first}]); each is a sample of its own, as for pycocotools",
        twice.len()
    );
    Ok(Some(Note::new(text).warning()))
}

/// The files of all pictures, and a note on those found by the end of their path.
fn files_of(file: &Path, folder: Option<&Path>, truth: &GroundTruth) -> Result<(Vec<PathBuf>, Option<Note>)> {
    let fail = |index: usize, reason: String| Error::file(file, format!("images[{index}]"), reason);
    let wanted = truth.pictures.iter().enumerate().map(|(index, picture)| match places_of(&picture.file_name) {
        places if places.is_empty() => Err(fail(index, "has no file_name, so that its picture is not found".into())),
        places => Ok(places),
    });
    let wanted = wanted.collect::<Result<Vec<Vec<PathBuf>>>>()?;
    let Some(first) = wanted.first() else { return Err(Error::file(file, "images", "is an empty list")) };
    let beside = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let dir = match folder {
        Some(folder) => folder.to_owned(),
        None => {
            let above =
                beside.parent().filter(|dir| !dir.as_os_str().is_empty()).map_or(beside.join(".."), Path::to_owned);
            // `annotations/instances_val2017.json` beside `val2017/`.
            let stem = file.file_stem().unwrap_or_default().to_string_lossy();
            let part = stem.rsplit('_').next().unwrap_or_default().to_owned();
            let candidates =
                [beside, &above].into_iter().flat_map(|dir| ["", "images", &*part].map(|name| dir.join(name)));
            candidates.into_iter().find(|dir| first.iter().any(|place| dir.join(place).is_file())).ok_or_else(|| {
                let name = &truth.pictures[0].file_name;
                let reason = format!(
                    "the picture {name} is not beside the file; state the folder of pictures: coco:FILE,FOLDER"
                );
                fail(0, reason)
            })?
        }
    };
    let mut files = Vec::with_capacity(wanted.len());
    let mut by_name = Vec::new();
    for (index, (places, picture)) in wanted.iter().zip(&truth.pictures).enumerate() {
        let place = places.iter().find(|place| dir.join(place).is_file()).ok_or_else(|| {
            let absent = places.first().map_or_else(|| dir.clone(), |place| dir.join(place));
            fail(index, format!("the picture {} does not exist", absent.display()))
        })?;
        if place.as_os_str() != &*picture.file_name {
            by_name.push(index);
        }
        files.push(dir.join(place));
    }
    let Some(&first) = by_name.first() else { return Ok((files, None)) };
    let mut of_file = BTreeMap::new();
    for (index, path) in files.iter().enumerate() {
        if let Some(other) = of_file.insert(path, index) {
            let (name, found) = (&truth.pictures[index].file_name, path.display());
            let reason =
                format!("has the file_name {name}, found as {found}, as is images[{other}]; names must differ");
            return Err(fail(index, reason));
        }
    }
    let (name, found) = (&truth.pictures[first].file_name, files[first].display());
    let text = format!(
        "pictures found in the folder by the end of their path: {} (the first: {name} as {found})",
        by_name.len()
    );
    Ok((files, Some(Note::new(text))))
}

/// Where the picture `file_name` may lie below the folder of pictures, the likeliest first. A file written elsewhere names
/// folders of that machine: of an absolute path, of one that leads out and of one from Windows the end counts.
fn places_of(file_name: &str) -> Vec<PathBuf> {
    let is_below = |name: &str| {
        let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        !name.is_empty() && Path::new(name).components().all(is_plain)
    };
    let with_slashes = file_name.replace('\\', "/");
    let ends = with_slashes.match_indices('/').map(|(at, _)| &with_slashes[at + 1..]);
    [file_name, &*with_slashes].into_iter().chain(ends).filter(|name| is_below(name)).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(text: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("images")).unwrap();
        for (name, side) in [("a.png", 8), ("b.png", 4)] {
            image::RgbImage::new(8, side).save(dir.path().join("images").join(name)).unwrap();
        }
        std::fs::write(dir.path().join("gt.json"), text).unwrap();
        dir
    }

    const SOUND: &str = "{\"images\": [{\"id\": 9, \"file_name\": \"b.png\", \"width\": 8, \"height\": 4}, {\"id\": 2, \
                         \"file_name\": \"a.png\"}], \"categories\": [{\"id\": 90, \"name\": \"toothbrush\"}, {\"id\": 1, \
                         \"name\": \"person\"}], \"annotations\": [{\"image_id\": 2, \"category_id\": 90, \"bbox\": [2, 2, 4, \
                         4], \"area\": 8}, {\"image_id\": 9, \"category_id\": 1, \"bbox\": [0, 0, 8, 4], \"iscrowd\": 1, \
                         \"segmentation\": {\"counts\": [0, 9], \"size\": [4, 8]}}, {\"image_id\": 9, \"category_id\": 1, \
                         \"bbox\": [0, 0, 0, 4]}]}";

    #[test]
    fn categories_with_gaps_crowds_and_sizes() {
        let dir = folder(SOUND);
        let file = dir.path().join("gt.json");
        let options = ReadOptions { size: Some([8, 8]), ..ReadOptions::default() };
        let samples = read(&file, None, None, &options).unwrap();
        let boxes = samples.targets.boxes().unwrap();
        assert_eq!((samples.len(), boxes.class_names.join(" ")), (2, "person toothbrush".into()));
        let crowd =
            TargetBox { class: 0, corners: [0.0, 0.0, 8.0, 8.0], area: 64.0, is_crowd: true, is_difficult: false };
        let brush =
            TargetBox { class: 1, corners: [2.0, 2.0, 6.0, 6.0], area: 8.0, is_crowd: false, is_difficult: false };
        assert_eq!(boxes.of_sample[..], [vec![crowd], vec![brush]]);
        assert!(
            samples.notes.iter().any(|note| note.text == "1 box without area, left out (the first: annotations[2])")
        );
        let stated = read(&file, Some(&dir.path().join("images")), Some(&[3, 8, 8]), &ReadOptions::default()).unwrap();
        assert_eq!(stated.targets, samples.targets);
        assert_eq!(first_shape(&file, None, &ReadOptions::default()).unwrap(), [3, 4, 8]);
    }

    #[test]
    fn pictures_named_by_paths_of_another_machine_are_found_by_name() {
        for name in [
            "/data/coco/a.png",
            "/data/images/a.png",
            "../train/a.png",
            "C:\\\\data\\\\a.png",
            "images\\\\a.png",
            "./a.png",
        ] {
            let dir = folder(&SOUND.replace("a.png", name));
            let options = ReadOptions { size: Some([8, 8]), ..ReadOptions::default() };
            let samples = read(&dir.path().join("gt.json"), None, None, &options).unwrap();
            let told = samples
                .notes
                .iter()
                .any(|note| note.text.contains("pictures found in the folder by the end of their path: 1"));
            assert!(told || name == "./a.png", "{name}");
        }
    }

    #[test]
    fn pictures_that_lie_on_their_side_follow_the_sizes_of_the_file() {
        let (stored, upright) = (crate::data::images::tests::on_its_side(8, 4), [4, 8]);
        let dir = folder(&SOUND.replace("\"id\": 2, ", "\"id\": 2, \"width\": 4, \"height\": 8, "));
        std::fs::write(dir.path().join("images/a.png"), stored).unwrap();
        let options = ReadOptions { size: Some(upright), ..ReadOptions::default() };
        let samples = read(&dir.path().join("gt.json"), None, None, &options).unwrap();
        assert!(samples.notes.iter().any(|note| note.text.starts_with("1 of 2 pictures are turned upright")));
        // The bright left column of the stored picture is the top row.
        assert_eq!((samples.raw(1)[..4].to_vec(), samples.raw(1)[4]), (vec![255.0; 4], 0.0));
    }

    #[test]
    fn absent_pictures_other_sizes_and_names_that_lead_out_are_refused() {
        let refused = |text: &str| {
            let dir = folder(text);
            let options = ReadOptions { size: Some([8, 8]), ..ReadOptions::default() };
            read(&dir.path().join("gt.json"), None, None, &options).unwrap_err().to_string()
        };
        for (from, to, says) in [
            ("a.png", "c.png", "gt.json: images[1]: the picture "),
            ("b.png", "c.png", "the picture c.png is not beside the file; state the folder"),
            ("a.png", "../c.png", "images[1]: the picture "),
            ("a.png", "x/b.png", "images[1]: has the file_name x/b.png, found as "),
            ("\"file_name\": \"a.png\"", "\"width\": 3", "images[1]: has no file_name"),
            ("\"width\": 8", "\"width\": 7", "images[0]: says 7x4, but b.png is 8x4"),
            ("\"image_id\": 2", "\"image_id\": 3", "annotations[0]: has image_id 3, which is not in 'images'"),
        ] {
            let text = refused(&SOUND.replace(from, to));
            assert!(text.contains(says), "{text}\n{says}");
        }
        let one = "{\"image_id\": 9, \"category_id\": 1, \"bbox\": [0, 0, 1, 1]},";
        let many = SOUND.replace("\"annotations\": [", &format!("\"annotations\": [{}", one.repeat(MAX_BOXES)));
        let text = refused(&many);
        assert!(text.contains("images[0]: has 200001 annotations (b.png); at most 200000 of one picture"), "{text}");
        assert!(
            refused("{\"images\": [], \"annotations\": [], \"categories\": []}").contains("images: is an empty list")
        );
    }

    #[test]
    fn a_picture_of_two_entries_is_told_and_refused_if_its_boxes_are_split() {
        let options = ReadOptions { size: Some([8, 8]), ..ReadOptions::default() };
        let read_with = |entry: &str, annotations: &str| {
            let text = SOUND.replace("\"images\": [", &format!("\"images\": [{entry}, "));
            let dir = folder(&text.replace("\"annotations\": [", &format!("\"annotations\": [{annotations}")));
            read(&dir.path().join("gt.json"), None, None, &options)
        };
        let entry = "{\"id\": 5, \"file_name\": \"./a.png\"}";
        let same = "{\"image_id\": 5, \"category_id\": 90, \"bbox\": [2, 2, 4, 4]}, ";
        let samples = read_with(entry, same).unwrap();
        assert_eq!(samples.len(), 3);
        let told =
            |note: &&Note| note.is_warning && note.text.contains("earlier one: 1 (the first: images[2], as images[0])");
        assert!(samples.notes.iter().any(|note| told(&note)), "{:?}", samples.notes);
        for other in ["", "{\"image_id\": 5, \"category_id\": 1, \"bbox\": [2, 2, 4, 4]}, "] {
            let why = read_with(entry, other).unwrap_err().to_string();
            assert!(why.contains("gt.json: images[2]: has the picture ") && why.contains("one entry"), "{why}");
        }
    }
}
