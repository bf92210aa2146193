//! COCO's figures of detected boxes: twelve over all classes, and the average precision of each class.
//!
//! Matching and precision are those of pycocotools, as the `hotcoco` crate computes them. Pictures and classes are taken in
//! parts, so that memory grows with the boxes and not with the number of listed classes.

use std::cmp::Ordering;

use hotcoco::params::{IouType, Params};
use hotcoco::{AccumulatedEval, Annotation, Category, EvalMode, Image, StreamingEval};

use crate::data::scenes::coco::{CocoDetection, GroundTruth, ObjectBox};
use crate::{Error, Result};

/// Classes that are counted together: their tables of precision take about 0.2 MB each.
const CLASSES_AT_ONCE: usize = 64;
/// Boxes of the pictures that are matched together.
const BOXES_AT_ONCE: usize = 100_000;
/// Maximum number of objects of one class in one picture.
const MAX_OBJECTS: usize = 200_000;

/// Names of the figures, in their order.
pub const FIGURES: [&str; 12] =
    ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"];

/// Scores of detected boxes; -1 where nothing counts.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxScores {
    /// As [`FIGURES`] names them.
    pub stats: [f64; 12],
    /// Scores of every category, in the order of the ground truth; `None` for those without objects.
    pub of_category: Vec<Option<CategoryScores>>,
}

/// Scores of one category; -1 where nothing counts.
#[derive(Clone, Debug, PartialEq)]
pub struct CategoryScores {
    /// As [`FIGURES`] names them.
    pub stats: [f64; 12],
    /// Average precision at the ten overlaps 0.5, 0.55, …, 0.95.
    pub ap_by_iou: [f64; 10],
    /// Precision at the recalls 0, 0.01, …, 1, at the overlap 0.5: `[101]`.
    pub precision: Vec<f64>,
}

impl BoxScores {
    /// Average precision of a category, by its index in the ground truth; -1 if it does not count.
    pub fn ap(&self, category: usize) -> f64 {
        self.of_category.get(category).and_then(Option::as_ref).map_or(-1.0, |scores| scores.stats[0])
    }
}

/// What a figure averages: precision or recall, of some thresholds, an area and a maximum number of detections.
#[derive(Clone, Copy)]
enum Figure {
    /// Threshold (`None`: all ten) and area.
    Precision(Option<usize>, usize),
    /// Area and index of the maximum number of detections (1, 10, 100).
    Recall(usize, usize),
}

/// All sizes of objects, and 100 detections, by their index.
const ALL: usize = 0;
const HUNDRED: usize = 2;

const STATS: [Figure; 12] = [
    Figure::Precision(None, ALL),
    Figure::Precision(Some(0), ALL),
    Figure::Precision(Some(5), ALL),
    Figure::Precision(None, 1),
    Figure::Precision(None, 2),
    Figure::Precision(None, 3),
    Figure::Recall(ALL, 0),
    Figure::Recall(ALL, 1),
    Figure::Recall(ALL, HUNDRED),
    Figure::Recall(1, HUNDRED),
    Figure::Recall(2, HUNDRED),
    Figure::Recall(3, HUNDRED),
];

/// The mean of what counts, -1 if nothing does.
#[derive(Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: usize,
}

impl Mean {
    fn add(&mut self, value: f64) {
        if value > -1.0 {
            self.sum += value;
            self.count += 1;
        }
    }
    fn value(self) -> f64 {
        if self.count == 0 { -1.0 } else { self.sum / self.count as f64 }
    }
}

/// A box of either kind, by the ranks of its category and picture.
struct Ranked<T> {
    category: usize,
    picture: usize,
    boxed: T,
}

/// Scores `detections` of the pictures of `truth`. Detections of one score keep their order; pictures and categories count
/// in the order of their ids.
///
/// # Errors
/// [`Error::Invalid`] for scores that are no numbers and for more than 200,000 objects of a class in one picture.
pub fn score_boxes(truth: &GroundTruth, detections: &[CocoDetection]) -> Result<BoxScores> {
    if let Some(at) = detections.iter().position(|found| !found.score.is_finite()) {
        return Err(Error::Invalid(format!(
            "Cannot score boxes: detection {at} has a score that is no finite number."
        )));
    }
    let picture_ranks = ranks(truth.pictures.len(), |a, b| truth.pictures[a].id.cmp(&truth.pictures[b].id));
    // Without objects a category counts nowhere, whatever was detected of it.
    let mut has_objects = vec![false; truth.categories.len()];
    truth.objects.iter().for_each(|object| has_objects[object.category as usize] = true);
    let category_order = |a: usize, b: usize| {
        let key = |k: usize| (!has_objects[k], &truth.categories[k].id);
        key(a).cmp(&key(b))
    };
    let category_ranks = ranks(truth.categories.len(), category_order);
    let counted = has_objects.iter().filter(|has| **has).count();

    let objects = ranked(&truth.objects, &category_ranks, &picture_ranks, |object| (object.category, object.picture));
    let mut detections = ranked(detections, &category_ranks, &picture_ranks, |found| (found.category, found.picture));
    detections.retain(|ranked| ranked.category < counted);
    let mut stats = [Mean::default(); 12];
    let mut by_rank = Vec::with_capacity(counted);
    let (mut objects, mut detections) = (objects.as_slice(), detections.as_slice());
    for first in (0..counted).step_by(CLASSES_AT_ONCE) {
        let classes = first..(first + CLASSES_AT_ONCE).min(counted);
        let own_objects = split_off(&mut objects, |ranked| ranked.category < classes.end);
        let own_detections = split_off(&mut detections, |ranked| ranked.category < classes.end);
        let evaluated = evaluate(classes.clone(), own_objects, own_detections)?;
        for (mean, figure) in stats.iter_mut().zip(STATS) {
            (0..classes.len()).for_each(|class| add(mean, figure, &evaluated, class));
        }
        by_rank.extend((0..classes.len()).map(|class| category_scores(&evaluated, class)));
    }
    let of_category = category_ranks.iter().map(|&rank| by_rank.get(rank).cloned()).collect();
    Ok(BoxScores { stats: stats.map(Mean::value), of_category })
}

/// The place of each of `count` things in the order of `compare`.
fn ranks(count: usize, compare: impl Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| compare(a, b));
    let mut ranks = vec![0; count];
    order.into_iter().enumerate().for_each(|(rank, index)| ranks[index] = rank);
    ranks
}

/// `boxes` by parts of the classes, then by picture; else in their order.
fn ranked<T: Copy>(
    boxes: &[T],
    category_ranks: &[usize],
    picture_ranks: &[usize],
    of: impl Fn(&T) -> (u32, u32),
) -> Vec<Ranked<T>> {
    let rank = |boxed: &T| {
        let (category, picture) = of(boxed);
        Ranked { category: category_ranks[category as usize], picture: picture_ranks[picture as usize], boxed: *boxed }
    };
    let mut all: Vec<Ranked<T>> = boxes.iter().map(rank).collect();
    all.sort_by_key(|ranked| (ranked.category / CLASSES_AT_ONCE, ranked.picture));
    all
}

/// Takes the first of `rest` for which `is_own` holds.
fn split_off<'a, T>(rest: &mut &'a [T], is_own: impl Fn(&T) -> bool) -> &'a [T] {
    let (own, others) = rest.split_at(rest.partition_point(is_own));
    *rest = others;
    own
}

/// Precision and recall of the categories with ranks in `classes`.
fn evaluate(
    classes: std::ops::Range<usize>,
    mut objects: &[Ranked<ObjectBox>],
    mut detections: &[Ranked<CocoDetection>],
) -> Result<AccumulatedEval> {
    let internal = |e: hotcoco::Error| Error::Internal(format!("boxes cannot be scored: {e}"));
    let category = |rank: usize| Category { id: rank as u64, name: rank.to_string(), ..Category::default() };
    let categories = classes.map(category).collect();
    let mut evaluation =
        StreamingEval::new(Params::new(IouType::Bbox), EvalMode::Coco, categories).map_err(internal)?;
    while !objects.is_empty() || !detections.is_empty() {
        let (mut pictures, mut truth, mut found) = (Vec::new(), Vec::new(), Vec::new());
        while truth.len() + found.len() < BOXES_AT_ONCE {
            let next = objects.first().map(|ranked| ranked.picture).into_iter();
            let Some(picture) = next.chain(detections.first().map(|ranked| ranked.picture)).min() else { break };
            let own = split_off(&mut objects, |ranked| ranked.picture <= picture);
            if own.len() > MAX_OBJECTS {
                return Err(Error::Invalid(format!(
                    "Cannot score boxes: one picture has {} objects; at most {MAX_OBJECTS} are supported.",
                    own.len()
                )));
            }
            pictures.push(Image { id: picture as u64, ..Image::default() });
            truth.extend(own.iter().map(|ranked| Annotation {
                image_id: picture as u64,
                category_id: ranked.category as u64,
                bbox: Some(ranked.boxed.bbox),
                area: Some(ranked.boxed.area),
                iscrowd: ranked.boxed.is_crowd,
                ..Annotation::default()
            }));
            let own = split_off(&mut detections, |ranked| ranked.picture <= picture);
            found.extend(own.iter().map(|ranked| Annotation {
                image_id: picture as u64,
                category_id: ranked.category as u64,
                bbox: Some(ranked.boxed.bbox),
                score: Some(ranked.boxed.score),
                ..Annotation::default()
            }));
        }
        evaluation.update(pictures, truth, found).map_err(internal)?;
    }
    let mut evaluation = evaluation.finalize();
    evaluation.accumulate();
    evaluation.accumulated().cloned().ok_or_else(|| Error::Internal("boxes are not scored".into()))
}

fn category_scores(evaluated: &AccumulatedEval, class: usize) -> CategoryScores {
    let figure = |figure: Figure| {
        let mut mean = Mean::default();
        add(&mut mean, figure, evaluated, class);
        mean.value()
    };
    let precision = |r: usize| evaluated.precision[evaluated.precision_idx(0, r, class, ALL, HUNDRED)];
    CategoryScores {
        stats: STATS.map(figure),
        ap_by_iou: std::array::from_fn(|t| figure(Figure::Precision(Some(t), ALL))),
        precision: (0..evaluated.shape.r).map(precision).collect(),
    }
}

/// Adds what `figure` averages of class `k` to `mean`.
fn add(mean: &mut Mean, figure: Figure, evaluated: &AccumulatedEval, k: usize) {
    let shape = evaluated.shape;
    match figure {
        Figure::Precision(threshold, area) => {
            let thresholds = threshold.map_or(0..shape.t, |t| t..t + 1);
            for (t, r) in thresholds.flat_map(|t| (0..shape.r).map(move |r| (t, r))) {
                mean.add(evaluated.precision[evaluated.precision_idx(t, r, k, area, HUNDRED)]);
            }
        }
        Figure::Recall(area, max_detections) => {
            for t in 0..shape.t {
                mean.add(evaluated.recall[evaluated.recall_idx(t, k, area, max_detections)]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::data::scenes::coco::{Category, Detections, Id, Picture};
    use crate::task::scores::tests::reference;

    /// `pictures` pictures, `categories` categories, ids from 1.
    fn truth(pictures: i64, categories: i64, objects: Vec<ObjectBox>) -> GroundTruth {
        let picture = |id| Picture { id: Id::Number(id), file_name: String::new(), size: [None; 2] };
        let category = |id| Category { id: Id::Number(id), name: String::new() };
        let (pictures, categories) = ((1..=pictures).map(picture).collect(), (1..=categories).map(category).collect());
        GroundTruth { pictures, categories, objects, duplicates: None }
    }

    fn object(picture: u32, category: u32, bbox: [f64; 4]) -> ObjectBox {
        ObjectBox { picture, category, bbox, area: bbox[2] * bbox[3], is_crowd: false }
    }

    #[test]
    fn reference_figures_hold_to_nine_digits() {
        let Some(folder) = reference("map") else { return };
        let mut checked = 0;
        for name in ["ties", "crowds", "areas"] {
            let file = |part: &str| folder.join(format!("{name}_{part}.json"));
            let truth = GroundTruth::read(&file("gt")).unwrap();
            let found = Detections::read(&file("dt"), &truth).unwrap();
            let scores = score_boxes(&truth, &found.boxes).unwrap();
            let expected: Value = serde_json::from_slice(&std::fs::read(file("expect")).unwrap()).unwrap();
            let mut same = |value: f64, expected: &Value, what: &str| {
                let expected = expected.as_f64().unwrap();
                assert!((value - expected).abs() < 1e-9, "{name} {what}: {value} {expected}");
                checked += 1;
            };
            FIGURES
                .iter()
                .zip(scores.stats)
                .for_each(|(figure, value)| same(value, &expected["stats"][figure], figure));
            for (category, scores) in truth.categories.iter().zip(&scores.of_category) {
                let expected = &expected["per_class"][category.id.to_string()];
                let absent = || CategoryScores { stats: [-1.0; 12], ap_by_iou: [-1.0; 10], precision: vec![-1.0; 101] };
                let scores = scores.clone().unwrap_or_else(absent);
                let named = |figure: &&(&str, f64)| !expected[figure.0].is_null();
                let figures: Vec<(&str, f64)> = FIGURES.into_iter().zip(scores.stats).collect();
                assert!(figures.iter().filter(named).count() >= 7);
                figures.iter().filter(named).for_each(|(figure, value)| same(*value, &expected[figure], figure));
                scores
                    .ap_by_iou
                    .iter()
                    .enumerate()
                    .for_each(|(t, ap)| same(*ap, &expected["AP_by_iou"][t], "AP_by_iou"));
                for (r, precision) in scores.precision.iter().enumerate() {
                    // Written with twelve digits.
                    same(*precision, &expected["precision_at_iou50"][r], "precision");
                }
            }
        }
        println!("{checked} figures of 3 scenes of map/ agree to 1e-9");
    }

    #[test]
    fn perfect_absent_and_missed_classes() {
        let all = truth(2, 3, vec![object(0, 0, [0.0, 0.0, 10.0, 10.0]), object(1, 2, [0.0, 0.0, 200.0, 200.0])]);
        let found = |picture, category, bbox, score| CocoDetection { picture, category, bbox, score };
        let perfect = found(0, 0, [0.0, 0.0, 10.0, 10.0], 0.3);
        let scores = score_boxes(&all, &[perfect, found(0, 1, [0.0, 0.0, 9.0, 9.0], 0.9)]).unwrap();
        assert!((scores.ap(0) - 1.0).abs() < 1e-9, "{scores:?}");
        assert_eq!((scores.ap(1), scores.ap(2), &scores.of_category[1]), (-1.0, 0.0, &None));
        assert!((scores.stats[0] - 0.5).abs() < 1e-9 && (scores.stats[3] - 1.0).abs() < 1e-9);
        assert_eq!((scores.stats[4], scores.stats[5]), (-1.0, 0.0));
        assert_eq!(score_boxes(&all, &[]).unwrap().stats[..2], [0.0, 0.0]);
        assert_eq!(score_boxes(&truth(1, 1, vec![]), &[perfect]).unwrap().stats, [-1.0; 12]);
        let nan = CocoDetection { score: f64::NAN, ..perfect };
        assert!(score_boxes(&all, &[nan]).unwrap_err().to_string().contains("detection 0"));
    }

    #[test]
    fn parts_of_classes_and_pictures_give_the_same_figures() {
        // More classes than are taken at once, each with one object found in every second picture.
        let classes = CLASSES_AT_ONCE as u32 * 2 + 3;
        let place = |k: u32| [f64::from(k % 7) * 20.0, f64::from(k % 5) * 20.0, 30.0, 30.0];
        let objects = (0..4 * classes).map(|k| object(k / classes, k % classes, place(k))).collect();
        let all = truth(4, i64::from(classes), objects);
        let found = |(k, object): (usize, &ObjectBox)| {
            let score = 1.0 / (1.0 + k as f64);
            (object.picture % 2 == 0).then_some(CocoDetection {
                picture: object.picture,
                category: object.category,
                bbox: object.bbox,
                score,
            })
        };
        let found: Vec<CocoDetection> = all.objects.iter().enumerate().filter_map(found).collect();
        let scores = score_boxes(&all, &found).unwrap();
        // Half of the objects are found: 51 of 101 recalls have precision 1.
        assert!((scores.stats[0] - 51.0 / 101.0).abs() < 1e-9 && (scores.stats[8] - 0.5).abs() < 1e-9, "{scores:?}");
        assert!((0..classes as usize).all(|class| (scores.ap(class) - 51.0 / 101.0).abs() < 1e-9));
    }

    /// Time and memory of a million annotations: `cargo test --release --lib million_boxes -- --ignored --nocapture`.
    #[test]
    #[ignore = "takes some seconds"]
    fn million_boxes() {
        let side = |k: u32, m: u32| f64::from(k.wrapping_mul(2_654_435_761) >> 8 & 0xffff) % f64::from(m);
        let place = |k: u32| [side(k, 500), side(k ^ 77, 500), 20.0 + side(k ^ 5, 90), 20.0 + side(k ^ 9, 90)];
        let objects: Vec<ObjectBox> = (0..1_000_000).map(|k| object(k / 20, k % 80, place(k))).collect();
        let found: Vec<CocoDetection> = (0..1_000_000u32)
            .map(|k| CocoDetection {
                picture: k / 20,
                category: k % 80,
                bbox: place(k).map(|v| v + side(k ^ 3, 5)),
                score: side(k, 9973),
            })
            .collect();
        let start = std::time::Instant::now();
        let scores = score_boxes(&truth(50_000, 80, objects), &found).unwrap();
        println!("{:?}: {:?}", start.elapsed(), &scores.stats[..3]);
    }
}
