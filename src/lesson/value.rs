//! Values of facts: a number or a word, and how they are shown and compared.

use std::fmt;

use crate::lab::Lab;

/// The value of a fact.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Number(f64),
    Word(String),
}

/// Relative tolerance of equal numbers: they come from sums of `f32`.
const TOLERANCE: f64 = 1e-4;

impl Value {
    /// Whether both values are equal, numbers within the tolerance.
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()).max(1.0),
            (Self::Word(a), Self::Word(b)) => a == b,
            _ => false,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Number(n) if (n - n.round()).abs() < 1e-4 && n.abs() < 1e15 => write!(f, "{:.0}", n.round() + 0.0),
            Self::Number(n) => {
                let text = match n.abs() {
                    size if size >= 10.0 => format!("{n:.1}"),
                    size if size >= 0.1 => format!("{n:.2}"),
                    _ => format!("{n:.4}"),
                };
                f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
            }
        }
    }
}

/// Function that reads a fact from the lab. The number is the one after `@` in the fact's name.
pub(super) type ReadFact = fn(&Lab, Option<usize>) -> Option<Value>;
