//! What an operator is built from, its node with shapes and constants, and what it becomes.

use std::cell::RefCell;
use std::collections::HashSet;

use super::super::proto::{AttributeProto, NodeProto, TensorProto};
use super::data_type::DataType;
use super::index::{self, View, count};

/// Type and shape of a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    pub data_type: DataType,
    pub shape: Vec<usize>,
}

/// Reads elements of other values for one element of an output.
///
/// An element is evaluated twice: first to learn what it reads, when every number read is a placeholder, then to compute it.
/// Which elements are read must therefore not depend on numbers read.
pub struct Fetch<'a> {
    /// Element of an operand: the inputs in their order, then the outputs.
    pub read: &'a dyn Fn(usize, usize) -> f64,
    /// Number of inputs.
    pub inputs: usize,
}

impl Fetch<'_> {
    /// Element `index` of input `k`.
    pub fn input(&self, k: usize, index: usize) -> f64 {
        (self.read)(k, index)
    }
    /// Element `index` of output `k` of the same node: a later output than the one that is computed.
    pub fn output(&self, k: usize, index: usize) -> f64 {
        (self.read)(self.inputs + k, index)
    }
}

/// Computes element `index` of output `k`: `(k, index, fetch)`.
pub type Element = Box<dyn Fn(usize, usize, &Fetch) -> f64 + Send + Sync>;

/// An operator that is understood.
pub struct Operator {
    /// The outputs, then intermediate results. Further outputs of the node are unknown.
    pub outputs: Vec<Kind>,
    /// Number of intermediate results.
    pub hidden: usize,
    pub element: Element,
}

/// An operator, or why it is not understood.
pub type Built = Result<Operator, String>;

impl Operator {
    /// An operator with one output.
    pub fn one(
        data_type: DataType,
        shape: Vec<usize>,
        element: impl Fn(usize, &Fetch) -> f64 + Send + Sync + 'static,
    ) -> Built {
        Self::several(vec![Kind { data_type, shape }], move |_, index, fetch| element(index, fetch))
    }

    /// An operator with several outputs.
    pub fn several(outputs: Vec<Kind>, element: impl Fn(usize, usize, &Fetch) -> f64 + Send + Sync + 'static) -> Built {
        Ok(Self { outputs, hidden: 0, element: Box::new(element) })
    }

    /// The same operator, whose last `hidden` outputs are intermediate results.
    pub fn with_hidden(mut self, hidden: usize) -> Self {
        self.hidden = hidden;
        self
    }

    /// The elements of input 0 in another order.
    pub fn view(data_type: DataType, shape: Vec<usize>, view: View) -> Built {
        Self::one(data_type, shape, move |index, fetch| fetch.input(0, view.index(index)))
    }

    /// An operator whose output is known.
    pub fn constant(data_type: DataType, shape: Vec<usize>, numbers: Vec<f64>) -> Built {
        if numbers.len() != count(&shape) {
            return Err("its numbers do not fit its shape".into());
        }
        Self::one(data_type, shape, move |index, _| numbers.get(index).copied().unwrap_or(f64::NAN))
    }
}

/// A node with what is known of its inputs. Attributes that nobody asks for make it unknown.
pub struct Site<'a> {
    pub node: &'a NodeProto,
    /// Version of the operator set of the node's domain.
    pub opset: i64,
    /// By input; `None` for one that is left out.
    pub kinds: Vec<Option<Kind>>,
    /// All elements of an input that does not depend on the network's input.
    pub constants: &'a dyn Fn(usize) -> Result<Vec<f64>, String>,
    seen: RefCell<HashSet<&'static str>>,
}

impl<'a> Site<'a> {
    pub fn new(
        node: &'a NodeProto,
        opset: i64,
        kinds: Vec<Option<Kind>>,
        constants: &'a dyn Fn(usize) -> Result<Vec<f64>, String>,
    ) -> Self {
        Self { node, opset, kinds, constants, seen: RefCell::default() }
    }

    /// The first attribute that was not asked for.
    pub fn unread(&self) -> Option<&'a str> {
        let seen = self.seen.borrow();
        self.node.attribute.iter().map(|a| a.name.as_str()).find(|name| !seen.contains(name))
    }

    fn attribute(&self, name: &'static str) -> Option<&'a AttributeProto> {
        self.seen.borrow_mut().insert(name);
        self.node.attribute.iter().find(|a| a.name == name)
    }

    /// Accepts attributes that do not change the outputs.
    pub fn ignore(&self, names: &[&'static str]) {
        self.seen.borrow_mut().extend(names);
    }
    pub fn has(&self, name: &'static str) -> bool {
        self.attribute(name).is_some()
    }
    pub fn int(&self, name: &'static str, default: i64) -> i64 {
        self.attribute(name).map_or(default, |a| a.i)
    }
    pub fn flag(&self, name: &'static str, default: bool) -> bool {
        self.int(name, i64::from(default)) != 0
    }
    pub fn float(&self, name: &'static str, default: f32) -> f64 {
        f64::from(self.attribute(name).map_or(default, |a| a.f))
    }
    pub fn ints(&self, name: &'static str) -> Option<&'a [i64]> {
        self.attribute(name).map(|a| a.ints.as_slice())
    }
    pub fn floats(&self, name: &'static str) -> Option<&'a [f32]> {
        self.attribute(name).map(|a| a.floats.as_slice())
    }
    pub fn tensor(&self, name: &'static str) -> Option<&'a TensorProto> {
        self.attribute(name).and_then(|a| a.t.as_ref())
    }
    pub fn text(&self, name: &'static str) -> String {
        self.attribute(name).map(|a| String::from_utf8_lossy(&a.s).into_owned()).unwrap_or_default()
    }
    /// A text attribute, one of `choices`; the first is the default.
    pub fn choice(&self, name: &'static str, choices: &[&'static str]) -> Result<&'static str, String> {
        let Some(attribute) = self.attribute(name).filter(|a| !a.s.is_empty()) else {
            return Ok(choices.first().copied().unwrap_or_default());
        };
        let found = choices.iter().find(|choice| choice.as_bytes() == attribute.s);
        found.copied().ok_or_else(|| format!("{name} '{}' is not known", String::from_utf8_lossy(&attribute.s)))
    }

    /// Number of inputs, those left out included.
    pub fn count(&self) -> usize {
        self.kinds.len()
    }
    /// Type and shape of input `k`, if present.
    pub fn optional(&self, k: usize) -> Option<&Kind> {
        self.kinds.get(k).and_then(Option::as_ref)
    }
    /// Type and shape of input `k`.
    pub fn kind(&self, k: usize) -> Result<&Kind, String> {
        self.optional(k).ok_or_else(|| format!("input {k} is missing"))
    }
    pub fn shape(&self, k: usize) -> Result<&[usize], String> {
        Ok(&self.kind(k)?.shape)
    }
    pub fn data_type(&self, k: usize) -> Result<DataType, String> {
        Ok(self.kind(k)?.data_type)
    }
    /// Refuses data types other than floating point for input `k`.
    pub fn require_float(&self, k: usize) -> Result<DataType, String> {
        let data_type = self.data_type(k)?;
        if data_type.is_float() { Ok(data_type) } else { Err(format!("input {k} is no floating-point value")) }
    }
    /// Refuses a number of elements other than `expected` for input `k`, if present.
    pub fn require_count(&self, k: usize, expected: usize) -> Result<(), String> {
        match self.optional(k) {
            Some(kind) if count(&kind.shape) != expected => {
                Err(format!("input {k} has {} elements, not {expected}", count(&kind.shape)))
            }
            _ => Ok(()),
        }
    }

    /// The elements of input `k`, which must not depend on the network's input; `None` if it is left out.
    pub fn constant(&self, k: usize) -> Result<Option<Vec<f64>>, String> {
        self.optional(k).map(|_| (self.constants)(k)).transpose()
    }
    /// [`Site::constant`] as integers.
    pub fn constant_ints(&self, k: usize) -> Result<Option<Vec<i64>>, String> {
        Ok(self.constant(k)?.map(|numbers| numbers.into_iter().map(|v| v as i64).collect()))
    }
    /// The integers of input `k` or, if it is left out, those of attribute `name`.
    pub fn ints_of(&self, k: usize, name: &'static str) -> Result<Option<Vec<i64>>, String> {
        let attribute = self.ints(name).map(<[i64]>::to_vec);
        Ok(self.constant_ints(k)?.or(attribute))
    }
    /// The axis attribute of a value of `rank` dimensions.
    pub fn axis(&self, default: i64, rank: usize) -> Result<usize, String> {
        index::axis(self.int("axis", default), rank)
    }
}
