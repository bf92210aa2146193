//! Shapley values by random orders: from the baseline, features are switched on one by one and credited what they change.

use rand::seq::SliceRandom;

use super::queries::Queries;
use crate::Result;
use crate::explain::draws::{Purpose, stream};
use crate::explain::features::Features;

/// `count` random orders of the features of one sample.
pub fn orders(features: usize, count: usize, sample: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut rng = stream(seed, sample, Purpose::Orders);
    let order = |_| {
        let mut order: Vec<usize> = (0..features).collect();
        order.shuffle(&mut rng);
        order
    };
    (0..count).map(order).collect()
}

/// The Shapley values of every sample's features, `[N, M]`; `orders(k)` are those of sample `k`, as many for each.
///
/// # Errors
/// Those of the network.
pub fn shapley(
    queries: &Queries<'_>,
    features: &Features,
    baseline: &[f32],
    orders: &[Vec<Vec<usize>>],
) -> Result<Vec<f32>> {
    let (samples, count) = (queries.targets.len(), features.len());
    let draws = orders.first().map_or(0, Vec::len);
    // The place of each feature in each order: on once the walk is beyond it.
    let ranks = orders.iter().flatten().map(|order| {
        let mut rank = vec![0; count];
        order.iter().enumerate().for_each(|(place, &feature)| rank[feature] = place as u32);
        rank
    });
    let ranks: Vec<Vec<u32>> = ranks.collect();
    // The last walk of every order is the whole sample.
    let inner = count.saturating_sub(1);
    let steps = queries.ask(
        samples * draws * inner,
        |q| q / (draws * inner),
        |q, values| {
            let (order, place) = (q / inner, q % inner);
            values.copy_from_slice(baseline);
            let rank = &ranks[order];
            features.write(values, queries.sample(order / draws), |feature| rank[feature] as usize <= place);
        },
    )?;
    let whole = queries.unchanged()?;
    let empty = queries.ask(samples, |k| k, |_, values| values.copy_from_slice(baseline))?;
    let mut values = vec![0.0f32; samples * count];
    for (k, orders) in orders.iter().enumerate() {
        let mut sums = vec![0.0f64; count];
        for (j, order) in orders.iter().enumerate() {
            let steps = &steps[(k * draws + j) * inner..][..inner];
            let mut before = empty[k];
            for (&feature, &now) in order.iter().zip(steps.iter().chain([&whole[k]])) {
                sums[feature] += f64::from(now) - f64::from(before);
                before = now;
            }
        }
        values[k * count..][..count].iter_mut().zip(sums).for_each(|(value, sum)| *value = (sum / draws as f64) as f32);
    }
    Ok(values)
}
