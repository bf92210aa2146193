//! Tensors stored in the file or beside it, of which single elements are read.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};
use std::sync::{Arc, Mutex};

use super::super::proto::TensorProto;
use super::data_type::DataType;
use super::index::{count, is_bounded};
use crate::ground::number_type::{bf16, f16};

/// Bytes that are read at once from an external file, and the number of such blocks kept.
const BLOCK: usize = 1 << 16;
const MAX_BLOCKS: usize = 4096;

/// A stored tensor.
pub struct Stored<'a> {
    pub data_type: DataType,
    pub shape: Vec<usize>,
    numbers: Numbers<'a>,
}

enum Numbers<'a> {
    Raw(&'a [u8]),
    Floats(&'a [f32]),
    Doubles(&'a [f64]),
    Ints32(&'a [i32]),
    Ints64(&'a [i64]),
    Owned(Vec<f64>),
    Shared(Arc<Vec<f32>>),
    External(External),
}

/// Bytes in another file, read in blocks.
struct External {
    start: u64,
    length: usize,
    state: Mutex<(File, HashMap<usize, Vec<u8>>)>,
}

impl<'a> Stored<'a> {
    /// The tensor of the network at `path`, without reading its elements.
    ///
    /// # Errors
    /// The reason, if its type is not known, or its bytes do not fit its dimensions.
    pub fn new(tensor: &'a TensorProto, path: &Path) -> Result<Self, String> {
        let data_type = DataType::from_code(i64::from(tensor.data_type))
            .ok_or_else(|| format!("data type {} is not known", tensor.data_type))?;
        let shape: Option<Vec<usize>> = tensor.dims.iter().map(|&dim| usize::try_from(dim).ok()).collect();
        let shape = shape.filter(|shape| is_bounded(shape)).ok_or("its dimensions are invalid")?;
        let numbers = if tensor.data_location == 1 {
            Numbers::External(External::new(tensor, path)?)
        } else if !tensor.raw_data.is_empty() {
            Numbers::Raw(&tensor.raw_data)
        } else {
            match data_type {
                DataType::F32 => Numbers::Floats(&tensor.float_data),
                DataType::F64 => Numbers::Doubles(&tensor.double_data),
                DataType::I64 => Numbers::Ints64(&tensor.int64_data),
                DataType::U32 | DataType::U64 if count(&shape) > 0 => {
                    return Err("64-bit unsigned numbers are stored outside its raw data".into());
                }
                _ => Numbers::Ints32(&tensor.int32_data),
            }
        };
        let stored = Self { data_type, shape, numbers };
        if stored.len() != count(&stored.shape) {
            return Err(format!("{} values are stored where its shape has {}", stored.len(), count(&stored.shape)));
        }
        Ok(stored)
    }

    /// A tensor of given numbers.
    pub fn owned(data_type: DataType, shape: Vec<usize>, numbers: Vec<f64>) -> Self {
        Self { data_type, shape, numbers: Numbers::Owned(numbers) }
    }

    /// A tensor of `dims` whose 32-bit floats were read from an external file before.
    pub fn shared(dims: &[i64], numbers: Arc<Vec<f32>>) -> Option<Self> {
        let shape: Vec<usize> = dims.iter().map(|&dim| usize::try_from(dim).ok()).collect::<Option<_>>()?;
        let fits = is_bounded(&shape) && count(&shape) == numbers.len();
        fits.then_some(Self { data_type: DataType::F32, shape, numbers: Numbers::Shared(numbers) })
    }

    fn len(&self) -> usize {
        match &self.numbers {
            Numbers::Raw(bytes) => bytes.len() / self.data_type.width(),
            Numbers::Floats(values) => values.len(),
            Numbers::Doubles(values) => values.len(),
            Numbers::Ints32(values) => values.len(),
            Numbers::Ints64(values) => values.len(),
            Numbers::Owned(values) => values.len(),
            Numbers::Shared(values) => values.len(),
            Numbers::External(external) => external.length / self.data_type.width(),
        }
    }

    /// Element `index`; NaN outside the tensor, and where the external file cannot be read.
    pub fn at(&self, index: usize) -> f64 {
        let found = match &self.numbers {
            Numbers::Raw(bytes) => {
                let width = self.data_type.width();
                bytes.get(index * width..(index + 1) * width).map(|bytes| self.decode(bytes))
            }
            Numbers::Floats(values) => values.get(index).map(|&v| f64::from(v)),
            Numbers::Doubles(values) => values.get(index).copied(),
            Numbers::Ints32(values) => values.get(index).map(|&v| match self.data_type {
                DataType::F16 => f64::from(f16(v as u16)),
                DataType::Bf16 => f64::from(bf16(v as u16)),
                kind => kind.round(f64::from(v)),
            }),
            Numbers::Ints64(values) => values.get(index).map(|&v| v as f64),
            Numbers::Owned(values) => values.get(index).copied(),
            Numbers::Shared(values) => values.get(index).map(|&v| f64::from(v)),
            Numbers::External(external) => {
                let width = self.data_type.width();
                let mut bytes = [0; 8];
                external.read(index * width, &mut bytes[..width]).map(|()| self.decode(&bytes[..width]))
            }
        };
        found.unwrap_or(f64::NAN)
    }

    /// The number in `bytes`, as many as the type has.
    fn decode(&self, bytes: &[u8]) -> f64 {
        let word = bytes.iter().rev().fold(0u64, |word, &byte| word << 8 | u64::from(byte));
        match self.data_type {
            DataType::F16 => f64::from(f16(word as u16)),
            DataType::Bf16 => f64::from(bf16(word as u16)),
            DataType::F32 => f64::from(f32::from_bits(word as u32)),
            DataType::F64 => f64::from_bits(word),
            DataType::I8 => f64::from(word as i8),
            DataType::I16 => f64::from(word as i16),
            DataType::I32 => f64::from(word as i32),
            DataType::I64 => word as i64 as f64,
            DataType::U8 | DataType::U16 | DataType::U32 | DataType::U64 => word as f64,
            DataType::Bool => f64::from(u8::from(word != 0)),
        }
    }
}

impl External {
    fn new(tensor: &TensorProto, path: &Path) -> Result<Self, String> {
        let entry = |key: &str| tensor.external_data.iter().find(|e| e.key == key).map(|e| e.value.as_str());
        let location = Path::new(entry("location").unwrap_or_default());
        let mut parts = location.components().peekable();
        if parts.peek().is_none() || !parts.all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err("its data file is outside the network's folder".into());
        }
        let number = |key: &str| entry(key).map_or(Some(None), |text| text.trim().parse::<u64>().ok().map(Some));
        let (Some(offset), Some(length)) = (number("offset"), number("length")) else {
            return Err("offset or length of its external data is not a number".into());
        };
        let file = path.parent().unwrap_or(Path::new("")).join(location);
        let open = |e: std::io::Error| format!("{}: {e}", file.display());
        let file = File::open(&file).map_err(open)?;
        let size = file.metadata().map_err(open)?.len();
        let start = offset.unwrap_or(0);
        let length = length.unwrap_or(size.saturating_sub(start));
        let end = start.checked_add(length).filter(|&end| end <= size);
        match (end, usize::try_from(length)) {
            (Some(_), Ok(length)) => Ok(Self { start, length, state: Mutex::new((file, HashMap::new())) }),
            _ => Err("its data file is too short".into()),
        }
    }

    /// Reads the bytes from `at`; `None` if they are not there. `at` is a multiple of their number, a power of two.
    fn read(&self, at: usize, bytes: &mut [u8]) -> Option<()> {
        let mut state = self.state.lock().ok()?;
        let (file, blocks) = &mut *state;
        let block = at / BLOCK;
        if !blocks.contains_key(&block) {
            if blocks.len() >= MAX_BLOCKS {
                blocks.clear();
            }
            let mut read = vec![0; BLOCK.min(self.length.checked_sub(block * BLOCK)?)];
            file.seek(SeekFrom::Start(self.start + (block * BLOCK) as u64)).ok()?;
            file.read_exact(&mut read).ok()?;
            blocks.insert(block, read);
        }
        let from = at % BLOCK;
        bytes.copy_from_slice(blocks.get(&block)?.get(from..from + bytes.len())?);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::proto::StringStringEntryProto;
    use super::*;

    #[test]
    fn external_elements_are_read_in_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let values: Vec<f32> = (0..100_000).map(|k| k as f32).collect();
        let bytes: Vec<u8> = [0; 12].into_iter().chain(values.iter().flat_map(|v| v.to_le_bytes())).collect();
        std::fs::write(folder.path().join("w.bin"), bytes).unwrap();
        let entry = |key: &str, value: &str| StringStringEntryProto { key: key.into(), value: value.into() };
        let mut tensor = TensorProto {
            dims: vec![100, 1000],
            data_type: 1,
            data_location: 1,
            external_data: vec![entry("location", "w.bin"), entry("offset", "12"), entry("length", "400000")],
            ..TensorProto::default()
        };
        let path = folder.path().join("net.onnx");
        let stored = Stored::new(&tensor, &path).unwrap();
        assert_eq!([0, 16_384, 99_999].map(|k| stored.at(k)), [0.0, 16_384.0, 99_999.0]);
        assert!(stored.at(100_000).is_nan());
        tensor.dims = vec![100, 1001];
        assert!(Stored::new(&tensor, &path).err().unwrap().contains("100000 values"));
        tensor.external_data[0].value = "../w.bin".into();
        assert!(Stored::new(&tensor, &path).err().unwrap().contains("outside"));
    }

    #[test]
    fn every_storage_form_gives_its_numbers() {
        let raw = |data_type, raw_data: Vec<u8>| TensorProto {
            dims: vec![1],
            data_type,
            raw_data: raw_data.into(),
            ..Default::default()
        };
        let at = |tensor: &TensorProto| Stored::new(tensor, Path::new("a")).unwrap().at(0);
        assert_eq!(at(&raw(10, vec![0x00, 0xC0])), -2.0);
        assert_eq!(at(&raw(3, vec![0xFF])), -1.0);
        assert_eq!(at(&raw(7, (-3i64).to_le_bytes().to_vec())), -3.0);
        assert_eq!(at(&raw(12, vec![0xFF; 4])), f64::from(u32::MAX));
        let ints = |data_type, v| TensorProto { dims: vec![], data_type, int32_data: vec![v], ..Default::default() };
        assert_eq!((at(&ints(10, 0x3C00)), at(&ints(6, -7)), at(&ints(9, 1))), (1.0, -7.0, 1.0));
        assert!(Stored::new(&raw(8, vec![1]), Path::new("a")).err().unwrap().contains("data type 8"));
    }
}
