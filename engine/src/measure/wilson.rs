//! Wilson score interval: 95 % confidence interval of an accuracy over N samples.

/// The 95 % Wilson score interval of a fraction `p` observed over `n` samples, as `(low, high)`; `(0, 1)` for no samples.
pub fn wilson_95(p: f64, n: usize) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (n, z) = (n as f64, 1.959_963_985);
    let center = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    ((center - half).max(0.0), (center + half).min(1.0))
}

#[cfg(test)]
mod tests {
    #[test]
    fn textbook_values() {
        let (low, high) = super::wilson_95(0.9, 100);
        assert!((low - 0.8256).abs() < 1e-3 && (high - 0.9448).abs() < 1e-3);
        assert_eq!(super::wilson_95(0.0, 0), (0.0, 1.0));
    }
}
