//! Labels from an array: class indices, one-hot rows, two signs, or class names.

use std::path::Path;

use crate::data::npy::Array;
use crate::data::{LabelSource, Note};
use crate::error::format_shape;
use crate::{Error, Result};

/// Labels of all samples.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Labels {
    /// `[N]`; indices into `class_names` if the labels are names.
    pub indices: Vec<u16>,
    pub class_names: Vec<String>,
    pub source: LabelSource,
    pub notes: Vec<Note>,
}

/// Labels of `count` samples from an array `[N]`, `[N, 1]` or one-hot `[N, K]`, numbers or text. `place` is the array's
/// name in the file.
///
/// # Errors
/// [`Error::File`] for another number of labels and for values that are no classes.
pub(super) fn from_array(path: &Path, place: &str, array: &Array, count: usize) -> Result<Labels> {
    let fail = |reason: String| Error::file(path, place, reason);
    if array.shape.first() != Some(&count) {
        return Err(fail(format!("has shape {} for {count} samples", format_shape(&array.shape))));
    }
    let width = array.len().checked_div(count).unwrap_or(0);
    if width == 0 {
        return Err(fail("contains no labels".into()));
    }
    if let (Some(texts), 1) = (array.texts(), width) {
        return from_names(&texts).map_err(fail);
    }
    if !array.dtype.is_number() {
        return Err(fail(format!("has shape {}, which are no labels", format_shape(&array.shape))));
    }
    let values: Vec<f64> = array.numbers().collect();
    if width > 1 {
        let one_hot = |(index, row): (usize, &[f64])| {
            let is_one_hot =
                row.iter().filter(|v| **v == 1.0).count() == 1 && row.iter().all(|v| *v == 0.0 || *v == 1.0);
            let place = row.iter().position(|v| *v == 1.0).and_then(|place| u16::try_from(place).ok());
            place.filter(|_| is_one_hot).ok_or_else(|| {
                fail(format!("row {index} is not one-hot; labels are class indices, or rows with a single 1"))
            })
        };
        let indices = values.chunks_exact(width).enumerate().map(one_hot).collect::<Result<_>>()?;
        return Ok(Labels { indices, ..Labels::default() });
    }
    from_numbers(&values).map_err(fail)
}

/// Class indices, or the two signs -1 and 1.
fn from_numbers(values: &[f64]) -> std::result::Result<Labels, String> {
    let not_class = |index: usize, value: f64| format!("label {index} is {value}, which is not a class index");
    if let Some(index) = values.iter().position(|v| v.fract() != 0.0 || !v.is_finite()) {
        return Err(not_class(index, values[index]));
    }
    let mut notes = Vec::new();
    let mut shift = 0.0;
    if values.contains(&-1.0) {
        if let Some(index) = values.iter().position(|v| *v != -1.0 && *v != 1.0) {
            let at = values.iter().position(|v| *v == -1.0).unwrap_or(0);
            return Err(format!(
                "label {at} is -1 and label {index} is {}: negative labels are supported for the two classes -1 and 1 \
                 only",
                values[index]
            ));
        }
        if !values.contains(&1.0) {
            return Err(not_class(0, -1.0));
        }
        shift = 1.0;
        notes.push(Note::new("labels -1 and 1 are taken as classes 0 and 1"));
    }
    let class = |(index, value): (usize, &f64)| {
        let class = if shift > 0.0 { (value + shift) / 2.0 } else { *value };
        let is_class = (0.0..=f64::from(u16::MAX)).contains(&class);
        if is_class { Ok(class as u16) } else { Err(not_class(index, *value)) }
    };
    let indices = values.iter().enumerate().map(class).collect::<std::result::Result<_, _>>()?;
    Ok(Labels { indices, notes, ..Labels::default() })
}

/// Class names, sorted as text.
fn from_names(texts: &[String]) -> std::result::Result<Labels, String> {
    let mut class_names = texts.to_vec();
    class_names.sort();
    class_names.dedup();
    if class_names.len() > usize::from(u16::MAX) {
        return Err(format!("has {} different names; at most {} classes are supported", class_names.len(), u16::MAX));
    }
    let index = |name: &String| class_names.binary_search(name).map_or(0, |index| index as u16);
    let indices = texts.iter().map(index).collect();
    Ok(Labels { indices, class_names, source: LabelSource::Names, notes: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::npy::header_bytes;

    fn read(descr: &str, shape: &[usize], bytes: &[u8]) -> Result<Labels> {
        let file = [header_bytes(descr, shape), bytes.to_vec()].concat();
        let path = Path::new("a.npz");
        Array::read(path, "y", &mut file.as_slice()).and_then(|array| from_array(path, "y", &array, shape[0]))
    }

    fn indices(descr: &str, shape: &[usize], bytes: &[u8]) -> Vec<u16> {
        read(descr, shape, bytes).unwrap_or_else(|e| panic!("{e}")).indices
    }

    #[test]
    fn indices_and_one_hot_rows_of_every_type() {
        assert_eq!(indices("|u1", &[3, 1], &[2, 0, 1]), [2, 0, 1]);
        assert_eq!(indices(">i2", &[2], &[0, 3, 0, 1]), [3, 1]);
        assert_eq!(indices("|b1", &[2, 3], &[0, 0, 1, 1, 0, 0]), [2, 0]);
        let floats: Vec<u8> = [0f32, 1.0, 1.0, 0.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(indices("<f4", &[2, 2], &floats), [1, 0]);
        assert_eq!(indices("<f4", &[4], &floats), [0, 1, 1, 0]);
    }

    #[test]
    fn signs_are_classes_and_other_negative_labels_are_refused() {
        let signs = read("|i1", &[3], &[0xff, 1, 1]).unwrap();
        assert_eq!((signs.indices, signs.notes.len()), (vec![0, 1, 1], 1));
        for (bytes, says) in [([0xff, 0, 1], "label 1 is 0"), ([0xfe, 0, 1], "label 0 is -2"), ([0xff, 2, 1], "is 2")] {
            let text = read("|i1", &[3], &bytes).unwrap_err().to_string();
            assert!(text.contains(says), "{text}");
        }
    }

    #[test]
    fn names_are_sorted() {
        let names = read("|S3", &[3, 1], b"dogcatdog").unwrap();
        assert_eq!((names.indices, names.class_names), (vec![1, 0, 1], vec!["cat".to_owned(), "dog".to_owned()]));
        assert!(read("|S1", &[2, 2], b"abcd").unwrap_err().to_string().contains("no labels"));
    }
}
