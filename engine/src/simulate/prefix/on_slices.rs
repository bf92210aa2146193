//! Mean inputs over the first steps of a run where nothing but neurons depends on time.
//!
//! One forward pass in which each activation is replaced by the mean output of its neurons.

use std::ops::Range;

use super::add_bias;
use crate::Result;
use crate::compute::forward::{SamplePlaces, sample_places};
use crate::compute::program::Program;
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::convert::{SpikingLayer, SpikingNetwork};
use crate::network::{Node, NodeId, Op};
use crate::progress::JobControl;
use crate::simulate::Recording;

/// Mean outputs of neurons from their spike counts.
struct MeanOutputs<'a> {
    counts: &'a [u32],
    amplitudes: &'a [f32],
    steps: usize,
    out: &'a mut [f32],
}

impl Kernel for MeanOutputs<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let steps = self.steps as f32;
        for ((out, &n), amplitude) in self.out.iter_mut().zip(self.counts).zip(self.amplitudes) {
            // Counts are below 2^31; the conversion of signed numbers is one instruction.
            *out = amplitude * n as i32 as f32 / steps;
        }
    }
}

/// The first `steps` steps of `recording`, of a program that runs on slices. `input` is `[N, F]`, scaled, and constant over
/// time.
#[derive(Clone, Copy)]
pub struct OnSlices<'a> {
    program: &'a Program,
    spiking: &'a SpikingNetwork,
    input: &'a [f32],
    recording: &'a Recording,
    steps: usize,
}

impl<'a> OnSlices<'a> {
    /// The prefix, `None` if more than neurons depends on time.
    pub(super) fn new(
        program: &'a Program,
        spiking: &'a SpikingNetwork,
        input: &'a [f32],
        recording: &'a Recording,
        steps: usize,
    ) -> Option<Self> {
        let is_constant = input.len() == recording.samples * program.network().nodes[0].len();
        (program.runs_on_slices() && is_constant).then_some(Self { program, spiking, input, recording, steps })
    }

    /// The same, `None` as well with max pools, which may read spikes: then it has the mean inputs of the recorded run.
    pub fn without_pools(
        program: &'a Program,
        spiking: &'a SpikingNetwork,
        input: &'a [f32],
        recording: &'a Recording,
        steps: usize,
    ) -> Option<Self> {
        let is_pool = |node: &Node| matches!(node.op, Op::MaxPool2d { .. });
        Self::new(program, spiking, input, recording, steps).filter(|_| !program.network().nodes.iter().any(is_pool))
    }

    /// Mean input current and spike counts of every spiking layer, `[samples, F]` each, written over what `means` and `counts`
    /// hold. No counts of the last layer, which none of the others reads.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`].
    pub fn means_and_counts(
        &self,
        samples: Range<usize>,
        means: &mut [Vec<f32>],
        counts: &mut [Vec<u32>],
        control: &JobControl,
    ) -> Result<()> {
        let layers = self.spiking.layers.iter().zip(&mut *counts);
        let last = means.len().saturating_sub(1);
        layers.take(last).for_each(|(layer, counts)| counts.resize(samples.len() * layer.neurons(), 0));
        self.means(samples, &vec![true; means.len()], means, counts, control)
    }

    /// The same of all samples for the layers that are `wanted`; empty for the others.
    pub(super) fn all(&self, wanted: &[bool], control: &JobControl) -> Result<Vec<Vec<f32>>> {
        let mut means = vec![Vec::new(); wanted.len()];
        self.means(0..self.recording.samples, wanted, &mut means, &mut [], control)?;
        Ok(means)
    }

    /// The same for the layers that are `wanted`; empty for the others. Counts are stored where there is room for them.
    fn means(
        &self,
        samples: Range<usize>,
        wanted: &[bool],
        means: &mut [Vec<f32>],
        counts: &mut [Vec<u32>],
        control: &JobControl,
    ) -> Result<()> {
        let Self { program, spiking, recording, steps, .. } = *self;
        let network = program.network();
        let sources: Vec<NodeId> = spiking.layers.iter().map(|layer| network.nodes[layer.node].inputs[0]).collect();
        let read = sources.iter().zip(wanted).filter(|(_, wanted)| **wanted).map(|(source, _)| *source);
        // Nothing behind the last layer that is wanted.
        let last = wanted.iter().rposition(|wanted| *wanted).map_or(0, |last| last);
        let mut targets: Vec<NodeId> = spiking.layers[..last].iter().map(|layer| layer.node).chain(read).collect();
        targets.sort_unstable();
        targets.dedup();
        let amplitudes: Vec<Vec<f32>> = spiking.layers.iter().map(SpikingLayer::amplitudes).collect();
        for ((means, layer), wanted) in means.iter_mut().zip(&spiking.layers).zip(wanted) {
            means.resize(if *wanted { samples.len() * layer.neurons() } else { 0 }, 0.0);
        }
        let stored = means.iter_mut().zip(&spiking.layers);
        let places: Vec<SamplePlaces> = stored.map(|(values, layer)| sample_places(values, layer.neurons())).collect();
        let stored = counts.iter_mut().zip(&spiking.layers);
        let count_places: Vec<SamplePlaces<u32>> =
            stored.map(|(values, layer)| sample_places(values, layer.neurons())).collect();
        let observe = |own: &mut Vec<u32>, node: NodeId, sample: usize, values: &mut [f32]| {
            for (k, _) in spiking.layers.iter().enumerate().filter(|(_, layer)| layer.node == node) {
                let place = count_places.get(k).and_then(|places| places.get(sample));
                let mut place = place.and_then(|place| place.lock().ok());
                own.resize(if place.is_some() { 0 } else { values.len() }, 0);
                let counts: &mut [u32] = place.as_mut().map_or(&mut *own, |place| &mut ***place);
                recording.layers[k].spikes.write_counts(steps, samples.start + sample, counts);
                dispatch(MeanOutputs { counts, amplitudes: &amplitudes[k], steps, out: values });
            }
            for (k, layer) in spiking.layers.iter().enumerate().filter(|(k, _)| sources[*k] == node) {
                if let Some(Ok(mut place)) = places[k].get(sample).map(|place| place.lock()) {
                    place.copy_from_slice(values);
                    add_bias(layer, &mut place);
                }
            }
            Ok(())
        };
        let width = network.nodes[0].len();
        let input = &self.input[samples.start * width..samples.end * width];
        program.run_samples_replacing(input, &targets, "measuring", control, Vec::new, observe)?;
        Ok(())
    }
}
