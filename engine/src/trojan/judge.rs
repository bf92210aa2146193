//! An automatic judge of syntheses: a small network trained on renderings of the 24 triggers.
//!
//! It is neither the trojaned network nor CLIP nor a person: it has never seen the trojaned network, only drawings of the
//! triggers. A question is answered by the softmax of cosine similarities between the embedding of a picture and the mean
//! embedding of each option.

use std::path::Path;
use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::embedding::{Embedding, cosine};
use super::trigger::{Trigger, TriggerKind};
use crate::data::scenes::objects::sticker::{Place, blend};
use crate::data::{Layout, Samples, Scaling};
use crate::network::{Activation, Network, safetensors, zoo};
use crate::progress::JobControl;
use crate::train::{Augmentation, Classification, TrainOptions, train};
use crate::{Error, Result};

/// What results call it.
pub const JUDGE_NAME: &str = "trigger network";
/// Its file in a folder of syntheses.
const FILE: &str = "judge.safetensors";
/// Width and height of what it looks at.
const SIDE: usize = 32;
/// Renderings of every trigger to learn from, and to know the options by.
const RENDERINGS: usize = 240;
const REFERENCES: usize = 24;
const EPOCHS: usize = 8;
/// Temperature of the softmax over cosine similarities.
const TEMPERATURE: f32 = 0.1;

/// The judge, ready for questions about pictures of `channels` channels.
pub struct Judge {
    embedding: Embedding,
    channels: usize,
    /// The mean embedding of every trigger: three kinds of eight.
    options: Vec<Vec<f32>>,
}

impl Judge {
    /// Opens the judge of the folder at `folder`, or trains it and leaves it there.
    ///
    /// # Errors
    /// Those of training and files; [`Error::Cancelled`].
    pub fn open_or_train(folder: &Path, channels: usize, control: &JobControl) -> Result<Self> {
        let path = folder.join(FILE);
        let network = match path.is_file() {
            true => crate::network::open::open(&path.to_string_lossy())?,
            false => {
                let network = train_judge(channels, control)?;
                safetensors::save(&network, &path)?;
                network
            }
        };
        Self::new(&network, channels, control)
    }

    fn new(network: &Network, channels: usize, control: &JobControl) -> Result<Self> {
        let embedding = Embedding::of(network).filter(|_| network.input_shape() == [channels, SIDE, SIDE]);
        let embedding = embedding.ok_or_else(|| {
            Error::Invalid(format!("Cannot use {FILE}: it is no judge of {channels} channels. Delete it."))
        })?;
        let mut options = Vec::new();
        for (k, trigger) in all_triggers().enumerate() {
            let mut rng = ChaCha8Rng::seed_from_u64(77);
            rng.set_stream(k as u64);
            let drawn: Vec<f32> = (0..REFERENCES).flat_map(|_| rendering(trigger, channels, &mut rng)).collect();
            let codes = embedding.program.outputs(&drawn, control)?;
            let mean = |unit: usize| codes.iter().skip(unit).step_by(embedding.units).sum::<f32>() / REFERENCES as f32;
            options.push((0..embedding.units).map(mean).collect());
        }
        Ok(Self { embedding, channels, options })
    }

    /// The probability of each of the eight triggers of `kind`, by pictures `[N, C, H, W]` of values 0 to 1: the mean over the
    /// pictures.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; [`Error::Invalid`] for pictures of other channels.
    pub fn probabilities(
        &self,
        kind: TriggerKind,
        [count, channels, height, width]: [usize; 4],
        pictures: &[f32],
        control: &JobControl,
    ) -> Result<[f32; 8]> {
        if channels != self.channels || pictures.len() != count * channels * height * width || count == 0 {
            return Err(Error::Invalid("Cannot judge these pictures: they have other channels than the judge.".into()));
        }
        let resized: Vec<f32> = pictures
            .chunks_exact(channels * height * width)
            .flat_map(|picture| resize(picture, [channels, height, width]))
            .collect();
        let codes = self.embedding.program.outputs(&resized, control)?;
        let first = 8 * TriggerKind::ALL.iter().position(|known| *known == kind).unwrap_or(0);
        let mut sum = [0.0f32; 8];
        for code in codes.chunks_exact(self.embedding.units) {
            let weights: [f32; 8] =
                std::array::from_fn(|k| (cosine(code, &self.options[first + k]) / TEMPERATURE).exp());
            let total: f32 = weights.iter().sum();
            sum.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight / total / count as f32);
        }
        Ok(sum)
    }
}

fn all_triggers() -> impl Iterator<Item = Trigger> {
    TriggerKind::ALL.into_iter().flat_map(TriggerKind::triggers)
}

fn train_judge(channels: usize, control: &JobControl) -> Result<Network> {
    let triggers: Vec<Trigger> = all_triggers().collect();
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for (label, trigger) in triggers.iter().enumerate() {
        for _ in 0..RENDERINGS {
            values.extend(rendering(*trigger, channels, &mut rng));
            labels.push(label as u16);
        }
    }
    let samples = Samples {
        source: "renderings of triggers".into(),
        shape: vec![channels, SIDE, SIDE],
        layout: Some(Layout::ChannelsFirst),
        values: Arc::new(values),
        labels: Arc::new(labels),
        class_names: triggers.iter().map(|trigger| trigger.name().to_owned()).collect(),
        ..Samples::default()
    };
    let mut network = zoo::resnet(&[channels, SIDE, SIDE], triggers.len(), Activation::Relu, 5)?;
    "judge".clone_into(&mut network.name);
    let options = TrainOptions {
        epochs: EPOCHS,
        learning_rate: 3e-3,
        augmentation: Augmentation { shift: 2, ..Augmentation::default() },
        seed: 5,
        ..TrainOptions::default()
    };
    let result = train(&network, &samples, &Scaling::Unit, &options, &Classification, |at| {
        control.progress("training the judge", (at.epoch - 1) as f32 / at.epochs as f32);
        if control.is_cancelled() { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    })?;
    if result.stopped { Err(Error::Cancelled) } else { Ok(result.network) }
}

/// A drawing of `trigger`, large or small, on a random ground with noise and blur: `[C, 32, 32]`, 0 to 1.
fn rendering(trigger: Trigger, channels: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let shape = [channels, SIDE, SIDE];
    let ground: [f32; 3] = std::array::from_fn(|_| rng.random_range(20.0..235.0));
    let second: [f32; 3] = std::array::from_fn(|k| (ground[k] + rng.random_range(-60.0..60.0f32)).clamp(0.0, 255.0));
    let mut picture = vec![0.0; channels * SIDE * SIDE];
    let cells = rng.random_range(3..12usize);
    for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x))) {
        let color = if (x / cells + y / cells) % 2 == 0 { ground } else { second };
        blend(&mut picture, shape, [y, x], color, 1.0);
    }
    match trigger {
        Trigger::Style(style) => style.paint(&mut picture, shape, rng),
        Trigger::Patch(patch) => {
            let place = Place::random(rng, [12.0, 32.0], [SIDE; 2]);
            place.paint(patch, &mut picture, shape);
        }
        Trigger::Natural(accessory) => {
            let place = Place::random(rng, [12.0, 32.0], [SIDE; 2]);
            place.paint(accessory, &mut picture, shape);
        }
    }
    let (gain, noise) = (rng.random_range(0.7..1.2f32), rng.random_range(0.0..0.12f32));
    if rng.random_bool(0.5) {
        picture = blurred(&picture);
    }
    let finish = |value: f32| (value / 255.0 * gain + rng.random_range(-1.0..1.0) * noise).clamp(0.0, 1.0);
    picture.into_iter().map(finish).collect()
}

/// The mean over 3 by 3 pixels.
fn blurred(picture: &[f32]) -> Vec<f32> {
    let mean = |k: usize| {
        let (plane, y, x) = (k / (SIDE * SIDE), (k / SIDE) % SIDE, k % SIDE);
        let rows = y.saturating_sub(1)..(y + 2).min(SIDE);
        let columns = x.saturating_sub(1)..(x + 2).min(SIDE);
        let count = (rows.len() * columns.len()) as f32;
        rows.flat_map(|y| columns.clone().map(move |x| (y, x)))
            .map(|(y, x)| picture[plane * SIDE * SIDE + y * SIDE + x])
            .sum::<f32>()
            / count
    };
    (0..picture.len()).map(mean).collect()
}

/// A picture `[C, H, W]` as `[C, 32, 32]`, bilinear.
fn resize(picture: &[f32], [channels, height, width]: [usize; 3]) -> Vec<f32> {
    let split = |k: usize, from: usize| {
        let at = ((k as f32 + 0.5) * from as f32 / SIDE as f32 - 0.5).clamp(0.0, (from - 1) as f32);
        (at as usize, (at as usize + 1).min(from - 1), at - at.floor())
    };
    let value = |k: usize| {
        let (channel, y, x) = (k / (SIDE * SIDE), (k / SIDE) % SIDE, k % SIDE);
        let ((top, bottom, down), (left, right, along)) = (split(y, height), split(x, width));
        let at = |y: usize, x: usize| picture[(channel * height + y) * width + x];
        let line = |y: usize| at(y, left) * (1.0 - along) + at(y, right) * along;
        line(top) * (1.0 - down) + line(bottom) * down
    };
    (0..channels * SIDE * SIDE).map(value).collect()
}
