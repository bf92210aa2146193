//! Feature permutation: f(x) − f(x with a feature as in another sample of the set).

use rand::seq::SliceRandom;

use super::queries::Queries;
use crate::explain::draws::{Purpose, stream};
use crate::explain::features::Features;
use crate::{Error, Result};

/// Checks that there are samples to exchange features with.
///
/// # Errors
/// [`Error::Invalid`] for fewer than two samples.
pub fn check_samples(samples: usize) -> Result<()> {
    if samples >= 2 {
        return Ok(());
    }
    Err(Error::Invalid(
        "Cannot explain by feature-permutation: it exchanges features between samples, and there is one sample. Use \
         two or more, or feature-ablation."
            .into(),
    ))
}

/// For every feature an order of `samples` samples that is not their own: sample i takes the feature of `orders[k][i]`.
///
/// # Errors
/// [`Error::Invalid`] for fewer than two samples.
pub fn orders(features: usize, samples: usize, seed: u64) -> Result<Vec<Vec<usize>>> {
    check_samples(samples)?;
    let own: Vec<usize> = (0..samples).collect();
    let order = |feature: usize| {
        let mut rng = stream(seed, feature, Purpose::Permutation);
        let mut order = own.clone();
        while order == own {
            order.shuffle(&mut rng);
        }
        order
    };
    Ok((0..features).map(order).collect())
}

/// The map of every sample, `[N, F]`, with the [`orders`] of all features.
///
/// # Errors
/// Those of the network.
pub fn feature_permutation(queries: &Queries<'_>, features: &Features, orders: &[Vec<usize>]) -> Result<Vec<f32>> {
    let (count, samples) = (features.len(), queries.targets.len());
    let whole = queries.unchanged()?;
    let changed = queries.ask(
        samples * count,
        |q| q / count,
        |q, values| {
            let (sample, feature) = (q / count, q % count);
            values.copy_from_slice(queries.sample(sample));
            let other = queries.sample(orders[feature][sample]);
            features.members(feature).for_each(|value| values[value] = other[value]);
        },
    )?;
    let maps = whole.iter().zip(changed.chunks_exact(count.max(1))).flat_map(|(whole, changed)| {
        let differences: Vec<f32> = changed.iter().map(|changed| whole - changed).collect();
        features.spread(&differences)
    });
    Ok(maps.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_order_is_the_samples_own_and_one_sample_is_refused() {
        let all = orders(50, 2, 3).unwrap();
        assert!(all.iter().all(|order| order == &[1, 0]));
        assert!(orders(1, 1, 0).unwrap_err().to_string().contains("one sample"));
    }
}
