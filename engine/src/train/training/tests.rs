//! Tests of training: learning, reproducibility, stopping, spiking networks, refused input.

use std::sync::Arc;

use super::*;
use crate::network::zoo::{ZooArchitecture, parse_activation};
use crate::network::{Activation, Op};
use crate::train::{Augmentation, Classification, Optimizer, Spiking};

/// Two classes of 8x8 images: a bright left or right half with noise.
pub(super) fn halves(count: usize) -> Samples {
    let mut values = Vec::new();
    let mut noise = 12345u32;
    for index in 0..count {
        for pixel in 0..64 {
            noise = noise.wrapping_mul(1664525).wrapping_add(1013904223);
            let bright = (pixel % 8 >= 4) == (index % 2 == 1);
            values.push((noise >> 24) as f32 * 0.6 + if bright { 60.0 } else { 0.0 });
        }
    }
    Samples {
        source: "halves".into(),
        shape: vec![1, 8, 8],
        values: Arc::new(values),
        labels: Arc::new((0..count).map(|index| (index % 2) as u16).collect()),
        class_names: vec!["left".into(), "right".into()],
        full_scale: 255.0,
        max: 255.0,
        ..Samples::default()
    }
}

pub(super) fn network(arch: ZooArchitecture, activation: &str) -> Network {
    arch.build(&[1, 8, 8], 2, parse_activation(activation).unwrap(), 11).unwrap()
}

pub(super) fn options() -> TrainOptions {
    TrainOptions { epochs: 4, batch: 20, learning_rate: 0.01, validation_fraction: 0.2, ..TrainOptions::default() }
}

pub(super) fn never_stop(_: TrainProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// All operations of a network, for comparison.
fn ops(network: &Network) -> Vec<Op> {
    network.nodes.iter().map(|node| node.op.clone()).collect()
}

#[test]
fn every_architecture_learns_two_classes() {
    let (samples, fresh) = (halves(200), halves(400));
    for (arch, activation) in [
        (ZooArchitecture::Mlp, "qcfs:4"),
        (ZooArchitecture::Cnn, "clip"),
        (ZooArchitecture::Resnet, "qcfs:8"),
        (ZooArchitecture::Mlp, "relu"),
    ] {
        let trained =
            train(&network(arch, activation), &samples, &Scaling::Unit, &options(), &Classification, never_stop)
                .unwrap();
        let accuracy = accuracy(&trained.network, &fresh, &Scaling::Unit).unwrap();
        assert!(accuracy > 0.95 && trained.score > 0.9, "{arch:?} {activation}: {accuracy}");
        assert_eq!(trained.network.class_names, ["left", "right"]);
        assert_eq!(trained.network.scaling, Some(Scaling::Unit));
    }
}

#[test]
fn sgd_learns_with_shifted_images() {
    let options = TrainOptions {
        optimizer: Optimizer::Sgd,
        learning_rate: 0.05,
        weight_decay: 5e-4,
        augmentation: Augmentation { shift: 1, ..Augmentation::default() },
        epochs: 10,
        ..options()
    };
    let trained = train(
        &network(ZooArchitecture::Cnn, "relu"),
        &halves(200),
        &Scaling::Unit,
        &options,
        &Classification,
        never_stop,
    )
    .unwrap();
    assert!(trained.score > 0.9, "{}", trained.score);
}

#[test]
fn the_same_seed_gives_the_same_weights() {
    let samples = halves(60);
    let run = |seed| {
        let options = TrainOptions {
            epochs: 2,
            augmentation: Augmentation { shift: 1, ..Augmentation::default() },
            seed,
            ..options()
        };
        ops(&train(
            &network(ZooArchitecture::Resnet, "qcfs:8"),
            &samples,
            &Scaling::Unit,
            &options,
            &Classification,
            never_stop,
        )
        .unwrap()
        .network)
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn thresholds_and_normalizations_are_learned() {
    let start = network(ZooArchitecture::Resnet, "qcfs:8");
    let trained = train(&start, &halves(60), &Scaling::Unit, &options(), &Classification, never_stop).unwrap().network;
    for (before, after) in start.nodes.iter().zip(&trained.nodes) {
        let moved = before.op != after.op;
        let learns = matches!(before.op, Op::Conv2d { .. } | Op::Linear { .. } | Op::Affine { .. } | Op::Activation(_));
        assert_eq!(moved, learns, "{}", before.name);
    }
}

#[test]
fn stopping_returns_the_best_weights() {
    let mut validations = Vec::new();
    let mut batches = 0;
    let trained = train(
        &network(ZooArchitecture::Mlp, "relu"),
        &halves(200),
        &Scaling::Unit,
        &options(),
        &Classification,
        |at| {
            validations.extend(at.score);
            batches += 1;
            if at.epoch == 3 && at.batch == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    )
    .unwrap();
    assert!(trained.stopped && validations.len() == 2);
    // Eight batches and one validation per epoch.
    assert_eq!(batches, 9 + 9 + 2);
    assert!(validations.iter().all(|&accuracy| accuracy <= trained.score));
    let first = train(
        &network(ZooArchitecture::Mlp, "relu"),
        &halves(200),
        &Scaling::Unit,
        &options(),
        &Classification,
        |_| ControlFlow::Break(()),
    );
    assert!(first.unwrap().stopped, "a stop in the first batch has weights to keep too");
}

#[test]
fn training_continues_from_the_function_of_a_trained_network() {
    let samples = halves(200);
    let trained = train(
        &network(ZooArchitecture::Resnet, "relu"),
        &samples,
        &Scaling::Unit,
        &options(),
        &Classification,
        never_stop,
    )
    .unwrap();
    // One step with almost no learning rate must preserve the function, BatchNorm included.
    let tiny_rate = TrainOptions { epochs: 1, batch: 160, learning_rate: 1e-9, ..options() };
    let again =
        train(&trained.network, &samples, &Scaling::Unit, &tiny_rate, &Classification, never_stop).unwrap().network;
    for (before, after) in trained.network.nodes.iter().zip(&again.nodes) {
        if let (Op::Affine { scale: a, shift: b }, Op::Affine { scale: c, shift: d }) = (&before.op, &after.op) {
            let near = |x: &[f32], y: &[f32]| x.iter().zip(y).all(|(x, y)| (x - y).abs() < 0.02 * (1.0 + x.abs()));
            assert!(near(a, c) && near(b, d), "{}: {a:?} {c:?} {b:?} {d:?}", before.name);
        }
    }
}

#[test]
fn a_softmax_at_the_end_is_trained_through_its_logits() {
    let mut net = network(ZooArchitecture::Mlp, "relu");
    let node = crate::network::Node {
        name: "softmax".into(),
        op: Op::Softmax { log: false },
        inputs: vec![net.output],
        shape: vec![2],
    };
    net.nodes.push(node);
    net.output += 1;
    let trained = train(&net, &halves(200), &Scaling::Unit, &options(), &Classification, never_stop).unwrap();
    assert!(trained.score > 0.9);
}

#[test]
fn one_output_value_is_trained_as_the_logit_of_class_1() {
    let mut net = ZooArchitecture::Mlp.build(&[1, 8, 8], 1, parse_activation("relu").unwrap(), 1).unwrap();
    let sigmoid = |net: &mut Network| {
        net.nodes.push(crate::network::Node {
            name: "sigmoid".into(),
            op: Op::Sigmoid,
            inputs: vec![net.output],
            shape: vec![1],
        });
        net.output += 1;
    };
    let trained = train(&net, &halves(200), &Scaling::Unit, &options(), &Classification, never_stop).unwrap();
    assert!(trained.score > 0.9, "{}", trained.score);
    sigmoid(&mut net);
    let trained = train(&net, &halves(200), &Scaling::Unit, &options(), &Classification, never_stop).unwrap();
    assert!(accuracy(&trained.network, &halves(50), &Scaling::Unit).unwrap() > 0.9);
}

#[test]
fn invalid_training_input_is_refused_with_a_reason() {
    let net = network(ZooArchitecture::Mlp, "relu");
    let refused = |net: &Network, samples: &Samples, options: &TrainOptions| {
        train(net, samples, &Scaling::Unit, options, &Classification, never_stop)
            .expect_err("trained what it should refuse")
            .to_string()
    };
    let samples = halves(20);
    assert!(refused(&net, &Samples { labels: Arc::default(), ..samples.clone() }, &options()).contains("no labels"));
    assert!(
        refused(&net, &Samples { labels: Arc::new(vec![2; 20]), ..samples.clone() }, &options()).contains("label 2")
    );
    assert!(refused(&net, &Samples { shape: vec![1, 4, 4], ..samples.clone() }, &options()).contains("labels"));
    assert!(refused(&net, &Samples { values: Arc::default(), ..samples.clone() }, &options()).contains("no samples"));
    assert!(refused(&net, &halves(1), &options()).contains("at least 2"));
    assert!(refused(&net, &samples, &TrainOptions { batch: 0, ..options() }).contains("batch"));
    assert!(refused(&net, &samples, &TrainOptions { learning_rate: f64::NAN, ..options() }).contains("learning rate"));
    assert!(
        refused(&net, &samples, &TrainOptions { learning_rate: 1e30, ..options() }).contains("smaller learning rate")
    );
    let Activation::Qcfs { levels, .. } = parse_activation("qcfs:6").unwrap() else { panic!() };
    assert_eq!(levels, 6);
}

#[test]
fn bundled_networks_are_as_accurate_as_stated() {
    let digits = crate::data::spec::DataSpec::parse("builtin:digits").unwrap().load().unwrap();
    for entry in crate::network::zoo::BUNDLED.iter().filter(|entry| entry.data == Some("builtin:digits")) {
        let network = crate::network::zoo::bundled(entry.name).unwrap().unwrap();
        let scaling = network.scaling.clone().unwrap();
        let measured = accuracy(&network, &digits, &scaling).unwrap();
        assert!((measured - entry.test_score).abs() < 0.002, "{}: {measured}", entry.name);
    }
}

/// A small spiking network to train.
pub(super) fn spiking(steps: usize) -> TrainOptions {
    TrainOptions { spiking: Some(Spiking { steps, ..Spiking::default() }), ..options() }
}

#[test]
fn a_spiking_network_learns_two_classes_and_keeps_its_neurons() {
    let (samples, fresh) = (halves(120), halves(100));
    let network = network(ZooArchitecture::Resnet, "relu");
    let options = spiking(4);
    let trained = train(&network, &samples, &Scaling::Unit, &options, &Classification, never_stop).unwrap();
    let neurons = trained.network.neurons.unwrap();
    assert_eq!((neurons.steps, neurons.decay, neurons.hard_reset), (4, 1000, true));
    assert!(accuracy(&trained.network, &fresh, &Scaling::Unit).unwrap() > 0.9);
    // An ANN that goes on from it is no spiking network.
    let plain = TrainOptions { epochs: 1, ..self::options() };
    let ann = train(&trained.network, &samples, &Scaling::Unit, &plain, &Classification, never_stop).unwrap();
    assert_eq!(ann.network.neurons, None);
}

#[test]
fn a_training_without_progress_stops_early() {
    // The score is 1 from the first epoch on, and ties count as better; so it never waits.
    let network = network(ZooArchitecture::Mlp, "relu");
    let options = TrainOptions { patience: Some(0), ..options() };
    assert!(train(&network, &halves(20), &Scaling::Unit, &options, &Classification, never_stop).is_err());
}
