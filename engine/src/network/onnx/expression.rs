//! Expression trees of elementwise nodes: scalar functions of one variable x.
//!
//! Any chain or diamond of nodes that an exporter writes for an activation becomes one expression.
//! `elementwise::activation_matching` finds out which activation it is.

use std::rc::Rc;

/// A scalar function of one variable x.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    X,
    Constant(f64),
    Unary(Unary, Rc<Expression>),
    Binary(Binary, Rc<Expression>, Rc<Expression>),
}

/// Functions of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    Relu,
    Floor,
    Ceil,
    /// To the nearest integer, halves to even, as in the ONNX standard.
    Round,
    Neg,
    Abs,
    Sign,
}

/// Functions of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Min,
    Max,
    /// 1 where the first is greater, else 0.
    Greater,
    /// 1 where the first is greater or equal, else 0.
    GreaterOrEqual,
}

impl Unary {
    /// The function of the ONNX operator `op`.
    pub fn of(op: &str) -> Option<Self> {
        Some(match op {
            "Relu" => Self::Relu,
            "Floor" => Self::Floor,
            "Ceil" => Self::Ceil,
            "Round" => Self::Round,
            "Neg" => Self::Neg,
            "Abs" => Self::Abs,
            "Sign" => Self::Sign,
            _ => return None,
        })
    }
}

impl Binary {
    /// The function of the ONNX operator `op`.
    pub fn of(op: &str) -> Option<Self> {
        Some(match op {
            "Add" | "Sum" => Self::Add,
            "Sub" => Self::Sub,
            "Mul" => Self::Mul,
            "Div" => Self::Div,
            "Min" => Self::Min,
            "Max" => Self::Max,
            _ => return None,
        })
    }
}

/// A value computed in f32, and a bound of its rounding error.
#[derive(Clone, Copy, Debug)]
pub struct Rounded {
    pub value: f32,
    pub error: f64,
}

/// Half a unit in the last place of an f32 of magnitude 1: the relative rounding error of one operation.
const HALF_ULP: f64 = f32::EPSILON as f64 / 2.0;

impl Rounded {
    fn new(value: f32, propagated: f64) -> Self {
        Self { value, error: propagated + HALF_ULP * f64::from(value.abs()) }
    }
}

impl Expression {
    /// The value at `x`, each operation in f32 as in the file. The error bound does not count jumps of
    /// floor, comparisons and their kind.
    pub fn at(&self, x: f32) -> Rounded {
        match self {
            Self::X => Rounded { value: x, error: 0.0 },
            Self::Constant(c) => Rounded { value: *c as f32, error: 0.0 },
            Self::Unary(op, a) => {
                let a = a.at(x);
                let exact = |value| Rounded { value, error: a.error };
                match op {
                    Unary::Relu => exact(a.value.max(0.0)),
                    Unary::Neg => exact(-a.value),
                    Unary::Abs => exact(a.value.abs()),
                    Unary::Floor => Rounded { value: a.value.floor(), error: 0.0 },
                    Unary::Ceil => Rounded { value: a.value.ceil(), error: 0.0 },
                    Unary::Round => Rounded { value: a.value.round_ties_even(), error: 0.0 },
                    Unary::Sign if a.value == 0.0 => Rounded { value: 0.0, error: 0.0 },
                    Unary::Sign => Rounded { value: a.value.signum(), error: 0.0 },
                }
            }
            Self::Binary(op, a, b) => {
                let (a, b) = (a.at(x), b.at(x));
                let (va, vb) = (f64::from(a.value.abs()), f64::from(b.value.abs()));
                match op {
                    Binary::Add => Rounded::new(a.value + b.value, a.error + b.error),
                    Binary::Sub => Rounded::new(a.value - b.value, a.error + b.error),
                    Binary::Mul => Rounded::new(a.value * b.value, a.error * vb + b.error * va + a.error * b.error),
                    Binary::Div => {
                        let value = a.value / b.value;
                        let least = (vb - b.error).max(f64::MIN_POSITIVE);
                        Rounded::new(value, (a.error + b.error * f64::from(value.abs())) / least)
                    }
                    Binary::Min => Rounded { value: a.value.min(b.value), error: a.error.max(b.error) },
                    Binary::Max => Rounded { value: a.value.max(b.value), error: a.error.max(b.error) },
                    Binary::Greater => Rounded { value: f32::from(a.value > b.value), error: 0.0 },
                    Binary::GreaterOrEqual => Rounded { value: f32::from(a.value >= b.value), error: 0.0 },
                }
            }
        }
    }
    /// Number of nodes of the tree; shared subtrees count once per use.
    pub fn size(&self) -> usize {
        match self {
            Self::X | Self::Constant(_) => 1,
            Self::Unary(_, a) => 1 + a.size(),
            Self::Binary(_, a, b) => 1usize.saturating_add(a.size()).saturating_add(b.size()),
        }
    }
    /// Whether its values are 0 and 1: comparisons, and what And, Or and Not make of them.
    pub fn is_truth(&self) -> bool {
        match self {
            Self::Binary(Binary::Greater | Binary::GreaterOrEqual, ..) => true,
            Self::Binary(Binary::Mul | Binary::Max, a, b) => a.is_truth() && b.is_truth(),
            Self::Binary(Binary::Sub, a, b) => **a == Self::Constant(1.0) && b.is_truth(),
            _ => false,
        }
    }
    /// Whether the tree contains no x.
    pub fn is_constant(&self) -> bool {
        match self {
            Self::X => false,
            Self::Constant(_) => true,
            Self::Unary(_, a) => a.is_constant(),
            Self::Binary(_, a, b) => a.is_constant() && b.is_constant(),
        }
    }
}
