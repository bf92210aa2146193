//! The least of Parquet that a table needs: one row group, a page a column, plain values, nothing packed. The metadata are
//! Thrift's compact protocol; field numbers are those of `parquet.thrift`.

/// A column without missing values.
pub(super) enum Column<'a> {
    Int(Vec<i32>),
    Double(Vec<f64>),
    Text(Vec<&'a str>),
}

impl Column<'_> {
    /// Parquet's number for the physical type.
    fn physical(&self) -> i64 {
        match self {
            Self::Int(_) => 1,
            Self::Double(_) => 5,
            Self::Text(_) => 6,
        }
    }
    /// The values one after the other.
    fn plain(&self) -> Vec<u8> {
        match self {
            Self::Int(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::Double(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::Text(values) => {
                let one = |v: &&str| [&(v.len() as u32).to_le_bytes(), v.as_bytes()].concat();
                values.iter().flat_map(one).collect()
            }
        }
    }
}

const MAGIC: &[u8] = b"PAR1";
/// Thrift's numbers for types of fields.
const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// A file of `columns` by name, each with `rows` values.
pub(super) fn file(columns: &[(&str, Column<'_>)], rows: usize) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    // Offset and size of every column's page.
    let mut places = Vec::new();
    for (_, column) in columns {
        let values = column.plain();
        let start = out.len();
        let size = values.len() as i64;
        let mut page = Struct::new();
        page.int(1, I32, 0).int(2, I32, size).int(3, I32, size);
        // Plain values; levels would be run-length coded if there were any.
        page.inner(5, |header| {
            header.int(1, I32, rows as i64).int(2, I32, 0).int(3, I32, 3).int(4, I32, 3);
        });
        out.extend(page.end());
        out.extend(values);
        places.push((start as i64, (out.len() - start) as i64));
    }
    let footer = footer(columns, rows as i64, &places);
    out.extend(&footer);
    out.extend((footer.len() as u32).to_le_bytes());
    out.extend(MAGIC);
    out
}

fn footer(columns: &[(&str, Column<'_>)], rows: i64, places: &[(i64, i64)]) -> Vec<u8> {
    let mut schema = vec![{
        let mut root = Struct::new();
        root.text(4, "schema").int(5, I32, columns.len() as i64);
        root.end()
    }];
    schema.extend(columns.iter().map(|(name, column)| {
        let mut element = Struct::new();
        element.int(1, I32, column.physical()).int(3, I32, 0).text(4, name);
        if let Column::Text(_) = column {
            element.int(6, I32, 0);
        }
        element.end()
    }));
    let chunks: Vec<Vec<u8>> = columns
        .iter()
        .zip(places)
        .map(|((name, column), &(start, size))| {
            let mut chunk = Struct::new();
            chunk.int(2, I64, start);
            chunk.inner(3, |data| {
                data.int(1, I32, column.physical()).list(2, I32, &[varint(zigzag(0))]).list(3, BINARY, &[binary(name)]);
                data.int(4, I32, 0).int(5, I64, rows).int(6, I64, size).int(7, I64, size).int(9, I64, start);
            });
            chunk.end()
        })
        .collect();
    let mut group = Struct::new();
    group.list(1, STRUCT, &chunks).int(2, I64, places.iter().map(|place| place.1).sum()).int(3, I64, rows);
    let mut file = Struct::new();
    file.int(1, I32, 1).list(2, STRUCT, &schema).int(3, I64, rows).list(4, STRUCT, &[group.end()]);
    file.text(6, concat!("spikescope ", env!("CARGO_PKG_VERSION")));
    file.end()
}

/// A Thrift struct as it is written: fields in the order of their numbers.
struct Struct {
    bytes: Vec<u8>,
    last: u8,
}

impl Struct {
    fn new() -> Self {
        Self { bytes: Vec::new(), last: 0 }
    }
    fn field(&mut self, number: u8, kind: u8) {
        self.bytes.push(((number - self.last) << 4) | kind);
        self.last = number;
    }
    fn int(&mut self, number: u8, kind: u8, value: i64) -> &mut Self {
        self.field(number, kind);
        self.bytes.extend(varint(zigzag(value)));
        self
    }
    fn text(&mut self, number: u8, text: &str) -> &mut Self {
        self.field(number, BINARY);
        self.bytes.extend(binary(text));
        self
    }
    fn list(&mut self, number: u8, kind: u8, items: &[Vec<u8>]) -> &mut Self {
        self.field(number, LIST);
        match items.len() {
            n @ 0..15 => self.bytes.push(((n as u8) << 4) | kind),
            n => {
                self.bytes.push(0xf0 | kind);
                self.bytes.extend(varint(n as u64));
            }
        }
        self.bytes.extend(items.concat());
        self
    }
    fn inner(&mut self, number: u8, write: impl FnOnce(&mut Self)) {
        self.field(number, STRUCT);
        let mut inner = Self::new();
        write(&mut inner);
        self.bytes.extend(inner.end());
    }
    fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

fn binary(text: &str) -> Vec<u8> {
    let mut out = varint(text.len() as u64);
    out.extend(text.as_bytes());
    out
}
