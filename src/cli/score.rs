//! Command `score`: figures of boxes or class maps that were predicted, by this or another program.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::data::npz::{LabelMaps, read_label_maps};
use crate::data::scenes::coco::{Detections, GroundTruth, Id};
use crate::task::scores::boxes::{BoxScores, FIGURES, score_boxes};
use crate::task::scores::masks::{Confusion, MAX_CLASSES, MaskScores};
use crate::{Error, Result};

/// Score predictions against the truth.
#[derive(Clone, Debug, clap::Args)]
pub struct ScoreArgs {
    #[command(subcommand)]
    of: ScoreOf,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum ScoreOf {
    /// COCO's twelve figures of detected boxes, and AP per class
    Boxes(BoxesArgs),
    /// Mean IoU, IoU per class and pixel accuracy of class maps
    Masks(MasksArgs),
}

/// COCO's twelve figures of detected boxes, and AP per class.
#[derive(Clone, Debug, clap::Args)]
struct BoxesArgs {
    /// Ground truth of COCO: images, categories, annotations
    #[arg(value_name = "GT.json")]
    truth: PathBuf,
    /// Results of COCO: a list of boxes with scores
    #[arg(value_name = "DT.json")]
    results: PathBuf,
    /// Print stats and ap_per_class as JSON
    #[arg(long)]
    json: bool,
}

/// Mean IoU, IoU per class and pixel accuracy of class maps.
#[derive(Clone, Debug, clap::Args)]
struct MasksArgs {
    /// Archive with the arrays pred and target, both NxHxW
    #[arg(value_name = "FILE.npz")]
    file: PathBuf,
    /// Class in target of pixels that do not count
    #[arg(long, value_name = "CLASS", default_value_t = 255, allow_negative_numbers = true)]
    void: i32,
    /// Print miou, iou and pixel_accuracy as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// [`Error::File`] or [`Error::Io`] for files that cannot be read or scored.
pub fn run(args: ScoreArgs) -> Result<()> {
    match args.of {
        ScoreOf::Boxes(args) => boxes(&args),
        ScoreOf::Masks(args) => masks(&args),
    }
}

fn boxes(args: &BoxesArgs) -> Result<()> {
    let truth = GroundTruth::read(&args.truth)?;
    if let Some((_, first)) = &truth.duplicates {
        let (place, reason) = first.split_once(": ").unwrap_or(("annotations", first));
        return Err(Error::file(&args.truth, place, format!("{reason}; ids of annotations must differ")));
    }
    let results = Detections::read(&args.results, &truth)?;
    if let Some((count, first)) = &results.foreign {
        eprintln!(
            "{count} results are of categories that the ground truth does not list and do not count (the first: {first})"
        );
    }
    let scores = score_boxes(&truth, &results.boxes)?;
    let name = |id: &Id| if let Id::Text(text) = id { text.to_string() } else { id.to_string() };
    let aps = truth.categories.iter().enumerate().map(|(k, category)| (name(&category.id), scores.ap(k)));
    if args.json {
        let aps: serde_json::Map<String, Value> = aps.map(|(id, ap)| (id, json!(ap))).collect();
        println!("{}", json!({ "stats": scores.stats, "ap_per_class": aps }));
        return Ok(());
    }
    print_boxes(&scores);
    for ((id, ap), category) in aps.zip(&truth.categories) {
        println!("{:>6}  AP of {} ({id})", figure(ap), category.name);
    }
    Ok(())
}

fn print_boxes(scores: &BoxScores) {
    let meaning = |name: &str| match name {
        "AP" => "overlaps 0.50 to 0.95".to_owned(),
        "AP50" | "AP75" => format!("overlap 0.{}", &name[2..]),
        "AR1" | "AR10" | "AR100" => format!("up to {} boxes a picture", &name[2..]),
        _ => match name.chars().last() {
            Some('s') => "small objects, up to 32x32".to_owned(),
            Some('m') => "medium objects, 32x32 to 96x96".to_owned(),
            _ => "large objects, from 96x96".to_owned(),
        },
    };
    for (name, value) in FIGURES.iter().zip(scores.stats) {
        println!("{:>6}  {name}: {}", figure(value), meaning(name));
    }
}

/// A figure with three digits, or a dash where nothing counts.
fn figure(value: f64) -> String {
    if value < 0.0 { "-".into() } else { format!("{value:.3}") }
}

fn masks(args: &MasksArgs) -> Result<()> {
    let scores = score_masks(&args.file, args.void)?;
    if args.json {
        let MaskScores { miou, iou, pixel_accuracy } = scores;
        println!("{}", json!({ "miou": miou, "iou": iou, "pixel_accuracy": pixel_accuracy }));
        return Ok(());
    }
    let shown = |value: Option<f64>| figure(value.unwrap_or(-1.0));
    println!("{:>6}  mean IoU", shown(scores.miou));
    println!("{:>6}  pixel accuracy", shown(scores.pixel_accuracy));
    for (class, iou) in scores.iou.iter().enumerate() {
        println!("{:>6}  IoU of class {class}", shown(*iou));
    }
    Ok(())
}

/// Pixels that are counted at once.
const PIXELS_AT_ONCE: usize = 1 << 16;

/// Scores of the class maps in `path`; pixels whose target is `void` do not count. A prediction of `void` elsewhere is a
/// miss, and `void` itself has no score, as with the `ignore_index` of torchmetrics.
fn score_masks(path: &Path, void: i32) -> Result<MaskScores> {
    let maps = read_label_maps(path)?;
    let (mut highest, mut highest_scored) = (-1, -1);
    let pixels = maps.target.iter().zip(&maps.pred).enumerate();
    for (at, (&target, &pred)) in pixels.filter(|(_, (target, _))| **target != void) {
        let fail = |array: &str, class: i32, why: &str| {
            let [n, y, x] = place(&maps, at);
            Err(Error::file(path, format!("{array}.npy[{n}, {y}, {x}]"), format!("is {class}, {why}")))
        };
        for (array, class) in [("target", target), ("pred", pred)] {
            if class < 0 || class as usize >= MAX_CLASSES {
                let advice = match array {
                    "target" => format!(". If these pixels do not count, add --void {class}"),
                    _ => String::new(),
                };
                return fail(array, class, &format!("which is no class; classes are 0 to {}{advice}", MAX_CLASSES - 1));
            }
            highest = highest.max(class);
            highest_scored = highest_scored.max(if class == void { -1 } else { class });
        }
    }
    let mut confusion = Confusion::new((highest + 1).max(1) as usize, u64::try_from(void).ok());
    // A negative void is no number of a class, so that its pixels are left out here.
    for (target, pred) in maps.target.chunks(PIXELS_AT_ONCE).zip(maps.pred.chunks(PIXELS_AT_ONCE)) {
        let counted = target.iter().zip(pred).filter(|(target, _)| **target != void);
        let (target, pred): (Vec<i32>, Vec<i32>) = counted.unzip();
        confusion.add(&target, &pred).map_err(|reason| Error::file(path, "pred.npy", reason))?;
    }
    let mut scores = confusion.scores();
    // A void above all classes is none of them.
    scores.iou.truncate((highest_scored + 1).max(1) as usize);
    Ok(scores)
}

/// The indices `[n, y, x]` of pixel `at`.
fn place(maps: &LabelMaps, at: usize) -> [usize; 3] {
    crate::data::npz::place(&maps.shape, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{NpzData, write_npz};

    #[test]
    fn classes_out_of_range_are_told_with_their_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.npz");
        let score = |pred: &[i32], target: &[i32], void: i32| {
            let shape = [1, 2, pred.len() / 2];
            write_npz(&path, &[("pred", &shape, NpzData::I32(pred)), ("target", &shape, NpzData::I32(target))])
                .unwrap();
            score_masks(&path, void).map_err(|error| error.to_string())
        };
        let scores = score(&[0, 1, 1, 200], &[0, 1, 0, 255], 255).unwrap();
        assert_eq!((scores.iou, scores.pixel_accuracy), (vec![Some(0.5), Some(0.5)], Some(2.0 / 3.0)));
        assert_eq!(score(&[0, 1], &[255, 255], 255).unwrap().miou, None);
        // A void among the classes: predicted, it is a miss of another class.
        assert_eq!(score(&[0, 0, 1, 1], &[0, 1, 1, 1], 0).unwrap().iou, [None, Some(2.0 / 3.0)]);
        let refused = |pred: &[i32], target: &[i32]| score(pred, target, 255).unwrap_err();
        assert!(refused(&[0, -1], &[0, 1]).contains("pred.npy[0, 1, 0]: is -1, which is no class"));
        assert!(refused(&[0, 1], &[5000, 1]).contains("target.npy[0, 0, 0]: is 5000"));
        let negative = refused(&[0, 1], &[-1, 1]);
        assert!(negative.contains("target.npy[0, 0, 0]: is -1") && negative.contains("add --void -1"), "{negative}");
    }

    #[test]
    fn a_predicted_void_is_a_miss_whatever_its_number() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.npz");
        let score = |pred: &[i32], target: &[i32], void: i32| {
            let shape = [1, 1, pred.len()];
            write_npz(&path, &[("pred", &shape, NpzData::I32(pred)), ("target", &shape, NpzData::I32(target))])
                .unwrap();
            score_masks(&path, void).map(|scores| (scores.iou, scores.miou, scores.pixel_accuracy))
        };
        // torchmetrics 1.9: MulticlassJaccardIndex(num_classes, average, ignore_index=void).
        let half = (vec![Some(1.0), Some(0.5)], Some(0.75), Some(2.0 / 3.0));
        for void in [3, 255, 4095] {
            assert_eq!(score(&[0, void, 1, 1], &[0, 1, 1, void], void).unwrap(), half, "{void}");
        }
        assert_eq!(score(&[0, 0, 1, 1], &[0, 1, 1, 1], 0).unwrap().1, Some(2.0 / 3.0));
        // A negative number is left out of the target, and predicted it is no class.
        for void in [-1, -100] {
            assert_eq!(score(&[0, 0, 1, -1], &[0, 1, 1, void], void).unwrap().1, Some(0.5));
            let refused = score(&[0, void], &[0, 1], void).unwrap_err().to_string();
            assert!(refused.contains("pred.npy[0, 0, 1]") && refused.contains("which is no class"), "{refused}");
        }
    }

    #[test]
    fn arrays_that_are_no_class_maps_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.npz");
        let refused = |arrays: &[(&str, &[usize], NpzData<'_>)]| {
            write_npz(&path, arrays).unwrap();
            score_masks(&path, 255).unwrap_err().to_string()
        };
        let map = |name| -> (&str, &[usize], NpzData<'_>) { (name, &[1, 1, 2], NpzData::U8(&[0, 1])) };
        assert!(refused(&[map("pred")]).contains("contains no array 'target'; it contains pred"));
        let other = ("target", &[1usize, 2, 1][..], NpzData::U8(&[0, 1]));
        assert!(refused(&[map("pred"), other]).contains("pred.npy: has shape 1x1x2, but target has 1x2x1"));
        let flat = ("target", &[2usize][..], NpzData::U8(&[0, 1]));
        assert!(refused(&[map("pred"), flat]).contains("target.npy: has shape 2; class maps are NxHxW"));
        let half = ("target", &[1usize, 1, 2][..], NpzData::F32(&[0.0, 0.5]));
        assert!(refused(&[map("pred"), half]).contains("target.npy: is 0.5 at [0, 0, 1], which is no class index"));
    }
}
