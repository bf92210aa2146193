//! Average precision of the boxes of both networks at some time steps.
//!
//! Boxes are in pixels of the original pictures, rounded as they are written, so that written files have the same scores.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::band::band;
use super::class_match::ClassMatch;
use super::scene_run::SceneRun;
use crate::Result;
use crate::data::scenes::coco::{Category, CocoDetection, GroundTruth, Id, ObjectBox, Picture};
use crate::data::{Boxes, PicturePlace};
use crate::progress::JobControl;
use crate::task::detected_box::DetectedBox;
use crate::task::detection::Detector;
use crate::task::scores::boxes::{BoxScores, score_boxes};

/// Boxes that are scored for the band, in all draws together, and the number of draws.
const MAX_DRAWN_BOXES: usize = 200_000;
const DRAWS: std::ops::RangeInclusive<usize> = 20..=60;

/// Coordinates are rounded to this part of a pixel.
const ROUNDING: f64 = 1000.0;

/// Scores of boxes.
#[derive(Clone, Debug)]
pub struct DetectionScores {
    pub truth: GroundTruth,
    pub ann: BoxScores,
    /// Where 95 % of the ANN's average precisions lie for pictures drawn again.
    pub ann_band: Option<[f64; 2]>,
    /// The steps at which the SNN's boxes are scored, ascending.
    pub at: Vec<usize>,
    /// At those steps.
    pub snn: Vec<BoxScores>,
    /// Class of the data for each class of the detector; `None` if the data do not have it.
    classes: Vec<Option<u32>>,
}

/// Boxes that a network finds in the pictures of a run.
pub type PictureDetections = Vec<CocoDetection>;

/// The steps at which boxes are scored unless others are stated: the powers of two and the last.
pub fn default_steps(steps: usize) -> Vec<usize> {
    let powers = (0..usize::BITS).map(|power| 1usize << power).take_while(|t| *t < steps);
    powers.chain([steps]).collect()
}

pub(super) fn score(
    run: &SceneRun<'_>,
    detector: &Detector,
    boxes: &Boxes,
    at: &[usize],
    control: &JobControl,
) -> Result<DetectionScores> {
    let steps = run.recording.steps;
    let mut at = if at.is_empty() { default_steps(steps) } else { at.to_vec() };
    at.retain(|t| (1..=steps).contains(t));
    at.sort_unstable();
    at.dedup();
    if at.is_empty() {
        at.push(steps);
    }
    let mut scores = DetectionScores {
        truth: ground_truth(run, boxes),
        ann: BoxScores { stats: [-1.0; 12], of_category: Vec::new() },
        ann_band: None,
        at: at.clone(),
        snn: Vec::new(),
        classes: ClassMatch::new(detector, boxes).classes,
    };
    let found = scores.ann_boxes(run);
    scores.ann = score_boxes(&scores.truth, &found)?;
    scores.ann_band = precision_band(&scores.truth, &found);
    let done = AtomicUsize::new(0);
    let of_step = |t: &usize| {
        control.check()?;
        let scored = score_boxes(&scores.truth, &scores.snn_boxes(run, *t))?;
        control.progress("scoring", (done.fetch_add(1, Ordering::Relaxed) + 1) as f32 / at.len() as f32);
        Ok(scored)
    };
    let snn = at.par_iter().map(of_step).collect::<Result<Vec<_>>>()?;
    scores.snn = snn;
    Ok(scores)
}

/// The band of the average precision of `found`; `None` for so many boxes that it would take long.
fn precision_band(truth: &GroundTruth, found: &[CocoDetection]) -> Option<[f64; 2]> {
    let draws = MAX_DRAWN_BOXES / (truth.objects.len() + found.len()).max(1);
    if draws < *DRAWS.start() {
        return None;
    }
    let count = truth.pictures.len();
    let mut objects_of = vec![Vec::new(); count];
    truth.objects.iter().for_each(|object| objects_of[object.picture as usize].push(*object));
    let mut found_in = vec![Vec::new(); count];
    found.iter().for_each(|found| found_in[found.picture as usize].push(*found));
    band(count, draws.min(*DRAWS.end()), |drawn| {
        let mut again = GroundTruth { categories: truth.categories.clone(), ..GroundTruth::default() };
        let mut found = Vec::new();
        for (place, &picture) in drawn.iter().enumerate() {
            let id = Id::Number(place as i64 + 1);
            again.pictures.push(Picture { id, ..truth.pictures[picture].clone() });
            let at = place as u32;
            again.objects.extend(objects_of[picture].iter().map(|object| ObjectBox { picture: at, ..*object }));
            found.extend(found_in[picture].iter().map(|found| CocoDetection { picture: at, ..*found }));
        }
        score_boxes(&again, &found).ok().map(|scores| scores.stats[0]).filter(|score| *score >= 0.0)
    })
}

impl DetectionScores {
    /// The ANN's boxes in all pictures, most probable first in each.
    pub fn ann_boxes(&self, run: &SceneRun<'_>) -> PictureDetections {
        self.detections(run, |sample| run.detector.map(|of| of.scored_boxes(run.ann.logits_of(sample))))
    }
    /// The SNN's boxes in all pictures at step `t`.
    pub fn snn_boxes(&self, run: &SceneRun<'_>, t: usize) -> PictureDetections {
        self.detections(run, |sample| {
            run.detector.map(|of| of.scored_boxes(&run.window.mean(run.recording, t, sample)))
        })
    }

    fn detections(
        &self,
        run: &SceneRun<'_>,
        find: impl Fn(usize) -> Option<Vec<DetectedBox>> + Sync,
    ) -> PictureDetections {
        let of_sample = |sample: usize| {
            let place = place_of(run, sample);
            let found = find(sample).unwrap_or_default();
            let known = found.into_iter().filter_map(|found| {
                let category = self.classes.get(found.class).copied().flatten()?;
                let [height, width] = run.sample_size.map(|side| side as f64);
                let [left, top, right, bottom] = [found.left, found.top, found.right, found.bottom].map(f64::from);
                let corners = place.to_picture([left * width, top * height, right * width, bottom * height]);
                let bbox = bbox_within(corners, place.size);
                Some(CocoDetection { picture: sample as u32, category, bbox, score: f64::from(found.score) })
            });
            known.collect::<Vec<_>>()
        };
        (0..run.recording.samples).into_par_iter().map(of_sample).collect::<Vec<_>>().concat()
    }
}

/// The place of the picture of `sample` of the run.
fn place_of(run: &SceneRun<'_>, sample: usize) -> PicturePlace {
    let places = run.targets.boxes().map(|boxes| &boxes.places);
    let [height, width] = run.sample_size;
    let place = places.and_then(|places| places.get(run.first + sample)).copied();
    place.unwrap_or_else(|| PicturePlace::whole(width as u32, height as u32))
}

/// Left, top, width and height of a box, rounded and clipped to a picture of `size`.
fn bbox_within(corners: [f64; 4], [width, height]: [u32; 2]) -> [f64; 4] {
    let round = |value: f64, side: u32| (value.clamp(0.0, f64::from(side)) * ROUNDING).round() / ROUNDING;
    let [left, top] = [round(corners[0], width), round(corners[1], height)];
    let [right, bottom] = [round(corners[2], width), round(corners[3], height)];
    let side = |from: f64, to: f64| ((to - from) * ROUNDING).round() / ROUNDING;
    [left, top, side(left, right), side(top, bottom)]
}

fn ground_truth(run: &SceneRun<'_>, boxes: &Boxes) -> GroundTruth {
    let mut truth = GroundTruth::default();
    for sample in 0..run.recording.samples {
        let place = place_of(run, sample);
        let id = Id::Number((run.first + sample + 1) as i64);
        truth.pictures.push(Picture {
            id,
            file_name: boxes.file_names.get(run.first + sample).cloned().unwrap_or_default(),
            size: place.size.map(|side| Some(f64::from(side))),
        });
        for target in boxes.of_sample.get(run.first + sample).map_or(&[][..], Vec::as_slice) {
            truth.objects.push(ObjectBox {
                picture: sample as u32,
                category: u32::from(target.class),
                bbox: bbox_within(place.to_picture(target.corners.map(f64::from)), place.size),
                area: (f64::from(target.area) * place.area_scale() * ROUNDING).round() / ROUNDING,
                // COCO has no such mark: as a crowd the object is neither missed nor found.
                is_crowd: target.is_crowd || target.is_difficult,
            });
        }
    }
    let category = |(index, name): (usize, &String)| Category { id: Id::Number(index as i64 + 1), name: name.clone() };
    truth.categories = boxes.class_names.iter().enumerate().map(category).collect();
    truth
}
