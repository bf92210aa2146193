//! Feature ablation: f(x) − f(x with one feature as in the baseline).

use super::queries::Queries;
use crate::Result;
use crate::explain::features::Features;

/// The map of every sample, `[N, F]`; `baseline` is one sample.
///
/// # Errors
/// Those of the network.
pub fn feature_ablation(queries: &Queries<'_>, features: &Features, baseline: &[f32]) -> Result<Vec<f32>> {
    let (count, samples) = (features.len(), queries.targets.len());
    let whole = queries.unchanged()?;
    let without = queries.ask(
        samples * count,
        |q| q / count,
        |q, values| {
            values.copy_from_slice(queries.sample(q / count));
            features.members(q % count).for_each(|value| values[value] = baseline[value]);
        },
    )?;
    let maps = whole.iter().zip(without.chunks_exact(count.max(1))).flat_map(|(whole, without)| {
        let differences: Vec<f32> = without.iter().map(|without| whole - without).collect();
        features.spread(&differences)
    });
    Ok(maps.collect())
}
