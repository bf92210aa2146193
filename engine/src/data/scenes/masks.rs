//! Reads pictures with label masks: pairs of files in one folder, or two folders.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::label_mask;
use super::mask_listing::{Pairs, pairs};
use super::mask_meaning::{MaskNumbers, Meaning, classes_of, meaning_of};
use super::mask_numbers::LabelMask;
use super::pictures;
use super::placement::{self, Placement};
use crate::data::files::text::utf8;
use crate::data::images::{PictureHeader, orientation_notes};
use crate::data::options::ReadOptions;
use crate::data::samples::targets::{Masks, Targets};
use crate::data::{Note, Samples};
use crate::{Error, Result};

/// The file of class names in a folder of masks or boxes.
pub(super) const CLASSES_FILE: &str = "classes.txt";

/// Whether `dir` holds pictures with masks.
pub fn is_folder(dir: &Path) -> bool {
    pairs(dir, &ReadOptions::default()).is_ok()
}

/// Shape of the first picture, `[C, H, W]`.
///
/// # Errors
/// As [`read`].
pub fn first_shape(dir: &Path, options: &ReadOptions) -> Result<Vec<usize>> {
    pictures::first_shape(&pairs(dir, options)?.pictures, options)
}

/// Reads pictures and masks of `dir`, fitted to `network` (`[C, H, W]`) if there is one.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] for a folder without pairs, for files that cannot be read, for masks of another size
/// than their picture, and for numbers that are no classes.
pub fn read(dir: &Path, network: Option<&[usize]>, options: &ReadOptions) -> Result<Samples> {
    let Pairs { pictures: files, masks, notes } = pairs(dir, options)?;
    let read_header = |(picture, mask): (&PathBuf, &PathBuf)| -> Result<PictureHeader> {
        let mut header = PictureHeader::read(picture)?;
        if header.may_turn() {
            header.turn_to_fit(PictureHeader::read(mask)?.size);
        }
        Ok(header)
    };
    let headers = files.par_iter().zip(&masks).map(read_header).collect::<Result<Vec<_>>>()?;
    let (channels, size) = pictures::sample_size(&files, &headers, network, options)?;
    let fit = options.fit.unwrap_or_default();
    let places: Vec<Placement> = headers.iter().map(|header| Placement::new(fit, header.size, size)).collect();
    let mut samples = pictures::read(&files, &headers, &places, channels, size, options)?;

    let read_mask = |((mask, picture), (header, place)): ((&PathBuf, &PathBuf), (&PictureHeader, &Placement))| {
        let LabelMask { kind, is_repeated, size: [w, h], values } = label_mask::read(mask)?;
        if [w, h] != header.size {
            let [width, height] = header.size;
            let reason = format!("is {w}x{h}, but its picture {} is {width}x{height}", picture.display());
            return Err(Error::file(mask, "mask size", reason));
        }
        let distinct: BTreeSet<u16> = values.iter().copied().collect();
        // No number of a file stands for what lies beyond the picture.
        let wide: Vec<Option<u16>> = values.into_iter().map(Some).collect();
        Ok(MaskNumbers { kind, is_repeated, distinct, placed: place.place_labels(&wide, None) })
    };
    let pairs = masks.par_iter().zip(&files).zip(headers.par_iter().zip(&places));
    let numbers = pairs.map(read_mask).collect::<Result<Vec<_>>>()?;
    let names = class_names(dir, CLASSES_FILE)?;
    let (meaning, meaning_note) = meaning_of(&numbers, options);
    let (classes, class_names) = classes_of(&masks, &numbers, meaning, names)?;
    let instances = matches!(meaning, Meaning::Instances { .. }).then(|| {
        let flat = numbers.iter().flat_map(|mask| mask.placed.iter().map(|number| number.unwrap_or(0)));
        Arc::new(flat.collect())
    });
    samples.source = format!("masks:{}{options}", dir.display());
    samples.notes.splice(0..0, notes);
    samples.notes.extend(repeated_note(&masks, &numbers));
    samples.notes.extend(meaning_note);
    samples.notes.extend(orientation_notes(&headers));
    samples.notes.extend(placement::note(&places, fit, "masks take the nearest pixel"));
    let (width, height) = (size[0] as usize, size[1] as usize);
    let masks = Masks { height, width, classes: Arc::new(classes), instances, class_names };
    samples.targets = Targets::Masks(masks);
    Ok(samples)
}

/// A note on masks whose gray numbers are stored in several channels.
fn repeated_note(files: &[PathBuf], masks: &[MaskNumbers]) -> Option<Note> {
    let mut repeated = files.iter().zip(masks).filter(|(_, mask)| mask.is_repeated).map(|(file, _)| file);
    let first = repeated.next()?.file_name().unwrap_or_default().to_string_lossy();
    Some(Note::new(format!(
        "{} of {} masks store their gray numbers as colors of three equal channels, or beside opacity; one channel is read \
         (the first: {first})",
        repeated.count() + 1,
        masks.len()
    )))
}

/// Class names in the file `name` of the folder `dir`, one a line, if it is there.
pub(super) fn class_names(dir: &Path, name: &str) -> Result<Option<Vec<String>>> {
    let path = dir.join(name);
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
    let names: Vec<String> = utf8(&path, &bytes)?.trim().lines().map(|line| line.trim().to_owned()).collect();
    match names.iter().position(String::is_empty) {
        Some(line) => Err(Error::file(&path, format!("line {}", line + 1), "is empty; each line names a class")),
        None => Ok(Some(names)),
    }
}

#[cfg(test)]
mod tests {
    use png::{BitDepth, ColorType};

    use super::super::label_png::tests::write_png;
    use super::*;
    use crate::data::options::{MaskMeaning, PictureFit, VoidNumber};
    use crate::data::{OtherChoice, images};

    fn picture(path: PathBuf, size: [u32; 2]) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::RgbImage::from_pixel(size[0], size[1], image::Rgb([9, 8, 7])).save(path).unwrap();
    }

    fn gray(path: PathBuf, size: [u32; 2], bytes: &[u8]) {
        write_png(&path, size, ColorType::Grayscale, BitDepth::Eight, bytes);
    }

    fn plain(dir: &Path) -> Result<Samples> {
        read(dir, None, &ReadOptions::default())
    }

    fn classes(samples: &Samples) -> (Vec<u8>, String) {
        let masks = samples.targets.masks().unwrap();
        (masks.classes.to_vec(), masks.class_names.join(" "))
    }

    fn told(samples: &Samples) -> String {
        samples.notes.iter().map(|note| format!("{}\n", note.text)).collect()
    }

    #[test]
    fn pairs_in_one_folder_and_in_two_with_palettes_and_class_names() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        picture(at("a.jpg"), [2, 1]);
        picture(at("b.png"), [2, 1]);
        picture(at("alone.png"), [2, 1]);
        write_png(&at("a_label.png"), [2, 1], ColorType::Indexed, BitDepth::Eight, &[1, 255]);
        write_png(&at("b_mask.png"), [2, 1], ColorType::Indexed, BitDepth::Four, &[0x20]);
        let samples = plain(dir.path()).unwrap();
        assert_eq!((samples.len(), samples.shape.as_slice()), (2, [3, 1, 2].as_slice()));
        assert_eq!(classes(&samples), (vec![1, 255, 2, 0], "class 0 class 1 class 2".into()));
        assert!(
            told(&samples).contains("pictures without a mask, left out: 1 (the first: alone.png)"),
            "{}",
            told(&samples)
        );
        assert!(told(&samples).contains("255 is void"), "{}", told(&samples));
        // As an editor on Windows writes it.
        std::fs::write(at("classes.txt"), "\u{feff}sky\r\nsea\r\nland\r\n").unwrap();
        assert_eq!(classes(&plain(dir.path()).unwrap()).1, "sky sea land");
        std::fs::write(at("classes.txt"), "sky\nsea").unwrap();
        let text = plain(dir.path()).unwrap_err().to_string();
        assert!(text.contains("b_mask.png: mask: has class 2, but classes.txt names only 2"), "{text}");

        let two = tempfile::tempdir().unwrap();
        picture(two.path().join("images/x.png"), [2, 1]);
        gray(two.path().join("masks/x.png"), [2, 1], &[0, 3]);
        assert_eq!(classes(&plain(two.path()).unwrap()).0, [0, 3]);
        assert!(is_folder(two.path()) && !is_folder(&two.path().join("masks")));
    }

    #[test]
    fn meanings_are_guessed_told_and_stated() {
        let dir = tempfile::tempdir().unwrap();
        picture(dir.path().join("a.png"), [3, 1]);
        let mask = dir.path().join("a_labels.png");
        let with = |options: ReadOptions| read(dir.path(), None, &options).unwrap();
        gray(mask.clone(), [3, 1], &[0, 255, 0]);
        assert_eq!(classes(&with(ReadOptions::default())), (vec![0, 1, 0], "ground object".into()));
        let void = ReadOptions { void: Some(VoidNumber::Number(255)), ..ReadOptions::default() };
        assert_eq!(classes(&with(void)).0, [0, 255, 0]);
        gray(mask.clone(), [3, 1], &[0, 7, 255]);
        let guessed = with(ReadOptions::default());
        assert_eq!(classes(&guessed).0, [0, 7, 255]);
        let other = OtherChoice::Option { key: "meaning", value: "instances".into() };
        assert!(guessed.notes.iter().any(|note| note.other.as_ref() == Some(&other)), "{}", told(&guessed));
        let instances = ReadOptions { meaning: Some(MaskMeaning::Instances), ..ReadOptions::default() };
        let stated = with(instances);
        assert_eq!(classes(&stated), (vec![0, 1, 1], "ground object".into()));
        assert_eq!(stated.targets.masks().unwrap().instances.as_deref(), Some(&vec![0, 7, 255]));
        write_png(&mask, [3, 1], ColorType::Grayscale, BitDepth::Sixteen, &[0, 0, 1, 44, 0, 9]);
        let wide = with(ReadOptions::default());
        assert_eq!(classes(&wide), (vec![0, 1, 1], "ground object".into()));
        assert_eq!(wide.targets.masks().unwrap().instances.as_deref(), Some(&vec![0, 300, 9]));
        let as_classes = ReadOptions { meaning: Some(MaskMeaning::Classes), ..ReadOptions::default() };
        let text = read(dir.path(), None, &as_classes).unwrap_err().to_string();
        assert!(text.contains("a_labels.png: mask: has the number 300; class indices are 0 to 254"), "{text}");
    }

    #[test]
    fn masks_follow_their_pictures_and_other_sizes_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        picture(dir.path().join("a.png"), [4, 2]);
        gray(dir.path().join("a_mask.png"), [4, 2], &[0, 1, 2, 3, 0, 1, 2, 3]);
        let fitted = |fit| {
            let options = ReadOptions { fit: Some(fit), ..ReadOptions::default() };
            read(dir.path(), Some(&[1, 2, 2]), &options).unwrap()
        };
        let stretched = fitted(PictureFit::Stretch);
        assert_eq!((stretched.shape.as_slice(), classes(&stretched).0), ([1, 2, 2].as_slice(), vec![1, 3, 1, 3]));
        assert!(told(&stretched).contains("scaled and stretched from 4x2 to 2x2; masks take"), "{}", told(&stretched));
        assert_eq!(classes(&fitted(PictureFit::Crop)).0, [1, 2, 1, 2]);
        let boxed = fitted(PictureFit::Letterbox);
        assert_eq!(classes(&boxed).0, [1, 3, 255, 255]);
        assert_eq!(boxed.raw(0)[2..], [0.0, 0.0]);
        picture(dir.path().join("b.png"), [3, 3]);
        gray(dir.path().join("b_mask.png"), [3, 2], &[0; 6]);
        let text = plain(dir.path()).unwrap_err().to_string();
        assert!(text.contains("b.png: image size: is 3x3") && text.contains("size=WxH"), "{text}");
        let text = read(dir.path(), Some(&[3, 8, 8]), &ReadOptions::default()).unwrap_err().to_string();
        assert!(text.contains("b_mask.png: mask size: is 3x2, but its picture"), "{text}");
        let turned = tempfile::tempdir().unwrap();
        std::fs::write(turned.path().join("a.png"), images::tests::on_its_side(2, 1)).unwrap();
        gray(turned.path().join("a_mask.png"), [1, 2], &[1, 2]);
        let upright = plain(turned.path()).unwrap();
        assert_eq!(
            (upright.shape.as_slice(), upright.raw(0), classes(&upright).0),
            ([1, 2, 1].as_slice(), [255.0, 0.0].as_slice(), vec![1, 2])
        );
        let jpegs = tempfile::tempdir().unwrap();
        picture(jpegs.path().join("images/a.png"), [4, 2]);
        picture(jpegs.path().join("masks/a.jpg"), [4, 2]);
        let text = plain(jpegs.path()).unwrap_err().to_string();
        assert!(text.contains("masks/a.jpg is of another format, and JPEG does not keep numbers"), "{text}");
        let empty = tempfile::tempdir().unwrap();
        assert!(plain(empty.path()).unwrap_err().to_string().contains("no pairs of a picture and a mask"));
    }

    #[test]
    fn folders_below_and_gray_in_several_channels_or_formats() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let rgb = |name: &str, value: u8| {
            std::fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            image::RgbImage::from_fn(2, 1, |x, _| image::Rgb([value * x as u8; 3])).save(at(name)).unwrap();
        };
        for name in ["images/a/1.jpg", "images/a/b/2.jpg", "images/3.jpg", "images/a/4.jpg"] {
            picture(at(name), [2, 1]);
        }
        rgb("masks/a/1.png", 1);
        rgb("masks/a/b/2_mask.tif", 2);
        rgb("masks/3.bmp", 3);
        // Of another folder.
        rgb("masks/4.png", 4);
        let samples = plain(dir.path()).unwrap();
        let mut found = classes(&samples).0;
        found.sort_unstable();
        assert_eq!(found, [0, 0, 0, 1, 2, 3]);
        for text in [
            "pictures without a mask, left out: 1 (the first: 4.jpg)",
            "masks without a picture, left out: 1 (the first: 4.png)",
            "3 of 3 masks store their gray numbers as colors of three equal channels",
        ] {
            assert!(told(&samples).contains(text), "{}", told(&samples));
        }
        // Parts of a data set are not mixed.
        for part in ["train", "val"] {
            picture(at(&format!("parts/images/{part}/a.jpg")), [2, 1]);
            rgb(&format!("parts/masks/{part}/a.png"), part.len() as u8);
        }
        let parts = plain(&at("parts")).unwrap();
        assert_eq!(classes(&parts).0, [0, 3]);
        assert!(told(&parts).contains("the part val is read; the folder has also train"), "{}", told(&parts));
        let train = ReadOptions { list: Some("train".into()), ..ReadOptions::default() };
        assert_eq!(classes(&read(&at("parts"), None, &train).unwrap()).0, [0, 5]);
    }

    #[test]
    fn cityscapes_has_the_masks_of_its_own_names() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for (part, city, name) in [("val", "ulm", "ulm_000000_000019"), ("train", "aachen", "aachen_000001_000019")] {
            picture(at(&format!("leftImg8bit/{part}/{city}/{name}_leftImg8bit.png")), [2, 1]);
            gray(at(&format!("gtFine/{part}/{city}/{name}_gtFine_labelIds.png")), [2, 1], &[7, 33]);
            picture(at(&format!("gtFine/{part}/{city}/{name}_gtFine_color.png")), [2, 1]);
            std::fs::write(at(&format!("gtFine/{part}/{city}/{name}_gtFine_polygons.json")), "{}").unwrap();
        }
        let every = plain(dir.path()).unwrap();
        assert_eq!(classes(&every).0, [7, 33]);
        assert!(
            told(&every).contains("_labelIds are read") && told(&every).contains("val is read"),
            "{}",
            told(&every)
        );
        gray(at("gtFine/val/ulm/ulm_000000_000019_gtFine_labelTrainIds.png"), [2, 1], &[18, 255]);
        let trained = plain(dir.path()).unwrap();
        assert_eq!(classes(&trained).0, [18, 255]);
        assert!(told(&trained).contains("_labelTrainIds are read (19 classes)"), "{}", told(&trained));
        let train = ReadOptions { list: Some("train".into()), ..ReadOptions::default() };
        assert_eq!(classes(&read(dir.path(), None, &train).unwrap()).0, [7, 33]);
    }
}
