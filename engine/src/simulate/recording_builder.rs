//! Builds a run's recording: allocates all of it, and lends its parts to the blocks of samples that write them.

use std::sync::Arc;

use rayon::prelude::*;

use super::block::{Block, simulated_steps};
use super::execution_form::planned_form;
use super::layer_buffers::LayerBuffers;
use super::plan::{Reuse, SimulationPlan};
use super::recording::{LayerRecording, Recording, derives_mean_input};
use super::signal::{frame_count, receives_spikes};
use super::spike_train::SpikeTrain;
use crate::convert::{Correction, SpikingLayer};

/// Memory of a run's results.
pub(super) struct RecordingBuffers<'a> {
    plan: &'a SimulationPlan<'a>,
    reuse: Reuse<'a>,
    /// One per layer; `None` for the layers that are reused.
    layers: Vec<Option<LayerBuffers>>,
}

/// For each layer whether its input never changes.
pub fn held_layers(plan: &SimulationPlan<'_>) -> Vec<bool> {
    let network = plan.program.network();
    let changes = frame_count(plan.program, plan.input, plan.samples.max(1)) > 1;
    let held = |layer: &SpikingLayer| {
        let source = network.nodes[layer.node].inputs[0];
        !receives_spikes(network, source) && !changes && planned_form(plan, source).is_none()
    };
    plan.spiking.layers.iter().map(held).collect()
}

impl<'a> RecordingBuffers<'a> {
    /// Space for the run of `plan` in the memory of `old`, a recording of as many steps of the same network, whose memory
    /// nothing else reads.
    pub fn over(old: Recording, plan: &'a SimulationPlan<'a>) -> Self {
        let layers = old.layers.into_iter().zip(&plan.spiking.layers);
        let layers = layers.map(|(old, layer)| {
            let mut buffers = LayerBuffers::over(old, layer, plan.samples);
            buffers.spikes.resize(simulated_steps(plan, Reuse::NONE));
            Some(buffers)
        });
        Self { plan, reuse: Reuse::NONE, layers: layers.collect() }
    }

    /// Space for new steps and new layers.
    pub fn allocate(plan: &'a SimulationPlan<'a>, reuse: Reuse<'a>) -> Self {
        let shifts = matches!(plan.spiking.correction, Correction::Cos { .. });
        let layer = |((index, layer), held): ((usize, &SpikingLayer), bool)| {
            if index < reuse.layers {
                return None;
            }
            let stored = [held || !derives_mean_input(layer, plan.spiking.correction), shifts && reuse.from_step == 0];
            let mut buffers = LayerBuffers::new(layer, plan.samples, 0, stored);
            if let Some(previous) = reuse.previous.filter(|_| reuse.from_step > 0) {
                buffers.spikes = previous.layers[index].spikes.clone();
            }
            buffers.spikes.resize(reuse.from_step + simulated_steps(plan, reuse));
            Some(buffers)
        };
        let held = held_layers(plan);
        let layers = plan.spiking.layers.par_iter().enumerate().zip(held).map(layer).collect();
        Self { plan, reuse, layers }
    }

    /// Blocks of `rows` samples each.
    pub fn blocks(&mut self, rows: usize) -> Vec<Block<'_>> {
        let Self { plan, reuse, layers } = self;
        let split = layers.iter_mut().zip(&plan.spiking.layers);
        let mut outputs: Vec<_> = split
            .map(|(buffers, layer)| {
                let blocks = buffers.as_mut().map(|buffers| buffers.split(layer, rows, reuse.from_step));
                blocks.map(Vec::into_iter)
            })
            .collect();
        let starts = (0..plan.samples).step_by(rows.max(1));
        let block = |first: usize| Block {
            first,
            rows: rows.min(plan.samples - first),
            layers: outputs.iter_mut().map(|blocks| blocks.as_mut()?.next()).collect(),
            silenced: Vec::new(),
        };
        starts.map(block).collect()
    }

    /// The recording with `readout`, `[T][N][classes]` summed over steps. `silenced` are the silenced neurons of each
    /// layer, one step of bits each, block by block with the first sample.
    pub fn finish(self, readout: Vec<f32>, mut silenced: Vec<(usize, Vec<SpikeTrain>)>) -> Recording {
        let Self { plan, reuse, layers } = self;
        silenced.sort_by_key(|(first, _)| *first);
        let flags = |index: usize, layer: &SpikingLayer| {
            let mut bits = SpikeTrain::flags_for(plan.samples, layer);
            bits.resize(1);
            for (first, blocks) in &silenced {
                let Some(block) = blocks.get(index) else { continue };
                bits.copy_samples(block, *first, block.samples());
            }
            bits
        };
        let layer = |(index, buffers): (usize, Option<LayerBuffers>)| {
            let old = reuse.previous.map(|previous| &previous.layers[index]);
            let Some(mut buffers) = buffers else {
                // A layer without buffers is one of the previous recording.
                return old.cloned();
            };
            buffers.spikes.resize(plan.steps);
            let resumed = old.filter(|_| reuse.from_step > 0);
            let corrected = matches!(plan.spiking.correction, Correction::Srp { .. });
            let fresh = || corrected.then(|| flags(index, &plan.spiking.layers[index]));
            Some(LayerRecording {
                spikes: buffers.spikes,
                mean_input: Arc::new(buffers.mean_input),
                potential: Arc::new(buffers.potential),
                v_init: match resumed {
                    Some(old) => old.v_init.clone(),
                    None => (!buffers.start.is_empty()).then_some(buffers.start),
                },
                silenced: resumed.map_or_else(fresh, |old| old.silenced.clone()),
            })
        };
        let layers = layers.into_iter().enumerate().filter_map(layer).collect();
        let classes = plan.program.network().classes();
        Recording { steps: plan.steps, samples: plan.samples, classes, layers, readout }
    }
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
            if !to.mean_input.is_empty() {
                copy(&mut Arc::make_mut(&mut to.mean_input)[..], &from.mean_input);
            }
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
}
