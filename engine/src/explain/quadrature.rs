//! Points and weights of an integral from 0 to 1.

use serde::{Deserialize, Serialize};

/// A rule of integration with n points, as captum's integrated gradients has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quadrature {
    /// Gauss–Legendre.
    #[default]
    GaussLegendre,
    /// At k/n.
    RiemannLeft,
    /// At (k+1)/n.
    RiemannRight,
    /// At (k+½)/n.
    RiemannMiddle,
    /// At k/(n−1), the ends with half a weight: captum's weights are 1/n, so that they sum to 1 − 1/n.
    RiemannTrapezoid,
}

impl Quadrature {
    /// `count` points in (0, 1) with their weights.
    pub fn points(self, count: usize) -> Vec<(f32, f32)> {
        let n = count as f64;
        let place = |k: usize| match self {
            Self::RiemannLeft => k as f64 / n,
            Self::RiemannRight => (k + 1) as f64 / n,
            Self::RiemannMiddle => (k as f64 + 0.5) / n,
            _ => k as f64 / (n - 1.0).max(1.0),
        };
        let weight = |k: usize| match self {
            Self::RiemannTrapezoid if k == 0 || k + 1 == count => 0.5 / n,
            _ => 1.0 / n,
        };
        match self {
            Self::GaussLegendre => legendre(count),
            _ => (0..count).map(|k| (place(k) as f32, weight(k) as f32)).collect(),
        }
    }
}

/// Gauss–Legendre points of [0, 1] in rising order: the roots of the Legendre polynomial by Newton's method.
fn legendre(count: usize) -> Vec<(f32, f32)> {
    let n = count as f64;
    let one = |k: usize| {
        let mut x = -(std::f64::consts::PI * (k as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (mut before, mut value) = (1.0, x);
            for j in 2..=count {
                let j = j as f64;
                (before, value) = (value, ((2.0 * j - 1.0) * x * value - (j - 1.0) * before) / j);
            }
            slope = n * (x * value - before) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            if step.abs() < 1e-15 {
                break;
            }
        }
        (((1.0 + x) / 2.0) as f32, (1.0 / ((1.0 - x * x) * slope * slope)) as f32)
    };
    match count {
        1 => vec![(0.5, 1.0)],
        _ => (0..count).map(one).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_integrated() {
        for count in [1, 2, 3, 5, 50] {
            let points = Quadrature::GaussLegendre.points(count);
            let integral = |power: i32| points.iter().map(|(x, w)| x.powi(power) * w).sum::<f32>();
            assert!((integral(0) - 1.0).abs() < 1e-5 && (integral(1) - 0.5).abs() < 1e-5, "{count}");
            assert!(count == 1 || (integral(3) - 0.25).abs() < 1e-5, "{count}");
        }
        let total: f32 = Quadrature::RiemannTrapezoid.points(5).iter().map(|(_, w)| w).sum();
        assert!((total - 0.8).abs() < 1e-6);
        assert_eq!(Quadrature::RiemannMiddle.points(2)[1].0, 0.75);
    }
}
