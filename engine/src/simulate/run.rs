//! Simulates a spiking network over T steps, reusing an earlier recording.
//!
//! Time is a dimension: each layer runs all its steps before the next one starts. Stateless layers therefore read
//! `[T·B, …]` at once, and what is constant in time is computed once.
//!
//! Nothing is computed twice: spikes of layers before the first change are taken from the last recording, a longer T
//! continues from the stored potentials, a shorter T is a prefix ([`super::prefix::truncate_recording`]).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::block::{Block, BlockContext, run_block};
use super::execution_form::dense_nodes;
use super::memory::block_rows;
use super::plan::{Reuse, SimulationPlan};
use super::prefix::truncate_recording;
use super::recording::Recording;
use super::recording_builder::RecordingBuffers;
use super::spike_train::{SampleSpikes, SpikeRows, add_counts};
use crate::convert::{Correction, MaxPoolRule};
use crate::progress::{FinishedSamples, JobControl, JobEvent};
use crate::{Error, Result};

/// Simulates `plan`.
///
/// # Errors
/// [`Error::Invalid`] without samples; [`Error::Cancelled`] within one layer of one block after cancelling.
pub fn simulate(plan: &SimulationPlan<'_>, control: &JobControl) -> Result<Recording> {
    if plan.samples == 0 {
        return Err(Error::Invalid("Cannot run: no samples. Use at least one.".into()));
    }
    let all = plan.spiking.layers.len();
    if let Some(previous) = plan.previous.filter(|r| r.layers.len() == all && plan.unchanged_layers >= all)
        && previous.steps == plan.steps
        && previous.samples != plan.samples
        && previous.samples > 0
        && previous.has_final_state()
    {
        return extend_samples(plan, previous, control);
    }
    // A shorter run is a prefix of the longer one.
    let truncated =
        match plan.previous.filter(|r| r.steps > plan.steps && plan.unchanged_layers > 0 && matches_plan(plan, r)) {
            Some(longer) => {
                let prefix = truncate_recording(plan.program, plan.spiking, plan.input, longer, plan.steps, control)?;
                match prefix {
                    Some(recording) => Some(recording),
                    // The spikes do not determine the potentials, so everything is simulated again.
                    None => return simulate(&SimulationPlan { previous: None, unchanged_layers: 0, ..*plan }, control),
                }
            }
            None => None,
        };
    let plan = &SimulationPlan { previous: truncated.as_ref().or(plan.previous), ..*plan };
    let reuse = reuse_of(plan);
    if let Some(previous) = reuse.previous
        && reuse.layers == plan.spiking.layers.len()
        && reuse.from_step == 0
        && previous.steps == plan.steps
    {
        return Ok(previous.clone());
    }
    run_blocks(plan, reuse, RecordingBuffers::allocate(plan, reuse), control)
}

/// Simulates `plan` in the memory of `old`, a recording of as many steps of the same network and kind of input, whose memory
/// nothing else reads: memory that a process has touched before costs no page faults. Nothing is reused of what it says.
///
/// # Errors
/// As [`simulate`].
pub fn simulate_over(old: Recording, plan: &SimulationPlan<'_>, control: &JobControl) -> Result<Recording> {
    let plan = &SimulationPlan { previous: None, unchanged_layers: 0, ..*plan };
    if old.steps != plan.steps || old.layers.len() != plan.spiking.layers.len() || !old.has_final_state() {
        return simulate(plan, control);
    }
    run_blocks(plan, Reuse::NONE, RecordingBuffers::over(old, plan), control)
}

/// Runs all blocks of `plan` into `buffers`.
fn run_blocks(
    plan: &SimulationPlan<'_>,
    reuse: Reuse<'_>,
    mut buffers: RecordingBuffers<'_>,
    control: &JobControl,
) -> Result<Recording> {
    let dense = dense_nodes(plan, reuse.layers);
    let threads = rayon::current_num_threads();
    let rows = block_rows(plan, reuse, &dense, threads);
    // Few blocks leave threads idle; then a sample is split.
    let parts = if plan.samples.div_ceil(rows) < 2 * threads && threads > 1 { 2 * threads } else { 1 };
    let done = AtomicUsize::new(0);
    let readout = Mutex::new(first_readout(plan, reuse));
    let silenced = Mutex::new(Vec::new());
    let shared = BlockContext { plan, reuse, dense: &dense, parts };
    let block = |mut block: Block<'_>| {
        let new = run_block(shared, &mut block, control)?;
        insert_readout(plan, reuse, &block, &new, &mut readout.lock().unwrap_or_else(PoisonError::into_inner));
        control.emit_samples(|| JobEvent::Samples(finished_samples(plan, reuse, &block, &new)));
        let rows = block.rows;
        if !block.silenced.is_empty() {
            silenced.lock().unwrap_or_else(PoisonError::into_inner).push((block.first, block.silenced));
        }
        let done = done.fetch_add(rows, Ordering::Relaxed) + rows;
        control.progress("simulating", done as f32 / plan.samples as f32);
        Ok(())
    };
    let blocks = buffers.blocks(rows);
    let run = || blocks.into_par_iter().try_for_each(block);
    if parts > 1 {
        with_busy_threads(threads, run)?
    } else {
        run()?
    };
    let readout = readout.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(buffers.finish(readout, silenced.into_inner().unwrap_or_else(PoisonError::into_inner)))
}

/// Space for the readout of a run, with the steps that are known.
fn first_readout(plan: &SimulationPlan<'_>, reuse: Reuse<'_>) -> Vec<f32> {
    let mut readout = vec![0.0; plan.steps * plan.samples * plan.program.network().classes()];
    if let Some(previous) = reuse.previous.filter(|_| reuse.from_step > 0) {
        readout[..previous.readout.len()].copy_from_slice(&previous.readout);
    }
    readout
}

/// Adds the readout `new` of the samples of `block` to `readout`.
fn insert_readout(plan: &SimulationPlan<'_>, reuse: Reuse<'_>, block: &Block<'_>, new: &[f32], readout: &mut [f32]) {
    let classes = plan.program.network().classes();
    let (row, width) = (plan.samples * classes, block.rows * classes);
    for (t, new) in new.chunks(width.max(1)).enumerate() {
        let at = (reuse.from_step + t) * row + block.first * classes;
        for (k, new) in new.iter().enumerate() {
            let before = match reuse.from_step {
                0 => 0.0,
                from => readout[(from - 1) * row + block.first * classes + k],
            };
            readout[at + k] = before + new;
        }
    }
}

/// Runs `work` while the other threads stay awake. Between one layer's parts and the next a thread would go to sleep,
/// and waking it takes about as long as a part.
fn with_busy_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    /// Stops the waiting threads when dropped, also on panic.
    struct StopOnDrop<'a>(&'a AtomicBool);
    impl Drop for StopOnDrop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let stop = AtomicBool::new(false);
    rayon::scope(|scope| {
        let stop = StopOnDrop(&stop);
        for _ in 1..threads {
            let stop = stop.0;
            scope.spawn(move |_| {
                while !stop.load(Ordering::Relaxed) {
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
fn extend_samples(plan: &SimulationPlan<'_>, previous: &Recording, control: &JobControl) -> Result<Recording> {
    let known = previous.samples.min(plan.samples);
    let readout = first_readout(plan, Reuse::NONE);
    let mut recording = RecordingBuffers::allocate(plan, Reuse::NONE).finish(readout, Vec::new());
    recording.insert_samples(previous, 0, known);
    if known < plan.samples {
        let width = plan.input.len() / plan.samples;
        let rest = SimulationPlan {
            input: &plan.input[known * width..],
            samples: plan.samples - known,
            previous: None,
            unchanged_layers: 0,
            ..*plan
        };
        let more = simulate(&rest, &control.with_sample_offset(known))?;
        recording.insert_samples(&more, known, rest.samples);
    }
    Ok(recording)
}

/// Whether `recording` is of the plan's network and samples, and has its final state.
fn matches_plan(plan: &SimulationPlan<'_>, recording: &Recording) -> bool {
    let same = recording.samples == plan.samples && recording.layers.len() == plan.spiking.layers.len();
    same && recording.steps > 0 && recording.has_final_state()
}

/// Determines what can be reused of the previous recording.
fn reuse_of<'a>(plan: &SimulationPlan<'a>) -> Reuse<'a> {
    let all = plan.spiking.layers.len();
    let Some(previous) = plan.previous.filter(|r| matches_plan(plan, r)) else { return Reuse::NONE };
    let unchanged = plan.unchanged_layers.min(all);
    // COS reads ρ steps of every layer, but only T are recorded.
    let too_short_for_cos = matches!(plan.spiking.correction, Correction::Cos { steps, .. } if steps > plan.steps);
    if previous.steps == plan.steps && (unchanged == all || !too_short_for_cos) {
        Reuse { previous: Some(previous), layers: unchanged, from_step: 0 }
    } else if unchanged == all && plan.spiking.pooling == MaxPoolRule::PreNeuron {
        // Lateral pools have a state that is not recorded.
        Reuse { previous: Some(previous), layers: 0, from_step: previous.steps }
    } else {
        Reuse::NONE
    }
}

/// The results of `block`, available before the other blocks are done.
fn finished_samples(plan: &SimulationPlan<'_>, reuse: Reuse<'_>, block: &Block<'_>, new: &[f32]) -> FinishedSamples {
    let new_steps = plan.steps - reuse.from_step;
    let resumed = reuse.previous.filter(|_| reuse.from_step > 0);
    let row = block.rows * plan.program.network().classes();
    let mut readout = Vec::with_capacity(plan.steps * row);
    if let Some(resumed) = resumed {
        let columns = block.first * resumed.classes..(block.first + block.rows) * resumed.classes;
        resumed
            .readout
            .chunks(resumed.samples * resumed.classes)
            .for_each(|step| readout.extend(&step[columns.clone()]));
    }
    let before = readout[readout.len().saturating_sub(row)..].to_vec();
    let sum = |(i, &new): (usize, &f32)| before.get(i % row.max(1)).copied().unwrap_or(0.0) + new;
    readout.extend(new.iter().enumerate().map(sum));
    let counts = block.layers.iter().enumerate().map(|(index, output)| {
        let mut counts = vec![0; plan.spiking.layers[index].neurons()];
        if let Some(resumed) = resumed {
            resumed.layers[index].spikes.add_counts(reuse.from_step, block.first, &mut counts);
        }
        let spikes = SpikeRows::Block(&output.as_ref()?.spikes);
        add_counts(&SampleSpikes { rows: spikes, sample: 0 }, spikes.shape(), new_steps, &mut counts);
        Some(counts)
    });
    let counts = counts.collect();
    FinishedSamples { samples: block.first..block.first + block.rows, steps: plan.steps, readout, counts }
}
