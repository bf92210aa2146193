//! Decodes stored tensors: raw bytes or typed lists, of every element type that has numbers.
//!
//! Memory is allocated for the bytes present, never for the size that a header claims.

use std::path::Path;
use std::sync::Arc;

use super::super::proto::TensorProto;
use super::super::shapes;
use super::small_float::float16;
use super::{Constant, DataFiles, ElementType, Numbers};
use crate::error::format_shape;
use crate::{Error, Result};

/// `data_location` of tensors in another file.
const EXTERNAL: i32 = 1;

impl Constant {
    /// Reads a tensor of the file at `path`, also if its data are in an external file.
    ///
    /// # Errors
    /// As [`Self::read_with`].
    pub fn read(tensor: &TensorProto, path: &Path) -> Result<Self> {
        Self::read_with(tensor, &mut DataFiles::beside(path))
    }

    /// Reads a tensor; external data come from `files`.
    ///
    /// # Errors
    /// [`Error::File`] for invalid dimensions, unsupported types and another number of values than stated;
    /// [`Error::Io`] when the external file cannot be read.
    pub fn read_with(tensor: &TensorProto, files: &mut DataFiles) -> Result<Self> {
        let path = files.network().to_owned();
        let refuse = |reason: String| Err(Error::file(&path, format!("tensor '{}'", tensor.name), reason));
        let dims: Option<Vec<usize>> = tensor.dims.iter().map(|&d| usize::try_from(d).ok()).collect();
        let count = dims.as_ref().and_then(|dims| shapes::count(dims));
        let Some((dims, count)) = dims.zip(count) else {
            return refuse(format!("its dimensions {} are invalid", format_shape(&tensor.dims)));
        };
        if !tensor.segment.is_empty() {
            return refuse("it is stored in segments, which is not supported. Save the network again.".into());
        }
        let element_type = match ElementType::of(i64::from(tensor.data_type)) {
            Ok(element_type) => element_type,
            Err(reason) => return refuse(reason),
        };
        let numbers = if tensor.data_location == EXTERNAL {
            match element_type {
                ElementType::Float => Numbers::floats(files.floats(tensor, count)?),
                _ => from_bytes(element_type, &files.bytes(tensor, stored_bytes(element_type, count))?, count),
            }
        } else if tensor.raw_data.is_empty() {
            from_lists(element_type, tensor, count)
        } else {
            from_bytes(element_type, &tensor.raw_data, count)
        };
        if numbers.len() != count {
            let claimed = format!("announces {count} values (dimensions {})", format_shape(&tensor.dims));
            return refuse(format!("{claimed}, but {} are there: the file is damaged", numbers.len()));
        }
        if element_type == ElementType::Uint64
            && let Numbers::Int(_, values) = &numbers
            && values.contains(&i64::MAX)
        {
            return refuse("it has unsigned integers of 2^63 or more, which are not supported".into());
        }
        Ok(Self { dims, numbers })
    }
}

/// Bytes of `count` stored values; sub-byte values are packed.
fn stored_bytes(element_type: ElementType, count: usize) -> Option<usize> {
    count.checked_mul(element_type.bits()).map(|bits| bits.div_ceil(8))
}

/// Values of `N` bytes each. An incomplete last value is skipped; the check of the count then fails.
fn of<const N: usize, T>(raw: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    raw.as_chunks::<N>().0.iter().map(|bytes| read(*bytes)).collect()
}

/// The numbers of little-endian bytes.
fn from_bytes(element_type: ElementType, raw: &[u8], count: usize) -> Numbers {
    use ElementType::*;
    let ints = |values: Vec<i64>| Numbers::Int(element_type, Arc::new(values));
    match element_type {
        Float => Numbers::floats(of(raw, f32::from_le_bytes)),
        Double => Numbers::Double(Arc::new(of(raw, f64::from_le_bytes))),
        Float16 | Bfloat16 => half_floats(element_type, &of(raw, u16::from_le_bytes)),
        Int64 => ints(of(raw, i64::from_le_bytes)),
        Uint64 => ints(of(raw, |b| unsigned(u64::from_le_bytes(b)))),
        Int32 => ints(of(raw, |b| i64::from(i32::from_le_bytes(b)))),
        Uint32 => ints(of(raw, |b| i64::from(u32::from_le_bytes(b)))),
        Int16 => ints(of(raw, |b| i64::from(i16::from_le_bytes(b)))),
        Uint16 => ints(of(raw, |b| i64::from(u16::from_le_bytes(b)))),
        Int8 => ints(raw.iter().map(|&b| i64::from(b as i8)).collect()),
        Uint8 => ints(raw.iter().map(|&b| i64::from(b)).collect()),
        Bool => ints(raw.iter().map(|&b| i64::from(b != 0)).collect()),
        Float8E4M3Fn | Float8E4M3Fnuz | Float8E5M2 | Float8E5M2Fnuz | Float8E8M0 => {
            table_floats(element_type, raw.iter().copied())
        }
        Float4E2M1 => table_floats(element_type, unpacked(raw, 4, count).into_iter()),
        Uint4 | Uint2 => ints(unpacked(raw, element_type.bits(), count).into_iter().map(i64::from).collect()),
        Int4 | Int2 => {
            let values = unpacked(raw, element_type.bits(), count).into_iter();
            ints(values.map(|v| element_type.wrapped(i64::from(v))).collect())
        }
    }
}

/// The numbers of the typed lists of a tensor.
fn from_lists(element_type: ElementType, tensor: &TensorProto, count: usize) -> Numbers {
    use ElementType::*;
    let low_bytes = || tensor.int32_data.iter().map(|&v| v as u8).collect::<Vec<u8>>();
    match element_type {
        Float => Numbers::floats(tensor.float_data.clone()),
        Double => Numbers::Double(Arc::new(tensor.double_data.clone())),
        Int64 => Numbers::ints(tensor.int64_data.clone()),
        Uint32 | Uint64 => {
            Numbers::Int(element_type, Arc::new(tensor.uint64_data.iter().map(|&v| unsigned(v)).collect()))
        }
        Float16 | Bfloat16 => {
            half_floats(element_type, &tensor.int32_data.iter().map(|&v| v as u16).collect::<Vec<_>>())
        }
        // One entry holds a byte: one value of 8 bits, or several smaller ones.
        Float8E4M3Fn | Float8E4M3Fnuz | Float8E5M2 | Float8E5M2Fnuz | Float8E8M0 | Float4E2M1 | Uint4 | Int4
        | Uint2 | Int2 => from_bytes(element_type, &low_bytes(), count),
        Bool | Int8 | Uint8 | Int16 | Uint16 | Int32 => {
            let values = tensor.int32_data.iter().map(|&v| element_type.wrapped(i64::from(v)));
            Numbers::Int(element_type, Arc::new(values.collect()))
        }
    }
}

/// An unsigned 64-bit value; the largest signed one stands for those above it.
fn unsigned(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn half_floats(element_type: ElementType, bits: &[u16]) -> Numbers {
    let values = match element_type {
        ElementType::Float16 => bits.iter().map(|&b| float16(b)).collect(),
        _ => bits.iter().map(|&b| f32::from_bits(u32::from(b) << 16)).collect(),
    };
    Numbers::Float(element_type, Arc::new(values))
}

/// Floats of at most 8 bits, by a table of all of them.
fn table_floats(element_type: ElementType, bits: impl Iterator<Item = u8>) -> Numbers {
    let value = |bits: u32| match element_type.small_float() {
        Some(format) => format.value(bits),
        // Float8E8M0: an exponent without sign and fraction.
        None if bits == 255 => f32::NAN,
        None => 2f64.powi(bits as i32 - 127) as f32,
    };
    let table: Vec<f32> = (0..256).map(value).collect();
    Numbers::Float(element_type, Arc::new(bits.map(|b| table[usize::from(b)]).collect()))
}

/// Values of `bits` bits, the first one in the lowest bits. Unused bits of the last byte are dropped.
fn unpacked(raw: &[u8], bits: usize, count: usize) -> Vec<u8> {
    let mask = (1u8 << bits) - 1;
    let mut values: Vec<u8> =
        raw.iter().flat_map(|&byte| (0..8 / bits).map(move |k| byte >> (k * bits) & mask)).collect();
    if values.len().saturating_sub(count) < 8 / bits {
        values.truncate(count);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data_type: i32, count: i64, raw: &[u8]) -> Vec<f32> {
        let tensor =
            TensorProto { dims: vec![count], data_type, raw_data: raw.to_vec().into(), ..TensorProto::default() };
        Constant::read(&tensor, Path::new("a.onnx")).unwrap().floats().to_vec()
    }

    #[test]
    fn every_type_is_decoded() {
        assert_eq!(read(22, 3, &[0x81, 0x07]), [1.0, -8.0, 7.0]);
        assert_eq!(read(21, 2, &[0x81]), [1.0, 8.0]);
        assert_eq!(read(26, 3, &[0b00_10_01_11]), [-1.0, 1.0, -2.0]);
        assert_eq!(read(5, 1, &[0xFE, 0xFF]), [-2.0]);
        assert_eq!(read(4, 1, &[0xFE, 0xFF]), [65_534.0]);
        assert_eq!(read(12, 1, &[0xFF; 4]), [4_294_967_295.0]);
        assert_eq!(read(10, 2, &[0x00, 0x3C, 0x00, 0xC0]), [1.0, -2.0]);
        assert_eq!(read(16, 1, &[0x80, 0x3F]), [1.0]);
        assert_eq!(read(17, 2, &[0x38, 0xB8]), [1.0, -1.0]);
        assert_eq!(read(24, 1, &[128]), [2.0]);
        let list = TensorProto { dims: vec![1], data_type: 16, int32_data: vec![0x3F80], ..TensorProto::default() };
        assert_eq!(*Constant::read(&list, Path::new("a.onnx")).unwrap().floats(), [1.0]);
    }

    #[test]
    fn claimed_sizes_are_checked_against_the_bytes() {
        let tensor = TensorProto {
            dims: vec![50_000, 50_000],
            data_type: 1,
            raw_data: vec![0; 16].into(),
            name: "w".into(),
            ..TensorProto::default()
        };
        let error = Constant::read(&tensor, Path::new("a.onnx")).unwrap_err().to_string();
        assert!(error.contains("a.onnx") && error.contains("'w'") && error.contains("4 are there"), "{error}");
        let text = TensorProto { dims: vec![1], data_type: 8, ..TensorProto::default() };
        assert!(Constant::read(&text, Path::new("a.onnx")).unwrap_err().to_string().contains("string"));
    }
}
