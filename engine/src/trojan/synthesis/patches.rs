//! Patches from pixels: adversarial patches, and TABOR's mask and pattern over the whole picture.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::insert::add_total_variation;
use super::mlp::Adam;
use super::subject::{Goal, Subject};
use crate::Result;
use crate::attack::Target;
use crate::compute::cross_entropy;
use crate::progress::JobControl;

/// Side of patches of pixels.
pub(super) const PATCH_SIDE: usize = 12;
/// Steps of the optimization of a patch, and pictures into which each is pasted at every step.
pub(super) const PATCH_STEPS: usize = 100;
pub(super) const COPIES: usize = 8;
/// Weights of cross entropy and total variation.
const CROSS_ENTROPY: f32 = 3.0;
const VARIATION: f32 = 0.6;

/// `count` patches `[count, C·12²]`, from random pixels.
pub(super) fn adversarial_patches(
    subject: &Subject,
    goal: Goal,
    count: usize,
    seed: u64,
    control: &JobControl,
) -> Result<Vec<f32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let width = subject.shape[0] * PATCH_SIDE * PATCH_SIDE;
    let mut patches: Vec<f32> = (0..count * width).map(|_| rng.random_range(0.3..0.7)).collect();
    let mut adam = Adam::new(0.03, patches.len());
    for _ in 0..PATCH_STEPS {
        control.check()?;
        let (mut gradient, _) = subject.patch_gradient(&patches, PATCH_SIDE, COPIES, goal, &mut rng, control)?;
        gradient.iter_mut().for_each(|value| *value *= CROSS_ENTROPY);
        for (patch, gradient) in patches.chunks_exact(width).zip(gradient.chunks_exact_mut(width)) {
            add_total_variation(patch, [PATCH_SIDE; 2], VARIATION, gradient);
        }
        adam.step(&mut patches, &gradient);
        patches.iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0));
    }
    Ok(patches)
}

/// Steps of the optimization of masks, and pictures at every step.
const TABOR_STEPS: usize = 160;
/// Weights of the mask's area, of its roughness, and of the pattern outside of the mask (R1 and R2 of TABOR).
const AREA: f32 = 6.0;
const ROUGHNESS: f32 = 2.0;
const OUTSIDE: f32 = 0.4;

/// `count` pictures `[count, F]`: pattern within its mask, grey outside.
///
/// Each is a mask m (one channel) and a pattern p; x(1−m) + pm is to be taken for the target, with a small, smooth m. TABOR's
/// terms for overlaying and for importance (R3, R4) need an attribution of every step and are left out.
pub(super) fn tabor(subject: &Subject, goal: Goal, count: usize, seed: u64, control: &JobControl) -> Result<Vec<f32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let [channels, height, width] = subject.shape;
    let (plane, len) = (height * width, subject.len());
    let numbers = plane + len;
    let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
    let mut params: Vec<f32> = Vec::new();
    for _ in 0..count {
        // Masks begin as soft spots at random places, so that several triggers can be found.
        let [cy, cx] = [height, width].map(|side| rng.random_range(0.2..0.8) * side as f32);
        params.extend((0..plane).map(|at| {
            let (dy, dx) = ((at / width) as f32 - cy, (at % width) as f32 - cx);
            1.0 - 0.02 * (dy * dy + dx * dx).min(200.0)
        }));
        params.extend((0..len).map(|_| rng.random_range(-0.5..0.5)));
    }
    let mut adam = Adam::new(0.1, params.len());
    for step in 0..TABOR_STEPS {
        control.check()?;
        let area = AREA * (step as f32 / (0.5 * TABOR_STEPS as f32)).min(1.0);
        let values: Vec<f32> = params.iter().copied().map(sigmoid).collect();
        let (mut pictures, mut sources) = (Vec::new(), Vec::new());
        for one in values.chunks_exact(numbers) {
            let (mask, pattern) = one.split_at(plane);
            for _ in 0..COPIES {
                let source = subject.random_source(goal, &mut rng);
                pictures.extend((0..len).map(|k| source[k] + mask[k % plane] * (pattern[k] - source[k])));
                sources.extend_from_slice(source);
            }
        }
        let slope = |_: usize, logits: &[f32], out: &mut [f32]| {
            cross_entropy::slope(logits, usize::from(goal.target), out);
        };
        let of_pictures = subject.network().gradient_of(&pictures, &slope, control)?.gradient;
        let mut gradient = vec![0.0; params.len()];
        for (k, (one, gradient)) in values.chunks_exact(numbers).zip(gradient.chunks_exact_mut(numbers)).enumerate() {
            let (mask, pattern) = one.split_at(plane);
            let (of_mask, of_pattern) = gradient.split_at_mut(plane);
            for copy in k * COPIES..(k + 1) * COPIES {
                let own = copy * len..(copy + 1) * len;
                for (at, (slope, source)) in of_pictures[own.clone()].iter().zip(&sources[own]).enumerate() {
                    of_mask[at % plane] += slope * (pattern[at] - source) / COPIES as f32;
                    of_pattern[at] += slope * mask[at % plane] / COPIES as f32;
                }
            }
            of_mask.iter_mut().for_each(|slope| *slope += area / plane as f32);
            add_total_variation(mask, [height, width], ROUGHNESS, of_mask);
            for (at, slope) in of_pattern.iter_mut().enumerate() {
                let outside = (pattern[at] - 0.5) * (1.0 - mask[at % plane]);
                *slope += 2.0 * OUTSIDE * outside * (1.0 - mask[at % plane]) / (channels * plane) as f32;
            }
        }
        gradient.iter_mut().zip(&values).for_each(|(g, value)| *g *= value * (1.0 - value));
        adam.step(&mut params, &gradient);
    }
    let show = |one: &[f32]| {
        let (mask, pattern) = one.split_at(plane);
        (0..len).map(|k| 0.5 + sigmoid(mask[k % plane]) * (sigmoid(pattern[k]) - 0.5)).collect::<Vec<f32>>()
    };
    Ok(params.chunks_exact(numbers).flat_map(show).collect())
}
