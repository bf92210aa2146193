//! Reads pictures with COCO boxes: one JSON file and a folder of pictures.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::boxes::{BoxTally, PictureBox};
use super::coco::GroundTruth;
use super::pictures::{self, PictureHeader};
use super::placement::{self, Placement};
use crate::data::options::ReadOptions;
use crate::data::samples::targets::{Boxes, TargetBox, Targets};
use crate::data::{Note, Samples};
use crate::{Error, Result};

/// Boxes of one picture at most. The scores compare each with each detection of the picture.
const MAX_BOXES: usize = 200_000;

/// Shape of the first picture, `[C, H, W]`.
///
/// # Errors
/// As [`read`].
pub fn first_shape(file: &Path, folder: Option<&Path>, options: &ReadOptions) -> Result<Vec<usize>> {
    let truth = GroundTruth::read(file)?;
    pictures::first_shape(&files_of(file, folder, &truth)?, options)
}

/// The pictures of the annotation file `file`.
///
/// # Errors
/// As [`read`].
pub fn picture_files(file: &Path) -> Result<Vec<PathBuf>> {
    files_of(file, None, &GroundTruth::read(file)?)
}

/// Reads the pictures and boxes of the annotation file `file`, fitted to `network` (`[C, H, W]`) if there is one. Pictures
/// lie in `folder`, else in a folder beside the file that has the first of them.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] for a file that is no such JSON ([`GroundTruth::read`]), and for pictures that are
/// absent, cannot be read, have another size than stated or more than 200,000 boxes.
pub fn read(file: &Path, folder: Option<&Path>, network: Option<&[usize]>, options: &ReadOptions) -> Result<Samples> {
    let truth = GroundTruth::read(file)?;
    let files = files_of(file, folder, &truth)?;
    let headers = files.par_iter().map(|path| pictures::header(path)).collect::<Result<Vec<PictureHeader>>>()?;
    for (index, (picture, header)) in truth.pictures.iter().zip(&headers).enumerate() {
        let [w, h] = header.size.map(f64::from);
        if let [Some(width), Some(height)] = picture.size
            && (width, height) != (w, h)
        {
            let reason = format!("says {width}x{height}, but {} is {w}x{h}", picture.file_name);
            return Err(Error::file(file, format!("images[{index}]"), reason));
        }
    }
    let (channels, size) = pictures::sample_size(&files, &headers, network, options)?;
    let fit = options.fit.unwrap_or_default();
    let places: Vec<Placement> = headers.iter().map(|header| Placement::new(fit, header.size, size)).collect();
    let mut samples = pictures::read(&files, &places, channels, size, options)?;

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
    samples.notes.extend(truth.duplicates.map(|(count, first)| {
        Note::new(format!(
            "{count} annotations have the id of an earlier one and are read all the same (the first: {first})"
        ))
    }));
    samples.notes.extend(tally.notes());
    samples.notes.extend(placement::note(&places, fit, "boxes follow"));
    let class_names = order.iter().map(|&category| truth.categories[category].name.clone()).collect();
    samples.targets = Targets::Boxes(Boxes {
        of_sample: Arc::new(of_sample),
        class_names,
        places: Arc::new(places.iter().map(Placement::picture_place).collect()),
    });
    Ok(samples)
}

/// The files of all pictures.
fn files_of(file: &Path, folder: Option<&Path>, truth: &GroundTruth) -> Result<Vec<PathBuf>> {
    let names = truth.pictures.iter().enumerate().map(|(index, picture)| {
        let is_below = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        let name = Path::new(&picture.file_name);
        let fail = |reason: &str| Error::file(file, format!("images[{index}]"), reason);
        match (picture.file_name.is_empty(), name.components().all(is_below)) {
            (true, _) => Err(fail("has no file_name, so that its picture is not found")),
            (_, false) => Err(fail("has a file_name that leads out of the folder of pictures")),
            _ => Ok(name),
        }
    });
    let names = names.collect::<Result<Vec<&Path>>>()?;
    let Some(first) = names.first() else { return Err(Error::file(file, "images", "is an empty list")) };
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
            candidates.into_iter().find(|dir| dir.join(first).is_file()).ok_or_else(|| {
                let reason = format!(
                    "the picture {} is not beside the file; state the folder of pictures: coco:FILE,FOLDER",
                    first.display()
                );
                Error::file(file, "images[0]", reason)
            })?
        }
    };
    let files = names.iter().enumerate().map(|(index, name)| {
        let path = dir.join(name);
        let absent =
            || Error::file(file, format!("images[{index}]"), format!("the picture {} does not exist", path.display()));
        if path.is_file() { Ok(path) } else { Err(absent()) }
    });
    files.collect()
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
    fn absent_pictures_other_sizes_and_names_that_lead_out_are_refused() {
        let refused = |text: &str| {
            let dir = folder(text);
            let options = ReadOptions { size: Some([8, 8]), ..ReadOptions::default() };
            read(&dir.path().join("gt.json"), None, None, &options).unwrap_err().to_string()
        };
        for (from, to, says) in [
            ("a.png", "c.png", "gt.json: images[1]: the picture "),
            ("b.png", "c.png", "the picture c.png is not beside the file; state the folder"),
            ("a.png", "../a.png", "images[1]: has a file_name that leads out"),
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
}
