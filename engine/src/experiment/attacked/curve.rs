//! Accuracy over ε of both networks, under noise and under an attack, on the first samples of a run.

use super::asked::AttackView;
use super::subject::{AttackSubject, Attacked};
use crate::Result;
use crate::attack::{AttackKind, Given, GradientRule, Outcome, attack};
use crate::experiment::run::Run;
use crate::progress::JobControl;

/// Samples that are measured.
const SAMPLES: usize = 32;
/// The radii, in 255ths; of event recordings in 64ths of a count.
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
    /// The spiking network if a sample is robust only if the attack fails by every gradient rule; empty where none is read.
    pub worst: Vec<f64>,
    /// The spiking network under the attack by a single rule: the chosen one, of *worst* the strongest at each ε.
    pub single: Vec<f64>,
    /// The spiking network under the attack when it answers after fewer steps: T, and accuracy at each ε.
    pub after: Vec<(usize, Vec<f64>)>,
}

impl RobustnessCurve {
    /// Whether this is the curve of `of`: the same attack, at whatever ε.
    pub fn is_of(&self, of: &AttackView) -> bool {
        (self.of.kind, self.of.steps, self.of.rule, self.of.worst) == (of.kind, of.steps, of.rule, of.worst)
    }

    /// Measures the curve of `of` on `run`.
    ///
    /// # Errors
    /// As [`AttackSubject::of_run`] and [`attack`].
    pub fn measure(run: &Run, of: AttackView, control: &JobControl) -> Result<Self> {
        let samples = run.ann.samples.min(SAMPLES);
        let unit = if run.samples.frames.is_some() { 64.0 } else { 255.0 };
        let eps: Vec<f32> = std::iter::once(0.0).chain(RADII.map(|radius| radius / unit)).collect();
        let subject = |on| AttackSubject::of_run(run, on, 0..samples);
        let (ann, snn) = (subject(Attacked::Ann)?, subject(Attacked::Snn)?);
        let steps = run.steps();
        let rule = of.rules(&snn).first().copied().unwrap_or(of.rule);
        let under = |kind: AttackKind, subject: &AttackSubject| -> Result<Vec<f64>> {
            let one = Measured { subject, of: AttackView { kind, ..of }, steps, control };
            eps.iter().map(|&radius| one.by(rule, radius).map(|found| found.robust_accuracy())).collect()
        };
        let both = |kind: AttackKind| Ok([under(kind, &ann)?, under(kind, &snn)?]);
        let [noise, square] = [both(AttackKind::Uniform)?, both(AttackKind::Square)?];
        let of_ann = under(of.kind, &ann)?;
        let (attack_of, worst, single) = if of.kind.needs_gradient() {
            let (rules, one) = (of.every_rule(&snn), Measured { subject: &snn, of, steps, control });
            let found = eps.iter().map(|&radius| one.by_all(&rules, radius)).collect::<Result<Vec<Joint>>>()?;
            let each = |figure: fn(&Joint) -> f64| found.iter().map(figure).collect::<Vec<f64>>();
            let worst = each(|found| found.all);
            match of.worst {
                true => (worst.clone(), worst, each(|found| found.strongest)),
                false => (each(|found| found.first), worst, each(|found| found.first)),
            }
        } else {
            let found = under(of.kind, &snn)?;
            (found.clone(), Vec::new(), found)
        };
        let attack = [of_ann, attack_of];
        let rules = of.rules(&snn);
        let mut after = Vec::new();
        for steps in fewer_steps(steps) {
            let one = Measured { subject: &snn, of, steps, control };
            let at = eps.iter().map(|&radius| one.by_all(&rules, radius).map(|found| found.all));
            after.push((steps, at.collect::<Result<Vec<f64>>>()?));
        }
        after.push((steps, attack[1].clone()));
        Ok(Self { of, samples, eps, noise, attack, square, worst, single, after })
    }

    /// Whether Square, which reads no gradients, finds more on a network than the attack by one gradient, by at least two
    /// samples at some ε.
    pub fn square_finds_more(&self, network: usize) -> bool {
        let white_box = [&self.attack[0], &self.single][network];
        self.of.kind.needs_gradient() && self.falls_below(&self.square[network], white_box)
    }

    /// Whether all gradient rules together find more on the spiking network than a single one, by at least two samples at
    /// some ε.
    pub fn rules_find_more(&self) -> bool {
        self.falls_below(&self.worst, &self.single)
    }

    fn falls_below(&self, lower: &[f64], white_box: &[f64]) -> bool {
        let least = 1.5 / self.samples.max(1) as f64;
        lower.iter().zip(white_box).any(|(lower, white_box)| lower + least < *white_box)
    }
}

/// A network whose robust accuracy is measured after `steps` steps.
struct Measured<'a> {
    subject: &'a AttackSubject,
    of: AttackView,
    steps: usize,
    control: &'a JobControl,
}

impl Measured<'_> {
    /// What the attack by one rule finds at `radius`.
    fn by(&self, rule: GradientRule, radius: f32) -> Result<Outcome> {
        let (options, images) = (self.of.attack(radius), self.subject.images());
        self.subject.with_target_after(self.steps, rule, |target| {
            attack(&options, &images, Given::default(), target, self.control)
        })
    }

    /// What the attack finds by `rules`, one after the other.
    fn by_all(&self, rules: &[GradientRule], radius: f32) -> Result<Joint> {
        let mut joined = None::<Outcome>;
        let (mut first, mut strongest) = (None, 1.0f64);
        for rule in rules {
            let found = self.by(*rule, radius)?;
            let robust = found.robust_accuracy();
            first.get_or_insert(robust);
            strongest = strongest.min(robust);
            match &mut joined {
                Some(joined) => joined.join(&found),
                None => joined = Some(found),
            }
            // Nothing is left for further rules, or nothing moves.
            if strongest == 0.0 || radius == 0.0 {
                break;
            }
        }
        let all = joined.map_or(strongest, |joined| joined.robust_accuracy());
        Ok(Joint { all, strongest, first: first.unwrap_or(strongest) })
    }
}

/// Robust accuracy under an attack by several gradient rules.
struct Joint {
    /// A sample is robust only if the attack fails by every rule.
    all: f64,
    /// By the strongest rule alone, and by the first.
    strongest: f64,
    first: f64,
}

/// Powers of two below `steps`, the four largest.
fn fewer_steps(steps: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..usize::BITS).map(|k| 1 << k).take_while(|&t| t < steps).collect();
    all.split_off(all.len().saturating_sub(4))
}
