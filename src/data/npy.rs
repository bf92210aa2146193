//! Bounds-checked parser of NumPy array headers (NEP 1, versions 1 to 3).
//!
//! The `npyz` crate multiplies the dimensions unchecked and allocates what the header claims. A sample file may come
//! from anywhere, so the three fields are read here, within bounds. Knows neither zip nor samples.

use std::io::{self, Read};

/// Maximum length of the header text in bytes; NumPy's own limit for untrusted files is 10,000 characters.
const MAX_HEADER: usize = 1 << 16;

/// The fields of a `.npy` header.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    /// NumPy's type string, such as `<f4`.
    pub descr: String,
    pub fortran: bool,
    pub shape: Vec<usize>,
}

/// Reads a header; `reader` is then at the first value.
pub(super) fn read_header(reader: &mut dyn Read) -> Result<Header, String> {
    let text = read_text(reader)?;
    parse(&text).ok_or_else(|| format!("cannot parse the array header: {}", text.trim()))
}

/// Names and types of the record fields, in order, and the shape of the array.
pub(super) type Records = (Vec<(String, String)>, Vec<usize>);

/// Reads the header of a record array; `reader` is then at the first record.
pub(super) fn read_records(reader: &mut dyn Read) -> Result<Records, String> {
    let text = read_text(reader)?;
    let records = || {
        let fields = text.split_once("'descr'")?.1.split_once('[')?.1.split_once(']')?.0;
        let words: Vec<&str> = fields.split('\'').skip(1).step_by(2).collect();
        let fields: Vec<(String, String)> =
            words.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect();
        let plain = text.replace(text.split_once('[')?.1.split_once(']')?.0, "").replace("[]", "'|V1'");
        (!fields.is_empty() && fields.len() <= 16).then_some((fields, parse(&plain)?.shape))
    };
    records().ok_or_else(|| format!("not events (records with x, y, t and p): {}", text.trim()))
}

fn read_text(reader: &mut dyn Read) -> Result<String, String> {
    let truncated = |e: io::Error| format!("the array header is truncated ({e})");
    let mut head = [0u8; 8];
    reader.read_exact(&mut head).map_err(truncated)?;
    if !head.starts_with(b"\x93NUMPY") {
        return Err("does not begin like a NumPy array".into());
    }
    let len = if head[6] == 1 {
        let mut b = [0u8; 2];
        reader.read_exact(&mut b).map_err(truncated)?;
        usize::from(u16::from_le_bytes(b))
    } else {
        let mut b = [0u8; 4];
        reader.read_exact(&mut b).map_err(truncated)?;
        u32::from_le_bytes(b) as usize
    };
    if len > MAX_HEADER {
        return Err(format!("the array header claims {len} bytes; at most {MAX_HEADER} are supported"));
    }
    let mut text = vec![0u8; len];
    reader.read_exact(&mut text).map_err(truncated)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn parse(text: &str) -> Option<Header> {
    let after = |key: &str| {
        let (_, rest) = text.split_once(&format!("'{key}'"))?;
        Some(rest.trim_start().strip_prefix(':')?.trim_start())
    };
    let descr = after("descr")?.strip_prefix('\'')?.split_once('\'')?.0.to_owned();
    let order = after("fortran_order")?;
    let fortran = if order.starts_with("True") { true } else { order.starts_with("False").then_some(false)? };
    let list = after("shape")?.strip_prefix('(')?.split_once(')')?.0;
    let dims = list.split(',').map(str::trim).filter(|d| !d.is_empty());
    let shape = dims.map(|d| d.parse().ok()).collect::<Option<Vec<usize>>>()?;
    (shape.len() <= 8).then_some(Header { descr, fortran, shape })
}

/// A header as `npyz` writes it.
#[cfg(test)]
pub(super) fn header_bytes(descr: &str, shape: &[usize]) -> Vec<u8> {
    use npyz::WriterBuilder;
    let shape: Vec<u64> = shape.iter().map(|&d| d as u64).collect();
    let header = npyz::WriteOptions::new_header_only().dtype(npyz::DType::Plain(descr.parse().unwrap()));
    header.shape(&shape).writer(Vec::new()).write_header_only().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_headers_are_aligned_and_read_back() {
        for shape in [vec![], vec![3], vec![10, 1, 28, 28]] {
            let bytes = header_bytes("<i2", &shape);
            assert_eq!(bytes.len() % 64, 0);
            let header = read_header(&mut bytes.as_slice()).unwrap();
            assert_eq!(header, Header { descr: "<i2".into(), fortran: false, shape });
        }
    }

    #[test]
    fn damaged_headers_are_errors() {
        assert!(read_header(&mut b"".as_slice()).is_err());
        assert!(read_header(&mut b"\x93NUMPX\x01\x00aaaa".as_slice()).is_err());
        assert!(read_header(&mut b"\x93NUMPY\x02\x00\xff\xff\xff\xff".as_slice()).unwrap_err().contains("claims"));
        assert!(parse("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}").is_none());
        assert!(parse("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}").is_none());
    }
}
