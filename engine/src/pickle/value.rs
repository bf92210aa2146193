//! Values of a pickle: numbers, texts, and indices into tables of containers and objects.

use std::collections::HashMap;

use super::globals::Global;
use crate::ground::number_type::NumberType;

/// A value on the unpickler's stack.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum PickleValue<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// The bytes of an integer beyond 64 bits (two's complement, little-endian).
    Long(&'a [u8]),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// Index into [`Tables::blobs`].
    Blob(usize),
    /// Index into [`Tables::lists`]; tuples and sets are in the same table.
    List(usize),
    Tuple(usize),
    Dict(usize),
    Global(Global),
    Storage(usize),
    Tensor(usize),
    /// Index into [`Tables::objects`].
    Object(usize),
}

impl PickleValue<'_> {
    /// Name of the kind of value, for messages.
    pub fn kind(self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Int(_) | Self::Long(_) | Self::Float(_) => "a number",
            Self::Text(_) | Self::Bytes(_) | Self::Blob(_) => "a text",
            Self::List(_) | Self::Tuple(_) => "a list",
            Self::Dict(_) => "a dictionary",
            Self::Storage(_) | Self::Tensor(_) => "a single tensor",
            Self::Global(_) => "a name",
            Self::Object(_) => "an object",
        }
    }
}

/// An object of a class that the reader does not know. It has no effect; its parts are kept as values.
#[derive(Debug)]
pub(crate) struct PickleObject<'a> {
    pub kind: ObjectKind,
    /// Class or function that made it: an index into [`Tables::names`].
    pub class: usize,
    /// Arguments of its constructor, a tuple.
    pub arguments: PickleValue<'a>,
    /// What was set as its state: mostly the dictionary of its attributes.
    pub state: PickleValue<'a>,
    /// Items of an object that is also a list.
    pub items: Vec<PickleValue<'a>>,
    /// Entries of an object that is also a dictionary.
    pub entries: Vec<(PickleValue<'a>, PickleValue<'a>)>,
}

/// What is known of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectKind {
    /// A NumPy array; its state is `(version, shape, type, is_fortran, data)`.
    NumpyArray,
    /// A NumPy array; its arguments are `(data, type, shape, order)`.
    NumpyBuffer,
    /// A NumPy type; its first argument is its code, the second item of its state the byte order.
    NumpyType,
    Other,
}

/// The containers, objects, storages and tensors of a pickle.
#[derive(Debug, Default)]
pub(crate) struct Tables<'a> {
    pub lists: Vec<Vec<PickleValue<'a>>>,
    pub dicts: Vec<Vec<(PickleValue<'a>, PickleValue<'a>)>>,
    pub objects: Vec<PickleObject<'a>>,
    /// Names of classes and functions, `module.name`.
    pub names: Vec<String>,
    pub name_index: HashMap<String, usize>,
    /// Bytes that are not in the file as they are.
    pub blobs: Vec<Vec<u8>>,
    pub storages: Vec<StorageRef<'a>>,
    pub tensors: Vec<TensorView>,
}

/// A read pickle: its root, and the tables it points into.
#[derive(Debug)]
pub(crate) struct Pickle<'a> {
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
            PickleValue::Object(id) => &self.objects[id].items,
            _ => &[],
        }
    }

    /// The entries of a dictionary in insertion order; empty for other values.
    pub fn entries(&self, value: PickleValue<'a>) -> &[(PickleValue<'a>, PickleValue<'a>)] {
        match value {
            PickleValue::Dict(id) => &self.dicts[id],
            PickleValue::Object(id) => &self.objects[id].entries,
            _ => &[],
        }
    }

    /// The value of the text `key` in the dictionary `value`; the last one if it repeats.
    pub fn entry(&self, value: PickleValue<'a>, key: &str) -> Option<PickleValue<'a>> {
        let found = self.entries(value).iter().rev().find(|(k, _)| *k == PickleValue::Text(key));
        found.map(|&(_, value)| value)
    }

    /// The bytes of a value; Python 2 also writes them as text.
    pub fn bytes(&self, value: PickleValue<'a>) -> Option<&[u8]> {
        match value {
            PickleValue::Bytes(bytes) => Some(bytes),
            PickleValue::Text(text) => Some(text.as_bytes()),
            PickleValue::Blob(id) => self.blobs.get(id).map(Vec::as_slice),
            _ => None,
        }
    }

    /// The value as the name of a weight or module; `None` for other values than texts and numbers.
    pub fn key(&self, value: PickleValue<'a>) -> Option<String> {
        match value {
            PickleValue::Text(text) => Some(text.to_owned()),
            PickleValue::Int(number) => Some(number.to_string()),
            PickleValue::Bytes(_) | PickleValue::Blob(_) => {
                self.bytes(value).and_then(|bytes| std::str::from_utf8(bytes).ok()).map(str::to_owned)
            }
            _ => None,
        }
    }

    /// Class of an object as a name for messages, at most 120 characters.
    pub fn class(&self, object: usize) -> String {
        self.names[self.objects[object].class].chars().filter(|c| !c.is_control()).take(120).collect()
    }

    /// The value for messages: its kind, and the class of an object.
    pub fn describe(&self, value: PickleValue<'a>) -> String {
        match value {
            PickleValue::Object(id) => format!("an object of '{}', which is not executed", self.class(id)),
            PickleValue::Global(Global::Other(name)) => format!("the name '{}'", self.names[name]),
            other => other.kind().to_owned(),
        }
    }
}

/// Reference of a pickle to a storage.
#[derive(Clone, Debug)]
pub(crate) struct StorageRef<'a> {
    pub kind: NumberType,
    pub data: StorageData<'a>,
    /// Number of elements of the whole storage.
    pub count: usize,
    /// Start of this view in elements (older files share storages this way).
    pub start: usize,
    /// Whether the numbers are on the meta device, that is, nowhere.
    pub is_meta: bool,
}

/// Where the numbers of a storage are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum StorageData<'a> {
    /// In the file, under this key.
    Key(&'a str),
    /// In these bytes, which are a file of their own. Type and count of its [`StorageRef`] are those of that file.
    Saved(PickleValue<'a>),
}

/// A tensor as a view of a storage: offset, shape and strides in elements.
#[derive(Clone, Debug, Default)]
pub(crate) struct TensorView {
    /// Index of its storage.
    pub storage: usize,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub stride: Vec<usize>,
    /// Type of its numbers if it is not that of the storage.
    pub number_type: Option<NumberType>,
    /// Why its numbers cannot be read.
    pub unreadable: Option<&'static str>,
}
