//! One NumPy array as read: type, shape, and its bytes in row-major order.

use std::io::Read;
use std::path::Path;

use super::dtype::DType;
use super::header::{Content, read_header};
use crate::data::bounded_read::{checked_len, read_to_len};
use crate::{Error, Result};

/// An array of numbers or texts.
pub struct Array {
    pub shape: Vec<usize>,
    pub dtype: DType,
    /// Row-major.
    bytes: Vec<u8>,
}

impl Array {
    /// Reads one array, header and values, from `reader` to its end. `name` is its place in the file. Memory grows with
    /// the values present, not with the header's claim. Column-major arrays are transposed.
    ///
    /// # Errors
    /// [`Error::File`] for records, unsupported types and damaged arrays.
    pub fn read(path: &Path, name: &str, reader: &mut dyn Read) -> Result<Self> {
        let fail = |reason: String| Error::file(path, name, reason);
        let header = read_header(reader).map_err(fail)?;
        let Content::Plain(dtype) = header.content else {
            return Err(fail(
                "is an array of records; arrays of numbers are samples. Open events as events:FILE.".into(),
            ));
        };
        let count = checked_len(path, name, &header.shape)?;
        let size = dtype.size;
        let bytes = count.checked_mul(size).ok_or_else(|| fail("is too large".into()))?;
        let mut bytes = read_to_len(path, name, reader, bytes)?;
        if header.fortran && header.shape.len() > 1 {
            bytes = row_major(&bytes, &header.shape, size);
        }
        Ok(Self { shape: header.shape, dtype, bytes })
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.dtype.size.max(1)
    }

    fn elements(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.chunks_exact(self.dtype.size.max(1))
    }

    /// The values as numbers; NaN for text.
    pub fn numbers(&self) -> impl Iterator<Item = f64> + '_ {
        self.elements().map(|bytes| self.dtype.decode(bytes))
    }

    /// The values as text; `None` for numbers and invalid text.
    pub fn texts(&self) -> Option<Vec<String>> {
        self.elements().map(|bytes| self.dtype.decode_text(bytes)).collect()
    }
}

/// Column-major `bytes` of values of `size` bytes in row-major order.
fn row_major(bytes: &[u8], shape: &[usize], size: usize) -> Vec<u8> {
    let mut strides = Vec::with_capacity(shape.len());
    shape.iter().fold(1usize, |stride, &d| {
        strides.push(stride);
        stride * d
    });
    let mut out = Vec::with_capacity(bytes.len());
    let (mut index, mut from) = (vec![0usize; shape.len()], 0usize);
    for _ in 0..bytes.len() / size.max(1) {
        out.extend(bytes.get(from * size..(from + 1) * size).unwrap_or_default());
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            from += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            from -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_major_arrays_are_transposed() {
        // [[0, 1, 2], [3, 4, 5]] by columns.
        assert_eq!(row_major(&[0, 3, 1, 4, 2, 5], &[2, 3], 1), [0, 1, 2, 3, 4, 5]);
        assert_eq!(row_major(&[0, 0, 3, 3, 1, 1, 4, 4], &[2, 2], 2), [0, 0, 1, 1, 3, 3, 4, 4]);
        let by_columns: Vec<u8> = (0..24).map(|k| ((k % 2) * 12 + (k / 2 % 3) * 4 + k / 6) as u8).collect();
        assert_eq!(row_major(&by_columns, &[2, 3, 4], 1), (0..24).collect::<Vec<u8>>());
    }
}
