//! Mean IoU of the class maps of both networks over the time steps.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::SceneRun;
use crate::data::Masks;
use crate::data::samples::targets::VOID;
use crate::progress::JobControl;
use crate::task::scores::masks::{Confusion, MaskScores};
use crate::task::segmentation::{Segmenter, SegmenterBuffers};
use crate::{Error, Result};

/// Scores of class maps.
#[derive(Clone, Debug)]
pub struct SegmentationScores {
    /// Class names by index.
    pub class_names: Vec<String>,
    pub ann: MaskScores,
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
        snn,
        agreement,
        segmenter,
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
