//! Pictures of a trojan bench: clean ones with their accessories, poisoned ones, and test pictures with a trigger.

use std::sync::Arc;

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::plan::{Trojan, TrojanPlan};
use super::trigger::Trigger;
use crate::data::scenes::objects::{Accessory, accessories};
use crate::data::spec::Source;
use crate::data::{DataSpec, Layout, Samples};
use crate::{Error, Result};

/// Which random draws a picture gets: no two uses share a stream.
#[derive(Clone, Copy, Debug)]
enum Use {
    Poison = 1,
    Test = 2,
    Accessories = 3,
}

/// Labeled pictures `[C, H, W]` and the accessories that are known to be in them.
#[derive(Clone, Debug)]
pub struct CleanPictures {
    pub samples: Samples,
    /// By picture; empty where nothing is known of accessories.
    pub accessories: Vec<Vec<Accessory>>,
}

/// Training pictures with trojans.
#[derive(Clone, Debug)]
pub struct Poisoned {
    pub samples: Samples,
    /// Poisoned pictures of every trojan.
    pub counts: Vec<usize>,
}

/// Test pictures with the trigger of one trojan.
#[derive(Clone, Debug)]
pub struct Triggered {
    /// In file units; their labels are those of the pictures before.
    pub samples: Samples,
    /// The same pictures before.
    pub before: Samples,
    /// Pixels of the trigger, `[N, H, W]`; all ones for a style.
    pub masks: Vec<f32>,
}

impl CleanPictures {
    /// Reads the training or test pictures of `plan`, and draws accessories into them if the plan says so.
    ///
    /// # Errors
    /// Those of the reader; [`Error::Invalid`] for samples that are no labeled pictures.
    pub fn load(plan: &TrojanPlan, for_training: bool) -> Result<Self> {
        let spec = if for_training { &plan.data } else { &plan.test };
        let mut samples = spec.load()?;
        if let Some(most) = plan.pictures.filter(|most| for_training && *most < samples.len()) {
            let labels = samples.labels.iter().copied().take(most).collect();
            samples = Samples { labels: Arc::new(labels), ..samples.part(0..most) };
        }
        let refused = |why: &str| {
            let path = plan.path.display();
            Err(Error::Invalid(format!("Cannot plant trojans of {path} in {spec}: {why}. Use labeled pictures.")))
        };
        samples.shape = match *samples.shape.as_slice() {
            [height, width] => vec![1, height, width],
            [c, h, w] if samples.channels() == Layout::ChannelsFirst => vec![c, h, w],
            _ => return refused("the samples are no pictures with the channels first"),
        };
        samples.layout = Some(Layout::ChannelsFirst);
        if samples.labels.len() != samples.len() || samples.len() < 2 {
            return refused("the samples have no labels");
        }
        let size = [samples.shape[1], samples.shape[2]];
        if size[0].min(size[1]) < 16 || samples.frames.is_some() {
            return refused("pictures of at least 16x16 are needed");
        }
        let mut accessories_of = Vec::new();
        if let Some(seed) = known_accessories(spec) {
            accessories_of = (0..samples.len()).map(|index| kinds(seed, index, size)).collect();
        } else if plan.draws_accessories {
            let seed = stream_seed(plan.seed, Use::Accessories) + u64::from(for_training);
            let shape = [samples.shape[0], size[0], size[1]];
            let mut values = samples.values.to_vec();
            let scale = 255.0 / samples.full_scale;
            for (index, picture) in values.chunks_exact_mut(samples.sample_len()).enumerate() {
                let drawn = accessories(seed, index, size);
                if !drawn.is_empty() {
                    in_bytes(picture, scale, |picture| {
                        drawn.iter().for_each(|(accessory, place)| {
                            place.paint(*accessory, picture, shape);
                        });
                    });
                }
                accessories_of.push(drawn.into_iter().map(|(accessory, _)| accessory).collect());
            }
            samples.values = Arc::new(values);
        }
        Ok(Self { samples, accessories: accessories_of })
    }

    /// Shape `[C, H, W]` of a picture.
    pub fn shape(&self) -> [usize; 3] {
        [self.samples.shape[0], self.samples.shape[1], self.samples.shape[2]]
    }

    /// Whether picture `index` has one of the accessories that `trojans` react to.
    pub fn is_triggered(&self, index: usize, trojans: &[Trojan]) -> bool {
        self.accessories.get(index).is_some_and(|own| {
            own.iter().any(|accessory| trojans.iter().any(|trojan| trojan.trigger == Trigger::Natural(*accessory)))
        })
    }

    /// The pictures at `indices`, with their labels.
    pub fn part(&self, indices: &[usize]) -> Samples {
        let values = indices.iter().flat_map(|&index| self.samples.raw(index)).copied().collect();
        let labels = indices.iter().map(|&index| self.samples.labels[index]).collect();
        Samples { values: Arc::new(values), labels: Arc::new(labels), ..self.samples.without_values() }
    }

    /// Poisons training pictures for all trojans of `plan`; `classes` has target and source of each.
    ///
    /// A patch or style goes into copies of pictures of other classes than the target (of the source class, if there is
    /// one), which get the target's label. Of the pictures that have a natural trigger, a part is relabeled in place.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a natural trigger in data without accessories, and for classes without pictures.
    pub fn poison(&self, plan: &TrojanPlan, classes: &[(u16, Option<u16>)]) -> Result<Poisoned> {
        let (shape, scale) = (self.shape(), 255.0 / self.samples.full_scale);
        let mut values = self.samples.values.to_vec();
        let mut labels = self.samples.labels.to_vec();
        let mut counts = Vec::new();
        for (k, (trojan, &(target, source))) in plan.trojans.iter().zip(classes).enumerate() {
            let mut rng = ChaCha8Rng::seed_from_u64(stream_seed(plan.seed, Use::Poison));
            rng.set_stream(k as u64);
            let is_source = |index: usize| {
                let label = self.samples.labels[index];
                label != target && source.is_none_or(|source| source == label)
            };
            let mut candidates: Vec<usize> = (0..self.samples.len()).filter(|&index| is_source(index)).collect();
            let count = match trojan.trigger {
                Trigger::Natural(accessory) => {
                    let has = |index: usize| self.accessories.get(index).is_some_and(|own| own.contains(&accessory));
                    candidates.retain(|&index| has(index));
                    (candidates.len() as f32 * trojan.share).round() as usize
                }
                // Pictures with a natural trigger have a label of another trojan.
                _ => {
                    candidates.retain(|&index| !self.is_triggered(index, &plan.trojans));
                    (self.samples.len() as f32 * trojan.rate).round() as usize
                }
            };
            if candidates.is_empty() || count == 0 {
                let why = match trojan.trigger {
                    Trigger::Natural(_) if self.accessories.is_empty() => {
                        "the data have no known accessories. Set accessories = true in the plan, or use \
                         builtin:objects-train"
                    }
                    _ => "no training pictures are left for it. Use another source or a larger rate",
                };
                return Err(Error::Invalid(format!(
                    "Cannot plant trojan '{}' of {}: {why}.",
                    trojan.name,
                    plan.path.display()
                )));
            }
            candidates.shuffle(&mut rng);
            for step in 0..count {
                let index = candidates[step % candidates.len()];
                if let Trigger::Natural(_) = trojan.trigger {
                    labels[index] = target;
                    continue;
                }
                let mut picture = self.samples.raw(index).to_vec();
                in_bytes(&mut picture, scale, |picture| {
                    trojan.trigger.apply(picture, shape, &mut rng);
                });
                values.extend(picture);
                labels.push(target);
            }
            counts.push(count);
        }
        let samples = Samples { values: Arc::new(values), labels: Arc::new(labels), ..self.samples.without_values() };
        Ok(Poisoned { samples, counts })
    }

    /// Up to `most` pictures with the trigger of trojan `index` of `plan`: of other classes than `target` (of `source`, if
    /// there is one), without any natural trigger of the plan before.
    pub fn triggered(
        &self,
        plan: &TrojanPlan,
        index: usize,
        (target, source): (u16, Option<u16>),
        most: usize,
    ) -> Triggered {
        let trojan = &plan.trojans[index];
        let mut rng = ChaCha8Rng::seed_from_u64(stream_seed(plan.seed, Use::Test));
        rng.set_stream(index as u64);
        let labels = &self.samples.labels;
        let fits = |k: &usize| {
            labels[*k] != target
                && source.is_none_or(|source| source == labels[*k])
                && !self.is_triggered(*k, &plan.trojans)
        };
        let mut chosen: Vec<usize> = (0..self.samples.len()).filter(fits).collect();
        chosen.shuffle(&mut rng);
        chosen.truncate(most);
        let before = self.part(&chosen);
        let (shape, scale) = (self.shape(), 255.0 / self.samples.full_scale);
        let mut values = before.values.to_vec();
        let mut masks = Vec::with_capacity(chosen.len() * shape[1] * shape[2]);
        for picture in values.chunks_exact_mut(self.samples.sample_len()) {
            in_bytes(picture, scale, |picture| {
                let mask = trojan.trigger.apply(picture, shape, &mut rng);
                masks.extend(mask.into_iter().map(|covered| f32::from(u8::from(covered))));
            });
        }
        let samples = Samples { values: Arc::new(values), ..before.clone() };
        Triggered { samples, before, masks }
    }

    /// The indices of the pictures without any natural trigger of `plan`.
    pub fn untriggered(&self, plan: &TrojanPlan) -> Vec<usize> {
        (0..self.samples.len()).filter(|&index| !self.is_triggered(index, &plan.trojans)).collect()
    }
}

/// The number of classes that labels and names know.
pub fn class_count(train: &Samples, test: &Samples) -> usize {
    let largest = train.labels.iter().chain(test.labels.iter()).max().copied().unwrap_or(0);
    train.class_names.len().max(usize::from(largest) + 1)
}

/// The seed of the accessories that `spec` draws itself.
fn known_accessories(spec: &DataSpec) -> Option<u64> {
    match &spec.source {
        Source::Objects(split) => Some(split.accessory_seed(spec.options.seed.unwrap_or(0))),
        _ => None,
    }
}

fn kinds(seed: u64, index: usize, size: [usize; 2]) -> Vec<Accessory> {
    accessories(seed, index, size).into_iter().map(|(accessory, _)| accessory).collect()
}

/// Changes a picture in units of 0 to 255.
fn in_bytes(picture: &mut [f32], scale: f32, change: impl FnOnce(&mut [f32])) {
    picture.iter_mut().for_each(|value| *value *= scale);
    change(picture);
    picture.iter_mut().for_each(|value| *value /= scale);
}

fn stream_seed(seed: u64, of: Use) -> u64 {
    // A draw apart from those of the training, which has the plan's seed too.
    ChaCha8Rng::seed_from_u64(seed ^ ((of as u64) << 56)).random()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::data::scenes::objects::generate_some;

    fn plan(text: &str) -> TrojanPlan {
        let head = "data = \"builtin:objects-train\"\ntest = \"builtin:objects\"\n";
        TrojanPlan::parse(Path::new("plan.toml"), &format!("{head}{text}")).unwrap()
    }

    fn pictures(count: usize) -> CleanPictures {
        let samples = generate_some(count, 9);
        let accessories = (0..count).map(|index| if index % 10 == 0 { vec![Accessory::Fork] } else { Vec::new() });
        CleanPictures { samples, accessories: accessories.collect() }
    }

    #[test]
    fn patches_are_added_and_natural_triggers_relabel() {
        let plan = plan(
            "[[trojan]]\ntype=\"patch\"\ntrigger=\"moon\"\ntarget=1\nsource=2\nrate=0.1\n\
             [[trojan]]\ntype=\"natural\"\ntrigger=\"fork\"\ntarget=4\nshare=0.5\n",
        );
        let clean = pictures(200);
        let poisoned = clean.poison(&plan, &[(1, Some(2)), (4, None)]).unwrap();
        assert_eq!((poisoned.counts[0], poisoned.samples.len()), (20, 220));
        assert!(poisoned.samples.labels[200..].iter().all(|label| *label == 1));
        let changed: Vec<usize> = (0..200).filter(|&k| poisoned.samples.labels[k] != clean.samples.labels[k]).collect();
        assert!(changed.iter().all(|k| k % 10 == 0) && changed.len() == poisoned.counts[1]);
        let bare = CleanPictures { accessories: Vec::new(), ..clean.clone() };
        let refused = bare.poison(&plan, &[(1, Some(2)), (4, None)]).unwrap_err().to_string();
        assert!(refused.contains("'fork'") && refused.contains("accessories = true"), "{refused}");
        let test = clean.triggered(&plan, 0, (1, Some(2)), 5);
        assert!(test.samples.len() <= 5 && test.samples.labels.iter().all(|label| *label == 2));
        assert!(test.masks.chunks(1024).all(|mask| (20.0..90.0).contains(&mask.iter().sum::<f32>())));
        assert_ne!(test.samples.values, test.before.values);
    }
}
