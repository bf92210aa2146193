//! Values of a pickle: numbers, texts, and indices into tables of containers.

use super::dtype::DType;
use super::pickle_globals::Global;

/// A value on the unpickler's stack.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum PickleValue<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// The bytes of an integer beyond 64 bits (two's complement, little-endian).
    Long(&'a [u8]),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// Index into [`Tables::lists`]; tuples are in the same table.
    List(usize),
    Tuple(usize),
    Dict(usize),
    Global(Global),
    Storage(usize),
    Tensor(usize),
    /// An allowed and ignored object: a device, a dtype.
    Inert,
}

impl PickleValue<'_> {
    /// Name of the kind of value, for messages.
    pub fn kind(self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Int(_) | Self::Long(_) | Self::Float(_) => "a number",
            Self::Text(_) | Self::Bytes(_) => "a text",
            Self::List(_) | Self::Tuple(_) => "a list",
            Self::Dict(_) => "a dictionary",
            Self::Storage(_) | Self::Tensor(_) => "a single tensor",
            Self::Global(_) | Self::Inert => "a name",
        }
    }
    /// The value as a key, for messages.
    pub fn describe(self) -> String {
        match self {
            Self::Text(text) => format!("'{}'", text.chars().filter(|c| !c.is_control()).take(40).collect::<String>()),
            Self::Int(number) => number.to_string(),
            other => other.kind().to_owned(),
        }
    }
}

/// The containers, storages and tensors of a pickle.
#[derive(Debug, Default)]
pub(super) struct Tables<'a> {
    pub lists: Vec<Vec<PickleValue<'a>>>,
    pub dicts: Vec<Vec<(PickleValue<'a>, PickleValue<'a>)>>,
    pub storages: Vec<StorageRef<'a>>,
    pub tensors: Vec<TensorView>,
}

/// A read pickle: its root, and the tables it points into.
#[derive(Debug)]
pub(super) struct Pickle<'a> {
    pub root: PickleValue<'a>,
    pub tables: Tables<'a>,
}

impl<'a> std::ops::Deref for Pickle<'a> {
    type Target = Tables<'a>;
    fn deref(&self) -> &Tables<'a> {
        &self.tables
    }
}

impl<'a> Tables<'a> {
    /// The items of a list or tuple; empty for other values.
    pub fn items(&self, value: PickleValue<'a>) -> &[PickleValue<'a>] {
        match value {
            PickleValue::List(id) | PickleValue::Tuple(id) => &self.lists[id],
            _ => &[],
        }
    }
    /// The entries of a dictionary in insertion order.
    pub fn dict(&self, id: usize) -> &[(PickleValue<'a>, PickleValue<'a>)] {
        &self.dicts[id]
    }
}

/// Reference of a pickle to a storage.
#[derive(Clone, Debug)]
pub(super) struct StorageRef<'a> {
    pub kind: DType,
    pub key: &'a str,
    /// Number of elements of the whole storage.
    pub count: usize,
    /// Start of this view in elements (older files share storages this way).
    pub start: usize,
}

/// A tensor as a view of a storage: offset, shape and strides in elements.
#[derive(Clone, Debug)]
pub(super) struct TensorView {
    /// Index of its storage.
    pub storage: usize,
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) stride: Vec<usize>,
}
