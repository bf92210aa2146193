//! Constant tensors of an ONNX file: initializers, constant nodes, and external data.
//!
//! Memory is allocated for the bytes present, never for the size that a header claims.

use std::path::{Component, Path};

use super::proto::TensorProto;
use crate::network::float16::{bf16, f16};
use crate::{Error, Result};

/// A constant tensor: dimensions and numbers, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    pub dims: Vec<usize>,
    pub numbers: Numbers,
}

/// The two number types of constants; other widths are converted to them.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    Float(Vec<f32>),
    Int(Vec<i64>),
}

impl Constant {
    /// A constant of integers, rank 1.
    pub fn ints(values: Vec<i64>) -> Self {
        Self { dims: vec![values.len()], numbers: Numbers::Int(values) }
    }
    /// Number of values.
    pub fn len(&self) -> usize {
        match &self.numbers {
            Numbers::Float(values) => values.len(),
            Numbers::Int(values) => values.len(),
        }
    }
    /// The values as f32.
    pub fn floats(&self) -> Vec<f32> {
        match &self.numbers {
            Numbers::Float(values) => values.clone(),
            Numbers::Int(values) => values.iter().map(|&v| v as f32).collect(),
        }
    }
    /// The values as integers; `None` if one has a fraction.
    pub fn as_ints(&self) -> Option<Vec<i64>> {
        match &self.numbers {
            Numbers::Int(values) => Some(values.clone()),
            Numbers::Float(values) => values.iter().map(|&v| (v.fract() == 0.0).then_some(v as i64)).collect(),
        }
    }
    /// The value of a constant with a single element.
    pub fn scalar(&self) -> Option<f64> {
        match &self.numbers {
            Numbers::Float(values) if values.len() == 1 => Some(f64::from(values[0])),
            Numbers::Int(values) if values.len() == 1 => Some(values[0] as f64),
            _ => None,
        }
    }

    /// Reads a tensor of the file at `path`, also if its data are in an external file.
    ///
    /// # Errors
    /// [`Error::File`] for invalid dimensions, unsupported types, another number of values than stated, and NaN;
    /// [`Error::Io`] when the external file cannot be read.
    pub fn read(tensor: &TensorProto, path: &Path) -> Result<Self> {
        let place = || format!("tensor '{}'", tensor.name);
        let refuse = |reason: String| Err(Error::file(path, place(), reason));
        let dims: Option<Vec<usize>> = tensor.dims.iter().map(|&d| usize::try_from(d).ok()).collect();
        let count = dims.as_ref().and_then(|dims| dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d)));
        let Some((dims, count)) = dims.zip(count) else {
            return refuse(format!("its dimensions {} are invalid", crate::error::format_shape(&tensor.dims)));
        };
        let external_bytes;
        let raw = if tensor.data_location == 1 {
            external_bytes = read_external(tensor, path)?;
            &external_bytes
        } else {
            &tensor.raw_data
        };
        let Some(numbers) = numbers(tensor, raw) else {
            return refuse(format!(
                "values of type {} are not supported here. Export with 32-bit floats.",
                tensor.data_type
            ));
        };
        let constant = Self { dims, numbers };
        if constant.len() != count {
            let claimed = format!("announces {count} values (dimensions {})", crate::error::format_shape(&tensor.dims));
            return refuse(format!("{claimed}, but {} are there: the file is damaged", constant.len()));
        }
        if let Numbers::Float(values) = &constant.numbers
            && let Some(at) = values.iter().position(|v| v.is_nan())
        {
            return refuse(format!("value {at} is not a number (NaN): the training of this network diverged"));
        }
        Ok(constant)
    }
}

/// The numbers of a tensor by its type code; `None` for unsupported types.
fn numbers(tensor: &TensorProto, raw: &[u8]) -> Option<Numbers> {
    fn of<const N: usize, T>(raw: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
        // An incomplete last value is skipped; the check of the count then fails.
        raw.chunks_exact(N).filter_map(|bytes| bytes.try_into().ok()).map(read).collect()
    }
    let has_raw = !raw.is_empty();
    let int32_values = || tensor.int32_data.iter().map(|&v| i64::from(v)).collect::<Vec<i64>>();
    Some(match tensor.data_type {
        1 if has_raw => Numbers::Float(of(raw, f32::from_le_bytes)),
        1 => Numbers::Float(tensor.float_data.clone()),
        11 if has_raw => Numbers::Float(of(raw, |b| f64::from_le_bytes(b) as f32)),
        11 => Numbers::Float(tensor.double_data.iter().map(|&v| v as f32).collect()),
        10 if has_raw => Numbers::Float(of(raw, |b| f16(u16::from_le_bytes(b)))),
        10 => Numbers::Float(tensor.int32_data.iter().map(|&v| f16(v as u16)).collect()),
        16 if has_raw => Numbers::Float(of(raw, |b| bf16(u16::from_le_bytes(b)))),
        7 if has_raw => Numbers::Int(of(raw, i64::from_le_bytes)),
        7 => Numbers::Int(tensor.int64_data.clone()),
        6 if has_raw => Numbers::Int(of(raw, |b| i64::from(i32::from_le_bytes(b)))),
        2 | 9 if has_raw => Numbers::Int(raw.iter().map(|&b| i64::from(b)).collect()),
        3 if has_raw => Numbers::Int(raw.iter().map(|&b| i64::from(b as i8)).collect()),
        2 | 3 | 6 | 9 => Numbers::Int(int32_values()),
        _ => return None,
    })
}

/// Reads the bytes of a tensor from an external file in the network's folder.
fn read_external(tensor: &TensorProto, path: &Path) -> Result<Vec<u8>> {
    let place = || format!("tensor '{}'", tensor.name);
    let entry = |key: &str| tensor.external_data.iter().find(|e| e.key == key).map(|e| e.value.as_str());
    let location = Path::new(entry("location").unwrap_or_default());
    let is_in_folder =
        location.components().all(|c| matches!(c, Component::Normal(_))) && location.components().count() > 0;
    if !is_in_folder {
        return Err(Error::file(path, place(), "its data file is outside the network's folder, which is not allowed"));
    }
    let file = path.parent().unwrap_or(Path::new("")).join(location);
    let bytes = std::fs::read(&file).map_err(|e| Error::io(&file, e))?;
    let number = |key: &str| entry(key).map_or(Ok(None), |text| text.parse::<usize>().map(Some));
    let (Ok(offset), Ok(length)) = (number("offset"), number("length")) else {
        return Err(Error::file(path, place(), "offset or length of its external data is not a number"));
    };
    let start = offset.unwrap_or(0);
    let end = length.map_or(Some(bytes.len()), |length| start.checked_add(length));
    let part = end.and_then(|end| bytes.get(start..end));
    part.map(<[u8]>::to_vec)
        .ok_or_else(|| Error::file(&file, place(), "the data file is shorter than stated in the network"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claimed_sizes_are_checked_against_the_bytes() {
        let tensor = TensorProto {
            dims: vec![50_000, 50_000],
            data_type: 1,
            raw_data: vec![0; 16],
            name: "w".into(),
            ..Default::default()
        };
        let error = Constant::read(&tensor, Path::new("a.onnx")).unwrap_err().to_string();
        assert!(error.contains("a.onnx") && error.contains("'w'") && error.contains("4 are there"), "{error}");
        let escape = TensorProto {
            dims: vec![1],
            data_type: 1,
            data_location: 1,
            external_data: vec![super::super::proto::StringStringEntryProto {
                key: "location".into(),
                value: "../x".into(),
            }],
            ..Default::default()
        };
        assert!(Constant::read(&escape, Path::new("a.onnx")).unwrap_err().to_string().contains("outside"));
    }
}
