//! Accuracy over ε of both networks, under noise and under an attack, on the first samples of a run.

use super::asked::AttackView;
use super::subject::{AttackSubject, Attacked};
use crate::Result;
use crate::attack::{AttackKind, Given, attack};
use crate::experiment::run::Run;
use crate::progress::JobControl;

/// Samples that are measured.
const SAMPLES: usize = 32;
/// The radii, in 255ths.
const RADII: [f32; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// Accuracy of ANN and SNN at each ε.
#[derive(Clone, Debug, PartialEq)]
pub struct RobustnessCurve {
    of: AttackView,
    /// Samples measured.
    pub samples: usize,
    /// Pixel units, ascending, from 0 on.
    pub eps: Vec<f32>,
    /// `[ANN, SNN][ε]`
    pub noise: [Vec<f64>; 2],
    pub attack: [Vec<f64>; 2],
    /// Under Square with 100 queries, which reads no gradients.
    pub square: [Vec<f64>; 2],
    /// The spiking network under the attack when it answers after fewer steps: T, and accuracy at each ε.
    pub after: Vec<(usize, Vec<f64>)>,
}

impl RobustnessCurve {
    /// Whether this is the curve of `of`: the same attack, at whatever ε.
    pub fn is_of(&self, of: &AttackView) -> bool {
        (self.of.kind, self.of.steps, self.of.rule) == (of.kind, of.steps, of.rule)
    }

    /// Measures the curve of `of` on `run`.
    ///
    /// # Errors
    /// As [`AttackSubject::of_run`] and [`attack`].
    pub fn measure(run: &Run, of: AttackView, control: &JobControl) -> Result<Self> {
        let samples = run.ann.samples.min(SAMPLES);
        let eps: Vec<f32> = std::iter::once(0.0).chain(RADII.map(|radius| radius / 255.0)).collect();
        let mut curves: [[Vec<f64>; 2]; 3] = Default::default();
        let mut after = Vec::new();
        for (network, on) in [Attacked::Ann, Attacked::Snn].into_iter().enumerate() {
            let subject = AttackSubject::of_run(run, on, 0..samples)?;
            let images = subject.images();
            for (curve, kind) in curves.iter_mut().zip([AttackKind::Uniform, of.kind, AttackKind::Square]) {
                for &radius in &eps {
                    let options = AttackView { kind, ..of }.attack(radius);
                    let robust = subject.with_target(of.rule, |target| {
                        let outcome = attack(&options, &images, Given::default(), target, control)?;
                        Ok(outcome.robust_accuracy())
                    })?;
                    curve[network].push(robust);
                }
            }
            if on == Attacked::Snn {
                for steps in fewer_steps(run.steps()) {
                    let at = eps.iter().map(|&radius| {
                        subject.with_target_after(steps, of.rule, |target| {
                            let outcome = attack(&of.attack(radius), &images, Given::default(), target, control)?;
                            Ok(outcome.robust_accuracy())
                        })
                    });
                    after.push((steps, at.collect::<Result<Vec<f64>>>()?));
                }
            }
        }
        after.push((run.steps(), curves[1][1].clone()));
        let [noise, attack, square] = curves;
        Ok(Self { of, samples, eps, noise, attack, square, after })
    }

    /// Whether the gradients of a network seem masked: Square, which reads none, finds more than the attack that does, by
    /// at least two samples at some ε.
    pub fn is_masked(&self, network: usize) -> bool {
        let least = 1.5 / self.samples.max(1) as f64;
        self.of.kind.needs_gradient()
            && self.square[network].iter().zip(&self.attack[network]).any(|(square, attack)| square + least < *attack)
    }
}

/// Powers of two below `steps`, the four largest.
fn fewer_steps(steps: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..usize::BITS).map(|k| 1 << k).take_while(|&t| t < steps).collect();
    all.split_off(all.len().saturating_sub(4))
}
