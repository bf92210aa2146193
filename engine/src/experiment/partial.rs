//! Partial results of a running simulation: accuracy curve and mismatch over the finished samples.

use std::sync::Arc;

use crate::compute::AnnRun;
use crate::convert::{Readout, SpikingNetwork};
use crate::measure::layer::mismatch::mean_mismatch;
use crate::measure::{CurvePoint, accuracy_curve};
use crate::progress::FinishedSamples;
use crate::simulate::Recording;
use crate::task::classification::Predictions;

/// Results over the finished samples of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartialResults {
    /// The curve over the finished samples, `[T]`.
    pub curve: Vec<CurvePoint>,
    /// Number of finished samples.
    pub samples: usize,
    /// Number of all samples of the run.
    pub of: usize,
    /// The ANN's accuracy over all samples; `None` without labels.
    pub ann_accuracy: Option<f64>,
    /// Mean |φ − a| of every spiking layer over some of the finished samples; `None` for layers reused from an earlier run.
    pub mismatch: Vec<Option<f64>>,
    /// Number of samples in `mismatch`.
    pub mismatch_samples: usize,
}

/// Accumulates the finished samples of a run.
#[derive(Debug, Default)]
pub struct PartialAccumulator {
    context: Option<Arc<PartialContext>>,
    partial: PartialResults,
}

impl PartialAccumulator {
    /// Resets the results for a new run.
    pub fn begin(&mut self, context: Arc<PartialContext>) {
        let (ann, labels) = (&context.ann, &context.labels);
        let correct =
            || labels.iter().enumerate().filter(|&(i, &label)| ann.prediction(i) == usize::from(label)).count();
        let labeled = ann.samples > 0 && labels.len() == ann.samples;
        let ann_accuracy = labeled.then(|| correct() as f64 / ann.samples as f64);
        self.partial = PartialResults { of: ann.samples, ann_accuracy, ..PartialResults::default() };
        self.context = Some(context);
    }

    /// Adds finished samples; returns the results so far.
    pub fn add(&mut self, finished: &FinishedSamples) -> Option<&PartialResults> {
        let context = self.context.as_ref()?;
        let (samples, steps, classes) = (finished.samples.clone(), finished.steps, context.ann.classes);
        let readout = finished.readout.clone();
        let part = Recording { steps, samples: samples.len(), classes, layers: Vec::new(), readout };
        let ann = AnnRun {
            samples: samples.len(),
            classes,
            logits: context.ann.logits.get(samples.start * classes..samples.end * classes)?.to_vec(),
            pre_activations: Vec::new(),
        };
        // The estimate of the delay needs the whole run; until then the sum is used.
        let rule = match context.readout {
            Readout::Delayed(None) => Readout::Sum,
            other => other,
        };
        let labels = context.labels.get(samples.clone()).unwrap_or_default();
        // Outputs that are not classes are compared after the run.
        let points = match context.classes {
            true => accuracy_curve(&Predictions::decode(&part, rule, 0), steps, &ann, labels),
            false => Vec::new(),
        };
        let mismatch = finished.counts.iter().zip(&context.spiking.layers).zip(&context.ann.pre_activations);
        let mismatch = mismatch.map(|((counts, layer), z)| {
            let z = z.get(samples.start * layer.neurons()..)?;
            Some(mean_mismatch(layer, counts.as_ref()?, z, steps))
        });
        let mismatch = mismatch.collect();
        self.partial.add_curve(points, samples.len());
        self.partial.add_mismatch(mismatch);
        Some(&self.partial)
    }
}

impl PartialResults {
    fn add_curve(&mut self, points: Vec<CurvePoint>, samples: usize) {
        let (old, new) = (self.samples as f64, samples as f64);
        self.samples += samples;
        if self.curve.len() != points.len() {
            self.curve = points;
            return;
        }
        let mean = |a: f64, b: f64| (a * old + b * new) / (old + new);
        for (all, part) in self.curve.iter_mut().zip(points) {
            all.accuracy = all.accuracy.zip(part.accuracy).map(|(a, b)| mean(a, b));
            all.agreement = mean(all.agreement, part.agreement);
        }
    }

    fn add_mismatch(&mut self, of_sample: Vec<Option<f64>>) {
        let count = self.mismatch_samples as f64;
        self.mismatch_samples += 1;
        if self.mismatch.len() != of_sample.len() {
            self.mismatch = of_sample;
            return;
        }
        for (all, one) in self.mismatch.iter_mut().zip(of_sample) {
            *all = all.zip(one).map(|(all, one)| (all * count + one) / (count + 1.0));
        }
    }
}

/// Context of a running simulation: the values that its samples are compared with.
#[derive(Clone, Debug)]
pub struct PartialContext {
    pub spiking: Arc<SpikingNetwork>,
    pub ann: Arc<AnnRun>,
    /// One label per sample, or empty.
    pub labels: Arc<Vec<u16>>,
    /// Whether the outputs are classes.
    pub classes: bool,
    pub readout: Readout,
}
