//! Answers to many changed samples, in blocks.

use super::super::network::Explained;
use crate::Result;
use crate::progress::JobControl;

/// Values of one block of samples.
const MAX_VALUES: usize = 1 << 20;
/// Samples of one block.
const MAX_SAMPLES: usize = 1 << 11;

/// The samples of a request with their targets.
#[derive(Clone, Copy)]
pub struct Queries<'a> {
    pub network: &'a Explained<'a>,
    /// `[N, F]`
    pub input: &'a [f32],
    /// `[N]`
    pub targets: &'a [usize],
    /// Values of one sample.
    pub width: usize,
    pub stage: &'static str,
    pub control: &'a JobControl,
}

impl<'a> Queries<'a> {
    /// Sample `k`.
    pub fn sample(&self, k: usize) -> &'a [f32] {
        &self.input[k * self.width..(k + 1) * self.width]
    }

    /// The target's logit for `count` changed samples: `write(q, values)` writes sample `q` over whatever values are there,
    /// and `of(q)` is the sample whose target counts.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`], and those of the network.
    pub fn ask(
        &self,
        count: usize,
        of: impl Fn(usize) -> usize,
        write: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Result<Vec<f32>> {
        use rayon::prelude::*;
        let classes = self.network.classes().max(1);
        let block = (MAX_VALUES / self.width.max(1)).clamp(1, MAX_SAMPLES);
        let mut answers = Vec::with_capacity(count);
        let mut changed = vec![0.0; block.min(count) * self.width];
        let quiet = self.control.without_events();
        for first in (0..count).step_by(block) {
            self.control.check()?;
            self.control.progress(self.stage, first as f32 / count as f32);
            let rows = block.min(count - first);
            let changed = &mut changed[..rows * self.width];
            changed.par_chunks_mut(self.width).enumerate().for_each(|(k, values)| write(first + k, values));
            let logits = self.network.target().logits(changed, &quiet)?;
            let rows = logits.chunks_exact(classes).enumerate();
            answers.extend(rows.map(|(k, logits)| logits[self.targets[of(first + k)]]));
        }
        Ok(answers)
    }

    /// The target's logit of every sample as it is, `[N]`.
    ///
    /// # Errors
    /// As [`Queries::ask`].
    pub fn unchanged(&self) -> Result<Vec<f32>> {
        self.ask(self.targets.len(), |k| k, |k, values| values.copy_from_slice(self.sample(k)))
    }
}
