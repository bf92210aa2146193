//! Patches from a decoder of natural crops: latent perturbation, and a generator of latent numbers (RFLA).

use std::sync::Arc;

use burn::tensor::Device;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::insert::add_total_variation;
use super::mlp::{Adam, Mlp};
use super::patches::{COPIES, PATCH_STEPS};
use super::subject::{Goal, Subject};
use crate::compute::input_gradient::InputGradients;
use crate::compute::program::Program;
use crate::data::{Layout, Samples, Scaling};
use crate::network::zoo::{CROP, LATENT, LATENT_NODE, autoencoder};
use crate::network::{Network, Node, Op};
use crate::progress::JobControl;
use crate::train::{Reconstruction, TrainOptions, train};
use crate::{Error, Result};

/// Crops that the decoder learns from, and passes over them.
const CROPS: usize = 8_000;
const EPOCHS: usize = 12;
/// Weights of cross entropy, of total variation, and of the distance from the crops' latent numbers.
const CROSS_ENTROPY: f32 = 3.0;
const VARIATION: f32 = 0.3;
const DISTANCE: f32 = 0.05;
/// Noise that the generator reads.
const NOISE: usize = 8;
/// Patches of the generator at every step.
const BATCH: usize = 12;

/// A decoder of crops of clean pictures, with its encoder.
pub struct Decoder {
    encoder: Program,
    decoder: Program,
    gradients: InputGradients,
    /// Mean and deviation of every latent number over natural crops.
    mean: Vec<f32>,
    deviation: Vec<f32>,
}

/// `count` random crops of 16x16 of the clean training pictures, `[count, C·16²]`, 0 to 1.
pub(super) fn random_crops(subject: &Subject, count: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let [channels, height, width] = subject.shape;
    let mut crops = Vec::with_capacity(count * channels * CROP * CROP);
    for _ in 0..count {
        let picture = rng.random_range(0..subject.training_labels.len()) * subject.len();
        let (top, left) = (rng.random_range(0..=height - CROP), rng.random_range(0..=width - CROP));
        for (channel, y) in (0..channels).flat_map(|channel| (0..CROP).map(move |y| (channel, y))) {
            let start = picture + (channel * height + top + y) * width + left;
            crops.extend_from_slice(&subject.training[start..start + CROP]);
        }
    }
    crops
}

/// Trains an autoencoder on crops of the clean training pictures.
///
/// # Errors
/// Those of the training; [`Error::Cancelled`].
pub fn train_autoencoder(subject: &Subject, seed: u64, control: &JobControl) -> Result<Network> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let channels = subject.shape[0];
    let samples = Samples {
        source: "crops of the training pictures".into(),
        shape: vec![channels, CROP, CROP],
        layout: Some(Layout::ChannelsFirst),
        values: Arc::new(random_crops(subject, CROPS, &mut rng)),
        ..Samples::default()
    };
    let options = TrainOptions { epochs: EPOCHS, seed, ..TrainOptions::default() };
    let network = autoencoder(channels, seed);
    let result = train(&network, &samples, &Scaling::Unit, &options, &Reconstruction, |at| {
        control.progress("training the decoder", (at.epoch - 1) as f32 / at.epochs as f32);
        if control.is_cancelled() { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    })?;
    if result.stopped { Err(Error::Cancelled) } else { Ok(result.network) }
}

impl Decoder {
    /// The halves of a trained autoencoder.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a network that is none of [`train_autoencoder`].
    pub fn new(network: &Network, subject: &Subject, control: &JobControl) -> Result<Self> {
        let len = subject.shape[0] * CROP * CROP;
        let latent = network.nodes.iter().position(|node| node.name == LATENT_NODE && node.len() == LATENT);
        let latent = latent.filter(|_| network.nodes[0].len() == len && network.classes() == len);
        let latent = latent.ok_or_else(|| {
            Error::Invalid("Cannot use the decoder: it belongs to pictures of other channels. Delete its file.".into())
        })?;
        let encoder = Network { output: latent, ..network.clone() };
        let input = Node { name: "input".into(), op: Op::Input, inputs: Vec::new(), shape: vec![LATENT] };
        let rest = network.nodes[latent + 1..]
            .iter()
            .map(|node| Node { inputs: node.inputs.iter().map(|input| input - latent).collect(), ..node.clone() });
        let nodes: Vec<Node> = std::iter::once(input).chain(rest).collect();
        let decoder = Network { output: network.output - latent, nodes, ..network.clone() };
        let [encoder, decoder] = [encoder, decoder].map(|half| Program::new(Arc::new(half), &Device::flex()));
        let crops = random_crops(subject, 512, &mut ChaCha8Rng::seed_from_u64(1));
        let codes = encoder.outputs(&crops, control)?;
        let rows = || codes.chunks_exact(LATENT);
        let count = rows().len().max(1) as f32;
        let mean: Vec<f32> = (0..LATENT).map(|k| rows().map(|row| row[k]).sum::<f32>() / count).collect();
        let deviation =
            (0..LATENT).map(|k| (rows().map(|row| (row[k] - mean[k]).powi(2)).sum::<f32>() / count).sqrt()).collect();
        let gradients = InputGradients::new(&decoder);
        Ok(Self { encoder, decoder, gradients, mean, deviation })
    }

    /// Crops from codes, both one row each; codes are in deviations from the mean.
    fn decode(&self, codes: &[f32], control: &JobControl) -> Result<Vec<f32>> {
        let mut crops = self.decoder.outputs(&self.latents(codes), control)?;
        crops.iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0));
        Ok(crops)
    }

    fn latents(&self, codes: &[f32]) -> Vec<f32> {
        let of = |(k, code): (usize, &f32)| self.mean[k % LATENT] + code * self.deviation[k % LATENT];
        codes.iter().enumerate().map(of).collect()
    }

    fn codes(&self, latents: &[f32]) -> Vec<f32> {
        let of = |(k, z): (usize, &f32)| (z - self.mean[k % LATENT]) / self.deviation[k % LATENT].max(1e-6);
        latents.iter().enumerate().map(of).collect()
    }

    /// The gradient of the attack's loss with respect to `codes`.
    fn code_gradient(
        &self,
        subject: &Subject,
        codes: &[f32],
        goal: Goal,
        rng: &mut ChaCha8Rng,
        control: &JobControl,
    ) -> Result<Vec<f32>> {
        let patches = self.decode(codes, control)?;
        let (mut slopes, _) = subject.patch_gradient(&patches, CROP, COPIES, goal, rng, control)?;
        slopes.iter_mut().for_each(|value| *value *= CROSS_ENTROPY);
        let width = patches.len() / (codes.len() / LATENT).max(1);
        for (patch, slope) in patches.chunks_exact(width).zip(slopes.chunks_exact_mut(width)) {
            add_total_variation(patch, [CROP; 2], VARIATION, slope);
        }
        let slope_of = |rows: std::ops::Range<usize>, _: &[f32], out: &mut [f32]| {
            out.copy_from_slice(&slopes[rows.start * width..rows.end * width]);
        };
        let mut gradient = self.gradients.compute(&self.latents(codes), slope_of, control)?;
        for (k, (slope, code)) in gradient.iter_mut().zip(codes).enumerate() {
            *slope = *slope * self.deviation[k % LATENT] + 2.0 * DISTANCE * code / LATENT as f32;
        }
        Ok(gradient)
    }

    /// `count` patches `[count, C·16²]`: the codes of natural crops, moved.
    pub(super) fn perturb(
        &self,
        subject: &Subject,
        goal: Goal,
        count: usize,
        seed: u64,
        control: &JobControl,
    ) -> Result<Vec<f32>> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let crops = random_crops(subject, count, &mut rng);
        let mut codes = self.codes(&self.encoder.outputs(&crops, control)?);
        let mut adam = Adam::new(0.06, codes.len());
        for _ in 0..PATCH_STEPS {
            control.check()?;
            let gradient = self.code_gradient(subject, &codes, goal, &mut rng, control)?;
            adam.step(&mut codes, &gradient);
        }
        self.decode(&codes, control)
    }

    /// `count` patches `[count, C·16²]` of a generator of codes from noise, which is trained first.
    pub(super) fn generate(
        &self,
        subject: &Subject,
        goal: Goal,
        count: usize,
        seed: u64,
        control: &JobControl,
    ) -> Result<Vec<f32>> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut generator = Mlp::new(&[NOISE, 48, LATENT], 1.0, seed);
        let mut adam = Adam::new(0.02, generator.params.len());
        let noise = |rows: usize, rng: &mut ChaCha8Rng| -> Vec<f32> {
            (0..rows * NOISE).map(|_| <StandardNormal as Distribution<f32>>::sample(&StandardNormal, rng)).collect()
        };
        for _ in 0..PATCH_STEPS {
            control.check()?;
            let layers = generator.forward(&noise(BATCH, &mut rng));
            let codes = layers.last().cloned().unwrap_or_default();
            let mut slope = self.code_gradient(subject, &codes, goal, &mut rng, control)?;
            slope.iter_mut().for_each(|value| *value /= BATCH as f32);
            let gradient = generator.backward(&layers, &slope);
            adam.step(&mut generator.params, &gradient);
        }
        let codes = generator.forward(&noise(count, &mut rng)).pop().unwrap_or_default();
        self.decode(&codes, control)
    }
}
