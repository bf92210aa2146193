//! Cross entropy of the logits of one sample, and its gradient in a form that keeps its digits.
//!
//! A network with a single score says class 1 above 0; its loss is that of the logits (0, score). Losses and slopes are sums over
//! the classes besides the label, in `f64`: p − 1 of an answer that is nearly certain has no digits left. What needs the gradient
//! of the cross entropy takes it from here: attacks, adversarial training, losses of pixels, and syntheses of triggers.

/// `−log softmax(logits)[label]`.
pub fn cross_entropy(logits: &[f32], label: usize) -> f32 {
    if let [score] = logits {
        return cross_entropy(&[0.0, *score], label);
    }
    let Some(own) = logits.get(label) else { return f32::NAN };
    Others::of(logits, label).cross_entropy(f64::from(*own)) as f32
}

/// `softmax(logits)[label]`, with all digits where it is close to 0.
pub fn probability(logits: &[f32], label: usize) -> f32 {
    (-cross_entropy(logits, label)).exp()
}

/// `−log softmax(logits)[label]` and its gradient with respect to the logits at once. Here the only class of a single logit is
/// certain.
pub fn cross_entropy_and_slope(logits: &[f32], label: usize, out: &mut [f32]) -> f64 {
    let own = logits.get(label).map_or(f64::NEG_INFINITY, |z| f64::from(*z));
    let mut value = 0.0;
    write_classes(logits, label, out, |others, _| {
        value = others.cross_entropy(own);
        others.slope(own)
    });
    value
}

/// Writes the gradient of [`cross_entropy`] with respect to the logits: p, and at the label minus the sum of the others.
pub fn slope(logits: &[f32], label: usize, out: &mut [f32]) {
    write(logits, label, out, Others::slope);
}

/// Writes the gradient of the log-odds against the label, log((1 − p)/p): [`slope`] over 1 − p. Both have the same direction; this
/// one is −1 at the label, and never too small for `f32`.
pub fn slope_of_odds(logits: &[f32], label: usize, out: &mut [f32]) {
    write(logits, label, out, |others, _| 1.0 / others.sum);
}

/// The classes besides the label: their highest logit, and Σ exp(z − highest).
struct Others {
    highest: f64,
    sum: f64,
}

impl Others {
    fn of(logits: &[f32], label: usize) -> Self {
        let each = || logits.iter().enumerate().filter(|(k, _)| *k != label).map(|(_, z)| f64::from(*z));
        let highest = each().fold(f64::NEG_INFINITY, f64::max);
        Self { highest, sum: each().map(|z| (z - highest).exp()).sum() }
    }

    /// The cross entropy where the label's logit is `own`.
    fn cross_entropy(&self, own: f64) -> f64 {
        let lead = self.highest - own;
        if lead > 0.0 { lead + (self.sum + (-lead).exp()).ln() } else { (self.sum * lead.exp()).ln_1p() }
    }

    /// p over exp(z − highest), for every class.
    fn slope(&self, own: f64) -> f64 {
        1.0 / (self.sum + (own - self.highest).exp())
    }
}

/// Writes exp(z − highest), and at the label minus the sum of the others, times `factor` of the others and the label's logit.
fn write(logits: &[f32], label: usize, out: &mut [f32], factor: impl FnOnce(&Others, f64) -> f64) {
    if let ([score], [out]) = (logits, &mut *out) {
        let mut both = [0.0; 2];
        write_classes(&[0.0, *score], label, &mut both, factor);
        *out = both[1];
    } else {
        write_classes(logits, label, out, factor);
    }
}

/// [`write`] for the logits of all classes.
fn write_classes(logits: &[f32], label: usize, out: &mut [f32], factor: impl FnOnce(&Others, f64) -> f64) {
    let others = Others::of(logits, label);
    let factor = factor(&others, logits.get(label).map_or(f64::NEG_INFINITY, |z| f64::from(*z)));
    for (k, (out, z)) in out.iter_mut().zip(logits).enumerate() {
        let share = if k == label { -others.sum } else { (f64::from(*z) - others.highest).exp() };
        *out = (share * factor) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The slope in `f64` from differences of logits alone.
    fn exact(logits: &[f64], label: usize) -> Vec<f64> {
        let p = |k: usize| 1.0 / logits.iter().map(|z| (z - logits[k]).exp()).sum::<f64>();
        let rest: f64 = (0..logits.len()).filter(|k| *k != label).map(p).sum();
        (0..logits.len()).map(|k| if k == label { -rest } else { p(k) }).collect()
    }

    #[test]
    fn slopes_and_losses_of_certain_answers_keep_their_digits() {
        for lead in [0.0f32, 3.0, 17.0, 30.0, 80.0, -20.0] {
            let logits = [lead, -1.0, 0.5, -2.5];
            let wide = logits.map(f64::from);
            let mut own = [0.0; 4];
            slope(&logits, 0, &mut own);
            let expected = exact(&wide, 0);
            let close = own.iter().zip(&expected).all(|(own, v)| (f64::from(*own) / v - 1.0).abs() < 1e-6);
            assert!(close, "{lead}: {own:?} {expected:?}");
            let loss: f64 = (-expected[0] / (1.0 + expected[0])).ln_1p();
            let ours = f64::from(cross_entropy(&logits, 0));
            assert!((ours / loss - 1.0).abs() < 1e-6 || lead < 0.0, "{lead}: {ours} {loss}");
        }
        assert!((cross_entropy(&[-20.0, -1.0, 0.5, -2.5], 0) - 20.741_312).abs() < 1e-5);
    }

    #[test]
    fn the_slope_of_the_odds_has_the_same_direction_and_no_end() {
        let mut odds = [0.0; 3];
        for (logits, label) in [([2.0, 1.0, -1.0], 0), ([-3.0, 4.0, 0.0], 2)] {
            let mut plain = [0.0; 3];
            slope(&logits, label, &mut plain);
            slope_of_odds(&logits, label, &mut odds);
            assert_eq!(odds[label], -1.0);
            let own = plain[label];
            let same = plain.iter().zip(odds).all(|(plain, odds)| (plain / own + odds).abs() < 1e-6);
            assert!(same, "{plain:?} {odds:?}");
        }
        // e^-2000 is 0 in every type of numbers.
        slope_of_odds(&[2000.0, 0.0, 0.0], 0, &mut odds);
        assert_eq!(odds, [-1.0, 0.5, 0.5]);
        slope(&[2000.0, 0.0, 0.0], 0, &mut odds);
        assert_eq!(odds, [0.0; 3]);
    }

    #[test]
    fn the_loss_that_comes_with_the_slope_is_the_loss() {
        let (mut alone, mut together) = ([0.0; 3], [0.0; 3]);
        for logits in [[25.0, 0.5, -1.0], [-3.0, 4.0, 0.0]] {
            slope(&logits, 0, &mut alone);
            let loss = cross_entropy_and_slope(&logits, 0, &mut together);
            assert_eq!((loss as f32, together), (cross_entropy(&logits, 0), alone));
        }
        let mut only = [1.0];
        assert_eq!((cross_entropy_and_slope(&[3.0], 0, &mut only), only), (0.0, [0.0]));
    }

    #[test]
    fn probabilities_close_to_0_keep_their_digits() {
        for (logits, label) in [([0.0, 25.0], 0), ([25.0, 0.0], 1)] {
            assert!((probability(&logits, label) / (-25.0f32).exp() - 1.0).abs() < 1e-5);
        }
        assert!((probability(&[-25.0], 1) / (-25.0f32).exp() - 1.0).abs() < 1e-5);
        assert_eq!((probability(&[25.0, 0.0], 0), probability(&[30.0], 1)), (1.0, 1.0));
    }

    #[test]
    fn a_single_score_is_that_of_class_1() {
        for (label, other) in [(1, -30.0f32), (0, 30.0)] {
            let (mut score, mut odds) = ([0.0], [0.0]);
            slope(&[-other], label, &mut score);
            slope_of_odds(&[-other], label, &mut odds);
            let sign = if label == 1 { -1.0 } else { 1.0 };
            assert!((score[0] / (sign * (-30.0f32).exp()) - 1.0).abs() < 1e-5, "{score:?}");
            assert_eq!(odds[0], sign);
            assert!((cross_entropy(&[-other], label) / (-30.0f32).exp() - 1.0).abs() < 1e-5);
        }
    }
}
