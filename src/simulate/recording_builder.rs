//! Builds a run's recording: allocates all of it, then inserts blocks of samples as they finish.

use std::sync::Arc;

use rayon::prelude::*;

use super::block::Block;
use super::layer::LayerTrace;
use super::plan::{Reuse, SimulationPlan};
use super::recording::{LayerRecording, Recording};
use super::spike_train::SpikeTrain;
use crate::convert::{Correction, SpikingLayer};

/// The recording that blocks are inserted into: space for new steps, and the reused layers.
pub(super) fn allocate(plan: &SimulationPlan<'_>, reuse: Reuse<'_>) -> Recording {
    let classes = plan.program.network().classes();
    let layer = |(index, layer): (usize, &SpikingLayer)| {
        let reused = reuse.previous.filter(|_| index < reuse.layers || reuse.from_step > 0);
        if let Some(previous) = reused {
            let old = &previous.layers[index];
            let mut spikes = old.spikes.clone();
            spikes.resize(plan.steps);
            return LayerRecording { spikes, ..old.clone() };
        }
        let mut spikes = SpikeTrain::for_layer(plan.samples, layer);
        spikes.resize(plan.steps);
        let zeros = || vec![0.0; plan.samples * layer.neurons()];
        let end = || Arc::new(zeros());
        let start = matches!(plan.spiking.correction, Correction::Cos { .. }).then(zeros);
        let silenced = matches!(plan.spiking.correction, Correction::Srp { .. }).then(|| {
            let mut bits = SpikeTrain::flags_for(plan.samples, layer);
            bits.resize(1);
            bits
        });
        LayerRecording { spikes, mean_input: end(), potential: end(), v_init: start, silenced }
    };
    let layers = plan.spiking.layers.par_iter().enumerate().map(layer).collect();
    let mut readout = vec![0.0; plan.steps * plan.samples * classes];
    if let Some(previous) = reuse.previous.filter(|_| reuse.from_step > 0) {
        readout[..previous.readout.len()].copy_from_slice(&previous.readout);
    }
    Recording { steps: plan.steps, samples: plan.samples, classes, layers, readout }
}

impl Recording {
    /// Copies the first `count` samples of `from`, a run of the same network and steps, to samples `at..at + count`.
    pub(super) fn insert_samples(&mut self, from: &Self, at: usize, count: usize) {
        for (to, from) in self.layers.iter_mut().zip(&from.layers) {
            to.spikes.copy_samples(&from.spikes, at, count);
            let width = to.spikes.neurons();
            let copy = |to: &mut [f32], from: &[f32]| {
                to[at * width..(at + count) * width].copy_from_slice(&from[..count * width]);
            };
            copy(&mut Arc::make_mut(&mut to.mean_input)[..], &from.mean_input);
            copy(&mut Arc::make_mut(&mut to.potential)[..], &from.potential);
            if let (Some(to), Some(from)) = (&mut to.v_init, &from.v_init) {
                copy(to, from);
            }
            if let (Some(to), Some(from)) = (&mut to.silenced, &from.silenced) {
                to.copy_samples(from, at, count);
            }
        }
        for t in 0..self.steps {
            let classes = self.classes;
            let (row, old) = ((t * self.samples + at) * classes, t * from.samples * classes);
            self.readout[row..row + count * classes].copy_from_slice(&from.readout[old..old + count * classes]);
        }
    }

    /// Moves mean inputs and final potentials out of `trace`, whose samples start at `first`.
    pub(super) fn insert_final_state(&mut self, layer: usize, first: usize, trace: &mut LayerTrace) {
        let record = &mut self.layers[layer];
        let neurons = record.spikes.neurons();
        let take = |to: &mut [f32], from: &mut Vec<f32>| {
            let from = std::mem::take(from);
            to[first * neurons..][..from.len()].copy_from_slice(&from);
        };
        take(&mut Arc::make_mut(&mut record.mean_input)[..], &mut trace.mean_input);
        take(&mut Arc::make_mut(&mut record.potential)[..], &mut trace.potential);
        if let (Some(to), Some(from)) = (&mut record.v_init, &mut trace.start) {
            take(to, from);
        }
    }

    /// Copies spikes, silenced neurons and readout of a block of samples.
    pub(super) fn insert_block(&mut self, plan: &SimulationPlan<'_>, reuse: Reuse<'_>, block: &Block) {
        let new_steps = plan.steps - reuse.from_step;
        for (record, trace) in self.layers.iter_mut().zip(&block.layers) {
            let Some(trace) = trace else { continue };
            for t in 0..new_steps {
                for sample in 0..block.rows {
                    let row = record.spikes.row_mut(reuse.from_step + t, block.first + sample);
                    row.copy_from_slice(trace.spikes.row(t, sample));
                }
            }
            if let (Some(all), Some(silenced)) = (&mut record.silenced, &trace.silenced) {
                (0..block.rows).for_each(|i| all.row_mut(0, block.first + i).copy_from_slice(silenced.row(0, i)));
            }
        }
        let (row, width) = (self.samples * self.classes, block.rows * self.classes);
        for t in 0..new_steps {
            let at = (reuse.from_step + t) * row + block.first * self.classes;
            for k in 0..width {
                let before = match reuse.from_step {
                    0 => 0.0,
                    from => self.readout[(from - 1) * row + block.first * self.classes + k],
                };
                self.readout[at + k] = before + block.readout[t * width + k];
            }
        }
    }
}
