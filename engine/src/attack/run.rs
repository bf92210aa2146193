//! Runs an attack on images: in blocks of samples, with restarts for those that are not fooled.

use super::apgd::apgd;
use super::images::{Given, Images};
use super::noise;
use super::norm::{distance, largest_change, project};
use super::options::{Attack, AttackKind};
use super::outcome::{Outcome, SampleOutcome};
use super::square::{RandomWindows, square};
use super::steps::steps;
use super::target::Target;
use crate::compute::cross_entropy::cross_entropy;
use crate::network::predicted_class;
use crate::progress::JobControl;
use crate::{Error, Result};

/// Samples attacked together. Results of a block are complete before the next one starts; the number never depends on
/// the machine.
const BLOCK: usize = 64;

/// Attacks `target` on `images`. After cancelling, the outcome has the samples of finished blocks.
///
/// # Errors
/// [`Error::Invalid`] for numbers out of range or wrong sizes, [`Error::Cancelled`] before the first block is finished,
/// and those of the target.
pub fn attack(
    attack: &Attack,
    images: &Images<'_>,
    given: Given<'_>,
    target: &dyn Target,
    control: &JobControl,
) -> Result<Outcome> {
    attack.validate(images.form.range())?;
    let count = images.labels.len();
    if images.width == 0 || images.pixels.len() != count * images.width {
        return Err(Error::Internal("images and labels differ in number".into()));
    }
    if given.goal.is_some() {
        attack.kind.check_goal()?;
    }
    let mut outcome = Outcome { samples: Vec::with_capacity(count), ..Outcome::default() };
    let quiet = control.without_events();
    let clean = logits(target, images.pixels, &quiet)?;
    let classes = target.classes().max(1);
    let right: Vec<usize> = (0..count)
        .filter(|&k| predicted_class(&clean[k * classes..][..classes]) == usize::from(images.labels[k]))
        .collect();
    let starts = starts(attack, images, given.start, &right)?;
    for from in (0..count).step_by(BLOCK) {
        let to = (from + BLOCK).min(count);
        control.progress("attacking", from as f32 / count as f32);
        let block = images.block(from, to);
        let start = starts.as_deref().map(|start| &start[from * images.width..to * images.width]);
        let part = Given { start, goal: given.goal.map(|goal| &goal[from..to]) };
        match run_block(attack, &block, part, &clean[from * classes..to * classes], target, &quiet) {
            Ok(found) => outcome.extend(found),
            Err(Error::Cancelled) if !outcome.samples.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(outcome)
}

fn logits(target: &dyn Target, pixels: &[f32], control: &JobControl) -> Result<Vec<f32>> {
    if pixels.is_empty() { Ok(Vec::new()) } else { target.logits(pixels, control) }
}

/// Starting images of all samples. Those of an attack on right samples may be given for these alone.
fn starts(attack: &Attack, images: &Images<'_>, given: Option<&[f32]>, right: &[usize]) -> Result<Option<Vec<f32>>> {
    let Some(given) = given else { return Ok(None) };
    let (width, count) = (images.width, images.labels.len());
    if !attack.kind.needs_gradient() {
        return Err(Error::Invalid(format!(
            "Cannot start {} from given images: it draws its own. Use fgsm, rfgsm, pgd or apgd.",
            attack.kind.as_str()
        )));
    }
    if given.len() == count * width {
        return Ok(Some(given.to_vec()));
    }
    if attack.kind.attacks_right_only() && given.len() == right.len() * width {
        let mut all = images.pixels.to_vec();
        for (k, start) in right.iter().zip(given.chunks_exact(width)) {
            all[k * width..(k + 1) * width].copy_from_slice(start);
        }
        return Ok(Some(all));
    }
    let rows = given.len() / width;
    Err(Error::Invalid(format!(
        "Cannot start from {rows} images: the run has {count} samples, {} of them answered right. Give one image each.",
        right.len()
    )))
}

/// Attacks the samples of one block.
fn run_block(
    attack: &Attack,
    images: &Images<'_>,
    given: Given<'_>,
    clean: &[f32],
    target: &dyn Target,
    control: &JobControl,
) -> Result<Outcome> {
    let (width, count, classes) = (images.width, images.labels.len(), target.classes().max(1));
    let answer = |logits: &[f32], k: usize| predicted_class(&logits[k * classes..][..classes]);
    let label = |k: usize| usize::from(images.labels[k]);
    let mut adversarial = images.pixels.to_vec();
    // The logits of `adversarial`.
    let mut after = clean.to_vec();
    let mut queries = vec![0u32; count];
    let mut loss = vec![f32::NEG_INFINITY; count];
    let mut open: Vec<usize> =
        (0..count).filter(|&k| !attack.kind.attacks_right_only() || answer(clean, k) == label(k)).collect();
    let restarts = if attack.kind.is_random() { attack.restarts } else { 1 };
    for restart in 0..restarts {
        if open.is_empty() {
            break;
        }
        let found = attempt(attack, images, given, &open, restart, target, control)?;
        let logits = logits(target, &found.pixels, control)?;
        let mut left = Vec::new();
        for (row, &k) in open.iter().enumerate() {
            queries[k] += found.queries[row];
            let fooled = answer(&logits, row) != label(k);
            let height = cross_entropy(&logits[row * classes..][..classes], label(k));
            // APGD and Square return what fools, or the image as it was.
            let is_higher = !attack.kind.attacks_right_only() && (height > loss[k] || restart == 0);
            if fooled || is_higher {
                loss[k] = height;
                adversarial[k * width..(k + 1) * width].copy_from_slice(&found.pixels[row * width..(row + 1) * width]);
                after[k * classes..(k + 1) * classes].copy_from_slice(&logits[row * classes..(row + 1) * classes]);
            }
            if !fooled {
                left.push(k);
            }
        }
        open = left;
    }
    let rows = |values: &[f32], k: usize| values[k * width..(k + 1) * width].to_vec();
    let beside: Vec<f32> = (0..count)
        .flat_map(|k| {
            let (x, a) = (rows(images.pixels, k), rows(&adversarial, k));
            noise::shuffled(attack.seed, images.first + k, &x, &a, images.form.limit())
        })
        .collect();
    let beside = match attack.kind {
        AttackKind::None => clean.to_vec(),
        _ => logits(target, &beside, control)?,
    };
    let sample = |k: usize| {
        let (a, x) = (&adversarial[k * width..(k + 1) * width], &images.pixels[k * width..(k + 1) * width]);
        SampleOutcome {
            label: images.labels[k],
            before: answer(clean, k),
            after: answer(&after, k),
            beside: answer(&beside, k),
            linf: largest_change(a, x),
            l2: distance(a, x),
            queries: queries[k],
        }
    };
    Ok(Outcome { samples: (0..count).map(sample).collect(), adversarial, logits: after })
}

/// What one restart found for some samples.
struct Attempt {
    pixels: Vec<f32>,
    queries: Vec<u32>,
}

/// One restart on the samples `open` of the block.
fn attempt(
    attack: &Attack,
    images: &Images<'_>,
    given: Given<'_>,
    open: &[usize],
    restart: usize,
    target: &dyn Target,
    control: &JobControl,
) -> Result<Attempt> {
    let width = images.width;
    let gather = |values: &[f32]| open.iter().flat_map(|&k| &values[k * width..(k + 1) * width]).copied().collect();
    let pixels: Vec<f32> = gather(images.pixels);
    let labels: Vec<u16> = open.iter().map(|&k| images.labels[k]).collect();
    let goal: Option<Vec<u16>> = given.goal.map(|goal| open.iter().map(|&k| goal[k]).collect());
    let samples: Vec<usize> = open.iter().map(|&k| images.first + k).collect();
    let own = Images { pixels: &pixels, labels: &labels, ..*images };
    let mut start: Vec<f32> = match given.start.filter(|_| restart == 0) {
        Some(start) => gather(start),
        None => {
            let mut start = pixels.clone();
            let rows = start.chunks_exact_mut(width).zip(&samples);
            rows.for_each(|(row, &sample)| noise::start(attack, sample, restart, row, images.form.limit()));
            start
        }
    };
    let evaluations = |count: usize| vec![count as u32; open.len()];
    Ok(match attack.kind {
        AttackKind::None => Attempt { pixels: start, queries: evaluations(0) },
        AttackKind::Uniform | AttackKind::Gaussian => Attempt { pixels: start, queries: evaluations(1) },
        AttackKind::Fgsm | AttackKind::Rfgsm | AttackKind::Pgd => {
            steps(attack, &own, goal.as_deref(), target, &mut start, control)?;
            let count = if attack.kind == AttackKind::Fgsm { 1 } else { attack.steps };
            Attempt { pixels: start, queries: evaluations(count) }
        }
        AttackKind::Apgd => {
            // A start is an answer of its own where it fools; the other attacks move before they answer.
            let rows = start.chunks_exact_mut(width).zip(pixels.chunks_exact(width));
            rows.for_each(|(start, x)| project(attack.norm, start, x, attack.eps, images.form.limit()));
            let found = apgd(attack, &own, target, start, control)?;
            Attempt { pixels: found.adversarial, queries: evaluations(attack.steps + 1) }
        }
        AttackKind::Square => {
            let windows = RandomWindows { attack, form: images.form, samples: &samples, restart };
            let mut found = square(attack, &own, target, &windows, control)?;
            // A sample that was not fooled returns as it is.
            let each = found.best.chunks_exact_mut(width).zip(pixels.chunks_exact(width)).zip(&found.margin);
            each.filter(|(_, margin)| **margin > 0.0).for_each(|((best, x), _)| best.copy_from_slice(x));
            Attempt { pixels: found.best, queries: found.queries }
        }
    })
}
