//! KernelSHAP: Shapley values as the coefficients of a weighted regression on features switched on and off.
//!
//! Two rows are fixed, all on and all off, with weight 1e6; the others have weight 1, a size k drawn in proportion to
//! (M − 1)/(k(M − k)), and are uniform among the sets of that size. The intercept is dropped.

use rand::Rng;
use rand::seq::index;
use rayon::prelude::*;

use super::queries::Queries;
use super::solve::least_squares;
use crate::explain::draws::{Purpose, stream};
use crate::explain::features::Features;
use crate::{Error, Result};

/// Weight of the two fixed rows.
const FIXED: f64 = 1e6;

/// Checks that there are features to share among.
///
/// # Errors
/// [`Error::Invalid`] for fewer than two features.
pub fn check_features(features: usize) -> Result<()> {
    if features >= 2 {
        return Ok(());
    }
    Err(Error::Invalid(
        "Cannot explain by kernel-shap: the whole image is one feature, and it shares among several. Use smaller \
         --patches."
            .into(),
    ))
}

/// The rows of one sample, `[rows][M]`: which features are on. The first two are all and none.
///
/// # Errors
/// [`Error::Invalid`] for fewer than two features.
pub fn rows(features: usize, count: usize, sample: usize, seed: u64) -> Result<Vec<Vec<bool>>> {
    check_features(features)?;
    let mut rng = stream(seed, sample, Purpose::Rows);
    let weights: Vec<f64> = (1..features).map(|k| (features - 1) as f64 / (k * (features - k)) as f64).collect();
    let total: f64 = weights.iter().sum();
    let row = |_| {
        let mut left = rng.random::<f64>() * total;
        let size = weights.iter().position(|weight| {
            left -= weight;
            left < 0.0
        });
        let size = size.unwrap_or(features - 2) + 1;
        let mut row = vec![false; features];
        index::sample(&mut rng, features, size).into_iter().for_each(|feature| row[feature] = true);
        row
    };
    let drawn: Vec<Vec<bool>> = (2..count).map(row).collect();
    Ok([vec![true; features], vec![false; features]].into_iter().chain(drawn).collect())
}

/// The Shapley values of every sample's features, `[N, M]`; `rows` are those of each sample.
///
/// # Errors
/// Those of the network.
pub fn kernel_shap(
    queries: &Queries<'_>,
    features: &Features,
    baseline: &[f32],
    rows: &[Vec<Vec<bool>>],
) -> Result<Vec<f32>> {
    let answers = answers(queries, features, baseline, rows)?;
    let of_sample = |(rows, answers): (&Vec<Vec<bool>>, Vec<f64>)| {
        queries.control.check()?;
        let is_fixed = |row: &Vec<bool>| row.iter().all(|&on| on == row[0]);
        let weights: Vec<f64> = rows.iter().map(|row| if is_fixed(row) { FIXED } else { 1.0 }).collect();
        let design: Vec<Vec<f64>> =
            rows.iter().map(|row| row.iter().map(|&on| f64::from(u8::from(on))).collect()).collect();
        Ok(least_squares(&design, &answers, &weights).into_iter().map(|value| value as f32).collect())
    };
    let values = rows.par_iter().zip(answers).map(of_sample).collect::<Result<Vec<Vec<f32>>>>()?;
    Ok(values.concat())
}

/// The target's logit of every row of every sample.
///
/// # Errors
/// Those of the network.
pub fn answers(
    queries: &Queries<'_>,
    features: &Features,
    baseline: &[f32],
    rows: &[Vec<Vec<bool>>],
) -> Result<Vec<Vec<f64>>> {
    let count = rows.first().map_or(0, Vec::len);
    let answers = queries.ask(
        rows.len() * count,
        |q| q / count,
        |q, values| {
            values.copy_from_slice(baseline);
            let row = &rows[q / count][q % count];
            features.write(values, queries.sample(q / count), |feature| row[feature]);
        },
    )?;
    Ok(answers.chunks(count.max(1)).map(|answers| answers.iter().map(|&f| f64::from(f)).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_the_kernel() {
        let rows = rows(5, 20_002, 0, 1).unwrap();
        assert!(rows[0].iter().all(|&on| on) && rows[1].iter().all(|&on| !on));
        let mut sizes = [0usize; 6];
        rows[2..].iter().for_each(|row| sizes[row.iter().filter(|&&on| on).count()] += 1);
        // 4/(k(5−k)): 1, 2/3, 2/3, 1.
        let expected = [0.0, 0.3, 0.2, 0.2, 0.3, 0.0];
        for (size, share) in sizes.iter().zip(expected) {
            assert!((*size as f64 / 20_000.0 - share).abs() < 0.02, "{sizes:?}");
        }
        assert!(super::rows(1, 10, 0, 0).is_err());
    }
}
