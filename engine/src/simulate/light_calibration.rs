//! Light calibration: corrects biases and initial potentials layer by layer.
//!
//! Source: Li et al., "A Free Lunch From ANN: Towards Efficient, Accurate Spiking Neural Networks Calibration", ICML 2021.
//! With the layers before already calibrated, each spiking layer's mean output is compared with the ANN's on one batch
//! of calibration samples.
//!
//! Bias correction, per channel: `b ← b − (mean φ − mean a)`. Initial potential, per neuron: `v(0) ← v(0) + T·(mean a −
//! mean φ)`.

use std::sync::Arc;

use rayon::prelude::*;

use super::block::with_recorded_currents;
use super::currents::Current;
use super::layer::{LayerTask, integrate};
use super::layer_buffers::{LayerBuffers, LayerOutput};
use super::plan::SimulationPlan;
use super::recording::{LayerRecording, Recording};
use super::spike_train::SpikeTrain;
use crate::Result;
use crate::compute::AnnRun;
use crate::compute::program::Program;
use crate::convert::{Correction, InitialPotential, Recipe, SpikingLayer, SpikingNetwork};
use crate::progress::JobControl;

/// Number of samples in the batch.
pub const BATCH: usize = 64;

/// Whether `recipe` requests light calibration.
pub fn is_requested(recipe: &Recipe) -> bool {
    recipe.bias_correction || recipe.initial == InitialPotential::Calibrated
}

/// `spiking` with the biases and initial potentials that `recipe` requests, measured on the first [`BATCH`] of `rows`
/// calibration samples (`input` is `[rows, F]`, scaled) over the recipe's T steps, without correction.
///
/// # Errors
/// [`crate::Error::Cancelled`] once `control` is cancelled.
pub fn calibrate_light(
    program: &Program,
    spiking: SpikingNetwork,
    input: &[f32],
    rows: usize,
    recipe: &Recipe,
    control: &JobControl,
) -> Result<SpikingNetwork> {
    if !is_requested(recipe) {
        return Ok(spiking);
    }
    let width = input.len().checked_div(rows).unwrap_or(0);
    let samples = rows.min(BATCH);
    let input = &input[..samples * width];
    let ann = AnnRun::compute(program, input, samples, control)?;
    let correction = spiking.correction;
    let mut spiking = SpikingNetwork { correction: Correction::None, ..spiking };
    let classes = program.network().classes();
    // The layers calibrated so far; each layer runs on its own, on their spikes.
    let mut done = Recording { steps: recipe.steps, samples, classes, layers: Vec::new(), readout: Vec::new() };
    for index in 0..spiking.layers.len() {
        control.progress("calibrating biases and potentials", index as f32 / spiking.layers.len() as f32);
        let spikes = run_layer(program, &spiking, input, &done, index, control)?;
        let layer = &spiking.layers[index];
        let counts = spikes.counts(recipe.steps);
        let missing = missing_activation(layer, &counts, &ann.pre_activations[index], recipe.steps);
        let changed = &mut spiking.layers[index];
        if recipe.bias_correction {
            let plane = changed.neurons_per_channel().max(1);
            changed.bias = missing.chunks(plane).map(|c| c.iter().sum::<f32>() / c.len() as f32).collect();
        }
        if recipe.initial == InitialPotential::Calibrated {
            // What the bias corrects already is not corrected twice.
            let rest = |(i, missing_here): (usize, &f32)| recipe.steps as f32 * (missing_here - changed.bias_of(i));
            let moved =
                changed.v_init_all().iter().zip(missing.iter().enumerate().map(rest)).map(|(v, by)| v + by).collect();
            changed.v_init_values = Some(Arc::new(moved));
        }
        let spikes = run_layer(program, &spiking, input, &done, index, control)?;
        done.layers.push(LayerRecording {
            spikes,
            mean_input: Arc::default(),
            potential: Arc::default(),
            v_init: None,
            silenced: None,
        });
    }
    Ok(SpikingNetwork { correction, ..spiking })
}

/// The spikes of layer `index` alone, computed from those of the layers before it in `done`.
fn run_layer(
    program: &Program,
    spiking: &SpikingNetwork,
    input: &[f32],
    done: &Recording,
    index: usize,
    control: &JobControl,
) -> Result<SpikeTrain> {
    let layer = &spiking.layers[index];
    let (steps, samples) = (done.steps, done.samples);
    let plan =
        SimulationPlan { program, spiking, input, samples, steps, previous: Some(done), unchanged_layers: index };
    let mut buffers = LayerBuffers::new(layer, samples, steps, [false; 2]);
    let one = |(sample, mut output): (usize, LayerOutput<'_>)| {
        control.check()?;
        with_recorded_currents(&plan, index, sample, 1, |currents| {
            let task = LayerTask {
                layer,
                constant: matches!(currents.current, Current::Constant(_)),
                recorded_steps: steps,
                first: sample,
                resume_from: None,
                correction: Correction::None,
                silenced: None,
            };
            integrate(&task, currents, &mut output, control)
        })
    };
    buffers.split(layer, 1, 0).into_par_iter().enumerate().try_for_each(one)?;
    Ok(buffers.spikes)
}

/// Mean a − φ of every neuron over the samples, `[F]`, from counts and pre-activations `[N, F]`.
fn missing_activation(layer: &SpikingLayer, counts: &[u32], z: &[f32], steps: usize) -> Vec<f32> {
    let neurons = layer.neurons();
    let samples = counts.len().checked_div(neurons).unwrap_or(0).max(1);
    let mean = |neuron: usize| {
        let unit = f64::from(layer.amplitude_of(neuron)) / steps as f64;
        let one = |i: usize| f64::from(layer.activation.apply(z[i])) - unit * f64::from(counts[i]);
        ((0..samples).map(|s| one(s * neurons + neuron)).sum::<f64>() / samples as f64) as f32
    };
    (0..neurons).into_par_iter().map(mean).collect()
}
