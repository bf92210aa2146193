//! NumPy arrays: headers, types, and values decoded from bytes.
//!
//! The `npyz` crate multiplies the dimensions unchecked and allocates what the header claims. A sample file may come
//! from anywhere, so arrays are read here, within bounds. Knows neither zip nor samples.

mod array;
mod dtype;
mod header;
mod literal;

pub(super) use array::Array;
pub(super) use dtype::{DType, Kind};
#[cfg(test)]
pub(super) use header::header_bytes;
pub(super) use header::{Content, Field, Header, read_header};
