//! One sample under attack, as the *Robustness* pane shows it: both networks, perturbations, gradients, changed layers.

use std::sync::Arc;

use super::asked::AttackView;
use super::curve::RobustnessCurve;
use super::subject::{AttackSubject, Attacked};
use crate::attack::vulnerability::{LINEAR, SampleVulnerability, per_sample};
use crate::attack::{Given, GradientRule, ImageForm, Outcome, attack};
use crate::experiment::run::Run;
use crate::progress::JobControl;
use crate::simulate::{SimulationPlan, simulate};
use crate::task::classification::probabilities;
use crate::{Error, Result};

/// One network under attack.
#[derive(Clone, Debug, PartialEq)]
pub struct AttackedSide {
    /// Where channels, rows and columns are, and the image, `[F]`, values in [0, 1]. Of event recordings counts: the mean
    /// over time for the ANN, for the spiking network `frames` frames, whose channels follow each other in `form`.
    pub form: ImageForm,
    pub frames: usize,
    pub image: Vec<f32>,
    /// The attacked image.
    pub adversarial: Vec<f32>,
    /// Of event recordings, whether all counts are whole numbers under attack.
    pub whole_counts: Option<bool>,
    /// Probability of each class before and after.
    pub before: Vec<f64>,
    pub after: Vec<f64>,
    /// Answers for the image, the adversarial image, and a random perturbation of equal size.
    pub answers: [usize; 3],
    pub linf: f32,
    pub l2: f32,
    /// The rules by which it was attacked, with whether each fools it; none for the ANN.
    pub rules: Vec<(GradientRule, bool)>,
    /// By which rule and with what radius gradient and ratio were measured.
    probe: (GradientRule, f32),
    /// Gradient of the two-class probability, `[F]`: pixels with a gradient, ‖∇‖₁ and ‖∇‖₂.
    pub gradient: Vec<f32>,
    pub l0: usize,
    pub l1: f64,
    pub gradient_l2: f64,
    /// Malice over chance: the measured ratio, between 3 and 3·`l0` where f is linear.
    pub ratio: Option<f64>,
}

/// The sample in focus under attack.
#[derive(Clone, Debug, PartialEq)]
pub struct RobustnessView {
    pub of: AttackView,
    /// The sample, counted within the run.
    pub sample: usize,
    pub label: usize,
    /// Whether the label is the data's; otherwise it is the ANN's answer.
    pub labeled: bool,
    pub ann: AttackedSide,
    pub snn: AttackedSide,
    /// Share of the neurons of each spiking layer whose spike count the attack changes.
    pub changed: Vec<f64>,
    /// Accuracy over ε, once it was asked for.
    pub curve: Option<Arc<RobustnessCurve>>,
}

impl RobustnessView {
    /// Attacks sample `sample` of `run`; `known` is an earlier view of the same run, whose curve is kept if it is the same.
    ///
    /// # Errors
    /// As [`AttackSubject::of_run`] and [`attack`].
    pub fn compute(
        run: &Run,
        sample: usize,
        of: AttackView,
        known: Option<&Self>,
        control: &JobControl,
    ) -> Result<Self> {
        let subject = |on| AttackSubject::of_run(run, on, sample..sample + 1);
        let (ann, snn) = (subject(Attacked::Ann)?, subject(Attacked::Snn)?);
        let same = known.filter(|known| known.sample == sample);
        let side = |subject: &AttackSubject, known: Option<&AttackedSide>| side(subject, &of, known, control);
        let (ann_side, snn_side) =
            rayon::join(|| side(&ann, same.map(|known| &known.ann)), || side(&snn, same.map(|known| &known.snn)));
        let (ann_side, snn_side) = (ann_side?, snn_side?);
        let changed = changed_layers(run, &snn, &snn_side.adversarial, control)?;
        let curve = known.and_then(|known| known.curve.clone()).filter(|curve| curve.is_of(&of));
        let curve = match curve {
            None if of.curve => Some(Arc::new(RobustnessCurve::measure(run, of, control)?)),
            known => known,
        };
        Ok(Self {
            of,
            sample,
            label: usize::from(ann.labels[0]),
            labeled: !run.labels.is_empty(),
            ann: ann_side,
            snn: snn_side,
            changed,
            curve,
        })
    }

    /// Whether the samples are event recordings, with counts in place of pixels.
    pub fn has_counts(&self) -> bool {
        self.snn.whole_counts.is_some()
    }
}

/// Attacks one network. `known` is an earlier view of the same sample: what does not depend on the attack's ε is kept.
fn side(
    subject: &AttackSubject,
    of: &AttackView,
    known: Option<&AttackedSide>,
    control: &JobControl,
) -> Result<AttackedSide> {
    let options = of.attack(of.eps);
    let images = subject.images();
    let is_spiking = subject.spiking.is_some();
    let rules = if is_spiking { of.rules(subject) } else { vec![of.rule] };
    // The outcome of the first rule that fools, else of the first.
    let mut found: Option<(GradientRule, Outcome)> = None;
    let mut fooled = Vec::with_capacity(rules.len());
    for rule in rules {
        let run = |target: &dyn crate::attack::Target| attack(&options, &images, Given::default(), target, control);
        let outcome = subject.with_target(rule, run)?;
        let is_fooled = outcome.samples[0].is_fooled();
        let is_first = !fooled.iter().any(|(_, fooled)| *fooled) && is_fooled;
        fooled.push((rule, is_fooled));
        if found.is_none() || is_first {
            found = Some((rule, outcome));
        }
    }
    let Some((rule, outcome)) = found else { return Err(Error::Internal("an attack without a rule".into())) };
    let probe = (rule, options.eps.min(LINEAR));
    let is_same = |known: &&AttackedSide| known.probe.1 == probe.1 && (!is_spiking || known.probe.0 == rule);
    subject.with_target(rule, |target| {
        let sample = outcome.samples[0];
        let measured = match known.filter(is_same) {
            Some(known) => Measured::of(known),
            None => Measured::new(&per_sample(target, &images, probe.1, options.seed, control)?[0]),
        };
        let before = match known {
            Some(known) => known.before.clone(),
            None => probabilities(&target.logits(images.pixels, control)?, 1),
        };
        let whole = || outcome.adversarial.iter().all(|count| count.fract() == 0.0);
        Ok(AttackedSide {
            form: subject.pixels.form(),
            frames: subject.pixels.frames(),
            image: subject.images.clone(),
            whole_counts: subject.pixels.has_counts().then(whole),
            before,
            after: probabilities(&outcome.logits, 1),
            adversarial: outcome.adversarial,
            answers: [sample.before, sample.after, sample.beside],
            linf: sample.linf,
            l2: sample.l2,
            rules: if is_spiking { fooled } else { Vec::new() },
            probe,
            l0: measured.l0,
            l1: measured.l1,
            gradient_l2: measured.l2,
            ratio: measured.ratio,
            gradient: measured.gradient,
        })
    })
}

/// Gradient and ratio, measured now or kept.
struct Measured {
    gradient: Vec<f32>,
    l0: usize,
    l1: f64,
    l2: f64,
    ratio: Option<f64>,
}

impl Measured {
    fn new(of: &SampleVulnerability) -> Self {
        Self { gradient: of.gradient(), l0: of.l0(), l1: of.l1(), l2: of.l2(), ratio: of.ratio() }
    }

    fn of(side: &AttackedSide) -> Self {
        let AttackedSide { gradient, l0, l1, gradient_l2, ratio, .. } = side;
        Self { gradient: gradient.clone(), l0: *l0, l1: *l1, l2: *gradient_l2, ratio: *ratio }
    }
}

/// Share of the neurons of each spiking layer whose count differs between the image and `adversarial`.
fn changed_layers(run: &Run, subject: &AttackSubject, adversarial: &[f32], control: &JobControl) -> Result<Vec<f64>> {
    let both = [subject.images.as_slice(), adversarial].concat();
    let input = subject.pixels.scaled(&both);
    let plan = SimulationPlan {
        program: &run.network.program,
        spiking: &run.spiking,
        input: &input,
        samples: 2,
        steps: run.steps(),
        previous: None,
        unchanged_layers: 0,
    };
    let recording = simulate(&plan, &control.without_events().without_samples())?;
    let layers = run.spiking.layers.iter().zip(&recording.layers).map(|(layer, record)| {
        let counts = [0, 1].map(|sample| {
            let mut counts = vec![0u32; layer.neurons()];
            record.spikes.add_counts(recording.steps, sample, &mut counts);
            counts
        });
        let changed = counts[0].iter().zip(&counts[1]).filter(|(a, b)| a != b).count();
        changed as f64 / layer.neurons().max(1) as f64
    });
    Ok(layers.collect())
}
