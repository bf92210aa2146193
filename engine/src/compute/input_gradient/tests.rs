//! Tests of input gradients against Burn's own operations, differences, threads and cancelling.

use super::*;
use crate::network::Weights;
use crate::network::zoo::{ZooArchitecture, parse_activation};

fn program(arch: ZooArchitecture, activation: &str, device: &Device) -> Program {
    let mut network = arch.build(&[2, 9, 9], 4, parse_activation(activation).unwrap(), 3).unwrap();
    // Scales other than one, so that folding them matters.
    for node in &mut network.nodes {
        if let Op::Affine { scale, shift } = &mut node.op {
            scale.iter_mut().enumerate().for_each(|(c, scale)| *scale = 0.7 + 0.1 * c as f32);
            shift.iter_mut().enumerate().for_each(|(c, shift)| *shift = 0.05 * c as f32 - 0.2);
        }
    }
    Program::new(Arc::new(network), device)
}

fn inputs(rows: usize) -> Vec<f32> {
    (0..rows * 162).map(|i| (i * 7919 % 1000) as f32 / 500.0 - 1.0).collect()
}

fn slope(rows: Range<usize>, outputs: &[f32], slopes: &mut [f32]) {
    let all = outputs.chunks_exact(4).zip(slopes.chunks_exact_mut(4)).zip(rows);
    all.for_each(|((outputs, slopes), row)| crate::compute::cross_entropy::slope(outputs, row % 4, slopes));
}

fn gradient(program: &Program, rows: usize) -> Vec<f32> {
    InputGradients::new(program).compute(&inputs(rows), slope, &JobControl::default()).unwrap()
}

#[test]
fn the_gradient_is_that_of_another_backend() {
    #[expect(deprecated, reason = "a second, independent implementation")]
    let other = Device::ndarray();
    for (arch, activation) in
        [(ZooArchitecture::Resnet, "relu"), (ZooArchitecture::Cnn, "clip"), (ZooArchitecture::Mlp, "relu")]
    {
        let ours = gradient(&program(arch, activation, &Device::flex()), 5);
        let theirs = gradient(&program(arch, activation, &other), 5);
        let size = theirs.iter().fold(0.0f32, |size, value| size.max(value.abs()));
        let worst = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(size > 0.0 && worst < 1e-5 * size.max(1.0), "{arch:?} {activation}: {worst} of {size}");
    }
}

#[test]
fn small_steps_change_the_loss_as_the_gradient_says() {
    let program = program(ZooArchitecture::Resnet, "relu", &Device::flex());
    let x = inputs(1);
    let gradient = gradient(&program, 1);
    let loss = |x: Vec<f32>| {
        let logits = tensor_to_vec(program.run(program.tensor(x, 1), |_, _| {}));
        f64::from(logits.iter().map(|logit| logit.exp()).sum::<f32>().ln() - logits[0])
    };
    let norm: f64 = gradient.iter().map(|g| f64::from(g * g)).sum::<f64>().sqrt();
    let moved = |by: f64| x.iter().zip(&gradient).map(|(x, g)| x + (by / norm) as f32 * g).collect::<Vec<_>>();
    let measured = (loss(moved(0.01)) - loss(moved(-0.01))) / 0.02;
    assert!((measured - norm).abs() < 0.05 * norm, "{measured} {norm}");
}

#[test]
fn staircases_pass_the_gradient_of_their_ramp() {
    let program = program(ZooArchitecture::Resnet, "qcfs:8", &Device::flex());
    assert!(gradient(&program, 2).iter().any(|&g| g != 0.0));
}

#[test]
fn threads_do_not_change_the_gradient() {
    let program = program(ZooArchitecture::Resnet, "relu", &Device::flex());
    let with_threads = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| gradient(&program, 70))
    };
    assert_eq!(with_threads(1), with_threads(3));
}

#[test]
fn cancelling_and_wrong_sizes_are_errors() {
    let program = program(ZooArchitecture::Cnn, "relu", &Device::flex());
    let gradients = InputGradients::new(&program);
    let control = JobControl::default();
    assert!(matches!(gradients.compute(&inputs(1)[1..], slope, &control), Err(Error::Invalid(_))));
    control.cancel();
    assert!(matches!(gradients.compute(&inputs(1), slope, &control), Err(Error::Cancelled)));
}

#[test]
fn a_value_that_is_read_twice_stays_outside_of_the_group() {
    // conv → ReLU, and conv is the addend of another convolution too.
    let weights = |seed: usize| {
        let values = (0..36).map(|i| ((i * 31 + seed * 17) % 23) as f32 / 23.0 - 0.5).collect();
        Weights::new(vec![2, 2, 3, 3], values)
    };
    let node = |name: &str, op: Op, inputs: &[NodeId]| Node {
        name: name.into(),
        op,
        inputs: inputs.to_vec(),
        shape: vec![2, 9, 9],
    };
    let conv = |seed: usize| Op::Conv2d {
        weight: weights(seed),
        bias: None,
        stride: [1, 1],
        padding: [1; 4],
        dilation: [1, 1],
        groups: 1,
    };
    let mut network = ZooArchitecture::Mlp.build(&[2, 9, 9], 4, Activation::Relu, 1).unwrap();
    let rest = network.nodes.split_off(1);
    network.nodes.extend([
        node("a", conv(1), &[0]),
        node("relu", Op::Activation(Activation::Relu), &[1]),
        node("b", conv(2), &[2]),
        node("sum", Op::Add, &[1, 3]),
    ]);
    let shift = network.nodes.len() - 1;
    network.nodes.extend(
        rest.into_iter().map(|node| Node { inputs: node.inputs.iter().map(|input| input + shift).collect(), ..node }),
    );
    network.output += shift;
    #[expect(deprecated, reason = "a second, independent implementation")]
    let devices = [Device::flex(), Device::ndarray()];
    let network = Arc::new(network);
    let [ours, theirs] = devices.map(|device| gradient(&Program::new(network.clone(), &device), 3));
    assert!(ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() < 1e-5), "{ours:?} {theirs:?}");
}
