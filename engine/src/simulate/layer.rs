//! Integrates one layer of neurons over its currents, for a block of samples.

use std::ops::Range;

use super::correction::cos::CosShift;
use super::currents::{CurrentTask, Currents, Fire, Piece, PieceCurrents, TakeCurrents};
use super::layer_buffers::{LayerBuffers, LayerOutput};
use super::membranes::{Membranes, or_bits};
use super::neuron::Dynamics;
use super::recording::LayerRecording;
use super::spike_train::SpikeTrain;
use crate::Result;
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::lanes::{LANES, Lanes};
use crate::convert::{Correction, NeuronModel, SpikingLayer};
use crate::progress::JobControl;

/// Parameters for integrating one layer.
pub(super) struct LayerTask<'a> {
    pub layer: &'a SpikingLayer,
    /// Whether the current is the same at every step.
    pub constant: bool,
    /// Steps that are recorded; a correction may read more.
    pub recorded_steps: usize,
    /// Index of the first sample in the run.
    pub first: usize,
    /// The layer's recording so far and its number of steps, if the run resumes.
    pub resume_from: Option<(&'a LayerRecording, usize)>,
    pub correction: Correction,
    /// Silenced neurons, one step of bits, and the sample in them that is the block's first.
    pub silenced: Option<(&'a SpikeTrain, usize)>,
}

/// Integrates `currents`, the input of `layer_task.layer`, and writes the result to `output`.
///
/// # Errors
/// [`crate::Error::Cancelled`] once `control` is cancelled.
pub(super) fn integrate(
    layer_task: &LayerTask<'_>,
    currents: &Currents<'_>,
    output: &mut LayerOutput<'_>,
    control: &JobControl,
) -> Result<()> {
    match currents.lanes() {
        1 => integrate_in::<1>(layer_task, currents, output, control),
        2 => integrate_in::<2>(layer_task, currents, output, control),
        _ => integrate_in::<4>(layer_task, currents, output, control),
    }
}

fn integrate_in<const N: usize>(
    layer_task: &LayerTask<'_>,
    currents: &Currents<'_>,
    output: &mut LayerOutput<'_>,
    control: &JobControl,
) -> Result<()> {
    use rayon::prelude::*;
    let emitted = emitted_before(layer_task, currents.samples);
    let run = |task: &CurrentTask, first: usize, output: &mut LayerOutput<'_>| {
        let (emitted, steps) = (emitted.as_slice(), currents.steps);
        let mut neurons =
            Neurons::<N> { task: layer_task, emitted, first, steps, output, membranes: None, spare: None };
        currents.run(task, control, &mut neurons)
    };
    let tasks = currents.tasks();
    if let [task] = tasks.as_slice() {
        run(task, 0, output)?;
    } else {
        let (layer, steps) = (layer_task.layer, currents.steps);
        let stored = [!output.mean_input.values.is_empty(), !output.start.is_empty()];
        let part = |task: &CurrentTask| {
            // Only the pages that are written take memory.
            let mut part = LayerBuffers::new(layer, task.samples.len(), steps, stored);
            for output in &mut part.split(layer, task.samples.len().max(1), 0) {
                run(task, task.samples.start, output)?;
            }
            Ok(part)
        };
        let parts: Vec<LayerBuffers> = tasks.par_iter().map(part).collect::<Result<_>>()?;
        for (task, part) in tasks.iter().zip(&parts) {
            let places = task.rows.start * currents.grid.width..task.rows.end * currents.grid.width;
            output.merge(part, task.samples.clone(), places, currents.channels(task));
        }
    }
    if let Some((silenced, first)) = layer_task.silenced {
        output.silence(silenced, first);
    }
    Ok(())
}

/// The neurons of a layer, which take its currents.
struct Neurons<'a, 'b, const N: usize> {
    task: &'a LayerTask<'a>,
    /// Counts emitted before, `[B, F]`; empty unless needed.
    emitted: &'a [u32],
    /// The sample that is the first of the output.
    first: usize,
    /// Steps that are simulated.
    steps: usize,
    output: &'a mut LayerOutput<'b>,
    /// Neurons of the open piece.
    membranes: Option<Membranes<N>>,
    /// Those of the piece before, whose memory the next ones take.
    spare: Option<Membranes<N>>,
}

impl<const N: usize> Neurons<'_, '_, N> {
    /// The neurons of `piece` before their first step, in the memory of `spare`.
    fn start(&self, piece: &Piece, spare: Option<Membranes<N>>) -> Membranes<N> {
        let layer = self.task.layer;
        let theta_of = |c: usize| if layer.theta.len() == 1 { layer.theta[0] } else { layer.theta[c] };
        let mut theta = [Lanes([f32::INFINITY; LANES]); N];
        let mut start = [Lanes::ZERO; N];
        for (lane, c) in piece.channels.clone().enumerate() {
            theta[lane / LANES].0[lane % LANES] = theta_of(c);
            start[lane / LANES].0[lane % LANES] = layer.v_init * layer.neuron.amplitude(theta_of(c));
        }
        let places = piece.places.len();
        let (mut v, mut charge, mut emitted) =
            spare.map_or_else(Default::default, |spare| (spare.v, spare.charge, spare.emitted));
        v.clear();
        v.resize(places, start);
        if let Some((record, _)) = self.task.resume_from {
            self.read(piece, &record.potential, self.task.first, &mut v);
        } else if layer.v_init_values.is_some() {
            self.for_each_neuron(piece, |at, neuron| *lane_mut(&mut v, at) = layer.v_init_of(neuron));
        }
        let zeros = |values: &mut Vec<[Lanes; N]>, wanted: bool| {
            values.clear();
            values.resize(if wanted { places } else { 0 }, [Lanes::ZERO; N]);
        };
        zeros(&mut charge, !self.output.mean_input.values.is_empty() && !self.task.constant);
        zeros(&mut emitted, layer.neuron == NeuronModel::Signed);
        if !self.emitted.is_empty() {
            let counts = &self.emitted[piece.sample * layer.neurons()..];
            self.for_each_neuron(piece, |at, neuron| *lane_mut(&mut emitted, at) = counts[neuron] as f32);
        }
        let dynamics = Dynamics { neuron: layer.neuron, reset: layer.reset, tie: layer.tie };
        Membranes { dynamics, theta, shift: layer.bias_shift, v, charge, emitted }
    }

    /// Calls `visit` with the index of each lane of `piece` that has a neuron, and the neuron's index in its layer.
    fn for_each_neuron(&self, piece: &Piece, mut visit: impl FnMut([usize; 2], usize)) {
        for (k, place) in piece.places.clone().enumerate() {
            for (lane, c) in piece.channels.clone().enumerate() {
                visit([k, lane], c * self.task.layer.neurons_per_channel() + place);
            }
        }
    }

    /// Reads a value of every neuron of `piece` from `values`, `[B, F]` in the order of the bits from sample `first` on.
    fn read(&self, piece: &Piece, values: &[f32], first: usize, out: &mut [[Lanes; N]]) {
        let (layer, channels) = (self.task.layer, self.task.layer.shape[0]);
        let row = &values[(first + piece.sample) * layer.neurons()..];
        for (out, place) in out.iter_mut().zip(piece.places.clone()) {
            let values = &row[place * channels + piece.channels.start..place * channels + piece.channels.end];
            for (out, values) in out.iter_mut().zip(values.chunks(LANES)) {
                out.0[..values.len()].copy_from_slice(values);
            }
        }
    }

    /// `piece` with its sample counted as in the output.
    fn own(&self, piece: &Piece) -> Piece {
        Piece { sample: piece.sample - self.first, ..piece.clone() }
    }

    /// Stores what is known of `piece` after the last recorded step.
    fn store(&mut self, membranes: &Membranes<N>, piece: &Piece) {
        let piece = &self.own(piece);
        self.output.potential.store(piece, &membranes.v);
        if membranes.charge.is_empty() {
            return;
        }
        let steps = self.task.recorded_steps as f32;
        let mut mean = membranes.charge.clone();
        match self.task.resume_from {
            Some((record, before)) => {
                let mut old = vec![[Lanes::ZERO; N]; mean.len()];
                self.read(piece, &record.mean_input, self.task.first + self.first, &mut old);
                let (before, total) = (before as f32, before as f32 + steps);
                let all = mean.as_flattened_mut().iter_mut().zip(old.as_flattened());
                all.for_each(|(mean, old)| {
                    mean.0.iter_mut().zip(old.0).for_each(|(mean, old)| *mean = (*mean + old * before) / total);
                });
            }
            None => {
                let all = mean.as_flattened_mut().iter_mut().flat_map(|lanes| &mut lanes.0);
                all.for_each(|mean| *mean /= steps);
            }
        }
        self.output.mean_input.store(piece, &mean);
    }

    /// Shifts the initial potentials of `piece` (COS).
    fn shift(&mut self, membranes: &mut Membranes<N>, piece: &Piece, currents: PieceCurrents<'_, N>) {
        let Correction::Cos { steps, passes, rule } = self.task.correction else { return };
        let cos = CosShift { steps, passes, rule, tie: self.task.layer.tie };
        for (k, v) in membranes.v.iter_mut().enumerate() {
            cos.calibrate_lanes(v, &membranes.theta, membranes.shift, |t| currents.at(t, k));
        }
        let (start, neurons) = (&membranes.v, self.task.layer.neurons());
        let values = std::mem::take(&mut self.output.start);
        let row = &mut values[(piece.sample - self.first) * neurons..];
        self.for_each_neuron(piece, |[k, lane], neuron| row[neuron] = start[k][lane / LANES].0[lane % LANES]);
        self.output.start = values;
    }
}

fn lane_mut<const N: usize>(values: &mut [[Lanes; N]], [k, lane]: [usize; 2]) -> &mut f32 {
    &mut values[k][lane / LANES].0[lane % LANES]
}

impl<const N: usize> TakeCurrents<N> for Neurons<'_, '_, N> {
    fn takes_all_steps(&self) -> bool {
        // COS reads them before the neurons start.
        matches!(self.task.correction, Correction::Cos { .. }) && self.task.resume_from.is_none()
    }

    fn begin(&mut self, piece: &Piece) {
        let spare = self.spare.take();
        self.membranes = Some(self.start(piece, spare));
    }

    fn take(&mut self, piece: &Piece, steps: Range<usize>, currents: PieceCurrents<'_, N>) {
        let Some(mut membranes) = self.membranes.take() else { return };
        if steps.start == 0 && self.takes_all_steps() {
            self.shift(&mut membranes, piece, currents);
        }
        let own = self.own(piece);
        let (channels, recorded) = (self.task.layer.shape[0], self.task.recorded_steps);
        let first_bit = own.places.start * channels + own.channels.start;
        let whole_words = first_bit.is_multiple_of(64) && self.steps == recorded;
        if let (Some(held), Some(places)) =
            (currents.held(), membranes.places_per_word(channels).filter(|_| whole_words))
        {
            let rows = &mut self.output.spikes.rows[own.sample];
            dispatch(Hold { membranes: &mut membranes, held, places, rows, first_word: first_bit / 64 });
        } else {
            let planes = self.task.layer.neuron.plane_weights().len();
            let mut masks = vec![0u64; own.places.len() * planes];
            let lanes = own.channels.len();
            let inside = if lanes < 64 { (1 << lanes) - 1 } else { u64::MAX };
            for (k, t) in steps.clone().enumerate() {
                dispatch(Step { membranes: &mut membranes, currents, k, masks: &mut masks });
                for plane in 0..planes {
                    let (words, first) = self.output.step(&own, t, plane);
                    for (place, masks) in masks.chunks_exact(planes).enumerate() {
                        or_bits(words, first + place * channels, masks[plane] & inside);
                    }
                }
                // A correction may read more steps than are recorded.
                if t + 1 == recorded && self.steps > recorded {
                    self.store(&membranes, piece);
                }
            }
        }
        if steps.start == 0 && self.task.constant && !self.output.mean_input.values.is_empty() {
            // An input that never changes is its mean: a sum of equal numbers would round.
            let values: Vec<[Lanes; N]> = (0..own.places.len()).map(|place| *currents.at(0, place)).collect();
            self.output.mean_input.store(&own, &values);
        }
        self.membranes = Some(membranes);
    }

    fn fire(&mut self, piece: &Piece) -> Option<Fire<'_, N>> {
        let own = self.own(piece);
        let membranes = self.membranes.as_mut()?;
        let all = !matches!(self.task.correction, Correction::Cos { .. }) && self.steps == self.task.recorded_steps;
        if !all || !membranes.fires_in_passing() {
            return None;
        }
        let channels = self.task.layer.shape[0];
        let first = own.places.start * channels + own.channels.start;
        let rows = self.output.spikes.rows[own.sample].iter_mut().map(|row| &mut **row).collect();
        Some(Fire { membranes, rows, first, channels })
    }

    fn end(&mut self, piece: &Piece) {
        if let Some(membranes) = self.membranes.take() {
            if self.steps == self.task.recorded_steps {
                self.store(&membranes, piece);
            }
            self.spare = Some(membranes);
        }
    }
}

/// One step of a piece.
struct Step<'a, const N: usize> {
    membranes: &'a mut Membranes<N>,
    currents: PieceCurrents<'a, N>,
    k: usize,
    /// `[place][plane]`
    masks: &'a mut [u64],
}

impl<const N: usize> Kernel for Step<'_, N> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { membranes, currents, k, masks } = self;
        membranes.advance::<I>(|place| currents.at(k, place), masks);
    }
}

/// All steps of a piece whose input never changes.
struct Hold<'a, 'b, const N: usize> {
    membranes: &'a mut Membranes<N>,
    held: &'a [[Lanes; N]],
    /// Places of one word.
    places: usize,
    rows: &'a mut [&'b mut [u64]],
    first_word: usize,
}

impl<const N: usize> Kernel for Hold<'_, '_, N> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { membranes, held, places, rows, first_word } = self;
        let steps = rows.len();
        for (k, place) in (0..held.len()).step_by(places).enumerate() {
            let write = |t: usize, word: u64| rows[t][first_word + k] |= word;
            membranes.advance_held::<I>(held, place, steps, write);
        }
    }
}

/// Counts that a resumed run has emitted already, `[B, F]`; empty except for the signed neuron, which alone needs them.
fn emitted_before(layer_task: &LayerTask<'_>, samples: usize) -> Vec<u32> {
    let neurons = layer_task.layer.neurons();
    let Some((record, steps)) = layer_task.resume_from.filter(|_| layer_task.layer.neuron == NeuronModel::Signed)
    else {
        return Vec::new();
    };
    let mut emitted = vec![0u32; samples * neurons];
    let rows = emitted.chunks_mut(neurons.max(1)).enumerate();
    rows.for_each(|(b, row)| record.spikes.add_counts(steps, layer_task.first + b, row));
    emitted
}
