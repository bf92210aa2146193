//! What an attack found: adversarial images and answers, per sample and as shares.

/// One sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleOutcome {
    pub label: u16,
    /// Answers for the image, the adversarial image, and a random perturbation of equal size.
    pub before: usize,
    pub after: usize,
    pub beside: usize,
    /// Size of the perturbation, in pixel units.
    pub linf: f32,
    pub l2: f32,
    /// Times the network was evaluated for it.
    pub queries: u32,
}

impl SampleOutcome {
    /// Whether the network was right before.
    pub fn was_right(&self) -> bool {
        self.before == usize::from(self.label)
    }
    /// Whether it was right before and still is: a sample that is wrong from the start is not robust.
    pub fn is_robust(&self) -> bool {
        self.was_right() && self.after == usize::from(self.label)
    }
    /// Whether the attack turned a right answer into a wrong one.
    pub fn is_fooled(&self) -> bool {
        self.was_right() && !self.is_robust()
    }
}

/// All samples of an attack.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    pub samples: Vec<SampleOutcome>,
    /// `[N, F]`, values from 0 to the limit of the images.
    pub adversarial: Vec<f32>,
    /// The answers to them, `[N, classes]`.
    pub logits: Vec<f32>,
}

impl Outcome {
    /// Appends the samples of `other`.
    pub fn extend(&mut self, other: Self) {
        self.samples.extend(other.samples);
        self.adversarial.extend(other.adversarial);
        self.logits.extend(other.logits);
    }
    /// Accuracy on the images as they are.
    pub fn clean_accuracy(&self) -> f64 {
        self.share(SampleOutcome::was_right)
    }
    /// Share of samples that are right before and after.
    pub fn robust_accuracy(&self) -> f64 {
        self.share(SampleOutcome::is_robust)
    }
    /// Share of samples that are right before and under a random perturbation of equal size.
    pub fn random_accuracy(&self) -> f64 {
        self.share(|sample| sample.was_right() && sample.beside == usize::from(sample.label))
    }
    /// Samples that the attack fooled, by their position.
    pub fn fooled(&self) -> Vec<usize> {
        (0..self.samples.len()).filter(|&k| self.samples[k].is_fooled()).collect()
    }
    /// Mean of a figure over the samples.
    pub fn mean(&self, of: impl Fn(&SampleOutcome) -> f64) -> f64 {
        self.samples.iter().map(of).sum::<f64>() / self.samples.len().max(1) as f64
    }
    /// Joins another attack on the same samples: one that fools a sample takes the place of one that does not.
    pub fn join(&mut self, other: &Self) {
        let count = self.samples.len().max(1);
        let (width, classes) = (self.adversarial.len() / count, self.logits.len() / count);
        for (k, (own, other_sample)) in self.samples.iter_mut().zip(&other.samples).enumerate() {
            let queries = own.queries + other_sample.queries;
            if !own.is_fooled() && other_sample.is_fooled() {
                *own = *other_sample;
                let row = k * width..(k + 1) * width;
                self.adversarial[row.clone()].copy_from_slice(&other.adversarial[row]);
                let row = k * classes..(k + 1) * classes;
                self.logits[row.clone()].copy_from_slice(&other.logits[row]);
            }
            own.queries = queries;
        }
    }

    fn share(&self, holds: impl Fn(&SampleOutcome) -> bool) -> f64 {
        self.mean(|sample| f64::from(u8::from(holds(sample))))
    }
}
