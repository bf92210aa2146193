//! Constant tensors of an ONNX file: dimensions and numbers of every element type.

mod data_files;
mod decode;
mod element_type;
mod small_float;

use std::sync::Arc;

pub use data_files::{DataFiles, in_folder};
pub use element_type::ElementType;

/// A constant tensor: dimensions and numbers, row-major. The numbers are shared: a clone does not copy them.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    pub dims: Vec<usize>,
    pub numbers: Numbers,
}

/// The numbers of a constant and their element type.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// Floats of up to 32 bits.
    Float(ElementType, Arc<Vec<f32>>),
    Double(Arc<Vec<f64>>),
    /// Integers and truth values.
    Int(ElementType, Arc<Vec<i64>>),
}

impl Numbers {
    /// 32-bit floats.
    pub fn floats(values: Vec<f32>) -> Self {
        Self::Float(ElementType::Float, Arc::new(values))
    }
    /// 64-bit integers.
    pub fn ints(values: Vec<i64>) -> Self {
        Self::Int(ElementType::Int64, Arc::new(values))
    }
    /// Truth values.
    pub fn bools(values: impl IntoIterator<Item = bool>) -> Self {
        Self::Int(ElementType::Bool, Arc::new(values.into_iter().map(i64::from).collect()))
    }
    /// `values` rounded to element type `to`.
    pub fn of_type(to: ElementType, values: impl Iterator<Item = f64>) -> Self {
        match to {
            ElementType::Double => Self::Double(Arc::new(values.collect())),
            _ => Self::Float(to, Arc::new(values.map(|v| to.rounded(v)).collect())),
        }
    }
    pub fn len(&self) -> usize {
        match self {
            Self::Float(_, values) => values.len(),
            Self::Double(values) => values.len(),
            Self::Int(_, values) => values.len(),
        }
    }
    pub fn element_type(&self) -> ElementType {
        match self {
            Self::Float(of, _) | Self::Int(of, _) => *of,
            Self::Double(_) => ElementType::Double,
        }
    }
    /// Value `i` as f64; 0 beyond the end.
    pub fn at(&self, i: usize) -> f64 {
        match self {
            Self::Float(_, values) => values.get(i).map_or(0.0, |&v| f64::from(v)),
            Self::Double(values) => values.get(i).copied().unwrap_or(0.0),
            Self::Int(_, values) => values.get(i).map_or(0.0, |&v| v as f64),
        }
    }
}

impl Constant {
    /// A constant of 64-bit integers, rank 1.
    pub fn ints(values: Vec<i64>) -> Self {
        Self { dims: vec![values.len()], numbers: Numbers::ints(values) }
    }
    /// A scalar.
    pub fn of_scalar(numbers: Numbers) -> Self {
        Self { dims: vec![], numbers }
    }
    /// Number of values.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }
    pub fn element_type(&self) -> ElementType {
        self.numbers.element_type()
    }
    /// The values as f32; not copied if they are.
    pub fn floats(&self) -> Arc<Vec<f32>> {
        match &self.numbers {
            Numbers::Float(_, values) => values.clone(),
            Numbers::Double(values) => Arc::new(values.iter().map(|&v| v as f32).collect()),
            Numbers::Int(_, values) => Arc::new(values.iter().map(|&v| v as f32).collect()),
        }
    }
    /// The values as f64; not copied if they are.
    pub fn doubles(&self) -> Arc<Vec<f64>> {
        match &self.numbers {
            Numbers::Double(values) => values.clone(),
            Numbers::Float(_, values) => Arc::new(values.iter().map(|&v| f64::from(v)).collect()),
            Numbers::Int(_, values) => Arc::new(values.iter().map(|&v| v as f64).collect()),
        }
    }
    /// The values as integers; `None` if one has a fraction.
    pub fn as_ints(&self) -> Option<Vec<i64>> {
        let whole = |v: f64| (v.fract() == 0.0).then_some(v as i64);
        match &self.numbers {
            Numbers::Int(_, values) => Some(values.to_vec()),
            Numbers::Float(_, values) => values.iter().map(|&v| whole(f64::from(v))).collect(),
            Numbers::Double(values) => values.iter().map(|&v| whole(v)).collect(),
        }
    }
    /// The value of a constant with a single element.
    pub fn scalar(&self) -> Option<f64> {
        (self.len() == 1).then(|| self.numbers.at(0))
    }
    /// The same numbers with other dimensions, of the same product.
    pub fn with_dims(&self, dims: Vec<usize>) -> Self {
        Self { dims, numbers: self.numbers.clone() }
    }
}
