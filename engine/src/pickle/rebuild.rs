//! Results of the calls in a pickle: containers and tensors of known functions, placeholders of all others.
//!
//! Nothing is ever imported or called. A class or function that is not known gives an object that remembers its name and
//! its arguments.

use super::globals::{Global, UNKNOWN_TYPE, VIEW};
use super::value::{ObjectKind, PickleObject, PickleValue, StorageData, StorageRef, Tables, TensorView};
use crate::ground::number_type::NumberType;

/// Limits of what a pickle may make.
#[derive(Debug)]
pub(crate) struct Budget {
    /// Remaining instructions and copies before the pickle is refused.
    pub operations: usize,
    /// Remaining bytes of decoded texts.
    pub bytes: usize,
}

impl Budget {
    pub fn spend(&mut self, amount: usize) -> Result<(), String> {
        let rest = self.operations.checked_sub(amount);
        self.operations = rest.ok_or("the pickle is longer than that of any state dict")?;
        Ok(())
    }
}

impl<'a> Tables<'a> {
    pub fn list(&mut self, items: Vec<PickleValue<'a>>) -> PickleValue<'a> {
        self.lists.push(items);
        PickleValue::List(self.lists.len() - 1)
    }

    pub fn tuple(&mut self, items: Vec<PickleValue<'a>>) -> PickleValue<'a> {
        self.lists.push(items);
        PickleValue::Tuple(self.lists.len() - 1)
    }

    pub fn dictionary(&mut self, entries: Vec<(PickleValue<'a>, PickleValue<'a>)>) -> PickleValue<'a> {
        self.dicts.push(entries);
        PickleValue::Dict(self.dicts.len() - 1)
    }

    /// The global `module.name`.
    pub fn global(&mut self, module: &str, name: &str) -> PickleValue<'a> {
        let known = Global::find(module, name);
        PickleValue::Global(known.unwrap_or_else(|| Global::Other(self.name(&format!("{module}.{name}")))))
    }

    /// Index of `name` in the names of the pickle.
    fn name(&mut self, name: &str) -> usize {
        if let Some(&at) = self.name_index.get(name) {
            return at;
        }
        self.names.push(name.to_owned());
        self.name_index.insert(name.to_owned(), self.names.len() - 1);
        self.names.len() - 1
    }

    /// An object of `class`, made with `arguments`.
    pub fn object(&mut self, kind: ObjectKind, class: usize, arguments: PickleValue<'a>) -> PickleValue<'a> {
        let (state, items, entries) = (PickleValue::None, Vec::new(), Vec::new());
        self.objects.push(PickleObject { kind, class, arguments, state, items, entries });
        PickleValue::Object(self.objects.len() - 1)
    }

    /// An object that stands for the result of `class(arguments)`.
    fn placeholder(&mut self, class: PickleValue<'a>, arguments: PickleValue<'a>) -> PickleValue<'a> {
        let class = match class {
            PickleValue::Global(Global::Other(name)) => name,
            PickleValue::Object(id) => self.objects[id].class,
            _ => self.name("an unnamed class"),
        };
        self.object(ObjectKind::Other, class, arguments)
    }

    /// The result of `callable(*arguments)`.
    ///
    /// # Errors
    /// A sentence for a call of something that cannot be called, and for known functions with other arguments than PyTorch
    /// writes.
    pub fn call(
        &mut self,
        mut callable: PickleValue<'a>,
        mut arguments: PickleValue<'a>,
        budget: &mut Budget,
    ) -> Result<PickleValue<'a>, String> {
        loop {
            budget.spend(1 + self.items(arguments).len())?;
            let items = self.items(arguments).to_vec();
            let global = match callable {
                PickleValue::Global(global) => global,
                PickleValue::Object(_) => return Ok(self.placeholder(callable, arguments)),
                other => return Err(format!("calls {}", other.kind())),
            };
            return match global {
                Global::FromType => match items[..] {
                    [function, _, inner, ..] => {
                        (callable, arguments) = (function, inner);
                        continue;
                    }
                    _ => Err("a tensor subclass without its tensor".into()),
                },
                Global::Dict | Global::DefaultDict => {
                    let pairs = match (global, &items[..]) {
                        (Global::Dict, [pairs, ..]) | (Global::DefaultDict, [_, pairs, ..]) => *pairs,
                        _ => PickleValue::None,
                    };
                    self.dictionary_of(pairs, budget)
                }
                Global::Sequence => Ok(PickleValue::Tuple(match items.first() {
                    Some(&(PickleValue::List(id) | PickleValue::Tuple(id))) => id,
                    Some(_) => return Ok(self.placeholder(callable, arguments)),
                    None => return Ok(self.list(Vec::new())),
                })),
                Global::Tensor | Global::TypedTensor => {
                    let view = self.view(&items, global == Global::TypedTensor)?;
                    Ok(self.tensor(view))
                }
                Global::Unreadable(reason) => {
                    Ok(self.tensor(TensorView { unreadable: Some(reason), ..TensorView::default() }))
                }
                Global::Parameter => match items.first() {
                    Some(&tensor @ (PickleValue::Tensor(_) | PickleValue::Object(_))) => Ok(tensor),
                    _ => Err("a parameter without its tensor".into()),
                },
                Global::SavedStorage => match items.first() {
                    Some(&bytes) if self.bytes(bytes).is_some() => {
                        let data = StorageData::Saved(bytes);
                        self.storages.push(StorageRef {
                            kind: NumberType::Other(1),
                            data,
                            count: 0,
                            start: 0,
                            is_meta: false,
                        });
                        Ok(PickleValue::Storage(self.storages.len() - 1))
                    }
                    _ => Err("a saved storage without its bytes".into()),
                },
                Global::Encode => self.encode(&items, budget),
                Global::NumpyArray => Ok(self.numpy(ObjectKind::NumpyArray, "numpy.ndarray", arguments)),
                Global::NumpyBuffer => Ok(self.numpy(ObjectKind::NumpyBuffer, "numpy.ndarray", arguments)),
                Global::NumpyType => Ok(self.numpy(ObjectKind::NumpyType, "numpy.dtype", arguments)),
                Global::NewObject => {
                    let class = items.first().copied().unwrap_or(PickleValue::None);
                    match class {
                        PickleValue::Global(Global::Dict | Global::DefaultDict) => Ok(self.dictionary(Vec::new())),
                        _ => Ok(self.placeholder(class, arguments)),
                    }
                }
                Global::Storage(_) | Global::NumberType(_) | Global::Other(_) => {
                    Ok(self.placeholder(callable, arguments))
                }
            };
        }
    }

    fn numpy(&mut self, kind: ObjectKind, class: &str, arguments: PickleValue<'a>) -> PickleValue<'a> {
        let class = self.name(class);
        self.object(kind, class, arguments)
    }

    fn tensor(&mut self, view: TensorView) -> PickleValue<'a> {
        self.tensors.push(view);
        PickleValue::Tensor(self.tensors.len() - 1)
    }

    fn dictionary_of(&mut self, pairs: PickleValue<'a>, budget: &mut Budget) -> Result<PickleValue<'a>, String> {
        if let PickleValue::Dict(_) = pairs {
            budget.spend(self.entries(pairs).len())?;
            let entries = self.entries(pairs).to_vec();
            return Ok(self.dictionary(entries));
        }
        budget.spend(self.items(pairs).len())?;
        let mut entries = Vec::new();
        for &pair in self.items(pairs) {
            match self.items(pair) {
                &[key, value] => entries.push((key, value)),
                _ => return Err("a dictionary whose entries are not pairs".into()),
            }
        }
        Ok(self.dictionary(entries))
    }

    /// `_codecs.encode(text, "latin1")`: one byte per character.
    fn encode(&mut self, items: &[PickleValue<'a>], budget: &mut Budget) -> Result<PickleValue<'a>, String> {
        let &[PickleValue::Text(text), ..] = items else { return Err("encodes something else than a text".into()) };
        let is_latin = matches!(items.get(1), Some(PickleValue::Text("latin1" | "latin-1")));
        let rest = budget.bytes.checked_sub(text.len());
        budget.bytes = rest.ok_or("the pickle decodes the same texts many times")?;
        let bytes: Option<Vec<u8>> = match is_latin {
            true => text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect(),
            false => Some(text.as_bytes().to_vec()),
        };
        self.blobs.push(bytes.ok_or("a text of bytes with a character beyond one byte")?);
        Ok(PickleValue::Blob(self.blobs.len() - 1))
    }

    /// The value of the persistent id `("storage", type, key, location, count[, view])`, of a module's class
    /// `("module", class, …)`, or a placeholder.
    ///
    /// # Errors
    /// A sentence for a storage without the parts that PyTorch writes.
    pub fn persistent(&mut self, id: PickleValue<'a>) -> Result<PickleValue<'a>, String> {
        let bad = || "a persistent id without a storage".to_owned();
        let (kind, key, location, count, view) = match self.items(id) {
            &[
                PickleValue::Text("storage"),
                PickleValue::Global(Global::Storage(kind)),
                PickleValue::Text(key),
                location,
                PickleValue::Int(count),
                ref rest @ ..,
            ] => (kind, key, location, count, rest.first().copied()),
            &[PickleValue::Text("module"), class, ..] => return Ok(class),
            &[PickleValue::Text("storage"), class @ PickleValue::Global(Global::Other(_)), ..] => {
                return Ok(self.placeholder(class, id));
            }
            [PickleValue::Text("storage"), ..] => return Err(bad()),
            _ => return Ok(self.placeholder(PickleValue::None, id)),
        };
        let start = match view {
            None | Some(PickleValue::None) => 0,
            Some(view) => match self.items(view) {
                &[_, PickleValue::Int(start), PickleValue::Int(_)] => usize::try_from(start).map_err(|_| bad())?,
                _ => return Err(bad()),
            },
        };
        let count = usize::try_from(count).map_err(|_| bad())?;
        let is_meta = location == PickleValue::Text("meta");
        self.storages.push(StorageRef { kind, data: StorageData::Key(key), count, start, is_meta });
        Ok(PickleValue::Storage(self.storages.len() - 1))
    }

    /// The tensor of `_rebuild_tensor(storage, offset, shape, stride, requires_grad, hooks[, type][, metadata])`.
    fn view(&self, arguments: &[PickleValue<'a>], is_typed: bool) -> Result<TensorView, String> {
        if let [PickleValue::Object(_), ..] = arguments {
            return Ok(TensorView { unreadable: Some(UNKNOWN_TYPE), ..TensorView::default() });
        }
        let &[
            PickleValue::Storage(storage),
            PickleValue::Int(offset),
            shape @ (PickleValue::Tuple(_) | PickleValue::List(_)),
            stride @ (PickleValue::Tuple(_) | PickleValue::List(_)),
            ref rest @ ..,
        ] = arguments
        else {
            return Err("a tensor without storage, offset, shape and stride".into());
        };
        let number_type = match (is_typed, rest) {
            (false, _) => None,
            (true, [_, _, PickleValue::Global(Global::NumberType(number_type)), ..]) => Some(*number_type),
            (true, _) => return Ok(TensorView { unreadable: Some(UNKNOWN_TYPE), ..TensorView::default() }),
        };
        let metadata = rest.get(if is_typed { 3 } else { 2 }).copied().unwrap_or(PickleValue::None);
        let is_view = ["neg", "conj"].iter().any(|key| self.entry(metadata, key) == Some(PickleValue::Bool(true)));
        let unreadable = if is_view { Some(VIEW) } else { None };
        let parts = (usize::try_from(offset).ok(), self.sizes(shape), self.sizes(stride));
        match parts {
            (Some(offset), Some(shape), Some(stride)) if shape.len() == stride.len() => {
                Ok(TensorView { storage, offset, shape, stride, number_type, unreadable })
            }
            _ => Err("a tensor with an invalid shape or stride".into()),
        }
    }

    /// The numbers of a list, at most [`MAX_DIMENSIONS`]; `None` if it has others.
    pub fn sizes(&self, list: PickleValue<'a>) -> Option<Vec<usize>> {
        let number = |value: &PickleValue<'_>| match *value {
            PickleValue::Int(number) => usize::try_from(number).ok(),
            _ => None,
        };
        let sizes = self.items(list);
        if sizes.len() > MAX_DIMENSIONS { None } else { sizes.iter().map(number).collect() }
    }
}

/// Maximum number of dimensions of a tensor.
const MAX_DIMENSIONS: usize = 8;
