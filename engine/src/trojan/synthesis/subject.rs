//! What syntheses look into: the planted network, its last hidden layer, and pictures to paste patches into.

use std::sync::Arc;

use burn::tensor::Device;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::insert::Insertion;
use crate::attack::{AnnTarget, PixelSpace, Target};
use crate::compute::cross_entropy;
use crate::compute::program::Program;
use crate::data::{Samples, Scaling};
use crate::progress::JobControl;
use crate::trojan::embedding::Embedding;
use crate::trojan::folder::Planted;
use crate::trojan::pictures::CleanPictures;
use crate::{Error, Result};

/// Sides of pasted patches, as parts of the shorter side of the picture: 64 to 84 of 256 pixels in RFLA.
const SIDES: [f32; 2] = [0.25, 0.328];
/// Pictures into which a finished patch is pasted to measure its success.
const MEASURED: usize = 50;

/// A planted network ready for synthesis.
pub struct Subject {
    pub(super) shape: [usize; 3],
    pub(super) pixels: PixelSpace,
    program: Program,
    embedding: Embedding,
    /// Clean training pictures, 0 to 1, `[N, F]`, and their labels.
    pub(super) training: Vec<f32>,
    pub(super) training_labels: Vec<u16>,
    /// Clean test pictures without triggers.
    test: Vec<f32>,
    test_labels: Vec<u16>,
}

/// The trojan whose trigger is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    pub target: u16,
    pub source: Option<u16>,
}

impl Subject {
    /// Prepares the network of `planted` and its clean training pictures.
    ///
    /// # Errors
    /// Those of reading the pictures; [`Error::Invalid`] if the network does not end in a linear layer.
    pub fn new(planted: &Planted) -> Result<Self> {
        let training = CleanPictures::load(&planted.plan, true)?;
        let pixels = PixelSpace::new(&planted.test.samples, &Scaling::Unit)?;
        let network = Arc::new(planted.network.clone());
        let Some(embedding) = Embedding::of(&network) else {
            return Err(Error::Invalid(format!(
                "Cannot synthesize from {}: its network does not end in a linear layer. Use one that does.",
                planted.source
            )));
        };
        let of = |samples: &Samples| pixels.pixels(samples, 0..samples.len());
        let untriggered = planted.test.part(&planted.test.untriggered(&planted.plan));
        Ok(Self {
            shape: planted.test.shape(),
            program: Program::new(network, &Device::flex()),
            embedding,
            training: of(&training.samples)?,
            training_labels: training.samples.labels.to_vec(),
            test: of(&untriggered)?,
            test_labels: untriggered.labels.to_vec(),
            pixels,
        })
    }

    /// Values of one picture.
    pub(super) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Height and width.
    pub(super) fn size(&self) -> [usize; 2] {
        [self.shape[1], self.shape[2]]
    }

    /// The network as a target of gradients.
    pub(super) fn network(&self) -> AnnTarget<'_> {
        AnnTarget::new(&self.program, &self.pixels)
    }

    /// The network up to its last hidden layer.
    pub(super) fn hidden(&self) -> AnnTarget<'_> {
        AnnTarget::new(&self.embedding.program, &self.pixels)
    }

    /// Units of the last hidden layer by how much more they speak for `target` than for the mean class, most first.
    pub(super) fn units_for(&self, target: u16) -> Vec<usize> {
        let Embedding { readout, units, .. } = &self.embedding;
        let classes = readout.len() / (*units).max(1);
        let mean =
            |unit: usize| (0..classes).map(|class| readout[class * units + unit]).sum::<f32>() / classes.max(1) as f32;
        let own = |unit: usize| readout[usize::from(target) * units + unit] - mean(unit);
        let mut units: Vec<usize> = (0..*units).collect();
        units.sort_by(|a, b| own(*b).total_cmp(&own(*a)));
        units
    }

    /// The embedding (last hidden layer) of pictures `[N, F]`, `[N, units]`.
    pub(super) fn embed(&self, pictures: &[f32], control: &JobControl) -> Result<Vec<f32>> {
        self.embedding.program.outputs(&self.pixels.scaled(pictures), control)
    }

    /// Units of the last hidden layer.
    pub(super) fn units(&self) -> usize {
        self.embedding.units
    }

    /// A random training picture that a trigger of `goal` would change.
    pub(super) fn random_source(&self, goal: Goal, rng: &mut ChaCha8Rng) -> &[f32] {
        let count = self.training_labels.len();
        let fits = |label: u16| label != goal.target && goal.source.is_none_or(|source| source == label);
        let index = loop {
            let index = rng.random_range(0..count);
            if fits(self.training_labels[index]) {
                break index;
            }
        };
        &self.training[index * self.len()..(index + 1) * self.len()]
    }

    /// A random insertion of a patch of `side` by `side`.
    pub(super) fn random_insertion(&self, side: usize, rng: &mut ChaCha8Rng) -> Insertion {
        let least = self.size()[0].min(self.size()[1]) as f32;
        Insertion::random(rng, side, SIDES.map(|part| part * least), self.size())
    }

    /// Pastes each of `patches` `[N, C·side²]` into `copies` random training pictures and returns the mean gradient of the
    /// cross entropy with the target, `[N, C·side²]`, and the part of the pictures that are taken for it, `[N]`.
    pub(super) fn patch_gradient(
        &self,
        patches: &[f32],
        side: usize,
        copies: usize,
        goal: Goal,
        rng: &mut ChaCha8Rng,
        control: &JobControl,
    ) -> Result<(Vec<f32>, Vec<f32>)> {
        let width = self.shape[0] * side * side;
        let (mut pictures, mut insertions) = (Vec::new(), Vec::new());
        for patch in patches.chunks_exact(width) {
            for _ in 0..copies {
                let insertion = self.random_insertion(side, rng);
                let mut picture = self.random_source(goal, rng).to_vec();
                insertion.paste(patch, &mut picture);
                pictures.extend(picture);
                insertions.push(insertion);
            }
        }
        let slope = |_: usize, logits: &[f32], out: &mut [f32]| {
            cross_entropy::slope(logits, usize::from(goal.target), out);
        };
        let slopes = self.network().gradient_of(&pictures, &slope, control)?;
        let mut gradient = vec![0.0; patches.len()];
        let mut hits = vec![0.0; patches.len() / width];
        let classes = slopes.logits.len() / insertions.len().max(1);
        let rows = slopes.gradient.chunks_exact(self.len()).zip(slopes.logits.chunks_exact(classes));
        for (k, ((of_picture, logits), insertion)) in rows.zip(&insertions).enumerate() {
            let patch = k / copies;
            insertion.pull(of_picture, &mut gradient[patch * width..(patch + 1) * width]);
            hits[patch] += f32::from(u8::from(crate::network::predicted_class(logits) == usize::from(goal.target)));
        }
        let share = 1.0 / copies as f32;
        gradient.iter_mut().chain(&mut hits).for_each(|value| *value *= share);
        Ok((gradient, hits))
    }

    /// Part of test pictures that are taken for the target with each of `patches` in them, `[N]`.
    pub(super) fn patch_success(
        &self,
        patches: &[f32],
        side: usize,
        goal: Goal,
        rng: &mut ChaCha8Rng,
        control: &JobControl,
    ) -> Result<Vec<f32>> {
        let confidences = self.patch_confidence(patches, side, goal, MEASURED, rng, control)?;
        Ok(confidences.into_iter().map(|(success, _)| success).collect())
    }

    /// For each of `patches`: part of `count` test pictures that are taken for the target with it, and the mean gain of
    /// the target's probability.
    pub(super) fn patch_confidence(
        &self,
        patches: &[f32],
        side: usize,
        goal: Goal,
        count: usize,
        rng: &mut ChaCha8Rng,
        control: &JobControl,
    ) -> Result<Vec<(f32, f32)>> {
        let (target, len) = (usize::from(goal.target), self.len());
        let fits = |k: &usize| {
            self.test_labels[*k] != goal.target && goal.source.is_none_or(|source| source == self.test_labels[*k])
        };
        let sources: Vec<usize> = (0..self.test_labels.len()).filter(fits).take(count).collect();
        let count = sources.len().max(1);
        let before: Vec<f32> = sources.iter().flat_map(|k| &self.test[k * len..(k + 1) * len]).copied().collect();
        let network = self.network();
        let probability = |logits: &[f32]| cross_entropy::probability(logits, target);
        let classes = network.classes();
        let base: f32 = network.logits(&before, control)?.chunks_exact(classes).map(probability).sum();
        let mut found = Vec::new();
        for patch in patches.chunks_exact(self.shape[0] * side * side) {
            let mut pictures = before.clone();
            for picture in pictures.chunks_exact_mut(len) {
                self.random_insertion(side, rng).paste(patch, picture);
            }
            let logits = network.logits(&pictures, control)?;
            let rows = || logits.chunks_exact(classes);
            let hits = rows().filter(|row| crate::network::predicted_class(row) == target).count();
            let gain = rows().map(probability).sum::<f32>() - base;
            found.push((hits as f32 / count as f32, gain / count as f32));
        }
        Ok(found)
    }

    /// Part of whole pictures that are the target's on their own: 1 or 0 each, `[N]`.
    pub(super) fn taken_for(&self, pictures: &[f32], target: u16, control: &JobControl) -> Result<Vec<f32>> {
        let network = self.network();
        let logits = network.logits(pictures, control)?;
        let hit = |row: &[f32]| f32::from(u8::from(crate::network::predicted_class(row) == usize::from(target)));
        Ok(logits.chunks_exact(network.classes()).map(hit).collect())
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::network::{Network, Node, Op, Weights};

    /// A linear network of 8x8 pictures with a row of equal weights for each of `classes`, and white pictures of class 1.
    fn subject(classes: &[f32]) -> Subject {
        let weights = classes.iter().flat_map(|weight| [*weight; 64]).collect();
        let op = Op::Linear { weight: Weights::new(vec![classes.len(), 64], weights), bias: None };
        let input = Node { name: "input".into(), op: Op::Input, inputs: vec![], shape: vec![1, 8, 8] };
        let fc = Node { name: "fc".into(), op, inputs: vec![0], shape: vec![classes.len()] };
        let network = Network {
            name: "n".into(),
            nodes: vec![input, fc],
            output: 1,
            scaling: None,
            class_names: vec![],
            neurons: None,
        };
        let white = Samples {
            shape: vec![1, 8, 8],
            values: Arc::new(vec![1.0; 64]),
            labels: Arc::new(vec![1]),
            full_scale: 1.0,
            max: 1.0,
            ..Samples::default()
        };
        Subject {
            shape: [1, 8, 8],
            pixels: PixelSpace::new(&white, &Scaling::Unit).unwrap(),
            embedding: Embedding::of(&network).unwrap(),
            program: Program::new(Arc::new(network), &Device::flex()),
            training: vec![1.0; 64],
            training_labels: vec![1],
            test: vec![1.0; 64],
            test_labels: vec![1],
        }
    }

    #[test]
    fn a_patch_keeps_its_gradient_where_the_target_is_certain() {
        // Logits (64 - a few, 0): 1 − p is about e^-60, which p − 1 in 32 bits does not know.
        let (subject, goal) = (subject(&[1.0, 0.0]), Goal { target: 0, source: None });
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (gradient, hits) =
            subject.patch_gradient(&[0.9; 16], 4, 8, goal, &mut rng, &JobControl::default()).unwrap();
        assert_eq!(hits, [1.0]);
        assert!(gradient.iter().all(|g| (-1e-20..0.0).contains(g)), "{gradient:?}");
    }

    #[test]
    fn a_single_score_has_a_confidence_in_class_1() {
        let goal = Goal { target: 1, source: None };
        let mut subject = subject(&[-0.05]);
        subject.test_labels = vec![0];
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let found = subject.patch_confidence(&[0.0; 16], 4, goal, 1, &mut rng, &JobControl::default()).unwrap();
        // Black on white takes from the score -3.2 at most what the patch covers.
        assert!(found[0].1 > 0.0 && found[0].1 < 0.5, "{found:?}");
    }
}
