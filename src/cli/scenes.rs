//! Output files and table of runs on scenes: class maps, boxes as COCO results, and scores over time.

use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use crate::data::scenes::coco::{CocoDetection, GroundTruth, Id};
use crate::data::{NpzData, write_npz};
use crate::experiment::Run;
use crate::files::write_bytes;
use crate::ground::numbers::percent;
use crate::task::scene_scores::{DetectionScores, SceneScores, SegmentationScores, default_steps};
use crate::task::scores::boxes::BoxScores;
use crate::{Error, Result};

/// Scores of class maps, as in `summary.json`.
#[derive(Debug, Serialize)]
pub struct SegmentationSummary {
    pub ann_miou: Option<f64>,
    /// After every step, `[T]`.
    pub snn_miou: Vec<Option<f64>>,
    pub classes: Vec<String>,
    /// Of each class at the last step; null for classes in neither prediction nor target.
    pub snn_iou: Vec<Option<f64>>,
    pub ann_iou: Vec<Option<f64>>,
    pub ann_pixel_accuracy: Option<f64>,
    pub snn_pixel_accuracy: Vec<Option<f64>>,
    /// Part of the pixels whose class is that of the ANN, `[T]`.
    pub agreement: Vec<f64>,
}

/// Scores of boxes, as in `summary.json`: -1 where nothing counts.
#[derive(Debug, Serialize)]
pub struct DetectionSummary {
    pub ann_map: f64,
    /// At the steps in `at`.
    pub snn_map: Vec<f64>,
    pub at: Vec<usize>,
    pub ann_map50: f64,
    pub snn_map50: Vec<f64>,
    pub classes: Vec<String>,
    /// AP of each class at the last of the steps.
    pub snn_ap: Vec<f64>,
    pub ann_ap: Vec<f64>,
}

/// The scores of class maps of `run`, if it has them.
pub(super) fn segmentation(run: &Run) -> Option<SegmentationSummary> {
    let Some(SceneScores::Masks(scores)) = run.scene.as_deref() else { return None };
    Some(SegmentationSummary {
        ann_miou: scores.ann.miou,
        snn_miou: scores.snn.iter().map(|at| at.miou).collect(),
        classes: scores.class_names.clone(),
        snn_iou: scores.snn.last().map(|at| at.iou.clone()).unwrap_or_default(),
        ann_iou: scores.ann.iou.clone(),
        ann_pixel_accuracy: scores.ann.pixel_accuracy,
        snn_pixel_accuracy: scores.snn.iter().map(|at| at.pixel_accuracy).collect(),
        agreement: scores.agreement.clone(),
    })
}

/// The scores of boxes of `run`, if it has them.
pub(super) fn detection(run: &Run) -> Option<DetectionSummary> {
    let Some(SceneScores::Boxes(scores)) = run.scene.as_deref() else { return None };
    let classes = || 0..scores.truth.categories.len();
    let ap = |of: &BoxScores| classes().map(|class| of.ap(class)).collect();
    Some(DetectionSummary {
        ann_map: scores.ann.stats[0],
        snn_map: scores.snn.iter().map(|at| at.stats[0]).collect(),
        at: scores.at.clone(),
        ann_map50: scores.ann.stats[1],
        snn_map50: scores.snn.iter().map(|at| at.stats[1]).collect(),
        classes: scores.truth.categories.iter().map(|category| category.name.clone()).collect(),
        snn_ap: scores.snn.last().map(ap).unwrap_or_default(),
        ann_ap: ap(&scores.ann),
    })
}

/// Names of the files that [`write`] writes.
pub(super) const FILES: [&str; 4] = ["masks.npz", "detections-ann.json", "detections-snn.json", "ground-truth.json"];

/// Writes the class maps or boxes at the last step into `folder`; nothing for other runs.
///
/// # Errors
/// [`Error::Io`] when a file cannot be written.
pub(super) fn write(run: &Run, folder: &Path) -> Result<()> {
    match run.scene.as_deref() {
        None => Ok(()),
        Some(SceneScores::Masks(scores)) => write_masks(run, scores, &folder.join(FILES[0])),
        Some(SceneScores::Boxes(scores)) => {
            let of = run.scene_run();
            let put = |name: &str, value: &Value| {
                let bytes = serde_json::to_vec(value).map_err(|e| Error::Internal(e.to_string()))?;
                write_bytes(&folder.join(name), &bytes)
            };
            put(FILES[1], &results(scores, &scores.ann_boxes(&of)))?;
            put(FILES[2], &results(scores, &scores.snn_boxes(&of, run.steps())))?;
            put(FILES[3], &ground_truth(&scores.truth))
        }
    }
}

/// Arrays `ann`, `snn` and `target`, `[N, H, W]`.
fn write_masks(run: &Run, scores: &SegmentationScores, path: &Path) -> Result<()> {
    let of = run.scene_run();
    let Some(masks) = run.samples.targets.masks() else { return Ok(()) };
    let samples = run.ann.samples;
    let all = |map: &dyn Fn(usize) -> Vec<u8>| (0..samples).flat_map(map).collect::<Vec<u8>>();
    let ann = all(&|sample| scores.ann_map(&of, sample));
    let snn = all(&|sample| scores.snn_map(&of, sample, run.steps()));
    let target = all(&|sample| masks.of_sample(run.sample_index(sample)).to_vec());
    let shape = [samples, masks.height, masks.width];
    write_npz(
        path,
        &[
            ("ann", &shape, NpzData::U8(&ann)),
            ("snn", &shape, NpzData::U8(&snn)),
            ("target", &shape, NpzData::U8(&target)),
        ],
    )
}

fn number(id: &Id) -> Value {
    match id {
        Id::Number(number) => json!(number),
        Id::Text(text) => json!(text),
    }
}

/// COCO results.
fn results(scores: &DetectionScores, found: &[CocoDetection]) -> Value {
    let truth = &scores.truth;
    let one = |found: &CocoDetection| {
        json!({
            "image_id": number(&truth.pictures[found.picture as usize].id),
            "category_id": number(&truth.categories[found.category as usize].id),
            "bbox": found.bbox,
            "score": found.score,
        })
    };
    found.iter().map(one).collect()
}

fn ground_truth(truth: &GroundTruth) -> Value {
    let picture = |picture: &crate::data::scenes::coco::Picture| {
        let [width, height] = picture.size.map(|side| side.unwrap_or(0.0) as u64);
        json!({"id": number(&picture.id), "width": width, "height": height, "file_name": picture.file_name})
    };
    let object = |(index, object): (usize, &crate::data::scenes::coco::ObjectBox)| {
        json!({
            "id": index + 1,
            "image_id": number(&truth.pictures[object.picture as usize].id),
            "category_id": number(&truth.categories[object.category as usize].id),
            "bbox": object.bbox,
            "area": object.area,
            "iscrowd": u8::from(object.is_crowd),
        })
    };
    let categories = truth.categories.iter().map(|category| json!({"id": number(&category.id), "name": category.name}));
    json!({
        "images": truth.pictures.iter().map(picture).collect::<Vec<_>>(),
        "categories": categories.collect::<Vec<_>>(),
        "annotations": truth.objects.iter().enumerate().map(object).collect::<Vec<_>>(),
    })
}

/// Lines of a table of the scores over time; empty for other runs.
pub(super) fn table(run: &Run) -> Vec<String> {
    let percent = |value: Option<f64>| value.map_or("-".to_owned(), |value| percent(value, 1));
    let counted = |value: f64| percent((value >= 0.0).then_some(value));
    let mut lines = Vec::new();
    match run.scene.as_deref() {
        None => {}
        Some(SceneScores::Masks(scores)) => {
            lines.push(format!("{:>6} {:>10} {:>15} {:>12}", "t", "mIoU", "pixel accuracy", "as the ANN"));
            lines.push(row("ANN", &percent(scores.ann.miou), &percent(scores.ann.pixel_accuracy), ""));
            let asked = &run.settings.score_at;
            let at = if asked.is_empty() { default_steps(run.steps()) } else { asked.clone() };
            for t in at.into_iter().filter(|t| (1..=run.steps()).contains(t)) {
                let of = &scores.snn[t - 1];
                let same = percent(Some(scores.agreement[t - 1]));
                lines.push(row(&t.to_string(), &percent(of.miou), &percent(of.pixel_accuracy), &same));
            }
        }
        Some(SceneScores::Boxes(scores)) => {
            lines.push(format!("{:>6} {:>10} {:>15} {:>12}", "t", "mAP", "AP50", "AP75"));
            let line = |name: &str, of: &BoxScores| {
                row(name, &counted(of.stats[0]), &counted(of.stats[1]), &counted(of.stats[2]))
            };
            lines.push(line("ANN", &scores.ann));
            lines.extend(scores.at.iter().zip(&scores.snn).map(|(t, of)| line(&t.to_string(), of)));
        }
    }
    lines
}

fn row(name: &str, a: &str, b: &str, c: &str) -> String {
    format!("{name:>6} {a:>10} {b:>15} {c:>12}").trim_end().to_owned()
}
