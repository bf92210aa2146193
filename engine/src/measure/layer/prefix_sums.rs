//! Mismatch, spikes and synaptic operations after several numbers of steps, in one pass over a recording.

use rayon::prelude::*;

use crate::Result;
use crate::compute::event::spike_count::count_spikes;
use crate::compute::event::spike_source::SpikeSource;
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::convert::SpikingLayer;
use crate::measure::run_data::RunData;
use crate::progress::JobControl;
use crate::simulate::{SampleSpikes, SpikeRows, SpikeTrain};

/// Lanes of the sums.
const LANES: usize = 8;

/// Sums over all neurons of a run after `steps` steps.
#[derive(Clone, Debug, PartialEq)]
pub struct PrefixSums {
    /// The number of steps t.
    pub steps: usize,
    /// Mean over the layers of (mean |φ − a| / mean a) with φ = θn/t; each mean is over neurons and samples.
    pub mismatch: f64,
    /// Spikes of all neurons and samples; a spike of either sign counts as one, one of a burst or group by its weight.
    pub spikes: f64,
    /// Synaptic operations that these spikes cause, over all samples.
    pub synops: f64,
}

/// The sums of `data` after each of `steps`, which ascend and do not exceed the recording.
///
/// The sums have a fixed order, and those after t steps do not depend on the other entries of `steps` or on how long the
/// recording is.
///
/// # Errors
/// [`crate::Error::Cancelled`] if `control` is cancelled.
pub fn prefix_sums(data: &RunData<'_>, steps: &[usize], control: &JobControl) -> Result<Vec<PrefixSums>> {
    let empty = |&steps: &usize| PrefixSums { steps, mismatch: 0.0, spikes: 0.0, synops: 0.0 };
    let mut all: Vec<PrefixSums> = steps.iter().map(empty).collect();
    let layers = data.spiking.layers.len();
    for index in 0..layers {
        let samples = data.recording.samples;
        let layer = InBitOrder::new(data, index);
        let of_sample = |sample| {
            control.check()?;
            Ok(layer.sums(data, sample, steps))
        };
        let by_sample = (0..samples).into_par_iter().map(of_sample).collect::<Result<Vec<_>>>()?;
        let activation: f64 = by_sample.iter().map(|(activation, _)| activation).sum();
        for (k, sums) in all.iter_mut().enumerate() {
            let total = |part: usize| by_sample.iter().map(|(_, parts)| parts[k][part]).sum::<f64>();
            sums.mismatch += total(0) / activation.max(f64::MIN_POSITIVE) / layers as f64;
            sums.spikes += total(1);
            sums.synops += total(2);
        }
    }
    Ok(all)
}

/// What is known of the neurons of a layer, in the order of the bits of its spikes.
struct InBitOrder<'a> {
    layer: &'a SpikingLayer,
    index: usize,
    /// Index of the neuron of each bit.
    neurons: Vec<u32>,
    /// The amplitude of one count.
    amplitudes: Vec<f32>,
    fan_outs: Vec<f32>,
}

impl<'a> InBitOrder<'a> {
    fn new(data: &RunData<'a>, index: usize) -> Self {
        let layer: &SpikingLayer = &data.spiking.layers[index];
        let train = &data.recording.layers[index].spikes;
        let mut neurons = vec![0u32; layer.neurons()];
        (0..layer.neurons()).for_each(|neuron| neurons[train.bit_index(neuron)] = neuron as u32);
        let amplitudes = neurons.iter().map(|&neuron| layer.amplitude_of(neuron as usize)).collect();
        let fan_out = data.fan_outs.get(index);
        let fan_out = |&neuron: &u32| fan_out.and_then(|all| all.get(neuron as usize)).copied().unwrap_or(0.0) as f32;
        let fan_outs = neurons.iter().map(fan_out).collect();
        Self { layer, index, neurons, amplitudes, fan_outs }
    }

    /// Sum of the ANN's activations of `sample`, and after each of `steps` the sums of |φ − a|, spikes, and operations.
    fn sums(&self, data: &RunData<'_>, sample: usize, steps: &[usize]) -> (f64, Vec<[f64; 3]>) {
        let (count, activation) = (self.neurons.len(), self.layer.activation);
        let z = &data.ann.pre_activations[self.index][sample * count..(sample + 1) * count];
        let of_ann: Vec<f32> = self.neurons.iter().map(|&neuron| activation.apply(z[neuron as usize])).collect();
        let train = &data.recording.layers[self.index].spikes;
        let words = count.next_multiple_of(64);
        let mut counts = vec![0.0; words];
        // A negative spike costs as much as a positive one.
        let is_signed = train.weights().iter().any(|&weight| weight < 0);
        let mut events = vec![0.0; if is_signed { words } else { 0 }];
        let mut done = 0;
        let sums = steps.iter().map(|&steps| {
            count_spikes(&Window::new(train, sample, done, false), steps - done, &mut counts);
            if is_signed {
                count_spikes(&Window::new(train, sample, done, true), steps - done, &mut events);
            }
            done = steps;
            let events = if is_signed { &events } else { &counts };
            let (amplitudes, fan_outs) = (&self.amplitudes[..], &self.fan_outs[..]);
            dispatch(AddUp {
                steps,
                of_ann: &of_ann,
                counts: &counts[..count],
                events: &events[..count],
                amplitudes,
                fan_outs,
            })
        });
        let sums = sums.collect();
        (of_ann.iter().map(|&a| f64::from(a)).sum(), sums)
    }
}

/// The steps of one sample from step `first` on.
struct Window<'a> {
    spikes: SampleSpikes<'a>,
    first: usize,
    weights: Vec<i32>,
}

impl<'a> Window<'a> {
    fn new(train: &'a SpikeTrain, sample: usize, first: usize, without_sign: bool) -> Self {
        let weight = |&weight: &i32| if without_sign { weight.abs() } else { weight };
        let weights = train.weights().iter().map(weight).collect();
        Self { spikes: SampleSpikes { rows: SpikeRows::Train(train), sample }, first, weights }
    }
}

impl SpikeSource for Window<'_> {
    #[inline(always)]
    fn plane(&self, t: usize, plane: usize) -> &[u64] {
        self.spikes.plane(self.first + t, plane)
    }
    fn weights(&self) -> &[i32] {
        &self.weights
    }
}

/// Sums of |amplitude·n/t − a|, of events, and of events times fan-out.
struct AddUp<'a> {
    steps: usize,
    of_ann: &'a [f32],
    counts: &'a [f32],
    events: &'a [f32],
    amplitudes: &'a [f32],
    fan_outs: &'a [f32],
}

impl Kernel for AddUp<'_> {
    type Output = [f64; 3];
    #[inline(always)]
    fn run<I: Isa>(self) -> [f64; 3] {
        let Self { steps, of_ann, counts, events, amplitudes, fan_outs } = self;
        let per_step = 1.0 / steps as f64;
        let mut sums = [[0.0f64; LANES]; 3];
        let (a, a_rest) = of_ann.as_chunks::<LANES>();
        let (n, n_rest) = counts.as_chunks::<LANES>();
        let (e, e_rest) = events.as_chunks::<LANES>();
        let (u, u_rest) = amplitudes.as_chunks::<LANES>();
        let (f, f_rest) = fan_outs.as_chunks::<LANES>();
        for ((((a, n), e), u), f) in a.iter().zip(n).zip(e).zip(u).zip(f) {
            for lane in 0..LANES {
                let rate = f64::from(n[lane]) * per_step;
                sums[0][lane] += (f64::from(u[lane]) * rate - f64::from(a[lane])).abs();
                sums[1][lane] += f64::from(e[lane]);
                sums[2][lane] += f64::from(e[lane]) * f64::from(f[lane]);
            }
        }
        for ((((a, n), e), u), f) in a_rest.iter().zip(n_rest).zip(e_rest).zip(u_rest).zip(f_rest) {
            let rate = f64::from(*n) * per_step;
            sums[0][0] += (f64::from(*u) * rate - f64::from(*a)).abs();
            sums[1][0] += f64::from(*e);
            sums[2][0] += f64::from(*e) * f64::from(*f);
        }
        sums.map(|lanes| lanes.iter().sum())
    }
}
