//! Measures a run whose samples are computed part by part: sums over the parts, then the report.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::{add_samples, group_size, layer_report, max_count, report};
use crate::Result;
use crate::convert::SpikingNetwork;
use crate::measure::layer::sums::Sums;
use crate::measure::{LayerReport, Report, RunData};
use crate::progress::JobControl;

/// Sums over the samples of a run that were measured so far. The report is that of these samples; once it is of all, it is
/// the same, to the bit, as that of [`crate::measure::measure_run()`] on all samples at once.
#[derive(Clone)]
pub struct MeasureInParts {
    samples: usize,
    /// Number of samples that were added.
    added: usize,
    steps: usize,
    /// For every layer the sums of its groups of samples.
    layers: Vec<Vec<Sums>>,
}

impl MeasureInParts {
    /// For a run of `samples` samples of `spiking` over `steps` steps.
    pub fn new(spiking: &SpikingNetwork, samples: usize, steps: usize) -> Self {
        let groups = samples.div_ceil(group_size(samples));
        let of_layer = |layer| vec![Sums::new(max_count(layer, steps)); groups];
        Self { samples, added: 0, steps, layers: spiking.layers.iter().map(of_layer).collect() }
    }

    /// Adds `samples` of `part`, whose sample 0 is sample `first` of the run. Samples come in order within each of the
    /// [groups](group_size) of a run.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] if `control` is cancelled.
    pub fn add(&mut self, part: &RunData<'_>, samples: Range<usize>, first: usize, control: &JobControl) -> Result<()> {
        let (group, steps) = (group_size(self.samples), self.steps);
        self.added += samples.len();
        self.layers.par_iter_mut().enumerate().try_for_each(|(index, groups)| {
            groups.par_iter_mut().enumerate().try_for_each(|(k, sums)| {
                let of_group = common(first + samples.start..first + samples.end, k * group..(k + 1) * group);
                let in_part = of_group.start - first..of_group.end - first;
                add_samples(part, index, steps, in_part, first, sums, control)
            })
        })
    }

    /// The report of the run: its layers on the samples that were added, its curve on all. Of `whole` the outputs of all samples
    /// are read, and nothing of the layers.
    pub fn finish(&self, whole: &RunData<'_>) -> Report {
        let of_layer = |(index, groups): (usize, &Vec<Sums>)| -> (LayerReport, Arc<Vec<usize>>) {
            let empty = || Sums::new(max_count(&whole.spiking.layers[index], self.steps));
            let sums = groups.iter().cloned().reduce(Sums::merge).unwrap_or_else(empty);
            layer_report(whole, index, self.steps, self.added, sums)
        };
        report(whole, self.steps, self.layers.iter().enumerate().map(of_layer).collect())
    }
}

/// What both ranges have in common; empty at the start of `a` if nothing.
fn common(a: Range<usize>, b: Range<usize>) -> Range<usize> {
    let (start, end) = (a.start.max(b.start), a.end.min(b.end));
    if start < end { start..end } else { a.start..a.start }
}
