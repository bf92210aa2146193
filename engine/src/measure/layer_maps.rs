//! Maps of one spiking layer: density of outputs over activations, and offset spikes of every neuron.

use std::ops::Range;

use rayon::prelude::*;

use super::layer::batch::{BATCH, NeuronBatch};
use super::layer::sample::LayerSample;
use super::layer_report::{Density, LayerReport};
use super::run_data::RunData;
use crate::Result;
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::progress::JobControl;

/// Bins along each axis of the mismatch density.
const DENSITY_BINS: usize = 64;
/// The mismatch density shows activations up to this many θ: enough to see clipped ones.
const DENSITY_EXTENT: f32 = 1.5;
/// Copies of the counter of the most frequent value, so that adjacent neurons do not depend on each other's increment.
const COUNTER_COPIES: usize = 8;

/// Counts over some samples.
struct Maps {
    /// Cells, then counters of neurons that are silent in both networks.
    cells: Vec<u32>,
    /// Σψ of every neuron.
    offsets: Vec<f32>,
}

impl LayerReport {
    /// Computes the maps of spiking layer `index`, whose report on `samples` this is, after `steps` steps.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] once `control` is cancelled.
    pub fn compute_maps(
        &mut self,
        data: &RunData<'_>,
        index: usize,
        steps: usize,
        samples: Range<usize>,
        control: &JobControl,
    ) -> Result<()> {
        let neurons = data.spiking.layers[index].neurons();
        // Maps read no mean inputs. Before the last step they would be computed in vain, so any values take their place.
        let instead: Vec<&[f32]> = data.ann.pre_activations.iter().map(Vec::as_slice).collect();
        let is_before_end = steps < data.recording.steps;
        let data = &if is_before_end { RunData { mean_inputs: &instead, first_mean: 0, ..*data } } else { *data };
        // A fixed number of groups, merged in order: sums do not depend on the number of threads.
        let group = samples.len().div_ceil(8).max(1);
        let starts: Vec<usize> = samples.clone().step_by(group).collect();
        let empty =
            || Maps { cells: vec![0; DENSITY_BINS * DENSITY_BINS + COUNTER_COPIES], offsets: vec![0.0; neurons] };
        let of_group = |first: usize| {
            let mut maps = empty();
            for sample in first..(first + group).min(samples.end) {
                control.check()?;
                dispatch(AddToMaps { input: &LayerSample::new(data, index, steps, sample), maps: &mut maps });
            }
            Ok(maps)
        };
        let parts = starts.into_par_iter().map(of_group).collect::<Result<Vec<_>>>()?;
        let all = parts.into_iter().reduce(|mut all, part| {
            all.cells.iter_mut().zip(part.cells).for_each(|(a, b)| *a += b);
            all.offsets.iter_mut().zip(part.offsets).for_each(|(a, b)| *a += b);
            all
        });
        let mut all = all.unwrap_or_else(empty);
        let silent = all.cells.split_off(DENSITY_BINS * DENSITY_BINS);
        self.density = Density {
            bins: DENSITY_BINS,
            extent: DENSITY_EXTENT,
            counts: all.cells,
            silent: silent.into_iter().map(u64::from).sum(),
        };
        self.offset_map = all.offsets.into_iter().map(|sum| sum / samples.len().max(1) as f32).collect();
        Ok(())
    }
}

struct AddToMaps<'a> {
    input: &'a LayerSample<'a>,
    maps: &'a mut Maps,
}

impl Kernel for AddToMaps<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { input, maps } = self;
        let mut batch = NeuronBatch::new();
        for first in (0..input.z.len()).step_by(BATCH) {
            batch.read(input, first, BATCH);
            batch.compute(input);
            batch.add_offsets(&mut maps.offsets);
            let cells = batch.cells(DENSITY_BINS, DENSITY_EXTENT, COUNTER_COPIES);
            for cell in cells {
                if let Some(counter) = maps.cells.get_mut(cell as usize) {
                    *counter += 1;
                }
            }
        }
    }
}
