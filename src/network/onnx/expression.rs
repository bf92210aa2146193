//! Expression trees of elementwise nodes: scalar functions of one variable x.
//!
//! Any chain or diamond of nodes that an exporter writes for an activation becomes one expression.
//! [`super::activation_matching`] finds out which activation it is.

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
    /// The value for `a`, `b`.
    pub fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
            Self::Min => a.min(b),
            Self::Max => a.max(b),
        }
    }
}

impl Expression {
    /// The value at `x`.
    pub fn at(&self, x: f64) -> f64 {
        match self {
            Self::X => x,
            Self::Constant(c) => *c,
            Self::Unary(op, a) => {
                let a = a.at(x);
                match op {
                    Unary::Relu => a.max(0.0),
                    Unary::Floor => a.floor(),
                    Unary::Ceil => a.ceil(),
                    Unary::Round => a.round_ties_even(),
                    Unary::Neg => -a,
                    Unary::Abs => a.abs(),
                    Unary::Sign => {
                        if a == 0.0 {
                            0.0
                        } else {
                            a.signum()
                        }
                    }
                }
            }
            Self::Binary(op, a, b) => op.apply(a.at(x), b.at(x)),
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
    /// The largest magnitude of a finite constant: the scale of the function's features.
    pub fn scale(&self) -> f64 {
        match self {
            Self::X => 0.0,
            Self::Constant(c) => {
                if c.is_finite() {
                    c.abs()
                } else {
                    0.0
                }
            }
            Self::Unary(_, a) => a.scale(),
            Self::Binary(_, a, b) => a.scale().max(b.scale()),
        }
    }
}
