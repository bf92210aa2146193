//! Label maps of an archive: two arrays of one shape that name a class for each pixel.

use std::path::Path;

use super::read::{archive, array_names, file_name, read_array};
use crate::data::npy::Array;
use crate::error::format_shape;
use crate::{Error, Result};

/// Predicted and true classes of pixels, both `[N, H, W]`; negative numbers are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelMaps {
    pub shape: Vec<usize>,
    pub pred: Vec<i32>,
    pub target: Vec<i32>,
}

/// Reads the arrays `pred` and `target` of an archive.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] for a file that cannot be read, without these arrays, with arrays of different
/// shapes, of other ranks than three, and of values that are no whole numbers.
pub fn read_label_maps(path: &Path) -> Result<LabelMaps> {
    let mut archive = archive(path)?;
    let names = array_names(&archive);
    let mut read = |wanted: &str| {
        if !names.iter().any(|name| name == wanted) {
            let found = if names.is_empty() { "no array".to_owned() } else { names.join(", ") };
            let reason =
                format!("contains no array '{wanted}'; it contains {found}. Write pred and target, both NxHxW");
            return Err(Error::file(path, "archive", reason));
        }
        let array = read_array(path, wanted, &mut archive)?;
        let labels = labels_of(path, wanted, &array)?;
        Ok((array.shape, labels))
    };
    let (shape, pred) = read("pred")?;
    let (target_shape, target) = read("target")?;
    if shape != target_shape {
        let (has, wants) = (format_shape(&shape), format_shape(&target_shape));
        return Err(Error::file(path, file_name("pred"), format!("has shape {has}, but target has {wants}")));
    }
    Ok(LabelMaps { shape, pred, target })
}

fn labels_of(path: &Path, name: &str, array: &Array) -> Result<Vec<i32>> {
    let fail = |reason: String| Error::file(path, file_name(name), reason);
    if array.shape.len() != 3 || array.len() == 0 {
        let shape = format_shape(&array.shape);
        return Err(fail(format!("has shape {shape}; class maps are NxHxW and not empty")));
    }
    if !array.dtype.is_number() {
        return Err(fail("contains text or times; classes are whole numbers".into()));
    }
    let whole = |(at, value): (usize, f64)| {
        // No one has more classes than an `i32` counts.
        let is_whole = value.fract() == 0.0 && value.abs() < f64::from(i32::MAX);
        is_whole.then_some(value as i32).ok_or_else(|| {
            let [n, y, x] = place(&array.shape, at);
            fail(format!("is {value} at [{n}, {y}, {x}], which is no class index"))
        })
    };
    array.numbers().enumerate().map(whole).collect()
}

/// The indices `[n, y, x]` of value `at` in an array of `shape`, `[N, H, W]`.
pub fn place(shape: &[usize], at: usize) -> [usize; 3] {
    match *shape {
        [_, h, w] if h * w > 0 => [at / (h * w), at / w % h, at % w],
        _ => [0, 0, at],
    }
}
