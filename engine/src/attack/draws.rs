//! Random numbers of attacks: a stream of its own for every sample and purpose.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// What the numbers are for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// Noise, or where an attack starts.
    Start,
    /// Stripes, windows and signs of Square.
    Square,
    /// The random perturbation beside an attack.
    Control,
    /// Directions in which a probability is measured.
    Probe,
}

/// The stream of `sample` (index in its data set) in restart `restart`.
pub fn stream(seed: u64, sample: usize, restart: usize, purpose: Purpose) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((sample as u64) << 24 | (restart as u64 & 0xf_ffff) << 4 | purpose as u64);
    rng
}

/// A number uniform in (−1, 1).
pub fn symmetric(rng: &mut ChaCha8Rng) -> f32 {
    2.0 * rng.random::<f32>() - 1.0
}

/// A number of the normal distribution, σ = 1.
pub fn normal(rng: &mut ChaCha8Rng) -> f32 {
    rng.sample(StandardNormal)
}

/// −1 or 1.
pub fn random_sign(rng: &mut ChaCha8Rng) -> f32 {
    if rng.random::<bool>() { 1.0 } else { -1.0 }
}
