//! The vector form against [`NeuronBatch`], neuron by neuron the same figures.

use proptest::prelude::*;

use super::*;
use crate::convert::{NeuronModel, Reset, TieRule};
use crate::measure::layer::batch::{BATCH, NeuronBatch};
use crate::simulate::{LayerRecording, SpikeTrain};

fn layer(neurons: usize, theta: f32, neuron: NeuronModel) -> SpikingLayer {
    SpikingLayer {
        node: 1,
        name: "act".into(),
        shape: vec![neurons],
        theta: vec![theta],
        activation: Activation::Relu,
        neuron,
        v_init: 0.5,
        v_init_values: None,
        bias: Vec::new(),
        bias_shift: 0.0,
        reset: Reset::Soft,
        tie: TieRule::Ge,
    }
}

/// Integer figures.
fn counts(sums: &Sums) -> String {
    let Sums { spikes, residual, residual_end_to_end, same_input, end_to_end, offsets, .. } = sums;
    let zeros = offsets.len() - COUNTER_COPIES;
    let offsets = (&offsets[..zeros], offsets[zeros..].iter().sum::<u64>());
    format!("{spikes} {residual:?} {residual_end_to_end:?} {same_input:?} {end_to_end:?} {offsets:?}")
}

/// Means.
fn means(sums: &Sums) -> Vec<f64> {
    let parts = sums.ledger.parts();
    let rest = [sums.mismatch, sums.activation, sums.propagated_by_rerun, sums.synops, sums.ledger.total];
    [&parts[..], &rest, &sums.moments].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn figures_equal_those_of_batches(
        steps in prop_oneof![1usize..9, Just(32), Just(500)],
        theta in prop_oneof![Just(1.0f32), 0.01f32..5.0, Just(0.0)],
        group in prop_oneof![Just(1u8), Just(4)],
        values in prop::collection::vec((-0.5f32..1.5, -0.1f32..0.1, 0.0f32..1.0, 0u8..12), 96),
    ) {
        let neuron = if group == 1 { NeuronModel::If } else { NeuronModel::Group(group) };
        let layer = layer(values.len(), theta, neuron);
        let max = steps * neuron.max_spikes_per_step();
        let amplitude = neuron.amplitude(theta);
        // Some values on a step of the staircase, and some beside it by the last digit.
        let z: Vec<f32> = values.iter().map(|&(z, _, share, kind)| match kind {
            0 => ((share * max as f32).round() - 0.5) * amplitude / steps as f32,
            1 => (((share * max as f32).round() - 0.5) * amplitude / steps as f32).next_up(),
            2 => 0.0,
            _ => z * theta.max(0.1),
        }).collect();
        let zin: Vec<f32> = z.iter().zip(&values).map(|(z, v)| if v.3 % 2 == 0 { *z } else { z + v.1 * theta }).collect();
        let fan_out: Vec<f64> = (0..values.len()).map(|k| (k % 9) as f64).collect();
        let record = LayerRecording {
            spikes: SpikeTrain::new(1, values.len()),
            mean_input: Default::default(),
            potential: Default::default(),
            v_init: None,
            silenced: None,
        };
        let spikes: Vec<u32> = zin.iter().zip(&values).map(|(zin, v)| {
            let expected = crate::convert::expected_spikes(*zin, amplitude, steps, neuron.max_spikes_per_step(), 0.5);
            (expected as i64 + [0, 0, 0, 1, -1, 2][usize::from(v.3) % 6]).clamp(0, max as i64) as u32
        }).collect();
        let input = LayerSample {
            layer: &layer,
            record: &record,
            index: 0,
            sample: 0,
            sample_of_run: 0,
            steps,
            per_step: neuron.max_spikes_per_step(),
            plane: 1,
            z: &z,
            zin: zin.as_slice().into(),
            pooled: None,
            counts: spikes.into(),
            events: None,
            fan_out: Some(&fan_out),
            corrected: None,
            potential: None,
            has_exact_charge: false,
            starts_at_half: true,
            half_level: 0.0,
        };
        prop_assert!(is_applicable(&input));
        let (mut plain, mut fast) = (Sums::new(max), Sums::new(max));
        let (mut batch, mut diverges) = (NeuronBatch::new(), false);
        let mut add = |first: usize, count: usize, sums: &mut Sums| {
            batch.read(&input, first, count);
            batch.compute(&input);
            batch.add_to(&input, sums);
            batch.diverges(&input)
        };
        for first in (0..z.len()).step_by(BATCH) {
            diverges |= add(first, BATCH, &mut plain);
        }
        let mut neurons = UniformNeurons::new(&input, theta);
        let mut others = false;
        let chunks = |values| <[f32]>::as_chunks::<CHUNK>(values).0;
        for (k, (z, zin)) in chunks(&z).iter().zip(chunks(&zin)).enumerate() {
            let (counts, fan_out) = (&input.counts.as_chunks().0[k], &fan_out.as_chunks().0[k]);
            if !neurons.add(&Chunk { z, zin, counts, fan_out }, &mut fast.offsets) {
                others |= add(k * CHUNK, CHUNK, &mut fast);
            }
        }
        let fast_diverges = neurons.finish(&mut fast) | others;
        prop_assert_eq!(counts(&plain), counts(&fast));
        prop_assert_eq!(diverges, fast_diverges);
        for (a, b) in means(&plain).into_iter().zip(means(&fast)) {
            prop_assert!((a - b).abs() <= 1e-10 * (1.0 + a.abs()), "{} {}", a, b);
        }
    }
}
