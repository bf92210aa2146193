//! Measures one gradient of the cross entropy with respect to the input, the work of one step of an attack, and the forward
//! pass to the logits alone, which keeps no activation.
//!
//! `cargo run --release --example input_gradient [MODEL DATA [SCALE [FIRST..LAST]]]`

use std::sync::Arc;
use std::time::Instant;

use spikescope::compute::cross_entropy;
use spikescope::compute::input_gradient::InputGradients;
use spikescope::compute::program::Program;
use spikescope::data::spec::DataSpec;
use spikescope::data::{Samples, Scaling};
use spikescope::network::open::open;
use spikescope::progress::JobControl;
use spikescope::{Error, Result};

/// How often each is timed.
const TIMES: usize = 9;
/// Samples if no range is given.
const SAMPLES: usize = 100;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let model = arguments.next().unwrap_or_else(|| "builtin:digits-resnet".into());
    let data = arguments.next().unwrap_or_else(|| "builtin:digits".into());
    let network = open(&model)?;
    let samples = DataSpec::parse(&data)?.load()?;
    let scaling = match arguments.next() {
        Some(word) => Scaling::parse(&word)?,
        None => network.scaling.clone().unwrap_or(Scaling::Unit),
    };
    let range = arguments.next().map_or(Ok(0..SAMPLES.min(samples.len())), |text| range(&text, &samples))?;
    let labels: Vec<usize> = range.clone().map(|sample| samples.label(sample).unwrap_or(0).into()).collect();
    let input = samples.scaled(range, &scaling);
    let classes = network.classes();
    let slope = |rows: std::ops::Range<usize>, logits: &[f32], slopes: &mut [f32]| {
        let all = logits.chunks_exact(classes).zip(slopes.chunks_exact_mut(classes)).zip(&labels[rows]);
        all.for_each(|((logits, slope), &label)| cross_entropy::slope(logits, label, slope));
    };
    let program = Program::new(Arc::new(network), &burn::tensor::Device::flex());
    let control = JobControl::default();
    let (_, seconds) = median_of(|| program.outputs(&input, &control))?;
    println!("logits alone, median of {TIMES}: {seconds:.6} s");
    let gradients = InputGradients::new(&program);
    let (gradient, seconds) = median_of(|| gradients.compute(&input, slope, &control))?;
    let norm = gradient.iter().map(|g| f64::from(g * g)).sum::<f64>().sqrt();
    println!(
        "{model}, {} samples: norm of the gradient of the mean loss {:.6}",
        labels.len(),
        norm / labels.len() as f64
    );
    println!("gradient, median of {TIMES}: {seconds:.6} s");
    Ok(())
}

/// The last result of `work`, and the median of its seconds.
fn median_of(mut work: impl FnMut() -> Result<Vec<f32>>) -> Result<(Vec<f32>, f64)> {
    let mut seconds = Vec::new();
    let mut result = Vec::new();
    for _ in 0..TIMES {
        let start = Instant::now();
        result = work()?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok((result, seconds[TIMES / 2]))
}

/// `FIRST..LAST` within the samples.
fn range(text: &str, samples: &Samples) -> Result<std::ops::Range<usize>> {
    let parts: Option<Vec<usize>> = text.split("..").map(|part| part.parse().ok()).collect();
    match parts.as_deref() {
        Some(&[first, last]) if first < last && last <= samples.len() => Ok(first..last),
        _ => Err(Error::Invalid(format!("Cannot use samples '{text}': write FIRST..LAST, up to {}.", samples.len()))),
    }
}
