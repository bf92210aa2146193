//! Mean IoU of the class maps of both networks over the time steps.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::band::band;
use super::scene_run::SceneRun;
use crate::data::Masks;
use crate::data::samples::targets::VOID;
use crate::progress::JobControl;
use crate::task::scores::masks::{Confusion, MaskScores};
use crate::task::segmentation::{Segmenter, SegmenterBuffers};
use crate::{Error, Result};

/// Draws of pictures for the band.
const DRAWS: usize = 200;
/// Maximum number of counts for the band (u32 each).
const MAX_COUNTS: usize = 1 << 24;

/// Scores of class maps.
#[derive(Clone, Debug)]
pub struct SegmentationScores {
    /// Class names by index.
    pub class_names: Vec<String>,
    pub ann: MaskScores,
    /// Where 95 % of the ANN's mean IoUs lie for pictures drawn again.
    pub ann_band: Option<[f64; 2]>,
    /// After every step, `[T]`.
    pub snn: Vec<MaskScores>,
    /// Part of the pixels whose class is that of the ANN, after every step, `[T]`.
    pub agreement: Vec<f64>,
    pub segmenter: Segmenter,
}

/// The reader of the run's class maps; `None` if its output is no map of scores, or tells fewer classes than the masks.
pub(super) fn reader(run: &SceneRun<'_>, masks: &Masks) -> Option<Segmenter> {
    Segmenter::new(run.network, [masks.height, masks.width])
}

pub(super) fn score(
    run: &SceneRun<'_>,
    masks: &Masks,
    segmenter: Segmenter,
    control: &JobControl,
) -> Result<SegmentationScores> {
    let classes = segmenter.classes().max(masks.class_names.len());
    let pixels = masks.height * masks.width;
    let samples = run.recording.samples;
    let ann_maps: Vec<Vec<u8>> = (0..samples)
        .into_par_iter()
        .map_init(SegmenterBuffers::default, |buffers, sample| {
            let mut map = vec![0; pixels];
            segmenter.classes_of(run.ann.logits_of(sample), &mut map, buffers);
            map
        })
        .collect();
    let target = |sample: usize| masks.of_sample(run.first + sample);
    let internal = |reason: String| Error::Invalid(format!("Cannot score class maps: {reason}."));
    let mut ann = Confusion::new(classes, Some(u64::from(VOID)));
    for (sample, map) in ann_maps.iter().enumerate() {
        ann.add(target(sample), map).map_err(internal)?;
    }
    let ann_band = mean_iou_band(classes, &ann_maps, target);
    let done = AtomicUsize::new(0);
    let steps = run.recording.steps;
    let at = |(buffers, mean, map): &mut (SegmenterBuffers, Vec<f32>, Vec<u8>), t: usize| {
        let mut confusion = Confusion::new(classes, Some(u64::from(VOID)));
        let mut same = 0usize;
        map.resize(pixels, 0);
        for (sample, of_ann) in ann_maps.iter().enumerate() {
            control.check()?;
            run.window.mean_into(run.recording, t, sample, mean);
            segmenter.classes_of(mean, map, buffers);
            confusion.add(target(sample), map).map_err(internal)?;
            same += map.iter().zip(of_ann).filter(|(a, b)| a == b).count();
        }
        control.progress("scoring", (done.fetch_add(1, Ordering::Relaxed) + 1) as f32 / steps as f32);
        Ok((confusion.scores(), same as f64 / (pixels * samples).max(1) as f64))
    };
    let over_time = (1..=steps).into_par_iter().map_init(Default::default, at).collect::<Result<Vec<_>>>()?;
    let (snn, agreement) = over_time.into_iter().unzip();
    let name = |class: usize| masks.class_names.get(class).cloned().unwrap_or_else(|| class.to_string());
    Ok(SegmentationScores {
        class_names: (0..classes).map(name).collect(),
        ann: ann.scores(),
        ann_band,
        snn,
        agreement,
        segmenter,
    })
}

/// The band of the mean IoU of `maps` with their targets.
fn mean_iou_band<'a>(classes: usize, maps: &[Vec<u8>], target: impl Fn(usize) -> &'a [u8] + Sync) -> Option<[f64; 2]> {
    let matrix = classes * classes;
    if matrix * maps.len() > MAX_COUNTS {
        return None;
    }
    let counts_of = |(sample, map): (usize, &Vec<u8>)| {
        let mut counts = vec![0u32; matrix];
        let pairs = target(sample).iter().zip(map).map(|(target, pred)| (usize::from(*target), usize::from(*pred)));
        pairs.filter(|(target, pred)| target.max(pred) < &classes).for_each(|(t, p)| counts[t * classes + p] += 1);
        counts
    };
    let counts: Vec<Vec<u32>> = maps.par_iter().enumerate().map(counts_of).collect();
    band(maps.len(), DRAWS, |drawn| {
        let mut sums = vec![0u64; matrix];
        for sample in drawn {
            sums.iter_mut().zip(&counts[*sample]).for_each(|(sum, count)| *sum += u64::from(*count));
        }
        let iou = |class: usize| {
            let of_target: u64 = sums[class * classes..(class + 1) * classes].iter().sum();
            let of_pred: u64 = sums.iter().skip(class).step_by(classes).sum();
            let both = sums[class * classes + class];
            let union = of_target + of_pred - both;
            (union > 0).then(|| both as f64 / union as f64)
        };
        let counted: Vec<f64> = (0..classes).filter_map(iou).collect();
        (!counted.is_empty()).then(|| counted.iter().sum::<f64>() / counted.len() as f64)
    })
}

impl SegmentationScores {
    /// The ANN's class map of `sample`, `[H, W]`.
    pub fn ann_map(&self, run: &SceneRun<'_>, sample: usize) -> Vec<u8> {
        self.map(run, run.ann.logits_of(sample))
    }
    /// The SNN's class map of `sample` at step `t`, `[H, W]`.
    pub fn snn_map(&self, run: &SceneRun<'_>, sample: usize, t: usize) -> Vec<u8> {
        self.map(run, &run.window.mean(run.recording, t, sample))
    }
    fn map(&self, run: &SceneRun<'_>, scores: &[f32]) -> Vec<u8> {
        let pixels = run.targets.masks().map_or(0, |masks| masks.height * masks.width);
        let mut map = vec![0; pixels];
        self.segmenter.classes_of(scores, &mut map, &mut SegmenterBuffers::default());
        map
    }
}
