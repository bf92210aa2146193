//! Batch normalization in evaluation mode, folded to a scale and a shift per channel.

use super::Op;

/// `y = γ·(x − mean)/√(variance + ε) + β` per channel as [`Op::Affine`], from `[γ, β, mean, variance]`, each `[C]` (Ioffe
/// & Szegedy 2015, inference). Computed in f64. `None` if the lengths differ or a variance + ε is not above 0.
pub(super) fn batch_norm([gamma, beta, mean, variance]: [&[f32]; 4], epsilon: f64) -> Option<Op> {
    let n = gamma.len();
    let fits = [beta, mean, variance].iter().all(|part| part.len() == n);
    if !fits || variance.iter().any(|&v| f64::from(v) + epsilon <= 0.0) {
        return None;
    }
    let scale: Vec<f64> = (0..n).map(|c| f64::from(gamma[c]) / (f64::from(variance[c]) + epsilon).sqrt()).collect();
    let shift = (0..n).map(|c| (f64::from(beta[c]) - f64::from(mean[c]) * scale[c]) as f32).collect();
    Some(Op::Affine { scale: scale.iter().map(|&s| s as f32).collect(), shift })
}
