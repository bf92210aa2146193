//! SNAFUE: natural crops whose embedding resembles that of adversarial patches (Casper et al. 2022).

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::latent::random_crops;
use super::patches::PATCH_SIDE;
use super::subject::{Goal, Subject};
use crate::Result;
use crate::network::zoo::CROP;
use crate::progress::JobControl;
use crate::trojan::embedding::cosine;

/// Natural crops that are searched.
const CANDIDATES: usize = 2_000;
/// Crops that are tried in pictures.
const TRIED: usize = 100;
/// Pictures for each trial.
const TRIAL_PICTURES: usize = 20;
/// Power of the similarity.
const POWER: i32 = 10;

/// `count` crops `[count, C·16²]` of clean training pictures.
///
/// Adversarial `patches` (`[N, C·12²]`, with their success) and all candidates are pasted into the middle of grey and
/// embedded by the last hidden layer. Every unit counts by how steady it is over the patches, max(0, 1 − deviation / mean).
/// A candidate's worth is the mean of its cosine similarity to each patch, to the power of ten, times the patch's success.
/// Of the 100 best that are not taken for the target alone, those stay that raise the target's probability most.
pub(super) fn natural_crops(
    subject: &Subject,
    patches: &[f32],
    success: &[f32],
    goal: Goal,
    count: usize,
    seed: u64,
    control: &JobControl,
) -> Result<Vec<f32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let crop_len = subject.shape[0] * CROP * CROP;
    let crops = random_crops(subject, CANDIDATES, &mut rng);
    let units = subject.units();
    let pasted = |patches: &[f32], side: usize| framed(subject, patches, side);
    let of_patches = subject.embed(&pasted(patches, PATCH_SIDE), control)?;
    let pictures = pasted(&crops, CROP);
    let of_crops = subject.embed(&pictures, control)?;
    let rows = of_patches.len() / units.max(1);
    let steady: Vec<f32> = (0..units)
        .map(|unit| {
            let values = || (0..rows).map(|row| of_patches[row * units + unit]);
            let mean = values().sum::<f32>() / rows.max(1) as f32;
            let deviation = (values().map(|v| (v - mean).powi(2)).sum::<f32>() / rows.max(1) as f32).sqrt();
            if mean > 0.0 { (1.0 - deviation / mean).max(0.0) } else { 0.0 }
        })
        .collect();
    let masked = |row: &[f32]| row.iter().zip(&steady).map(|(v, s)| v * s).collect::<Vec<f32>>();
    let patch_rows: Vec<Vec<f32>> = of_patches.chunks_exact(units).map(masked).collect();
    let worth = |row: &[f32]| {
        let row = masked(row);
        let each = patch_rows
            .iter()
            .zip(success)
            .map(|(patch, gain)| (cosine(&row, patch) * gain.clamp(0.05, 1.0)).max(0.0).powi(POWER));
        each.sum::<f32>()
    };
    let worths: Vec<f32> = of_crops.chunks_exact(units).map(worth).collect();
    let already = subject.taken_for(&pictures, goal.target, control)?;
    let mut order: Vec<usize> = (0..CANDIDATES).filter(|&k| already[k] == 0.0).collect();
    order.sort_by(|a, b| worths[*b].total_cmp(&worths[*a]));
    order.truncate(TRIED.max(count));
    let tried: Vec<f32> = order.iter().flat_map(|&k| &crops[k * crop_len..(k + 1) * crop_len]).copied().collect();
    let gains = subject.patch_confidence(&tried, CROP, goal, TRIAL_PICTURES, &mut rng, control)?;
    let mut best: Vec<usize> = (0..order.len()).collect();
    best.sort_by(|a, b| gains[*b].1.total_cmp(&gains[*a].1));
    best.truncate(count);
    Ok(best.iter().flat_map(|&k| &tried[k * crop_len..(k + 1) * crop_len]).copied().collect())
}

/// Each patch as large as a third of the picture, in the middle of grey.
fn framed(subject: &Subject, patches: &[f32], side: usize) -> Vec<f32> {
    use super::insert::Insertion;
    use crate::data::scenes::objects::sticker::Place;
    let [height, width] = subject.size();
    let place = Place {
        center: [0.5 * width as f32, 0.5 * height as f32],
        radius: 0.17 * height.min(width) as f32,
        turn: [1.0, 0.0],
    };
    let insertion = Insertion::new(side, &place, [height, width], 1.0);
    let frame = |patch: &[f32]| {
        let mut picture = vec![0.5; subject.len()];
        insertion.paste(patch, &mut picture);
        picture
    };
    patches.chunks_exact(subject.shape[0] * side * side).flat_map(frame).collect()
}
