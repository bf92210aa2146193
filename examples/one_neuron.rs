//! Unevenness error of one integrate-and-fire neuron: two spikes expected, up to four emitted, by input order.
//!
//! `cargo run --release --example one_neuron`

use spikescope::convert::{Reset, TieRule, expected_spikes};
use spikescope::simulate::neuron::step;

fn main() {
    let theta = 1.0;
    // Two inputs of weight +2 and −2; the numbers are the steps at which their spikes arrive.
    let orders: [(&[usize], &[usize]); 3] = [(&[1, 3, 5], &[2, 4]), (&[1, 2, 3], &[4, 5]), (&[3, 4, 5], &[1, 2])];
    for (plus, minus) in orders {
        let input_of = |times: &[usize], t: usize| if times.contains(&t) { 2.0 } else { 0.0 };
        let input: Vec<f32> = (1..=5).map(|t| input_of(plus, t) - input_of(minus, t)).collect();
        let mut v = theta / 2.0;
        let mut train = String::new();
        for &current in &input {
            let (spike, after) = step(v, current, theta, Reset::Soft, TieRule::Ge);
            train.push(if spike { '1' } else { '0' });
            v = after;
        }
        let mean = input.iter().sum::<f32>() / 5.0;
        println!(
            "+2 at {plus:?}, -2 at {minus:?}: spikes {train}, expected {}, v(5) = {v}",
            expected_spikes(mean, theta, 5, 1, 0.5)
        );
    }
}
