//! Training of one-stage detectors without anchors (FCOS, Tian et al. 2019).
//!
//! `layout` finds the outputs, `assignment` gives places their objects, `losses` are functions of single values; here they
//! become the loss of a batch.

mod assignment;
mod layout;
mod losses;
#[cfg(test)]
mod tests;

use burn::tensor::Tensor;
use rayon::prelude::*;

use self::assignment::assign;
pub use self::layout::FcosLayout;
use self::losses::{binary_cross_entropy, centerness, focal, generalized_iou};
use super::objective::{Batch, Loss, Objective, Score, check_input, refusal};
use crate::Result;
use crate::compute::dense::tensor_to_vec;
use crate::data::Samples;
use crate::data::samples::targets::TargetBox;
use crate::network::Network;

/// Boxes by class, distances and centre-ness.
pub struct Detection<'a> {
    pub layout: FcosLayout,
    pub score: Box<Score<'a>>,
}

impl Objective for Detection<'_> {
    fn check(&self, network: &Network, samples: &Samples) -> Result<()> {
        check_input(network, samples)?;
        let Some(boxes) = samples.targets.boxes() else {
            return Err(refusal(samples, "the samples have no boxes. Use voc:, coco:, yolo: or builtin:scenes-train"));
        };
        if FcosLayout::of(network).as_ref() != Some(&self.layout) {
            return Err(refusal(samples, FcosLayout::misfit(network)));
        }
        let classes = self.layout.classes;
        let mut all = boxes.of_sample.iter().flatten();
        match all.find(|target| usize::from(target.class) >= classes) {
            Some(target) => {
                let (class, name) = (target.class, &network.name);
                Err(refusal(samples, format!("class {class} of a box, but the network '{name}' has {classes} classes")))
            }
            None => Ok(()),
        }
    }

    fn class_names<'a>(&self, samples: &'a Samples) -> &'a [String] {
        samples.targets.boxes().map_or(&[], |boxes| &boxes.class_names)
    }

    fn loss(&self, output: &Tensor<2>, batch: &Batch) -> Loss {
        let (parts, gradient) = fcos_loss(&self.layout, &tensor_to_vec(output.clone().detach()), &batch.boxes);
        Loss::with_gradient(output, parts.iter().sum::<f64>() as f32, gradient, [0, 0])
    }

    fn score(&self, outputs: &mut dyn Iterator<Item = (usize, Vec<f32>)>, samples: &Samples) -> Result<f32> {
        (self.score)(outputs, samples)
    }
}

/// The loss of `outputs` `[N, F]` for the boxes of each sample, and its gradient `[N, F]`.
///
/// Three parts: focal loss of all places and classes, generalized IoU loss and centre-ness at places with an object; each
/// summed over the batch and divided by the number of these places (at least 1), as torchvision's FCOS does. Boxes of
/// crowds are not trained on.
fn fcos_loss(layout: &FcosLayout, outputs: &[f32], boxes: &[Vec<TargetBox>]) -> ([f64; 3], Vec<f32>) {
    let len = outputs.len() / boxes.len().max(1);
    let mut gradient = vec![0.0f32; outputs.len()];
    let parts = gradient.par_chunks_mut(len.max(1)).zip(outputs.par_chunks(len.max(1))).zip(boxes);
    let sums: Vec<([f64; 3], usize)> =
        parts.map(|((gradient, output), boxes)| sample_loss(layout, output, boxes, gradient)).collect();
    let found = sums.iter().map(|(_, found)| found).sum::<usize>().max(1) as f64;
    let mut total = [0.0; 3];
    sums.iter().for_each(|(loss, _)| total.iter_mut().zip(loss).for_each(|(to, from)| *to += from));
    gradient.par_iter_mut().for_each(|value| *value = (f64::from(*value) / found) as f32);
    (total.map(|sum| sum / found), gradient)
}

/// The sums of the three parts over one sample and its places with objects; writes the gradient of their sum.
fn sample_loss(layout: &FcosLayout, output: &[f32], boxes: &[TargetBox], gradient: &mut [f32]) -> ([f64; 3], usize) {
    let boxes: Vec<&TargetBox> = boxes.iter().filter(|target| !target.is_crowd).collect();
    let corners: Vec<[f32; 4]> = boxes.iter().map(|target| target.corners).collect();
    let places = layout.places();
    let (mut sums, mut found) = ([0.0; 3], 0);
    for (place, object) in places.iter().zip(assign(&places, &corners)) {
        let own = object.map(|object| usize::from(boxes[object].class));
        for class in 0..layout.classes {
            let at = place.classes + class * place.plane;
            let (loss, slope) = focal(f64::from(output[at]), own == Some(class));
            sums[0] += loss;
            gradient[at] = slope as f32;
        }
        let Some(object) = object else { continue };
        found += 1;
        let at = |side: usize| place.boxes + side * place.plane;
        let truth = place.distances(corners[object]).map(f64::from);
        // Distances are in strides; negative ones are 0 and do not learn.
        let stride = f64::from(place.stride);
        let predicted = [0, 1, 2, 3].map(|side| f64::from(output[at(side)]).max(0.0) * stride);
        let (loss, slopes) = generalized_iou(predicted, truth);
        sums[1] += loss;
        for (side, slope) in slopes.into_iter().enumerate().filter(|(side, _)| output[at(*side)] > 0.0) {
            gradient[at(side)] = (slope * stride) as f32;
        }
        let (loss, slope) = binary_cross_entropy(f64::from(output[place.centerness]), centerness(truth));
        sums[2] += loss;
        gradient[place.centerness] = slope as f32;
    }
    (sums, found)
}
