//! One node on slices, for all samples of a batch.

use rayon::prelude::*;

use super::operations::apply;
use crate::compute::convolution::{Convolution, Epilogue};
use crate::compute::dense::tensor_to_vec;
use crate::compute::prepared::Prepared;
use crate::compute::program::Program;
use crate::network::{NodeId, Op};

impl Program {
    /// The value of node `id`, `[samples, F]`, from its inputs, `[samples, F]` each; samples in parallel. Values equal
    /// those of [`Program::run_samples`].
    pub fn apply_on_slices(&self, id: NodeId, inputs: &[&[f32]], samples: usize) -> Vec<f32> {
        let network = self.network();
        let node = &network.nodes[id];
        if !self.runs_on_slices() {
            let tensors = inputs.iter().map(|x| self.tensor(x.to_vec(), samples)).collect();
            return tensor_to_vec(self.apply(id, tensors));
        }
        let x = inputs.first().copied().unwrap_or_default();
        if let Prepared::Convolution(_) = self.prepared(id) {
            return self.convolve(id, x, samples, Convolution::clone);
        }
        let mut out = vec![0.0; samples * node.len()];
        let len = node.len().max(1);
        match self.prepared(id) {
            Prepared::Linear(linear) => {
                let count = samples.div_ceil(rayon::current_num_threads().max(1)).max(1);
                let width = x.len().checked_div(samples).unwrap_or(0).max(1);
                let parts = out.par_chunks_mut(count * len).zip(x.par_chunks(count * width));
                parts.for_each(|(out, x)| linear.forward(x, out.len() / len, &mut Vec::new(), out));
            }
            _ => out.par_chunks_mut(len).enumerate().for_each(|(sample, out)| {
                let of_sample = |x: &&'_ [f32]| {
                    let width = x.len() / samples.max(1);
                    sample * width..(sample + 1) * width
                };
                let inputs: Vec<&[f32]> = inputs.iter().map(|x| &x[of_sample(x)]).collect();
                apply(self, id, &inputs, 1, out);
            }),
        }
        out
    }

    /// The values of convolution `id` for `x`, `[samples, F]`, in the form that `form` takes from it; samples in parallel.
    /// Empty if `id` is not a convolution.
    pub(in crate::compute) fn convolve(
        &self,
        id: NodeId,
        x: &[f32],
        samples: usize,
        form: fn(&Convolution) -> Convolution,
    ) -> Vec<f32> {
        let node = &self.network().nodes[id];
        let (Op::Conv2d { bias, .. }, Prepared::Convolution(convolution)) = (&node.op, self.prepared(id)) else {
            return Vec::new();
        };
        let mut out = vec![0.0; samples * node.len()];
        let bias = bias.as_ref().map_or(&[][..], |bias| &bias.data);
        form(convolution).forward_parallel(x, samples, Epilogue { bias, ..Epilogue::default() }, &mut out);
        out
    }
}
