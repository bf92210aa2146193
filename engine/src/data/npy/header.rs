//! Bounds-checked parser of NumPy array headers (NEP 1, versions 1 to 3), of plain and record arrays.

use std::io::{self, Read};

use super::dtype::DType;
use super::literal::Literal;

/// Maximum length of the header text in bytes; NumPy's own limit for untrusted files is 10,000 characters.
const MAX_HEADER: usize = 1 << 16;
const MAX_FIELDS: usize = 64;
const MAX_RECORD: usize = 1 << 16;

/// The header of a `.npy` file.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    pub content: Content,
    /// Column-major order.
    pub fortran: bool,
    pub shape: Vec<usize>,
}

/// What an array holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Plain(DType),
    Records { fields: Vec<Field>, size: usize },
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name and, if it has one, its title.
    pub names: Vec<String>,
    /// Byte offset in the record.
    pub at: usize,
    /// `None` for a field of several values.
    pub dtype: Option<DType>,
}

/// Reads a header; `reader` is then at the first value.
///
/// # Errors
/// The reason, without the name of the file.
pub fn read_header(reader: &mut dyn Read) -> Result<Header, String> {
    let text = read_text(reader)?;
    let invalid = || format!("cannot parse the array header: {}", text.trim());
    let literal = Literal::parse(&text).ok_or_else(invalid)?;
    let fortran = match literal.get("fortran_order") {
        Some(Literal::Bool(fortran)) => *fortran,
        _ => return Err(invalid()),
    };
    let shape = match literal.get("shape") {
        Some(Literal::Tuple(dims)) => dims.iter().map(Literal::size).collect::<Option<Vec<_>>>(),
        _ => None,
    };
    let shape = shape.filter(|shape| shape.len() <= 8).ok_or_else(invalid)?;
    let content = match literal.get("descr") {
        Some(Literal::Text(descr)) => Content::Plain(DType::parse(descr)?),
        Some(Literal::List(fields)) => listed(fields)?.ok_or_else(invalid)?,
        Some(dict @ Literal::Dict(_)) => placed(dict)?.ok_or_else(invalid)?,
        _ => return Err(invalid()),
    };
    Ok(Header { content, fortran, shape })
}

/// Records of fields one after another: `[('x', '<i2'), (('title', 'p'), '|b1'), ('', '|V3')]`.
fn listed(list: &[Literal]) -> Result<Option<Content>, String> {
    let (mut fields, mut at) = (Vec::new(), 0usize);
    for field in list {
        let Some([name, descr, sub @ ..]) = field.items() else { return Ok(None) };
        let Some(names) = names_of(name) else { return Ok(None) };
        let Some((dtype, size)) = type_of(descr, sub.first(), &names)? else { return Ok(None) };
        // Padding has no name.
        if names.iter().any(|name| !name.is_empty()) {
            fields.push(Field { names, at, dtype });
        }
        at = at.saturating_add(size);
    }
    Ok(within(fields, at))
}

/// Records with places: `{'names': […], 'formats': […], 'offsets': […], 'titles': […], 'itemsize': N}`.
fn placed(dict: &Literal) -> Result<Option<Content>, String> {
    let list = |key: &str| dict.get(key).and_then(Literal::items);
    let (Some(names), Some(formats)) = (list("names"), list("formats")) else { return Ok(None) };
    let (mut fields, mut end) = (Vec::new(), 0usize);
    for (index, (name, format)) in names.iter().zip(formats).enumerate() {
        let Some(mut names) = names_of(name) else { return Ok(None) };
        names.extend(list("titles").and_then(|titles| titles.get(index)?.text()).map(str::to_owned));
        let (descr, sub) = match format.items() {
            Some([descr, sub]) => (descr, Some(sub)),
            _ => (format, None),
        };
        let Some((dtype, size)) = type_of(descr, sub, &names)? else { return Ok(None) };
        let at = match list("offsets") {
            Some(offsets) => offsets.get(index).and_then(Literal::size),
            None => Some(end),
        };
        let Some(at) = at else { return Ok(None) };
        end = end.max(at.saturating_add(size));
        fields.push(Field { names, at, dtype });
    }
    let size = dict.get("itemsize").map_or(Some(end), Literal::size).filter(|&size| size >= end);
    Ok(size.and_then(|size| within(fields, size)))
}

fn within(fields: Vec<Field>, size: usize) -> Option<Content> {
    let fits = (1..=MAX_FIELDS).contains(&fields.len()) && (1..=MAX_RECORD).contains(&size);
    fits.then_some(Content::Records { fields, size })
}

/// A name, or a pair of title and name.
fn names_of(name: &Literal) -> Option<Vec<String>> {
    match name {
        Literal::Text(name) => Some(vec![name.clone()]),
        Literal::Tuple(both) => match both.as_slice() {
            [Literal::Text(title), Literal::Text(name)] => Some(vec![name.clone(), title.clone()]),
            _ => None,
        },
        _ => None,
    }
}

/// Type and size of a field; the type is `None` for arrays and nested records.
fn type_of(descr: &Literal, sub: Option<&Literal>, names: &[String]) -> Result<Option<(Option<DType>, usize)>, String> {
    let (dtype, size) = match descr {
        Literal::Text(descr) => {
            let dtype = DType::parse(descr);
            let dtype = dtype.map_err(|why| format!("field '{}' {why}", names.first().map_or("", String::as_str)))?;
            (Some(dtype), dtype.size)
        }
        Literal::List(nested) => match listed(nested)? {
            Some(Content::Records { size, .. }) => (None, size),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    let count = match sub {
        None => return Ok(Some((dtype, size))),
        Some(Literal::Integer(count)) => usize::try_from(*count).ok(),
        Some(dims) => dims
            .items()
            .and_then(|dims| dims.iter().map(Literal::size).try_fold(1usize, |product, d| product.checked_mul(d?))),
    };
    let Some(count) = count else { return Ok(None) };
    Ok(Some((dtype.filter(|_| count == 1), size.saturating_mul(count))))
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

/// A header as NumPy writes it.
#[cfg(test)]
pub fn header_bytes(descr: &str, shape: &[usize]) -> Vec<u8> {
    let dims: String = shape.iter().map(|d| format!("{d}, ")).collect();
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({dims}), }}");
    text.push_str(&" ".repeat(63 - (10 + text.len()) % 64));
    text.push('\n');
    [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Header, String> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.as_bytes());
        read_header(&mut bytes.as_slice())
    }

    fn records(descr: &str) -> Result<(Vec<(String, usize)>, usize), String> {
        match parsed(&format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (3,), }}"))?.content {
            Content::Records { fields, size } => {
                Ok((fields.into_iter().map(|field| (field.names.join(" "), field.at)).collect(), size))
            }
            Content::Plain(_) => Err("plain".into()),
        }
    }

    #[test]
    fn written_headers_are_aligned_and_read_back() {
        for shape in [vec![], vec![3], vec![10, 1, 28, 28]] {
            let bytes = header_bytes("<i2", &shape);
            assert_eq!(bytes.len() % 64, 0);
            let header = read_header(&mut bytes.as_slice()).unwrap();
            let content = Content::Plain(DType::parse("<i2").unwrap());
            assert_eq!(header, Header { content, fortran: false, shape });
        }
    }

    #[test]
    fn records_have_padding_titles_and_places() {
        let at =
            |fields: &[(&str, usize)]| fields.iter().map(|(name, at)| ((*name).to_owned(), *at)).collect::<Vec<_>>();
        let padded = "[('t', '<i8'), ('x', '<i2'), ('', '|V2'), (('p', 'on'), '?'), ('', '|V3')]";
        assert_eq!(records(padded), Ok((at(&[("t", 0), ("x", 8), ("on p", 12)]), 16)));
        let placed = "{'names': ['x', 'p'], 'formats': ['<i2', 'u1'], 'offsets': [4, 2], 'itemsize': 8}";
        assert_eq!(records(placed), Ok((at(&[("x", 4), ("p", 2)]), 8)));
        let arrays = "[('x', '<i2', (2, 3)), ('r', [('a', '<f4'), ('b', '|u1')]), ('y', '<i2')]";
        assert_eq!(records(arrays), Ok((at(&[("x", 0), ("r", 12), ("y", 17)]), 19)));
        assert!(records("[('x', '|O')]").unwrap_err().contains("field 'x' has type |O"));
        for bad in
            ["[]", "[('x',)]", "[('x', '<i2', (99999999999,))]", "{'names': ['x'], 'formats': ['<i2'], 'itemsize': 1}"]
        {
            assert!(records(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn damaged_headers_are_errors() {
        assert!(read_header(&mut b"".as_slice()).is_err());
        assert!(read_header(&mut b"\x93NUMPX\x01\x00aaaa".as_slice()).is_err());
        assert!(read_header(&mut b"\x93NUMPY\x02\x00\xff\xff\xff\xff".as_slice()).unwrap_err().contains("claims"));
        assert!(parsed("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}").is_err());
        assert!(parsed("{'descr': '<f4', 'fortran_order': 1, 'shape': (3,)}").is_err());
        assert!(parsed("{'descr': '<f4', 'shape': (3,)}").is_err());
    }
}
