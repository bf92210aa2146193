//! Folds quantization of constants: integers with a scale to floats, and floats to integers with a scale.

use super::Folding;
use crate::error::format_shape;
use crate::network::onnx::constant::{Constant, ElementType, Numbers};
use crate::network::onnx::shapes::axis;

impl Folding<'_> {
    /// `(x − zero point) · scale`.
    pub(super) fn dequantize(&self) -> Result<Constant, String> {
        let scale = self.input(1)?;
        let of = match self.node.int("output_dtype", 0) {
            0 => scale.element_type(),
            code => ElementType::of(code)?,
        };
        // The product of 32-bit floats, as the standard has it.
        let values = self.with_scales(|x, scale, zero| f64::from((x - zero) as f32 * scale as f32))?;
        Ok(Constant { dims: self.input(0)?.dims.clone(), numbers: Numbers::of_type(of, values.into_iter()) })
    }

    /// `x / scale`, rounded to the nearest integer, halves to even, plus the zero point, limited to its type.
    pub(super) fn quantize(&self) -> Result<Constant, String> {
        let of = match (self.optional(2), self.node.int("output_dtype", 0)) {
            (Some(zero), _) => zero.element_type(),
            (None, 0) => ElementType::Uint8,
            (None, code) => ElementType::of(code)?,
        };
        let quotient = |x: f64, scale: f64| f64::from(x as f32 / scale as f32);
        let numbers = match (of.range(), of.small_float()) {
            (Some((low, high)), _) => {
                let rounded = |x: f64, scale: f64, zero: f64| {
                    (quotient(x, scale).round_ties_even() + zero).clamp(low as f64, high as f64)
                };
                let values = self.with_scales(rounded)?;
                Numbers::Int(of, values.into_iter().map(|v| v as i64).collect::<Vec<_>>().into())
            }
            (None, Some(format)) if of.bits() <= 8 => {
                let saturate = self.node.int("saturate", 1) != 0;
                let rounded = |x: f64, scale: f64, _: f64| f64::from(format.rounded(quotient(x, scale), saturate));
                Numbers::Float(of, self.with_scales(rounded)?.iter().map(|&v| v as f32).collect::<Vec<_>>().into())
            }
            _ => return Err(format!("quantization to {}", of.name())),
        };
        Ok(Constant { dims: self.input(0)?.dims.clone(), numbers })
    }

    /// `f(x, scale, zero point)` of each value: one scale for all, one per index of an axis, or one per block along it.
    fn with_scales(&self, f: impl Fn(f64, f64, f64) -> f64) -> Result<Vec<f64>, String> {
        let (x, scale, zero) = (self.input(0)?, self.input(1)?, self.optional(2));
        self.budget.count(&x.dims)?;
        let mismatch =
            || format!("a scale of shape {} for values of shape {}", format_shape(&scale.dims), format_shape(&x.dims));
        if zero.is_some_and(|zero| zero.len() != scale.len()) {
            return Err(mismatch());
        }
        let values = x.doubles();
        let scales = scale.doubles();
        let zeros = zero.map_or_else(|| vec![0.0; scales.len()].into(), |zero| zero.doubles());
        if let ([scale], true) = (&scales[..], scale.dims.len() <= 1) {
            return Ok(values.iter().map(|&v| f(v, *scale, zeros[0])).collect());
        }
        let at = axis(self.node.int("axis", 1), x.dims.len())?;
        let (n, inner): (usize, usize) = (x.dims[at], x.dims[at + 1..].iter().product());
        let block = usize::try_from(self.node.int("block_size", 0)).map_err(|_| mismatch())?;
        let mut fitting = x.dims.clone();
        match block {
            0 => fitting = vec![n],
            block => fitting[at] = n.div_ceil(block),
        }
        if scale.dims != fitting {
            return Err(mismatch());
        }
        // One row of values for each index up to the axis.
        let mut out = Vec::with_capacity(values.len());
        for (row, values) in values.chunks(inner.max(1)).enumerate() {
            let (outer, along) = (row / n, row % n);
            match block {
                0 => out.extend(values.iter().map(|&v| f(v, scales[along], zeros[along]))),
                block => {
                    let first = (outer * n.div_ceil(block) + along / block) * inner;
                    let pairs = scales[first..first + inner].iter().zip(&zeros[first..first + inner]);
                    out.extend(values.iter().zip(pairs).map(|(&v, (&scale, &zero))| f(v, scale, zero)));
                }
            }
        }
        Ok(out)
    }
}
