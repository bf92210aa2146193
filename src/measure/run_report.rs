//! Makes a [`Report`]: every figure defined as in the reference cases, in f64, each neuron once.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::answers::Answers;
use super::ledger::ledger_against;
use super::readout::delay;
use super::report::{Categories, CurvePoint, Density, LayerReport, Ledger, NeuronRef, Report, Residual, Silenced};
use crate::Result;
use crate::convert::{Neuron, Readout, Reset, SpikingLayer, SpikingNetwork};
use crate::network::Activation;
use crate::simulate::neuron::{target_count, target_of};
use crate::simulate::{AnnRun, Control, Recording};

/// Bins along each axis of the mismatch density.
const DENSITY_BINS: usize = 64;
/// The mismatch density shows activations up to this many θ: enough to see what is clipped.
const DENSITY_EXTENT: f32 = 1.5;

/// A run as it is measured.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub spiking: &'a SpikingNetwork,
    pub ann: &'a AnnRun,
    pub recording: &'a Recording,
    /// Mean input current of every layer over the measured steps, `[N, F]` each.
    pub mean_inputs: &'a [&'a [f32]],
    /// One label per sample, or empty.
    pub labels: &'a [u16],
    /// What the answers are read from.
    pub readout: Readout,
    /// Fan-out per neuron of every layer, from [`super::fan_out::fan_outs`].
    pub fan_outs: &'a [Vec<f64>],
}

/// Measures the run after `steps` steps (`1..=recording.steps`); `mean_inputs` must be of the same steps.
///
/// # Errors
/// [`crate::Error::Cancelled`] once `control` asks to stop.
pub fn report(subject: &Subject<'_>, steps: usize, control: &Control) -> Result<Report> {
    let layers = (0..subject.spiking.layers.len()).into_par_iter();
    let layers = layers.map(|l| layer_report(subject, l, steps, control)).collect::<Result<_>>()?;
    let right = |sample: usize| {
        subject.labels.get(sample).is_some_and(|&label| subject.ann.answer(sample) == usize::from(label))
    };
    let delay = match subject.readout {
        Readout::Delayed(None) => delay(subject.spiking, subject.ann, subject.recording.steps).estimate,
        _ => 0,
    };
    let answers = Answers::read(subject.recording, subject.readout, delay);
    Ok(Report {
        steps,
        samples: subject.recording.samples,
        ann_accuracy: labelled(subject.labels, subject.ann.samples)
            .then(|| (0..subject.ann.samples).filter(|&s| right(s)).count() as f64 / subject.ann.samples as f64),
        curve: curve(&answers, subject.recording.steps, subject.ann, subject.labels),
        answers: Arc::new(answers),
        layers,
    })
}

fn labelled(labels: &[u16], samples: usize) -> bool {
    samples > 0 && labels.len() >= samples
}

/// Accuracy and agreement with the ANN after every step.
pub fn curve(read: &Answers, steps: usize, ann: &AnnRun, labels: &[u16]) -> Vec<CurvePoint> {
    let samples = read.samples;
    let answers: Vec<usize> = (0..samples).map(|sample| ann.answer(sample)).collect();
    let share = |count: usize| count as f64 / samples.max(1) as f64;
    let point = |t: usize| {
        let snn: Vec<usize> = (0..samples).map(|sample| read.at(t, sample)).collect();
        let agreement = share(snn.iter().zip(&answers).filter(|(a, b)| a == b).count());
        let right = || snn.iter().zip(labels).filter(|(answer, label)| **answer == usize::from(**label)).count();
        CurvePoint { t, accuracy: labelled(labels, samples).then(|| share(right())), agreement }
    };
    (1..=steps).into_par_iter().map(point).collect()
}

/// Sums over the neurons of some samples; merged over threads in sample order, so that results do not depend on them.
#[derive(Clone)]
struct Sums {
    spikes: u64,
    mismatch: f64,
    activation: f64,
    ledger: Ledger,
    /// The same against the ANN's own activation.
    ledger_activation: Ledger,
    carried_in: f64,
    residual: Residual,
    residual_end_to_end: Residual,
    silenced: Silenced,
    same_input: [u64; 5],
    end_to_end: [u64; 5],
    /// Counts of ψ + T, for ψ from −T to T (kT for neurons of up to k counts a step).
    offsets: Vec<u64>,
    synops: f64,
    density: Density,
    offset_map: Vec<f32>,
    mismatch_map: Vec<f32>,
    examples: [Option<NeuronRef>; 5],
    /// Σφ, Σφ², Σa², Σφa for the correlation.
    moments: [f64; 4],
}

impl Sums {
    fn new(neurons: usize, most: usize) -> Self {
        let density = Density {
            bins: DENSITY_BINS,
            extent: DENSITY_EXTENT,
            counts: vec![0; DENSITY_BINS * DENSITY_BINS],
            silent: 0,
        };
        Self {
            spikes: 0,
            mismatch: 0.0,
            activation: 0.0,
            ledger: Ledger::default(),
            ledger_activation: Ledger::default(),
            carried_in: 0.0,
            residual: Residual::default(),
            residual_end_to_end: Residual::default(),
            silenced: Silenced::default(),
            same_input: [0; 5],
            end_to_end: [0; 5],
            offsets: vec![0; 2 * most + 1],
            synops: 0.0,
            density,
            offset_map: vec![0.0; neurons],
            mismatch_map: vec![0.0; neurons],
            examples: [None; 5],
            moments: [0.0; 4],
        }
    }

    fn merge(mut self, other: Self) -> Self {
        self.spikes += other.spikes;
        self.mismatch += other.mismatch;
        self.activation += other.activation;
        self.ledger += other.ledger;
        self.ledger_activation += other.ledger_activation;
        self.carried_in += other.carried_in;
        self.residual += other.residual;
        self.residual_end_to_end += other.residual_end_to_end;
        self.silenced.rightly += other.silenced.rightly;
        self.silenced.wrongly += other.silenced.wrongly;
        self.synops += other.synops;
        self.density.silent += other.density.silent;
        for k in 0..5 {
            self.same_input[k] += other.same_input[k];
            self.end_to_end[k] += other.end_to_end[k];
            self.examples[k] = self.examples[k].or(other.examples[k]);
        }
        self.offsets.iter_mut().zip(other.offsets).for_each(|(a, b)| *a += b);
        self.density.counts.iter_mut().zip(other.density.counts).for_each(|(a, b)| *a += b);
        self.offset_map.iter_mut().zip(other.offset_map).for_each(|(a, b)| *a += b);
        self.mismatch_map.iter_mut().zip(other.mismatch_map).for_each(|(a, b)| *a += b);
        self.moments.iter_mut().zip(other.moments).for_each(|(a, b)| *a += b);
        self
    }
}

fn layer_report(subject: &Subject<'_>, index: usize, steps: usize, control: &Control) -> Result<LayerReport> {
    let layer = &subject.spiking.layers[index];
    let samples = subject.recording.samples;
    let most = steps * layer.neuron.per_step();
    // A fixed number of groups, merged in order: sums are the same whatever the number of threads.
    let group = samples.div_ceil(8).max(1);
    let starts: Vec<usize> = (0..samples).step_by(group).collect();
    let parts: Vec<Sums> = starts
        .into_par_iter()
        .map(|first| {
            let mut sums = Sums::new(layer.neurons(), most);
            for sample in first..(first + group).min(samples) {
                add_sample(subject, index, steps, sample, &mut sums, control)?;
            }
            Ok(sums)
        })
        .collect::<Result<_>>()?;
    let sums = parts.into_iter().reduce(Sums::merge).unwrap_or_else(|| Sums::new(layer.neurons(), most));
    let total = (samples * layer.neurons()).max(1) as f64;
    let per_sample = |map: Vec<f32>| map.into_iter().map(|v| v / samples.max(1) as f32).collect();
    Ok(LayerReport {
        name: layer.name.clone(),
        node: layer.node,
        shape: layer.shape.clone(),
        theta: layer.theta.clone(),
        spikes: sums.spikes,
        rate: sums.spikes as f64 / steps as f64 / total,
        mean_activation: sums.activation / total,
        mean_abs_mismatch: sums.mismatch / total,
        correlation: correlation(sums.activation, sums.moments, total),
        same_input: Categories::from_array(sums.same_input),
        end_to_end: Categories::from_array(sums.end_to_end),
        offset_spikes: offset_spikes(&sums.offsets, most),
        ledger: sums.ledger.scaled(1.0 / total),
        ledger_activation: own_reference(layer).then(|| sums.ledger_activation.scaled(1.0 / total)),
        carried_in: sums.carried_in / total,
        residual: sums.residual,
        residual_end_to_end: sums.residual_end_to_end,
        silenced: sums.silenced,
        synops: sums.synops,
        density: sums.density,
        offset_map: per_sample(sums.offset_map),
        mismatch_map: per_sample(sums.mismatch_map),
        examples: sums.examples,
    })
}

/// Whether the ANN's own activation is another reference than ReLU(z).
fn own_reference(layer: &SpikingLayer) -> bool {
    layer.activation != Activation::Relu
}

/// The histogram of ψ from counts of ψ + `most`.
fn offset_spikes(counts: &[u64], most: usize) -> BTreeMap<i32, u64> {
    let psi = |k: usize| k as i32 - most as i32;
    counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(k, &count)| (psi(k), count)).collect()
}

/// Pearson's r of φ and a; `None` when either does not vary.
fn correlation(sum_a: f64, [sum_p, sum_pp, sum_aa, sum_pa]: [f64; 4], n: f64) -> Option<f64> {
    let (va, vp) = (sum_aa - sum_a * sum_a / n, sum_pp - sum_p * sum_p / n);
    (va > 1e-12 * n && vp > 1e-12 * n).then(|| (sum_pa - sum_p * sum_a / n) / (va * vp).sqrt())
}

/// Neurons between two looks at the cancel flag.
const STRETCH: usize = 1 << 14;

fn add_sample(
    subject: &Subject<'_>,
    index: usize,
    steps: usize,
    sample: usize,
    sums: &mut Sums,
    control: &Control,
) -> Result<()> {
    let layer: &SpikingLayer = &subject.spiking.layers[index];
    let neurons = layer.neurons();
    let span = sample * neurons..(sample + 1) * neurons;
    let z = &subject.ann.pre_activations[index][span.clone()];
    let zin = &subject.mean_inputs[index][span];
    let record = &subject.recording.layers[index];
    let mut counts = vec![0; neurons];
    record.spikes.add_counts(steps, sample, &mut counts);
    // A negative spike costs what a positive one does.
    let events = (layer.neuron == Neuron::Signed).then(|| {
        let mut events = vec![0u32; neurons];
        (0..steps).for_each(|t| record.spikes.for_each_bit(t, sample, |neuron, _| events[neuron] += 1));
        events
    });
    let (most, own) = ((steps * layer.neuron.per_step()) as i32, own_reference(layer));
    for neuron in 0..neurons {
        if neuron % STRETCH == 0 {
            control.check()?;
        }
        let (theta, width) = (layer.theta_of(neuron), layer.unit_of(neuron));
        let (n, z, zin) = (counts[neuron], z[neuron], zin[neuron]);
        let unit = f64::from(width) / steps as f64;
        let phi = unit * f64::from(n);
        let a = f64::from(layer.activation.apply(z));
        let same = target_of(layer, neuron, zin, steps);
        let end = target_of(layer, neuron, z, steps);
        let category = Categories::index(n, same);
        let psi = end as i32 - n as i32;
        let ceiling = f64::from(layer.ceiling_of(neuron));

        sums.spikes += u64::from(n);
        sums.mismatch += (phi - a).abs();
        sums.activation += a;
        let on_target = unit * f64::from(same);
        sums.ledger += ledger_against(Activation::Relu, z, zin, ceiling, phi, on_target);
        if own {
            sums.ledger_activation += ledger_against(layer.activation, z, zin, ceiling, phi, on_target);
        }
        sums.carried_in += phi - unit * f64::from(on_constant(layer, neuron, z, steps));
        if record.silenced(sample, neuron) {
            match end {
                0 => sums.silenced.rightly += 1,
                _ => sums.silenced.wrongly += 1,
            }
        } else {
            let start = f64::from(record.start_of(layer, sample, neuron));
            let charge = f64::from(zin) + f64::from(layer.shift * theta);
            let v = start + charge * steps as f64 - f64::from(width) * f64::from(n);
            let (over, under) = (v < 0.0 && n > 0, v >= f64::from(width) && (n as i32) < most);
            for (residual, target) in [(&mut sums.residual, same), (&mut sums.residual_end_to_end, end)] {
                residual.over.count(over, n > target);
                residual.under.count(under, n < target);
            }
        }
        sums.same_input[category] += 1;
        sums.end_to_end[Categories::index(n, end)] += 1;
        sums.offsets[(psi + most) as usize] += 1;
        if let Some(fan_out) = subject.fan_outs.get(index) {
            sums.synops += f64::from(events.as_ref().map_or(n, |events| events[neuron])) * fan_out[neuron];
        }
        sums.offset_map[neuron] += psi as f32;
        sums.mismatch_map[neuron] += (phi - a).abs() as f32;
        if sums.examples[category].is_none() && (category != 0 || n > 0) {
            sums.examples[category] = Some(NeuronRef { layer: index, sample, neuron });
        }
        [phi, phi * phi, a * a, phi * a].iter().zip(&mut sums.moments).for_each(|(v, m)| *m += v);
        add_density(&mut sums.density, a, phi, f64::from(theta));
    }
    Ok(())
}

/// The count that the layer's neuron reaches in `steps` steps on the constant input `z`, from its v(0) before correction.
fn on_constant(layer: &SpikingLayer, neuron: usize, z: f32, steps: usize) -> u32 {
    let (theta, unit) = (layer.theta_of(neuron), layer.unit_of(neuron));
    let (current, start) = (z + layer.shift * theta, layer.start_of(neuron));
    if layer.reset == Reset::Hard && theta > 0.0 {
        // The first spike after ⌈(θ − v0)/I⌉ steps, each further one after ⌈θ/I⌉.
        let after = |charge: f32| ((f64::from(charge) / f64::from(current)).ceil() as usize).max(1);
        let first = if current > 0.0 { after(theta - start) } else { usize::MAX };
        return if first > steps { 0 } else { 1 + ((steps - first) / after(theta)) as u32 };
    }
    target_count(current, unit, steps, layer.neuron.per_step(), f64::from(start) / f64::from(unit))
}

fn add_density(density: &mut Density, a: f64, phi: f64, theta: f64) {
    if a == 0.0 && phi == 0.0 || theta <= 0.0 {
        density.silent += 1;
        return;
    }
    let bin = |v: f64| ((v / theta / f64::from(density.extent) * density.bins as f64) as usize).min(density.bins - 1);
    let cell = bin(phi) * density.bins + bin(a);
    density.counts[cell] += 1;
}
