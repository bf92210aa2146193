//! Square: random windows that are kept where they bring the label's score closer to the others; no gradients.
//!
//! Andriushchenko et al., "Square Attack: a query-efficient black-box adversarial attack via random search", ECCV 2020,
//! algorithms 1 and 2. Each sample has windows of its own, in any place of the image.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::draws::{Purpose, random_sign, stream};
use super::form::ImageForm;
use super::images::Images;
use super::norm::{Norm, project};
use super::options::Attack;
use super::square_l2;
use super::target::Target;
use crate::Result;
use crate::progress::JobControl;

/// Share of the pixels that the first windows change: torchattacks for ℓ∞, the paper for ℓ₂.
const FIRST_SHARE: [f64; 2] = [0.8, 0.1];

/// Where windows and signs come from.
pub trait Windows: Sync {
    /// The first image of sample `k` of `images`, in the ball.
    fn first(&self, k: usize, x: &[f32]) -> Vec<f32>;
    /// Another image than `best` for sample `k` at query `query`; windows have `side` pixels on a side.
    fn next(&self, k: usize, query: usize, side: usize, x: &[f32], best: &[f32]) -> Vec<f32>;
}

/// Where Square went.
#[derive(Clone, Debug, PartialEq)]
pub struct Square {
    /// The image of lowest margin.
    pub best: Vec<f32>,
    pub margin: Vec<f32>,
    /// Queries after the first image, per sample.
    pub queries: Vec<u32>,
}

/// Runs Square on images that are answered right; a sample is done once its margin is 0 or less.
///
/// # Errors
/// Those of the target.
pub fn square(
    attack: &Attack,
    images: &Images<'_>,
    target: &dyn Target,
    windows: &dyn Windows,
    control: &JobControl,
) -> Result<Square> {
    let (width, classes) = (images.width, target.classes().max(1));
    let rows = || images.pixels.chunks_exact(width).enumerate();
    let mut best: Vec<f32> = rows().flat_map(|(k, x)| windows.first(k, x)).collect();
    let margins = |pixels: &[f32], samples: &[usize]| -> Result<Vec<f32>> {
        let logits = target.logits(pixels, control)?;
        let each = logits.chunks_exact(classes).zip(samples);
        Ok(each.map(|(logits, &k)| margin(logits, usize::from(images.labels[k]))).collect())
    };
    let all: Vec<usize> = (0..images.labels.len()).collect();
    let mut lowest = margins(&best, &all)?;
    let mut queries = vec![0u32; all.len()];
    let mut live = all;
    let mut candidates = Vec::new();
    for query in 0..attack.queries {
        live.retain(|&k| lowest[k] > 0.0);
        if live.is_empty() {
            break;
        }
        control.check()?;
        let side = window_side(attack, query, images.form);
        candidates.clear();
        for &k in &live {
            let row = k * width..(k + 1) * width;
            candidates.extend(windows.next(k, query, side, &images.pixels[row.clone()], &best[row]));
        }
        let found = margins(&candidates, &live)?;
        for ((&k, candidate), margin) in live.iter().zip(candidates.chunks_exact(width)).zip(found) {
            queries[k] += 1;
            if margin < lowest[k] {
                lowest[k] = margin;
                best[k * width..(k + 1) * width].copy_from_slice(candidate);
            }
        }
    }
    Ok(Square { best, margin: lowest, queries })
}

/// Side of the windows at `query`, in pixels: halved areas as the queries pass, as the paper's schedule for 10000.
pub fn window_side(attack: &Attack, query: usize, form: ImageForm) -> usize {
    const HALVED_AFTER: [usize; 9] = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];
    let at = query as u64 * 10_000 / attack.queries.max(1) as u64;
    let halvings = HALVED_AFTER.iter().filter(|&&after| at > after as u64).count();
    let l2 = attack.norm == Norm::L2;
    let share = FIRST_SHARE[usize::from(l2)] / f64::from(1 << halvings);
    let side = (share * form.area() as f64).sqrt().round_ties_even() as usize;
    // The pyramids of ℓ₂ need a middle.
    if l2 { side.max(3) | 1 } else { side.max(1) }
}

/// How far the label's score lies above the largest other one; 0 or less: the sample is fooled, or tied.
fn margin(logits: &[f32], label: usize) -> f32 {
    if let [score] = logits {
        return if label == 1 { *score } else { -score };
    }
    let own = logits.get(label).copied().unwrap_or(f32::NAN);
    own - logits.iter().enumerate().filter(|(k, _)| *k != label).map(|(_, z)| *z).fold(f32::NEG_INFINITY, f32::max)
}

/// Windows drawn for each sample from its own stream.
pub struct RandomWindows<'a> {
    pub attack: &'a Attack,
    pub form: ImageForm,
    /// Index in the data set of every sample.
    pub samples: &'a [usize],
    pub restart: usize,
}

impl RandomWindows<'_> {
    /// The stream of a query; query 0 is the first image.
    fn stream(&self, k: usize, query: usize) -> ChaCha8Rng {
        let mut rng = stream(self.attack.seed, self.samples[k], self.restart, Purpose::Square);
        rng.set_word_pos((query as u128) << 20);
        rng
    }
}

impl Windows for RandomWindows<'_> {
    fn first(&self, k: usize, x: &[f32]) -> Vec<f32> {
        let (mut rng, form, eps) = (self.stream(k, 0), self.form, self.attack.eps);
        if self.attack.norm == Norm::L2 {
            return square_l2::first(&mut rng, form, x, eps);
        }
        let mut image = x.to_vec();
        for channel in 0..form.channels {
            for column in 0..form.width {
                let by = eps * random_sign(&mut rng);
                (0..form.height).for_each(|row| image[form.at(channel, row, column)] += by);
            }
        }
        project(Norm::Linf, &mut image, x, eps, form.limit());
        image
    }

    fn next(&self, k: usize, query: usize, side: usize, x: &[f32], best: &[f32]) -> Vec<f32> {
        let (mut rng, form, eps) = (self.stream(k, query + 1), self.form, self.attack.eps);
        if self.attack.norm == Norm::L2 {
            return square_l2::next(&mut rng, form, side, x, best, eps);
        }
        let (height, width) = (side.min(form.height), side.min(form.width));
        let top = rng.random_range(0..=form.height - height);
        let left = rng.random_range(0..=form.width - width);
        let signs: Vec<f32> = (0..form.channels).map(|_| random_sign(&mut rng)).collect();
        let mut image = best.to_vec();
        add_window(&mut image, form, [top, left, height, width], eps, &signs);
        project(Norm::Linf, &mut image, x, eps, form.limit());
        image
    }
}

/// Adds ±2ε to a window `[top, left, height, width]`, one sign per channel.
pub fn add_window(image: &mut [f32], form: ImageForm, window: [usize; 4], eps: f32, signs: &[f32]) {
    let [top, left, height, width] = window;
    for (channel, sign) in signs.iter().enumerate() {
        for row in top..(top + height).min(form.height) {
            for column in left..(left + width).min(form.width) {
                image[form.at(channel, row, column)] += 2.0 * eps * sign;
            }
        }
    }
}
