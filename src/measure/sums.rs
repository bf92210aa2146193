//! Sums over the neurons of one layer: what [`super::run_report`] makes its figures of.

use super::ledger::ledger_against;
use super::report::{Categories, Density, Ledger, NeuronRef, Residual, Silenced};
use super::run_report::Subject;
use crate::Result;
use crate::convert::{Neuron, Reset, SpikingLayer};
use crate::network::Activation;
use crate::network::event::simd::{Isa, Kernel, dispatch};
use crate::simulate::Control;
use crate::simulate::neuron::target_count;

/// Bins along each axis of the mismatch density.
const DENSITY_BINS: usize = 64;
/// The mismatch density shows activations up to this many θ: enough to see what is clipped.
const DENSITY_EXTENT: f32 = 1.5;

/// Neurons between two looks at the cancel flag.
const STRETCH: usize = 1 << 14;

/// Sums over the neurons of some samples; merged over threads in sample order, so that results do not depend on them.
#[derive(Clone)]
pub(super) struct Sums {
    pub spikes: u64,
    pub mismatch: f64,
    pub activation: f64,
    pub ledger: Ledger,
    /// The same against the ANN's own activation.
    pub ledger_activation: Ledger,
    pub carried_in: f64,
    pub residual: Residual,
    pub residual_end_to_end: Residual,
    pub silenced: Silenced,
    pub same_input: [u64; 5],
    pub end_to_end: [u64; 5],
    /// Counts of ψ + T, for ψ from −T to T (kT for neurons of up to k counts a step).
    pub offsets: Vec<u64>,
    pub synops: f64,
    pub density: Density,
    pub offset_map: Vec<f32>,
    pub mismatch_map: Vec<f32>,
    pub examples: [Option<NeuronRef>; 5],
    /// Σφ, Σφ², Σa², Σφa for the correlation.
    pub moments: [f64; 4],
}

impl Sums {
    pub fn new(neurons: usize, most: usize) -> Self {
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

    pub fn merge(mut self, other: Self) -> Self {
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

    /// Adds the neurons of layer `index` for one sample.
    pub fn add(
        &mut self,
        subject: &Subject<'_>,
        index: usize,
        steps: usize,
        sample: usize,
        control: &Control,
    ) -> Result<()> {
        dispatch(AddSample { subject, index, steps, sample, sums: self, control })
    }
}

struct AddSample<'a> {
    subject: &'a Subject<'a>,
    index: usize,
    steps: usize,
    sample: usize,
    sums: &'a mut Sums,
    control: &'a Control,
}

impl Kernel for AddSample<'_> {
    type Output = Result<()>;
    #[inline(always)]
    fn run<I: Isa>(self) -> Result<()> {
        add_sample(self.subject, self.index, self.steps, self.sample, self.sums, self.control)
    }
}

#[inline(always)]
fn add_sample(
    subject: &Subject<'_>,
    index: usize,
    steps: usize,
    sample: usize,
    sums: &mut Sums,
    control: &Control,
) -> Result<()> {
    let layer: &SpikingLayer = &subject.spiking.layers[index];
    let (neurons, plane) = (layer.neurons(), layer.plane());
    let span = sample * neurons..(sample + 1) * neurons;
    let z = &subject.ann.pre_activations[index][span.clone()];
    let zin = &subject.mean_inputs[index][span.clone()];
    let record = &subject.recording.layers[index];
    let mut counts = vec![0; neurons];
    record.spikes.add_counts(steps, sample, &mut counts);
    // A negative spike costs what a positive one does.
    let events = (layer.neuron == Neuron::Signed).then(|| {
        let mut events = vec![0u32; neurons];
        (0..steps).for_each(|t| record.spikes.for_each_bit(t, sample, |neuron, _| events[neuron] += 1));
        events
    });
    let fan_out = subject.fan_outs.get(index);
    let corrected = record.start.as_ref().map(|start| &start[span]);
    let (per_step, own) = (layer.neuron.per_step(), own_reference(layer));
    let most = (steps * per_step) as i32;
    let zero = layer.activation.apply(0.0) == 0.0 && layer.shift == 0.0 && events.is_none();
    let half = layer.start.is_none() && layer.v_init == 0.5 && layer.shift == 0.0 && layer.reset == Reset::Soft;
    let mut still = 0;
    for neuron in 0..neurons {
        if neuron % STRETCH == 0 {
            control.check()?;
        }
        let (n, z, zin) = (counts[neuron], z[neuron], zin[neuron]);
        let channel = if layer.theta.len() == 1 { 0 } else { neuron / plane };
        let theta = layer.theta[channel];
        let width = layer.neuron.unit(theta);
        let own_start = layer.start.as_ref().map_or(layer.v_init * width, |start| start[neuron]);
        let start = corrected.map_or(own_start, |start| start[neuron]);
        let silenced = record.silenced(sample, neuron);
        if zero && n == 0 && z <= 0.0 && zin <= 0.0 && start < width && own_start < width {
            // Most neurons of most networks: nothing came, nothing was due, nothing was sent.
            still += 1;
            sums.silenced.rightly += u64::from(silenced);
            continue;
        }
        let unit = f64::from(width) / steps as f64;
        let phi = unit * f64::from(n);
        let a = f64::from(layer.activation.apply(z));
        let same = target_count(zin, width, steps, per_step, 0.5);
        let end = target_count(z, width, steps, per_step, 0.5);
        let category = Categories::index(n, same);
        let psi = end as i32 - n as i32;
        let ceiling = f64::from(width * per_step as f32);

        sums.spikes += u64::from(n);
        sums.mismatch += (phi - a).abs();
        sums.activation += a;
        let on_target = unit * f64::from(same);
        sums.ledger += ledger_against(Activation::Relu, z, zin, ceiling, phi, on_target);
        if own {
            sums.ledger_activation += ledger_against(layer.activation, z, zin, ceiling, phi, on_target);
        }
        // From v(0) = half a unit, what constant input gives is what is due.
        let evenly = if half { end } else { on_constant(layer, theta, own_start, z, steps) };
        sums.carried_in += phi - unit * f64::from(evenly);
        if silenced {
            match end {
                0 => sums.silenced.rightly += 1,
                _ => sums.silenced.wrongly += 1,
            }
        } else {
            let charge = f64::from(zin) + f64::from(layer.shift * theta);
            let v = f64::from(start) + charge * steps as f64 - f64::from(width) * f64::from(n);
            let (over, under) = (v < 0.0 && n > 0, v >= f64::from(width) && (n as i32) < most);
            sums.residual.over.count(over, n > same);
            sums.residual.under.count(under, n < same);
            sums.residual_end_to_end.over.count(over, n > end);
            sums.residual_end_to_end.under.count(under, n < end);
        }
        sums.same_input[category] += 1;
        sums.end_to_end[Categories::index(n, end)] += 1;
        sums.offsets[(psi + most) as usize] += 1;
        if let Some(fan_out) = fan_out {
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
    sums.same_input[0] += still;
    sums.end_to_end[0] += still;
    sums.offsets[most as usize] += still;
    sums.density.silent += still;
    Ok(())
}

/// Whether the ANN's own activation is another reference than ReLU(z).
pub(super) fn own_reference(layer: &SpikingLayer) -> bool {
    layer.activation != Activation::Relu
}

/// The count that a neuron of the layer reaches in `steps` steps on the constant input `z`, from `start`, its v(0) before
/// correction.
#[inline(always)]
fn on_constant(layer: &SpikingLayer, theta: f32, start: f32, z: f32, steps: usize) -> u32 {
    let unit = layer.neuron.unit(theta);
    let current = z + layer.shift * theta;
    if layer.reset == Reset::Hard && theta > 0.0 {
        // The first spike after ⌈(θ − v0)/I⌉ steps, each further one after ⌈θ/I⌉.
        let after = |charge: f32| ((f64::from(charge) / f64::from(current)).ceil() as usize).max(1);
        let first = if current > 0.0 { after(theta - start) } else { usize::MAX };
        return if first > steps { 0 } else { 1 + ((steps - first) / after(theta)) as u32 };
    }
    target_count(current, unit, steps, layer.neuron.per_step(), f64::from(start) / f64::from(unit))
}

#[inline(always)]
fn add_density(density: &mut Density, a: f64, phi: f64, theta: f64) {
    if a == 0.0 && phi == 0.0 || theta <= 0.0 {
        density.silent += 1;
        return;
    }
    let bin = |v: f64| ((v / theta / f64::from(density.extent) * density.bins as f64) as usize).min(density.bins - 1);
    let cell = bin(phi) * density.bins + bin(a);
    density.counts[cell] += 1;
}
