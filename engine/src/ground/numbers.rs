//! Numbers with fixed decimals as text, where a value that rounds to zero has no sign.

/// `value` with `decimals` decimals: "-1.50", "0.00".
pub fn fixed(value: f64, decimals: usize) -> String {
    without_zero_sign(format!("{value:.decimals$}"))
}

/// `value` with its sign and `decimals` decimals: "+1.50", "-1.50", "0.00".
pub fn signed(value: f64, decimals: usize) -> String {
    without_zero_sign(format!("{value:+.decimals$}"))
}

/// A fraction as a percentage with `decimals` decimals: "12.5 %".
pub fn percent(share: f64, decimals: usize) -> String {
    fixed(share * 100.0, decimals) + " %"
}

/// A fraction as a percentage with its sign: "+12.5 %", "0.0 %".
pub fn signed_percent(share: f64, decimals: usize) -> String {
    signed(share * 100.0, decimals) + " %"
}

fn without_zero_sign(text: String) -> String {
    let is_zero = text.bytes().all(|byte| matches!(byte, b'+' | b'-' | b'0' | b'.'));
    if is_zero { text.trim_start_matches(['+', '-']).to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_round_to_zero_have_no_sign() {
        assert_eq!([-0.04, -0.0, 0.0, -0.05, 1.0].map(|value| fixed(value, 1)), ["0.0", "0.0", "0.0", "-0.1", "1.0"]);
        assert_eq!(
            [-0.0004, 0.0004, 0.02, -0.02].map(|value| signed_percent(value, 1)),
            ["0.0 %", "0.0 %", "+2.0 %", "-2.0 %"]
        );
        assert_eq!([-1e-9, 0.125].map(|share| percent(share, 0)), ["0 %", "12 %"]);
        assert_eq!(fixed(f64::NAN, 1), "NaN");
    }
}
