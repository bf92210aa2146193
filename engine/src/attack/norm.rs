//! The norms of a perturbation, and its projection to a ball and to the pixels' range.

use serde::{Deserialize, Serialize};

/// How the size of a perturbation is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Norm {
    /// The largest change of a pixel.
    #[default]
    Linf,
    /// The Euclidean length of all changes.
    L2,
}

/// The sign of `v`, 0 for 0 and NaN: a pixel without gradient is not moved.
pub fn sign(v: f32) -> f32 {
    if v > 0.0 {
        1.0
    } else if v < 0.0 {
        -1.0
    } else {
        0.0
    }
}

/// ‖v‖₂.
pub fn length(v: &[f32]) -> f32 {
    v.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt() as f32
}

/// ‖a − x‖∞.
pub fn largest_change(a: &[f32], x: &[f32]) -> f32 {
    a.iter().zip(x).map(|(a, x)| (a - x).abs()).fold(0.0, f32::max)
}

/// ‖a − x‖₂.
pub fn distance(a: &[f32], x: &[f32]) -> f32 {
    let squares = a.iter().zip(x).map(|(a, x)| (f64::from(*a) - f64::from(*x)).powi(2));
    squares.sum::<f64>().sqrt() as f32
}

/// Moves `a` into [0, `limit`].
pub fn clamp_pixels(a: &mut [f32], limit: f32) {
    a.iter_mut().for_each(|a| *a = a.clamp(0.0, limit));
}

/// Moves `a` into the ball of radius `eps` around `x` and into [0, `limit`]; both hold afterwards.
pub fn project(norm: Norm, a: &mut [f32], x: &[f32], eps: f32, limit: f32) {
    match norm {
        Norm::Linf => a.iter_mut().zip(x).for_each(|(a, x)| *a = a.max(x - eps).min(x + eps).clamp(0.0, limit)),
        Norm::L2 => {
            let far = distance(a, x);
            if far > eps {
                a.iter_mut().zip(x).for_each(|(a, x)| *a = x + (*a - x) * (eps / far));
            }
            clamp_pixels(a, limit);
        }
    }
}
