//! Factors of a NIR file as scales of the project's graph: one, one per channel, or one per value.

use super::build::GraphBuilder;
use crate::Result;
use crate::error::format_shape;
use crate::network::{NodeId, Op, Weights};

impl GraphBuilder<'_> {
    /// Adds a product with `factors`: one, one per channel or one per value. All ones need no node.
    pub(super) fn add_scale(&mut self, name: &str, field: &str, factors: &Weights, source: NodeId) -> Result<NodeId> {
        let spread = self.spread(name, field, factors, source)?;
        let shape = self.nodes[source].shape.clone();
        let (channels, all) = (shape.first().copied().unwrap_or(1), self.nodes[source].len());
        if spread.iter().all(|&factor| factor == 1.0) {
            return Ok(source);
        }
        let first = spread.first().copied().unwrap_or(1.0);
        if spread.iter().all(|&factor| factor == first) {
            return self.push(name, Op::Affine { scale: vec![first], shift: vec![0.0] }, vec![source], &[]);
        }
        let plane = (all / channels.max(1)).max(1);
        let planes = spread.chunks(plane);
        if planes.clone().all(|plane| plane.iter().all(|&factor| factor == plane[0])) {
            let scale: Vec<f32> = planes.map(|plane| plane[0]).collect();
            let shift = vec![0.0; scale.len()];
            return self.push(name, Op::Affine { scale, shift }, vec![source], &[]);
        }
        // One per value: of a vector, each is a channel.
        let flat = self.push(&format!("{name}.flat"), Op::Reshape, vec![source], &[all])?;
        let shift = vec![0.0; spread.len()];
        let scaled = self.push(name, Op::Affine { scale: spread, shift }, vec![flat], &[])?;
        self.push(&format!("{name}.unflat"), Op::Reshape, vec![scaled], &shape)
    }

    /// `values` for every value of `source`, or one for all. They are stated once, per channel, or in a shape that NumPy
    /// broadcasts.
    ///
    /// # Errors
    /// [`crate::Error::File`] for other shapes, and for a list of C = W numbers on `[C, H, W]` that could be either.
    pub(super) fn spread(&self, name: &str, field: &str, values: &Weights, source: NodeId) -> Result<Vec<f32>> {
        let shape = &self.nodes[source].shape;
        if let [one] = values.data[..] {
            return Ok(vec![one]);
        }
        // Leading ones are a batch.
        let mut stated = values.shape.as_slice();
        while stated.len() > shape.len() && stated.first() == Some(&1) {
            stated = &stated[1..];
        }
        let fail = |reason: &str| {
            let (stated, shape) = (format_shape(&values.shape), format_shape(shape));
            Err(self.reader.fail(name, format!("its '{field}' has shape {stated} for neurons of {shape}{reason}")))
        };
        if stated.len() > shape.len() {
            return fail("");
        }
        // As PyTorch users mean it: one number per channel, without ones behind it.
        let is_channels =
            stated.len() < shape.len() && stated.first() == Some(&shape[0]) && stated[1..].iter().all(|&n| n == 1);
        let aligned: Vec<usize> =
            std::iter::repeat_n(1, shape.len() - stated.len()).chain(stated.iter().copied()).collect();
        let is_broadcast = aligned.iter().zip(shape).all(|(&n, &of)| n == 1 || n == of);
        let differ = values.data.iter().any(|value| *value != values.data[0]);
        match (is_channels, is_broadcast) {
            (true, true) if differ => {
                let axis = if stated.len() == 1 { "column" } else { "row" };
                fail(&format!(
                    ", which is one number per channel or, as NumPy broadcasts it, one per {axis}. Write it with the shape \
                     {}x1x1 or of all neurons",
                    shape[0]
                ))
            }
            (true, _) => Ok(broadcast(&values.data, &per_channel(shape), shape)),
            (_, true) => Ok(broadcast(&values.data, &aligned, shape)),
            _ => fail(""),
        }
    }
}

/// `[C, 1, …]` for neurons of `shape`.
fn per_channel(shape: &[usize]) -> Vec<usize> {
    shape.iter().enumerate().map(|(axis, &n)| if axis == 0 { n } else { 1 }).collect()
}

/// `values` of shape `from`, whose sides are 1 or those of `shape`, repeated to `shape`.
fn broadcast(values: &[f32], from: &[usize], shape: &[usize]) -> Vec<f32> {
    let source = |mut at: usize| {
        let (mut index, mut stride) = (0, 1);
        for (&n, &of) in from.iter().zip(shape).rev() {
            if n > 1 {
                index += at % of * stride;
            }
            stride *= n;
            at /= of;
        }
        values[index]
    };
    (0..shape.iter().product()).map(source).collect()
}
