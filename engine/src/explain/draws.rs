//! Random numbers of attributions: a stream of its own for every sample and purpose.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What the numbers are for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// Baselines and coefficients of gradient SHAP.
    Path,
    /// Rows of KernelSHAP and LIME.
    Rows,
    /// Orders of Shapley sampling.
    Orders,
    /// Permutations of a set of samples.
    Permutation,
    /// The random baseline map.
    Map,
    /// Weights of a sanity check.
    Weights,
}

/// The stream of `index`: a sample of a data set, a feature or a layer.
pub fn stream(seed: u64, index: usize, purpose: Purpose) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((index as u64) << 4 | 1 << 63 | purpose as u64);
    rng
}
