//! Tests of thresholds, shapes of factors, and what files of other packages leave open.

use std::path::Path;

use super::from_bytes;
use super::package_tests::{Field, Metadata, Numbers, OUTPUT, Text, bytes, chain, input, node, scales};
use crate::network::{Activation, Network, OpenedNetwork};

const TWO: &[u64] = &[2];

/// Two neurons behind weights.
fn neurons(weight: &'static [f32], r: &'static [f32], theta: &'static [f32]) -> OpenedNetwork {
    let fields = [Numbers("r", TWO, r), Numbers("v_threshold", TWO, theta)];
    let weights = node("l", "Linear", &[Numbers("weight", &[2, 2], weight)]);
    chain(&[input(&[2.0]), weights, node("n", "IF", &fields), OUTPUT()], &[]).unwrap_or_else(|e| panic!("{e}"))
}

fn clip(network: &Network) -> Activation {
    network.activation_nodes().next().unwrap().1
}

fn is_told(opened: &OpenedNetwork, text: &str) -> bool {
    opened.notes.iter().any(|note| note.contains(text))
}

const INTEGERS: &[f32] = &[1.0, 2.0, 3.0, -4.0];

#[test]
fn potentials_are_those_of_the_file_where_floats_allow_it() {
    // A power of two, or a short quotient: as before.
    for (r, theta, scale) in [(&[1.0; 2], &[4.0; 2], 0.25), (&[3.0; 2], &[3.0; 2], 1.0), (&[9.0; 2], &[3.0; 2], 3.0)] {
        let opened = neurons(INTEGERS, r, theta);
        assert_eq!(clip(&opened.network), Activation::Clip { lambda: 1.0 });
        assert_eq!(scales(&opened.network), if scale == 1.0 { vec![] } else { vec![scale] });
        assert!(!is_told(&opened, "rounded"), "{:?}", opened.notes);
    }
    // Another threshold: spikes of amplitude 1 behind it.
    for theta in [&[3.0; 2], &[7.0; 2], &[10.0; 2], &[0.7; 2]] {
        let opened = neurons(INTEGERS, &[1.0; 2], theta);
        assert_eq!(clip(&opened.network), Activation::Clip { lambda: theta[0] });
        let [unit] = scales(&opened.network)[..] else { panic!("{:?}", opened.network.nodes) };
        assert_eq!(unit * theta[0], 1.0);
        assert!(!is_told(&opened, "rounded"), "{:?}", opened.notes);
    }
    // No exact form: told for weights whose sums can lie at the threshold, and not for others.
    let different = neurons(INTEGERS, &[1.0; 2], &[4.0, 10.0]);
    assert_eq!(scales(&different.network), [0.25, 0.1]);
    assert!(is_told(&different, "'n': v_threshold 10 is no power of two"), "{:?}", different.notes);
    assert!(is_told(&neurons(INTEGERS, &[1.0; 2], &[55.0; 2]), "v_threshold 55 is"));
    assert!(is_told(&neurons(INTEGERS, &[0.1; 2], &[3.0; 2]), "r·dt = 0.1 is"));
    assert!(!is_told(&neurons(&[0.1, 0.2, 0.3, 0.4], &[1.0; 2], &[4.0, 10.0]), "no power of two"));
}

#[test]
fn files_without_a_recipe_name_the_options_of_their_neurons() {
    let opened = neurons(INTEGERS, &[1.0; 2], &[1.0; 2]);
    assert!(is_told(&opened, "--threshold learned --v-init 0 --reset hard --tie gt"), "{:?}", opened.notes);
    let spikingjelly = neurons(INTEGERS, &[10000.0; 2], &[1.0; 2]);
    assert!(is_told(&spikingjelly, "SpikingJelly's neurons") && is_told(&spikingjelly, "--reset hard --tie ge"));
}

/// The factors of a Scale node of `shape` for an input of CxHxW, one for each value.
fn spread(sample: &'static [f32], shape: &'static [u64], values: &'static [f32]) -> Result<Vec<f32>, String> {
    let count = sample.iter().product::<f32>() as usize;
    let flat = node("f", "Flatten", &[Numbers("start_dim", &[], &[0.0]), Numbers("end_dim", &[], &[-1.0])]);
    let fire = node("n", "IF", &[Numbers("r", &[], &[1.0]), Numbers("v_threshold", &[], &[1.0])]);
    let scale = node("s", "Scale", &[Numbers("scale", shape, values)]);
    let opened = chain(&[input(sample), scale, flat, fire, OUTPUT()], &[]).map_err(|e| e.to_string())?;
    let found = scales(&opened.network);
    Ok(match found.len() {
        1 => vec![found[0]; count],
        n => found.iter().flat_map(|&v| std::iter::repeat_n(v, count / n)).collect(),
    })
}

#[test]
fn factors_are_broadcast_as_numpy_does_or_counted_per_channel() {
    let sample: &[f32] = &[2.0, 2.0, 3.0];
    let rows = [1.0, 1.0, 1.0, 2.0, 2.0, 2.0];
    assert_eq!(spread(sample, &[1, 2, 1], &[1.0, 2.0]).unwrap(), [rows, rows].concat());
    let columns = [2.0, 3.0, 4.0];
    assert_eq!(spread(sample, &[1, 1, 3], &[2.0, 3.0, 4.0]).unwrap(), [columns; 4].concat());
    assert_eq!(spread(sample, &[3], &[2.0, 3.0, 4.0]).unwrap(), [columns; 4].concat());
    let plane = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    assert_eq!(spread(sample, &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap(), [plane, plane].concat());
    let channels = [[2.0; 6], [3.0; 6]].concat();
    assert_eq!(spread(sample, &[2], &[2.0, 3.0]).unwrap(), channels);
    assert_eq!(spread(sample, &[2, 1, 1], &[2.0, 3.0]).unwrap(), channels);
    // C = W: channels or columns.
    let either = spread(&[2.0, 3.0, 2.0], &[2], &[2.0, 3.0]).unwrap_err();
    assert!(either.contains("one number per channel or, as NumPy broadcasts it, one per column"), "{either}");
    assert!(either.contains("2x1x1"), "{either}");
    assert_eq!(spread(&[2.0, 3.0, 2.0], &[2], &[5.0, 5.0]).unwrap(), [5.0; 12]);
    assert!(spread(sample, &[4], &[1.0; 4]).unwrap_err().contains("has shape 4 for neurons of 2x2x3"));
}

#[test]
fn time_steps_of_inner_graphs_and_nodes_are_ignored_and_told() {
    let read = |dt: &'static str, metadata: &[Field]| {
        let fields = [Numbers("r", TWO, &[2.0; 2]), Numbers("v_threshold", TWO, &[1.0; 2]), Metadata("dt", dt)];
        chain(&[input(&[2.0]), node("n", "IF", &fields), OUTPUT()], metadata).unwrap()
    };
    let opened = read("0.5", &[]);
    assert!(
        is_told(&opened, "node 'n' states dt = 0.5 in its metadata, which is ignored: dt = 1"),
        "{:?}",
        opened.notes
    );
    assert!(!is_told(&read("0.5", &[Text("dt", "0.5")]), "is ignored"));
}

#[test]
fn fields_that_cannot_be_read_say_what_to_do() {
    let missing = [input(&[2.0]), node("n", "IF", &[Numbers("r", TWO, &[1.0; 2])]), OUTPUT()];
    let text = chain(&missing, &[]).unwrap_err().to_string();
    assert!(text.contains("its 'v_threshold' cannot be read (it is not in the file, or a link"), "{text}");
    let text = from_bytes(bytes(&[input(&[])], &[], &[]), Path::new("net.nir")).unwrap_err().to_string();
    assert!(text.contains("has an empty shape; CxHxW"), "{text}");
}
