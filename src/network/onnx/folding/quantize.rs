//! Folds quantization of constants: integers with a scale to floats, and floats to integers with a scale.

use super::Folding;
use crate::network::onnx::constant::{Constant, ElementType, Numbers};
use crate::network::onnx::shapes::axis;

impl Folding<'_> {
    /// `(x − zero point) · scale`.
    pub(super) fn dequantize(&self) -> Result<Constant, String> {
        let (x, scale) = (self.input(0)?, self.input(1)?);
        let of = match self.node.int("output_dtype", 0) {
            0 => scale.element_type(),
            code => ElementType::of(code)?,
        };
        self.budget.count(&x.dims)?;
        let position = self.scale_positions(x, scale)?;
        let zero = self.optional(2);
        let offset = |at: usize| zero.map_or(0.0, |zero| zero.numbers.at(at));
        let scaled = |i: usize| {
            let at = position.of(i);
            // The product of 32-bit floats, as the standard has it.
            f64::from((x.numbers.at(i) - offset(at)) as f32 * scale.numbers.at(at) as f32)
        };
        Ok(Constant { dims: x.dims.clone(), numbers: Numbers::of_type(of, (0..x.len()).map(scaled)) })
    }

    /// `x / scale`, rounded to the nearest integer, halves to even, plus the zero point, limited to its type.
    pub(super) fn quantize(&self) -> Result<Constant, String> {
        let (x, scale) = (self.input(0)?, self.input(1)?);
        let zero = self.optional(2);
        let of = match (zero, self.node.int("output_dtype", 0)) {
            (Some(zero), _) => zero.element_type(),
            (None, 0) => ElementType::Uint8,
            (None, code) => ElementType::of(code)?,
        };
        self.budget.count(&x.dims)?;
        let position = self.scale_positions(x, scale)?;
        let quotient = |i: usize| f64::from(x.numbers.at(i) as f32 / scale.numbers.at(position.of(i)) as f32);
        let numbers = match (of.range(), of.small_float()) {
            (Some((low, high)), _) => {
                let rounded = |i: usize| {
                    let offset = zero.map_or(0.0, |zero| zero.numbers.at(position.of(i)));
                    (quotient(i).round_ties_even() + offset).clamp(low as f64, high as f64) as i64
                };
                Numbers::Int(of, (0..x.len()).map(rounded).collect::<Vec<_>>().into())
            }
            (None, Some(format)) if of.bits() <= 8 => {
                let saturate = self.node.int("saturate", 1) != 0;
                let rounded = (0..x.len()).map(|i| format.rounded(quotient(i), saturate));
                Numbers::Float(of, rounded.collect::<Vec<_>>().into())
            }
            _ => return Err(format!("quantization to {}", of.name())),
        };
        Ok(Constant { dims: x.dims.clone(), numbers })
    }

    /// Where the scale of each value of `x` is: one for all, one per index of an axis, or one per block along it.
    fn scale_positions(&self, x: &Constant, scale: &Constant) -> Result<ScalePosition, String> {
        let rank = x.dims.len();
        let zero_fits = self.optional(2).is_none_or(|zero| zero.len() == scale.len());
        let mismatch = || {
            format!(
                "a scale of shape {} for values of shape {}",
                crate::error::format_shape(&scale.dims),
                crate::error::format_shape(&x.dims)
            )
        };
        if scale.len() == 1 && scale.dims.len() <= 1 && zero_fits {
            return Ok(ScalePosition::default());
        }
        let at = axis(self.node.int("axis", 1), rank)?;
        let inner: usize = x.dims[at + 1..].iter().product();
        let n = x.dims[at];
        let block = usize::try_from(self.node.int("block_size", 0)).map_err(|_| mismatch())?;
        let (block, blocks, fits) = match block {
            0 => (1, n, scale.dims == [n]),
            block => {
                let mut dims = x.dims.clone();
                dims[at] = n.div_ceil(block);
                (block, dims[at], scale.dims == dims)
            }
        };
        if !fits || !zero_fits {
            return Err(mismatch());
        }
        let is_blocked = self.node.int("block_size", 0) != 0;
        Ok(ScalePosition { n, inner, block, blocks, is_blocked })
    }
}

/// The position in the scale for a position in the values.
#[derive(Default)]
struct ScalePosition {
    /// Values along the axis; 0 if one scale is for all.
    n: usize,
    inner: usize,
    block: usize,
    blocks: usize,
    is_blocked: bool,
}

impl ScalePosition {
    fn of(&self, i: usize) -> usize {
        if self.n == 0 {
            return 0;
        }
        let (outer, along, column) = (i / (self.n * self.inner), i / self.inner % self.n, i % self.inner);
        if self.is_blocked { (outer * self.blocks + along / self.block) * self.inner + column } else { along }
    }
}
