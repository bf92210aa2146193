//! APGD on the cross entropy: momentum, and steps that are halved where the loss stops rising.
//!
//! Croce & Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks", ICML
//! 2020, algorithm 1; in the form of torchattacks 3.5.1 (one restart, ρ = 0.75), which counts the first rise against a
//! loss of 0.

use super::images::Images;
use super::norm::{Norm, distance, length, sign};
use super::options::Attack;
use super::target::{Slopes, Target};
use crate::Result;
use crate::compute::cross_entropy::cross_entropy;
use crate::network::predicted_class;
use crate::progress::JobControl;

/// Share of the new direction in a step; the rest is the last move.
const FRESH: f32 = 0.75;
/// Share of rises below which steps are halved.
const RHO: f32 = 0.75;

/// Where APGD went.
#[derive(Clone, Debug, PartialEq)]
pub struct Apgd {
    /// Whether an iterate fooled the network, per sample.
    pub fooled: Vec<bool>,
    /// The last iterate that fooled it; the image itself where none did.
    pub adversarial: Vec<f32>,
    /// The iterate of highest loss.
    pub best: Vec<f32>,
    pub best_loss: Vec<f32>,
}

/// What is known of one sample.
struct Track {
    step: f32,
    best_loss: f32,
    fooled: bool,
    /// Best loss at the last check, and whether the step was halved there.
    checked_loss: f32,
    halved: bool,
    /// Loss of every iteration.
    losses: Vec<f32>,
}

/// Runs APGD from `start` `[N, F]` on images that are answered right.
///
/// # Errors
/// Those of the target.
pub fn apgd(
    attack: &Attack,
    images: &Images<'_>,
    target: &dyn Target,
    start: Vec<f32>,
    control: &JobControl,
) -> Result<Apgd> {
    let (width, steps, norm, eps) = (images.width, attack.steps, attack.norm, attack.eps);
    let limit = images.form.limit();
    let classes = target.classes().max(1);
    let share = |share: f64| ((share * steps as f64) as usize).max(1);
    let (mut interval, shortest, shorter) = (share(0.22), share(0.06), share(0.03));
    let mut current = start;
    let mut previous = current.clone();
    let Slopes { mut gradient, logits } = target.direction(&current, images.labels, control)?;
    let mut best = current.clone();
    let mut best_gradient = gradient.clone();
    let mut found = images.pixels.to_vec();
    let of_row = |logits: &[f32], k: usize| {
        let (row, label) = (&logits[k * classes..][..classes], usize::from(images.labels[k]));
        (cross_entropy(row, label), predicted_class(row) != label)
    };
    let mut tracks: Vec<Track> = (0..images.labels.len())
        .map(|k| {
            let (loss, fooled) = of_row(&logits, k);
            if fooled {
                copy_row(&current, &mut found, k, width);
            }
            let losses = vec![0.0; steps];
            Track { step: 2.0 * eps, best_loss: loss, fooled, checked_loss: loss, halved: true, losses }
        })
        .collect();
    let mut since = 0;
    for i in 0..steps {
        let fresh = if i == 0 { 1.0 } else { FRESH };
        for (k, track) in tracks.iter().enumerate() {
            let row = k * width..(k + 1) * width;
            let (x, g) = (&images.pixels[row.clone()], &gradient[row.clone()]);
            let (now, before) = (&mut current[row.clone()], &mut previous[row]);
            let moves: Vec<f32> = now.iter().zip(&*before).map(|(now, before)| now - before).collect();
            before.copy_from_slice(now);
            let by = length(g) + 1e-12;
            let direction = |g: f32| if norm == Norm::L2 { g / by } else { sign(g) };
            let mut z: Vec<f32> = now.iter().zip(g).map(|(now, g)| now + track.step * direction(*g)).collect();
            into_ball(norm, &mut z, x, (eps, 0.0), limit);
            for ((now, z), moved) in now.iter_mut().zip(z).zip(moves) {
                *now = *now + (z - *now) * fresh + moved * (1.0 - fresh);
            }
            into_ball(norm, now, x, (eps, 1e-12), limit);
        }
        let at = target.direction(&current, images.labels, control)?;
        gradient = at.gradient;
        since += 1;
        for (k, track) in tracks.iter_mut().enumerate() {
            let (loss, fooled) = of_row(&at.logits, k);
            if fooled {
                track.fooled = true;
                copy_row(&current, &mut found, k, width);
            }
            track.losses[i] = loss;
            if loss > track.best_loss {
                track.best_loss = loss;
                copy_row(&current, &mut best, k, width);
                copy_row(&gradient, &mut best_gradient, k, width);
            }
            if since == interval && track.halves(i, interval) {
                track.step /= 2.0;
                copy_row(&best, &mut current, k, width);
                copy_row(&best_gradient, &mut gradient, k, width);
            }
        }
        if since == interval {
            (since, interval) = (0, interval.saturating_sub(shorter).max(shortest));
        }
    }
    let fooled = tracks.iter().map(|track| track.fooled).collect();
    Ok(Apgd { fooled, adversarial: found, best, best_loss: tracks.iter().map(|track| track.best_loss).collect() })
}

impl Track {
    /// Whether the step is halved at the check after iteration `i`, `interval` iterations after the last one.
    fn halves(&mut self, i: usize, interval: usize) -> bool {
        let steps = self.losses.len();
        // Before iteration 0 the last row of the table is read, which is still 0.
        let loss = |at: usize| self.losses[(at + steps) % steps];
        let rises = (0..interval).filter(|j| loss(i + steps - j) > loss(i + steps - j - 1)).count();
        let stalls = !self.halved && self.checked_loss >= self.best_loss;
        self.halved = rises as f32 <= interval as f32 * RHO || stalls;
        self.checked_loss = self.best_loss;
        self.halved
    }
}

/// Moves `v` into the ball around `x` and into [0, `limit`]; `tiny` is added to the length before it is compared.
fn into_ball(norm: Norm, v: &mut [f32], x: &[f32], (eps, tiny): (f32, f32), limit: f32) {
    match norm {
        Norm::Linf => v.iter_mut().zip(x).for_each(|(v, x)| *v = v.max(x - eps).min(x + eps).clamp(0.0, limit)),
        Norm::L2 => {
            let far = distance(v, x);
            let radius = eps.min(far + tiny);
            v.iter_mut().zip(x).for_each(|(v, x)| *v = (x + (*v - x) / (far + 1e-12) * radius).clamp(0.0, limit));
        }
    }
}

fn copy_row(from: &[f32], to: &mut [f32], k: usize, width: usize) {
    to[k * width..(k + 1) * width].copy_from_slice(&from[k * width..(k + 1) * width]);
}
