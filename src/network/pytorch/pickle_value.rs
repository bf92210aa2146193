//! What a pickle holds: values that are numbers, texts, or indices into tables.

use super::dtype::DType;
use super::pickle_globals::Global;

/// A value on the stack.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum PickleValue<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, by its bytes.
    Long(&'a [u8]),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// Index into the machine's lists; tuples are lists that nothing appends to.
    List(usize),
    Tuple(usize),
    Dict(usize),
    Global(Global),
    Storage(usize),
    Tensor(usize),
    /// Something known and of no use: a device, a dtype.
    Inert,
}

impl PickleValue<'_> {
    /// What it is, in words.
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
    /// A key, for a message.
    pub fn describe(self) -> String {
        match self {
            Self::Text(text) => format!("'{}'", text.chars().filter(|c| !c.is_control()).take(40).collect::<String>()),
            Self::Int(number) => number.to_string(),
            other => other.kind().to_owned(),
        }
    }
}

/// What a pickle holds.
#[derive(Debug, Default)]
pub(super) struct Tables<'a> {
    pub lists: Vec<Vec<PickleValue<'a>>>,
    pub dicts: Vec<Vec<(PickleValue<'a>, PickleValue<'a>)>>,
    pub storages: Vec<StorageRef<'a>>,
    pub tensors: Vec<TensorView>,
}

/// A finished pickle: its root and everything it points to.
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
    /// The items of a list or tuple; none for anything else.
    pub fn items(&self, value: PickleValue<'a>) -> &[PickleValue<'a>] {
        match value {
            PickleValue::List(id) | PickleValue::Tuple(id) => &self.lists[id],
            _ => &[],
        }
    }
    /// The entries of a dictionary in the order they were set.
    pub fn dict(&self, id: usize) -> &[(PickleValue<'a>, PickleValue<'a>)] {
        &self.dicts[id]
    }
}

/// A storage as the pickle names it.
#[derive(Clone, Debug)]
pub(super) struct StorageRef<'a> {
    pub kind: DType,
    pub key: &'a str,
    /// Numbers in the whole storage.
    pub count: usize,
    /// Where this view of it begins, in numbers (older files share storages this way).
    pub start: usize,
}

/// A tensor as the pickle describes it: shape and strides in numbers.
#[derive(Clone, Debug)]
pub(super) struct TensorView {
    /// Index of its storage.
    pub storage: usize,
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) stride: Vec<usize>,
}
