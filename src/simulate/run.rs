//! Runs a spiking network over T steps. Time is a dimension: each layer runs all its steps before the next one starts, so
//! stateless layers see `[T·B, …]` at once and what is constant in time is computed once.
//!
//! Nothing is computed twice: spikes of layers before the first change are taken from the last recording, a longer T goes
//! on from the stored potentials, a shorter T is a prefix ([`super::prefix`]).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::Control;
use super::block::{Block, Shared, dense_nodes, planned_form, run_block};
use super::control::{Event, Finished};
use super::currents::many_weights;
use super::form::{Form, form_of};
use super::layer::Trail;
use super::prefix::prefix;
use super::recording::{LayerRecording, Recording, SpikeTrain};
use crate::convert::{Correction, Pooling, SpikingLayer, SpikingNetwork};
use crate::network::forward::Program;
use crate::{Error, Result};

/// Values of one layer that one block of samples may hold over all steps (f32 each).
const BLOCK_VALUES: usize = 2 << 20;
/// Bytes of spikes and end states that one block of samples may leave behind: what the caches hold until it is put away.
const BLOCK_BYTES: usize = 8 << 20;

/// What to run, and what is already known.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    pub program: &'a Program,
    pub spiking: &'a SpikingNetwork,
    /// Scaled input, `[samples, F]`, or `[samples, frames, F]` where it changes over time (one frame a step, over and over).
    pub input: &'a [f32],
    pub samples: usize,
    pub steps: usize,
    /// A recording of the same network and samples to build on, or of more or fewer samples from the same first one on.
    pub previous: Option<&'a Recording>,
    /// Layers before this one are unchanged since `previous`. With all of them unchanged, a longer run goes on from it.
    pub unchanged_layers: usize,
}

/// What of a previous recording a run takes over.
#[derive(Clone, Copy)]
pub(super) struct Reuse<'a> {
    pub previous: Option<&'a Recording>,
    /// Layers whose spikes are taken from `previous`.
    pub layers: usize,
    /// Steps already simulated: the run goes on from there.
    pub from_step: usize,
}

impl Reuse<'_> {
    /// Nothing is taken over.
    pub const NOTHING: Self = Self { previous: None, layers: 0, from_step: 0 };
}

/// Simulates by `plan`. Cancelling returns [`Error::Cancelled`] within one layer of one block.
pub fn run(plan: &Plan<'_>, control: &Control) -> Result<Recording> {
    if plan.samples == 0 {
        return Err(Error::Invalid("there are no samples to run".into()));
    }
    let all = plan.spiking.layers.len();
    if let Some(previous) = plan.previous.filter(|r| r.layers.len() == all && plan.unchanged_layers >= all)
        && previous.steps == plan.steps
        && previous.samples != plan.samples
        && previous.samples > 0
        && previous.is_whole()
    {
        return other_samples(plan, previous, control);
    }
    // Of a longer run, what stays is its beginning.
    let shortened = match plan.previous.filter(|r| r.steps > plan.steps && plan.unchanged_layers > 0 && fits(plan, r)) {
        Some(longer) => Some(prefix(plan.program, plan.spiking, plan.input, longer, plan.steps, control)?),
        None => None,
    };
    let plan = &Plan { previous: shortened.as_ref().or(plan.previous), ..*plan };
    let reuse = reuse_of(plan);
    if let Some(previous) = reuse.previous
        && reuse.layers == plan.spiking.layers.len()
        && reuse.from_step == 0
        && previous.steps == plan.steps
    {
        return Ok(previous.clone());
    }
    let dense = dense_nodes(plan, reuse.layers);
    let threads = rayon::current_num_threads();
    let rows = block_rows(plan, reuse, &dense, threads);
    // Few blocks leave threads without work: then a sample is cut.
    let parts = if plan.samples.div_ceil(rows) < 2 * threads && threads > 1 { 2 * threads } else { 1 };
    let done = AtomicUsize::new(0);
    let starts: Vec<usize> = (0..plan.samples).step_by(rows).collect();
    let recording = Mutex::new(begin(plan, reuse));
    let open = || recording.lock().unwrap_or_else(PoisonError::into_inner);
    let take_ends = |layer: usize, first: usize, trail: &mut Trail| open().take_ends(layer, first, trail);
    let shared = Shared { plan, reuse, dense: &dense, parts, take_ends: Some(&take_ends) };
    let block = |first: usize| {
        let rows = rows.min(plan.samples - first);
        let block = run_block(shared, first, rows, control)?;
        open().put(plan, reuse, &block);
        control.tell_answers(|| Event::Answers(finished(plan, reuse, &block)));
        let done = done.fetch_add(rows, Ordering::Relaxed) + rows;
        control.progress("simulating", done as f32 / plan.samples as f32);
        Ok(())
    };
    let blocks = || starts.into_par_iter().try_for_each(block);
    if parts > 1 {
        wide_awake(threads, blocks)?
    } else {
        blocks()?
    };
    Ok(recording.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Does `work` while the other threads stay awake. Between one layer's parts and the next a thread would go to sleep, and
/// waking it takes about as long as a part.
fn wide_awake<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    /// Lets the others go, whatever happens.
    struct Over<'a>(&'a AtomicBool);
    impl Drop for Over<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let over = AtomicBool::new(false);
    rayon::scope(|scope| {
        let over = Over(&over);
        for _ in 1..threads {
            let over = over.0;
            scope.spawn(move |_| {
                while !over.load(Ordering::Relaxed) {
                    if rayon::yield_now() != Some(rayon::Yield::Executed) {
                        std::hint::spin_loop();
                    }
                }
            });
        }
        work()
    })
}

/// A run of more or fewer samples than `previous`, which is of the same network and steps: only those added are run.
fn other_samples(plan: &Plan<'_>, previous: &Recording, control: &Control) -> Result<Recording> {
    let known = previous.samples.min(plan.samples);
    let mut recording = begin(plan, Reuse::NOTHING);
    recording.put_samples(previous, 0, known);
    if known < plan.samples {
        let width = plan.input.len() / plan.samples;
        let rest = Plan {
            input: &plan.input[known * width..],
            samples: plan.samples - known,
            previous: None,
            unchanged_layers: 0,
            ..*plan
        };
        let more = run(&rest, &control.from_sample(known))?;
        recording.put_samples(&more, known, rest.samples);
    }
    Ok(recording)
}

/// Whether `recording` is of the plan's network and samples, and whole.
fn fits(plan: &Plan<'_>, recording: &Recording) -> bool {
    let same = recording.samples == plan.samples && recording.layers.len() == plan.spiking.layers.len();
    same && recording.steps > 0 && recording.is_whole()
}

/// Decides what of the previous recording serves.
fn reuse_of<'a>(plan: &Plan<'a>) -> Reuse<'a> {
    let all = plan.spiking.layers.len();
    let Some(previous) = plan.previous.filter(|r| fits(plan, r)) else { return Reuse::NOTHING };
    let unchanged = plan.unchanged_layers.min(all);
    // COS reads ρ steps of every layer, but only T are recorded.
    let cut = matches!(plan.spiking.correction, Correction::Cos { steps, .. } if steps > plan.steps);
    if previous.steps == plan.steps && (unchanged == all || !cut) {
        Reuse { previous: Some(previous), layers: unchanged, from_step: 0 }
    } else if unchanged == all && plan.spiking.pooling == Pooling::PreNeuron {
        // Lateral pools remember what they have passed on, which is not recorded.
        Reuse { previous: Some(previous), layers: 0, from_step: previous.steps }
    } else {
        Reuse::NOTHING
    }
}

/// Bytes that a run by `plan` from nothing takes at its peak beside the weights: the recording, and what the blocks under
/// way have not put into it yet, one for each thread and all at their peaks at once. Whether they come there at once is
/// chance: a run on several threads may take less, by up to the blocks of all but one.
pub fn predict_bytes(plan: &Plan<'_>) -> usize {
    let classes = plan.program.network().classes();
    let dense = dense_nodes(plan, 0);
    let threads = rayon::current_num_threads();
    let rows = block_rows(plan, Reuse::NOTHING, &dense, threads);
    let under_way = plan.samples.div_ceil(rows).min(threads) * rows;
    let steps = plan.steps.max(plan.spiking.correction.presteps());
    // A layer's dense values over all steps: its inputs, outputs and what is in between.
    let nodes = plan.program.network().nodes.iter().zip(&dense);
    let widest = nodes.filter(|(_, dense)| **dense).map(|(node, _)| node.len()).max().unwrap_or(0);
    let dense_bytes = if event_forms_only(plan) { widest } else { widest * steps * 3 } * 4 * under_way;
    let of = |steps, samples| Recording::predict_bytes(plan.spiking, steps, samples, classes);
    // Means and end states of a layer are put away as soon as it is through; until then it is there in pieces as well.
    let layers = &plan.spiking.layers;
    let ends = layers.iter().map(|layer| layer.neurons() * 8).sum::<usize>();
    let pieces = |layer: &SpikingLayer| layer.neurons() * (16 + steps * layer.neuron.weights().len() / 8);
    let pieces = layers.iter().map(pieces).max().unwrap_or(0);
    let block = (of(steps, under_way) + under_way * pieces).saturating_sub(under_way * ends);
    of(plan.steps, plan.samples) + block + dense_bytes
}

/// Whether dense values are needed for constants alone.
fn event_forms_only(plan: &Plan<'_>) -> bool {
    (0..plan.spiking.layers.len())
        .all(|layer| !matches!(form_of(plan.program, plan.spiking, layer), Form::Dense | Form::DenseByRate))
}

/// Samples in one block: an even share of the work, no more than [`BLOCK_VALUES`] of dense values and [`BLOCK_BYTES`] of
/// results at once. Where weights need not be kept for a whole block, so few that they are through soon and their answers
/// can be shown; where they do, enough that the weights are not all that is read.
fn block_rows(plan: &Plan<'_>, reuse: Reuse<'_>, dense: &[bool], threads: usize) -> usize {
    let steps = plan.steps.max(plan.spiking.correction.presteps()) - reuse.from_step;
    let layers = &plan.spiking.layers[reuse.layers..];
    let sources = layers.iter().map(|layer| plan.program.network().nodes[layer.node].inputs[0]);
    let small = |node| planned_form(plan, node).is_none_or(|form| !many_weights(&form.feed));
    let most = if sources.into_iter().all(small) { BLOCK_BYTES } else { BLOCK_BYTES * 32 };
    let kept = |layer: &SpikingLayer| layer.neurons() * (steps * layer.neuron.weights().len() / 8 + 8);
    let bytes: usize = layers.iter().map(kept).sum();
    let nodes = plan.program.network().nodes.iter().zip(dense);
    let widest = nodes.filter(|(_, dense)| **dense).map(|(node, _)| node.len()).max().unwrap_or(0);
    let share = plan.samples.div_ceil(2 * threads).max(1);
    // What is the same at every step is held once.
    let widest = widest * if event_forms_only(plan) { 1 } else { steps };
    (BLOCK_VALUES / widest.max(1)).min(most / bytes.max(1)).clamp(1, share)
}

/// What can be said of `block` before the others are through.
fn finished(plan: &Plan<'_>, reuse: Reuse<'_>, block: &Block) -> Finished {
    let kept = plan.steps - reuse.from_step;
    let past = reuse.previous.filter(|_| reuse.from_step > 0);
    let row = block.rows * plan.program.network().classes();
    let mut readout = Vec::with_capacity(plan.steps * row);
    if let Some(past) = past {
        let columns = block.first * past.classes..(block.first + block.rows) * past.classes;
        past.readout.chunks(past.samples * past.classes).for_each(|step| readout.extend(&step[columns.clone()]));
    }
    let before = readout[readout.len().saturating_sub(row)..].to_vec();
    let sum = |(i, &new): (usize, &f32)| before.get(i % row.max(1)).copied().unwrap_or(0.0) + new;
    readout.extend(block.readout.iter().enumerate().map(sum));
    let counts = block.layers.iter().enumerate().map(|(index, trail)| {
        let mut counts = vec![0; plan.spiking.layers[index].neurons()];
        if let Some(past) = past {
            past.layers[index].spikes.add_counts(reuse.from_step, block.first, &mut counts);
        }
        trail.as_ref()?.spikes.add_counts(kept, 0, &mut counts);
        Some(counts)
    });
    let counts = counts.collect();
    Finished { samples: block.first..block.first + block.rows, steps: plan.steps, readout, counts }
}

/// The recording that blocks are put into: room for what is new, and what is kept.
fn begin(plan: &Plan<'_>, reuse: Reuse<'_>) -> Recording {
    let classes = plan.program.network().classes();
    let layer = |(index, layer): (usize, &SpikingLayer)| {
        let kept = reuse.previous.filter(|_| index < reuse.layers || reuse.from_step > 0);
        if let Some(previous) = kept {
            let old = &previous.layers[index];
            let mut spikes = old.spikes.clone();
            spikes.resize(plan.steps);
            return LayerRecording { spikes, ..old.clone() };
        }
        let mut spikes = SpikeTrain::of_layer(plan.samples, layer);
        spikes.resize(plan.steps);
        let zeros = || vec![0.0; plan.samples * layer.neurons()];
        let end = || Arc::new(zeros());
        let start = matches!(plan.spiking.correction, Correction::Cos { .. }).then(zeros);
        let silenced = matches!(plan.spiking.correction, Correction::Srp { .. }).then(|| {
            let mut bits = SpikeTrain::flags_of(plan.samples, layer);
            bits.resize(1);
            bits
        });
        LayerRecording { spikes, mean_input: end(), potential: end(), start, silenced }
    };
    let layers = plan.spiking.layers.par_iter().enumerate().map(layer).collect();
    let mut readout = vec![0.0; plan.steps * plan.samples * classes];
    if let Some(previous) = reuse.previous.filter(|_| reuse.from_step > 0) {
        readout[..previous.readout.len()].copy_from_slice(&previous.readout);
    }
    Recording { steps: plan.steps, samples: plan.samples, classes, layers, readout }
}

impl Recording {
    /// Takes over the first `count` samples of `from`, a run of the same network and steps, as samples `at..at + count`.
    fn put_samples(&mut self, from: &Self, at: usize, count: usize) {
        for (to, from) in self.layers.iter_mut().zip(&from.layers) {
            to.spikes.copy_samples(&from.spikes, at, count);
            let width = to.spikes.neurons();
            let copy = |to: &mut [f32], from: &[f32]| {
                to[at * width..(at + count) * width].copy_from_slice(&from[..count * width]);
            };
            copy(&mut Arc::make_mut(&mut to.mean_input)[..], &from.mean_input);
            copy(&mut Arc::make_mut(&mut to.potential)[..], &from.potential);
            if let (Some(to), Some(from)) = (&mut to.start, &from.start) {
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

    /// Takes the means and end states out of `trail`, which is of the samples from `first` on.
    fn take_ends(&mut self, layer: usize, first: usize, trail: &mut Trail) {
        let record = &mut self.layers[layer];
        let neurons = record.spikes.neurons();
        let take = |to: &mut [f32], from: &mut Vec<f32>| {
            let from = std::mem::take(from);
            to[first * neurons..][..from.len()].copy_from_slice(&from);
        };
        take(&mut Arc::make_mut(&mut record.mean_input)[..], &mut trail.mean_input);
        take(&mut Arc::make_mut(&mut record.potential)[..], &mut trail.potential);
        if let (Some(to), Some(from)) = (&mut record.start, &mut trail.start) {
            take(to, from);
        }
    }

    /// Takes over what else a block of samples gave.
    fn put(&mut self, plan: &Plan<'_>, reuse: Reuse<'_>, block: &Block) {
        let new_steps = plan.steps - reuse.from_step;
        for (record, trail) in self.layers.iter_mut().zip(&block.layers) {
            let Some(trail) = trail else { continue };
            for t in 0..new_steps {
                for sample in 0..block.rows {
                    let row = record.spikes.row_mut(reuse.from_step + t, block.first + sample);
                    row.copy_from_slice(trail.spikes.row(t, sample));
                }
            }
            if let (Some(all), Some(silenced)) = (&mut record.silenced, &trail.silenced) {
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
