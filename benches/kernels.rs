//! Benchmark of one layer: event kernels against dense tensors, at several firing rates.
//!
//! It shows at which rate the dense form becomes faster, and how many additions a second the machine can do at most;
//! then convolutions of images beside Burn's, and the most multiplications that the machine can do.
//!
//! `cargo bench --bench kernels`. Times are for one layer of currents and neurons with 8 samples and 32 steps; the
//! layer before it is taken from a recording. Threads: `RAYON_NUM_THREADS=1 cargo bench --bench kernels` for one. Dense
//! tensors on a graphics card: `SPIKESCOPE_BENCH_BACKEND=wgpu cargo bench --features wgpu --bench kernels`.

use std::sync::Arc;

use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, TensorData};
use divan::Bencher;
use divan::counter::ItemsCount;
use spikescope::compute::Backend;
use spikescope::compute::convolution::{Convolution, Epilogue, Geometry};
use spikescope::compute::program::Program;
use spikescope::compute::simd::isa::{Isa, Kernel};
use spikescope::compute::simd::lanes::{LANES, Lanes};
use spikescope::compute::simd::{dispatch, simd_name};
use spikescope::convert::{Correction, MaxPoolRule, NeuronModel, Reset, SpikingLayer, SpikingNetwork, TieRule};
use spikescope::network::{Activation, Network, Node, Op, Weights};
use spikescope::progress::JobControl;
use spikescope::simulate::{Recording, SimulationPlan, simulate};

const SAMPLES: usize = 8;
const STEPS: usize = 32;

fn main() {
    println!("kernels run with {}, dense tensors on {:?}", simd_name(), backend());
    divan::main();
}

/// A layer of neurons that fire at `rate`, one weight layer, neurons, and a readout of one class.
struct Bench {
    program: Program,
    spiking: SpikingNetwork,
    input: Vec<f32>,
    recording: Recording,
}

/// The Burn backend named by SPIKESCOPE_BENCH_BACKEND, or the default one.
fn backend() -> Backend {
    let Ok(name) = std::env::var("SPIKESCOPE_BENCH_BACKEND") else { return Backend::default() };
    let known = Backend::ALL.into_iter().find(|(word, _)| *word == name);
    known.unwrap_or_else(|| panic!("there is no backend '{name}'")).1
}

/// Pseudorandom numbers between −1 and 1.
fn noise(length: usize) -> Vec<f32> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(draw).take(length).collect()
}

fn weights(shape: &[usize]) -> Weights {
    Weights::new(shape.to_vec(), noise(shape.iter().product()))
}

fn bench(layer: &str, percent: usize, dense: bool) -> Bench {
    let (shape, op): (Vec<usize>, Op) = match layer {
        "fc 4096-4096" => (vec![4096], Op::Linear { weight: weights(&[4096, 4096]), bias: None }),
        conv => {
            // "conv 64x16x16 3x3 64"
            let numbers: Vec<usize> =
                conv.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
            let [c, h, w, kh, kw, out] = numbers[..] else { panic!("{conv}") };
            let weight = weights(&[out, c, kh, kw]);
            let padding = [kh / 2, kw / 2, kh / 2, kw / 2];
            (vec![c, h, w], Op::Conv2d { weight, bias: None, stride: [1, 1], padding, dilation: [1, 1], groups: 1 })
        }
    };
    let mut out = shape.clone();
    out[0] = match &op {
        Op::Conv2d { weight, .. } | Op::Linear { weight, .. } => weight.shape[0],
        _ => 1,
    };
    let flat: usize = out.iter().product();
    let relu = Op::Activation(Activation::Relu);
    let nodes = [
        (Op::Input, vec![], shape.clone()),
        (relu.clone(), vec![0], shape.clone()),
        (op, vec![1], out.clone()),
        (relu, vec![2], out.clone()),
        (Op::Reshape, vec![3], vec![flat]),
        (Op::Linear { weight: Weights::new(vec![1, flat], vec![0.0; flat]), bias: None }, vec![4], vec![1]),
    ];
    let nodes = nodes.into_iter().enumerate();
    let nodes = nodes.map(|(id, (op, inputs, shape))| Node { name: id.to_string(), op, inputs, shape }).collect();
    let network =
        Network { name: layer.into(), nodes, output: 5, scaling: None, class_names: Vec::new(), neurons: None };
    let program = Program::new(Arc::new(network), &backend().device().expect("the backend is there"));
    let program = if dense { program.dense_only() } else { program };
    let neurons = |node: usize, shape: &[usize], theta: f32| SpikingLayer {
        node,
        name: node.to_string(),
        shape: shape.to_vec(),
        theta: vec![theta],
        activation: Activation::Relu,
        neuron: NeuronModel::If,
        v_init: 0.5,
        v_init_values: None,
        bias: Vec::new(),
        bias_shift: 0.0,
        reset: Reset::Soft,
        tie: TieRule::Ge,
    };
    let layers = vec![neurons(1, &shape, 1.0), neurons(3, &out, 10.0)];
    let spiking = SpikingNetwork {
        layers,
        correction: Correction::None,
        pooling: MaxPoolRule::PreNeuron,
        dense_nodes: Vec::new(),
    };
    let width: usize = shape.iter().product();
    // Currents spread around the rate, so that neurons spike in different steps.
    let rate = percent as f32 / 100.0;
    let input: Vec<f32> = noise(SAMPLES * width).iter().map(|x| (rate * (1.0 + x)).min(1.0)).collect();
    let plan = SimulationPlan {
        program: &program,
        spiking: &spiking,
        input: &input,
        samples: SAMPLES,
        steps: STEPS,
        previous: None,
        unchanged_layers: 0,
    };
    let recording = simulate(&plan, &JobControl::default()).expect("the network runs");
    Bench { program, spiking, input, recording }
}

const LAYERS: [&str; 6] = [
    "conv 8x14x14 3x3 16",
    "conv 16x32x32 3x3 16",
    "conv 64x16x16 3x3 64",
    "conv 256x8x8 3x3 256",
    "conv 512x4x4 3x3 512",
    "fc 4096-4096",
];

fn time(bencher: Bencher<'_, '_>, layer: &str, percent: usize, dense: bool) {
    let bench = bench(layer, percent, dense);
    let plan = SimulationPlan {
        program: &bench.program,
        spiking: &bench.spiking,
        input: &bench.input,
        samples: SAMPLES,
        steps: STEPS,
        previous: Some(&bench.recording),
        unchanged_layers: 1,
    };
    bencher
        .counter(ItemsCount::new(SAMPLES * STEPS))
        .bench_local(|| simulate(&plan, &JobControl::default()).expect("the network runs"));
}

/// Peak rate of the machine: adds rows of weights, as many as fit in `kib` KiB.
#[divan::bench(args = [16, 64, 256, 4096], sample_count = 20)]
fn additions_of_rows_in_kib(bencher: Bencher<'_, '_>, kib: usize) {
    let rows = vec![Lanes([1.0; LANES]); (kib << 10) / size_of::<Lanes>()];
    let times = (64 << 10) / kib;
    bencher.counter(ItemsCount::new(rows.len() * LANES * times)).bench_local(|| {
        for _ in 0..times {
            divan::black_box(dispatch(Sum(divan::black_box(&rows))));
        }
    });
}

/// The sum of all rows, in enough partial sums to hide the latency of one addition.
struct Sum<'a>(&'a [Lanes]);

impl Kernel for Sum<'_> {
    type Output = Lanes;
    #[inline(always)]
    fn run<I: Isa>(self) -> Lanes {
        let mut sums = [I::splat(0.0); 8];
        for rows in self.0.as_chunks::<8>().0 {
            for (sum, row) in sums.iter_mut().zip(rows) {
                *sum = I::add(*sum, I::load(row));
            }
        }
        let mut out = Lanes::ZERO;
        I::store(sums.into_iter().reduce(I::add).unwrap_or(I::splat(0.0)), &mut out);
        out
    }
}

/// Peak rate of the machine: fused multiplications and additions of numbers in registers.
#[divan::bench(sample_count = 20)]
fn fused_multiplications_in_registers(bencher: Bencher<'_, '_>) {
    let times = 1 << 16;
    bencher.counter(ItemsCount::new(times * 16 * LANES)).bench_local(|| dispatch(Fused(divan::black_box(times))));
}

struct Fused(usize);

impl Kernel for Fused {
    type Output = Lanes;
    #[inline(always)]
    fn run<I: Isa>(self) -> Lanes {
        let (factor, mut sums) = (I::splat(divan::black_box(0.5)), [I::splat(1.0); 16]);
        for _ in 0..self.0 {
            for sum in &mut sums {
                *sum = I::mul_add(*sum, factor, factor);
            }
        }
        let mut out = Lanes::ZERO;
        I::store(sums.into_iter().reduce(I::add).unwrap_or(factor), &mut out);
        out
    }
}

/// Channels, size, output channels, kernel, stride, groups.
const CONVOLUTIONS: [[usize; 6]; 12] = [
    [3, 32, 16, 3, 1, 1],
    [16, 32, 16, 3, 1, 1],
    [16, 32, 32, 3, 2, 1],
    [32, 16, 32, 3, 1, 1],
    [64, 8, 64, 3, 1, 1],
    [64, 16, 64, 1, 1, 1],
    [64, 32, 64, 3, 1, 1],
    [256, 8, 256, 3, 1, 1],
    [512, 4, 512, 3, 1, 1],
    [512, 2, 512, 3, 1, 1],
    [64, 56, 64, 3, 1, 1],
    [144, 56, 144, 3, 1, 144],
];

/// A dense convolution of 16 images; the rate is in multiplications.
#[divan::bench(args = CONVOLUTIONS, sample_count = 20)]
fn dense_convolution(bencher: Bencher<'_, '_>, sizes: [usize; 6]) {
    let (geometry, weight, input) = convolution(sizes);
    let convolution = Convolution::new(geometry, &weight);
    let mut out = vec![0.0; 16 * geometry.output_len()];
    let count = ItemsCount::new(16 * geometry.multiplications());
    bencher.counter(count).bench_local(|| convolution.forward_parallel(&input, 16, Epilogue::default(), &mut out));
}

/// The same in Winograd's form, where that is chosen; the rate is in multiplications of the direct form.
#[divan::bench(args = CONVOLUTIONS, sample_count = 20)]
fn fastest_convolution(bencher: Bencher<'_, '_>, sizes: [usize; 6]) {
    let (geometry, weight, input) = convolution(sizes);
    let convolution = Convolution::fastest(geometry, &weight);
    let mut out = vec![0.0; 16 * geometry.output_len()];
    let count = ItemsCount::new(16 * geometry.multiplications());
    bencher.counter(count).bench_local(|| convolution.forward_parallel(&input, 16, Epilogue::default(), &mut out));
}

/// The same on Burn tensors.
#[divan::bench(args = CONVOLUTIONS, sample_count = 5)]
fn dense_convolution_on_burn(bencher: Bencher<'_, '_>, sizes: [usize; 6]) {
    let (geometry, weight, input) = convolution(sizes);
    let device = backend().device().expect("the backend is there");
    let [c, h, w] = geometry.input;
    let shape = [geometry.out_channels, geometry.group_channels(), geometry.kernel[0], geometry.kernel[1]];
    let input = Tensor::<4>::from_data(TensorData::new(input, [16, c, h, w]), &device);
    let weight = Tensor::<4>::from_data(TensorData::new(weight, shape), &device);
    let padding = [geometry.padding[0], geometry.padding[1]];
    let options = || ConvOptions::new(geometry.stride, padding, [1, 1], geometry.groups);
    let run = || conv2d(input.clone(), weight.clone(), None, options()).into_data();
    bencher.counter(ItemsCount::new(16 * geometry.multiplications())).bench_local(run);
}

/// Sizes, weights and 16 images.
fn convolution([c, size, out_channels, kernel, stride, groups]: [usize; 6]) -> (Geometry, Vec<f32>, Vec<f32>) {
    let geometry = Geometry {
        input: [c, size, size],
        out_channels,
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: [kernel / 2; 4],
        dilation: [1, 1],
        groups,
    };
    (geometry, noise(out_channels * geometry.taps()), noise(16 * geometry.input_len()))
}

macro_rules! at_rates {
    ($($name:ident $percent:literal)*) => {$(
        #[divan::bench_group(sample_count = 5, sample_size = 1)]
        mod $name {
            #[divan::bench(args = super::LAYERS)]
            fn events(bencher: divan::Bencher<'_, '_>, layer: &str) {
                super::time(bencher, layer, $percent, false);
            }
            #[divan::bench(args = super::LAYERS)]
            fn dense(bencher: divan::Bencher<'_, '_>, layer: &str) {
                super::time(bencher, layer, $percent, true);
            }
        }
    )*};
}

at_rates! { rate_02 2 rate_05 5 rate_10 10 rate_20 20 rate_40 40 rate_80 80 }
