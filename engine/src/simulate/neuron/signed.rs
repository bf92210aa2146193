//! The signed neuron: a spike of −θ can cancel an earlier spike of θ.
//!
//! Source: SNM, Wang et al., "Signed Neuron with Memory", IJCAI 2022.
//!
//! `m = v + I`; `s = +1` if `m ≥ θ`; `s = −1` if `m ≤ −θ` and the sum of emitted spikes is above zero; `v = m − θs`.

use crate::convert::TieRule;

/// One step: the signed spike and the potential after it. `emitted` is the sum of spikes so far.
#[inline]
pub fn step(v: f32, current: f32, theta: f32, emitted: i32, tie: TieRule) -> (i32, f32) {
    let m = v + current;
    let (up, down) = match tie {
        TieRule::Ge => (m >= theta, m <= -theta),
        TieRule::Gt => (m > theta, m < -theta),
    };
    if up {
        (1, m - theta)
    } else if down && emitted > 0 {
        (-1, m + theta)
    } else {
        (0, m)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(input: &[f32]) -> (Vec<i32>, f32) {
        let (mut v, mut emitted) = (0.0, 0);
        let spikes = input
            .iter()
            .map(|&i| {
                let (s, after) = step(v, i, 1.0, emitted, TieRule::Ge);
                v = after;
                emitted += s;
                s
            })
            .collect();
        (spikes, v)
    }

    #[test]
    fn an_early_spike_is_canceled() {
        assert_eq!(run(&[1.5, -1.5, -1.0, 0.0]), (vec![1, -1, 0, 0], -1.0));
        // Nothing was emitted, so nothing is canceled.
        assert_eq!(run(&[-2.0, -2.0]), (vec![0, 0], -4.0));
    }

    proptest! {
        /// nθ = charge in + v(0) − v(T), and the count never falls below zero.
        #[test]
        fn charge_is_conserved(input in prop::collection::vec(-64i32..64, 1..60)) {
            let input: Vec<f32> = input.iter().map(|&i| i as f32 / 16.0).collect();
            let (spikes, v) = run(&input);
            prop_assert_eq!(spikes.iter().sum::<i32>() as f32, input.iter().sum::<f32>() - v);
            let mut emitted = 0;
            for s in spikes {
                emitted += s;
                prop_assert!(emitted >= 0);
            }
        }
    }
}
