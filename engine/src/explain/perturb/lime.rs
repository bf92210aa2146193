//! LIME: a sparse linear model of the answers around a sample.
//!
//! Features are on with probability ½. A row weighs exp(−d²/2) with d = 1 − cos between the values of the sample and the
//! changed sample. The coefficients are those of a lasso with intercept and α = 0.01, an absolute number: with small
//! logits all of them are exactly 0.

use rand::Rng;
use rayon::prelude::*;

use super::kernel_shap::answers;
use super::queries::Queries;
use super::solve::lasso;
use crate::Result;
use crate::explain::draws::{Purpose, stream};
use crate::explain::features::Features;

/// The penalty of the lasso.
const ALPHA: f64 = 0.01;
/// The least length of a vector of values.
const SHORTEST: f64 = 1e-8;

/// The rows of one sample, `[rows][M]`: which features are on.
pub fn rows(features: usize, count: usize, sample: usize, seed: u64) -> Vec<Vec<bool>> {
    let mut rng = stream(seed, sample, Purpose::Rows);
    (0..count).map(|_| (0..features).map(|_| rng.random::<bool>()).collect()).collect()
}

/// The coefficients of every sample's features, `[N, M]`; `rows` are those of each sample.
///
/// # Errors
/// Those of the network.
pub fn lime(queries: &Queries<'_>, features: &Features, baseline: &[f32], rows: &[Vec<Vec<bool>>]) -> Result<Vec<f32>> {
    let answers = answers(queries, features, baseline, rows)?;
    let of_sample = |(k, (rows, answers)): (usize, (&Vec<Vec<bool>>, Vec<f64>))| {
        queries.control.check()?;
        let sample = queries.sample(k);
        let mut changed = vec![0.0; queries.width];
        let weight = |row: &Vec<bool>| {
            changed.copy_from_slice(baseline);
            features.write(&mut changed, sample, |feature| row[feature]);
            let distance = 1.0 - cosine(sample, &changed);
            (-distance * distance / 2.0).exp()
        };
        let weights: Vec<f64> = rows.iter().map(weight).collect();
        let design: Vec<Vec<f64>> =
            rows.iter().map(|row| row.iter().map(|&on| f64::from(u8::from(on))).collect()).collect();
        Ok(lasso(&design, &answers, &weights, ALPHA).into_iter().map(|value| value as f32).collect())
    };
    let values = rows.par_iter().zip(answers).enumerate().map(of_sample).collect::<Result<Vec<Vec<f32>>>>()?;
    Ok(values.concat())
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a).sqrt().max(SHORTEST) * dot(b, b).sqrt().max(SHORTEST))
}
