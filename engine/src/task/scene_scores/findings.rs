//! Findings about scores of scenes that are known before a run: what counts, and why nothing is scored.

use std::ops::Range;

use super::class_match::ClassMatch;
use crate::convert::Finding;
use crate::data::{Boxes, Masks, Targets};
use crate::error::format_shape;
use crate::network::Network;
use crate::task::detection::Detector;
use crate::task::segmentation::Segmenter;

/// Maximum number of classes or outputs that a finding names.
const MAX_NAMED: usize = 6;

/// Findings about the scores of `network`, as in its file with the output that answers, on `samples` of the data with
/// `targets`. Empty for targets that are labels.
pub fn scene_findings(
    network: &Network,
    detector: Option<&Detector>,
    targets: &Targets,
    samples: Range<usize>,
) -> Vec<Finding> {
    let segmenter = |masks: &Masks| Segmenter::new(network, [masks.height, masks.width]);
    match (detector, targets.boxes(), targets.masks()) {
        (_, None, None) => Vec::new(),
        (Some(detector), Some(boxes), _) => {
            classes_of_boxes(detector, boxes).into_iter().chain(difficult_objects(boxes, samples)).collect()
        }
        (None, _, Some(masks)) if let Some(segmenter) = segmenter(masks) => {
            classes_of_masks(&segmenter, masks).into_iter().collect()
        }
        _ => vec![nothing_scored(network, detector.is_some(), targets)],
    }
}

/// `names` in quotes; of many the first and the number of the others.
fn quoted<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let all: Vec<String> = names.map(|name| format!("'{name}'")).collect();
    let more = all.len().saturating_sub(MAX_NAMED);
    let named = all.iter().take(MAX_NAMED).cloned().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}

/// Which classes of the detector are none of the data, and the reverse.
fn classes_of_boxes(detector: &Detector, boxes: &Boxes) -> Option<Finding> {
    let (names, found) = (detector.class_names(), ClassMatch::new(detector, boxes));
    if names.is_empty() {
        return None;
    }
    let kind = "classes of boxes";
    if found.is_by_number {
        let both = match boxes.class_names.len() == names.len() {
            true => format!("both have {}", names.len()),
            false => "those of the data are numbers".to_owned(),
        };
        let text = format!(
            "no class of the detector ({}) has the name of a class of the data ({}); {both}, and they are matched in their order",
            quoted(names.iter()),
            quoted(boxes.class_names.iter())
        );
        return Some(Finding::note(kind, None, text));
    }
    let is_unknown = |(_, class): &(&String, &Option<u32>)| class.is_none();
    let unknown = || names.iter().zip(&found.classes).filter(is_unknown).map(|(name, _)| name);
    let missed = boxes.class_names.iter().enumerate();
    let missed = missed.filter(|(class, _)| !found.classes.contains(&Some(*class as u32))).map(|(_, name)| name);
    let missed = quoted(missed);
    if unknown().count() == names.len() {
        let text = format!(
            "no class of the detector ({}) has the name of a class of the data ({}), and their numbers differ: no box counts. \
             State the classes of the data in the description of the head",
            quoted(names.iter()),
            quoted(boxes.class_names.iter())
        );
        return Some(Finding::warning(kind, None, text));
    }
    let unknown = quoted(unknown());
    let texts = [
        (!unknown.is_empty())
            .then(|| format!("classes of the detector that the data do not have, whose boxes do not count: {unknown}")),
        (!missed.is_empty()).then(|| {
            format!("classes of the data that the detector does not have, whose objects are missed: {missed}")
        }),
    ];
    let text = texts.into_iter().flatten().collect::<Vec<_>>().join("; ");
    (!text.is_empty()).then(|| Finding::note(kind, None, text))
}

/// A note on difficult objects of the samples.
fn difficult_objects(boxes: &Boxes, samples: Range<usize>) -> Option<Finding> {
    let objects = boxes.of_sample.get(samples).unwrap_or_default().iter().flatten();
    let count = objects.filter(|object| object.is_difficult).count();
    let objects = if count == 1 { "object is" } else { "objects are" };
    let text = format!("{count} {objects} marked as difficult and do not count: neither as missed nor as found");
    (count > 0).then(|| Finding::note("difficult objects", None, text))
}

/// A warning on classes of the masks that the network has no scores for.
fn classes_of_masks(segmenter: &Segmenter, masks: &Masks) -> Option<Finding> {
    let (scored, all) = (segmenter.classes(), masks.class_names.len());
    let text = format!(
        "the masks have {all} classes and the network scores {scored}: pixels of class {scored} and above always count as wrong, \
         and the mean IoU is over all {all}. Take masks whose classes are those of the network, from 0 on"
    );
    (all > scored).then(|| Finding::warning("classes of masks", None, text))
}

/// Why neither masks nor boxes of the data are scored, and what to do.
fn nothing_scored(network: &Network, is_detector: bool, targets: &Targets) -> Finding {
    let outputs = network.outputs();
    let mut shapes: Vec<String> = outputs.iter().take(MAX_NAMED).map(|output| format_shape(&output.shape)).collect();
    if outputs.len() > MAX_NAMED {
        shapes.push("…".into());
    }
    let (shapes, is_one) = (shapes.join(", "), outputs.len() == 1);
    let whose = if is_one { format!("its output of {shapes} is") } else { format!("its outputs of {shapes} are") };
    let kind = "nothing is scored";
    let text = match (targets.masks(), targets.boxes()) {
        (Some(_), None) if is_detector => {
            "the data have masks, but the network is a detector: nothing is scored. Take data with boxes (voc:, coco:, yolo:)"
                .into()
        }
        (Some(masks), boxes) => {
            let (height, width) = (masks.height, masks.width);
            let choice = if is_one { "" } else { ", or choose it with --output" };
            let head = match boxes {
                Some(_) => "; of a detector state the head with --head FILE.toml",
                None => "",
            };
            format!(
                "the data have masks, but the network is not read as a segmentation network: {whose} no single map of \
                 scores, CLASSESx{height}x{width} or a fraction of that height and width. Nothing is scored. Export the \
                 scores of the classes in this shape as the only output{choice}{head}"
            )
        }
        (None, _) => format!(
            "the data have boxes, but no description says how boxes are read from the network: {whose} no layout that is \
             known without one. Nothing is scored. State the head with --head FILE.toml"
        ),
    };
    Finding::warning(kind, None, text)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::data::samples::targets::TargetBox;
    use crate::network::{Activation, Node, Op};
    use crate::task::detector_head::HeadText;

    /// A network of input 3x8x12 with one output.
    fn network(output: &[usize]) -> Network {
        let node = |op, inputs: &[usize], shape: &[usize]| Node {
            name: "y".into(),
            op,
            inputs: inputs.to_vec(),
            shape: shape.to_vec(),
        };
        let nodes = vec![node(Op::Input, &[], &[3, 8, 12]), node(Op::Activation(Activation::Relu), &[0], output)];
        Network { name: "n".into(), nodes, output: 1, scaling: None, class_names: vec![], neurons: None }
    }

    fn detector(classes: &str) -> Detector {
        let text =
            format!("classes = [{classes}]\n[boxes]\ncoding = \"corners\"\n[[level]]\nclass = \"y\"\nbox = \"y\"\n");
        let columns = classes.split(',').count();
        assert!(columns == 4, "the output is read as scores and as boxes");
        Detector::described(&network(&[72, 4]), &HeadText { path: PathBuf::from("h.toml"), text }).unwrap()
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn boxes(classes: &[&str], difficult: &[bool]) -> Boxes {
        let object = |is_difficult: &bool| TargetBox {
            class: 0,
            corners: [0.0, 0.0, 2.0, 2.0],
            area: 4.0,
            is_crowd: false,
            is_difficult: *is_difficult,
        };
        let of_sample = difficult.iter().map(|is_difficult| vec![object(is_difficult)]).collect();
        Boxes {
            of_sample: Arc::new(of_sample),
            class_names: names(classes),
            places: Arc::default(),
            file_names: Arc::default(),
        }
    }

    fn masks() -> Masks {
        Masks { height: 8, width: 12, classes: Arc::default(), instances: None, class_names: names(&["a", "b", "c"]) }
    }

    fn texts(output: &[usize], detector: Option<&Detector>, targets: &Targets) -> String {
        let found = scene_findings(&network(output), detector, targets, 0..2);
        found.iter().map(|finding| format!("{}: {}\n", finding.severity.as_str(), finding.text)).collect()
    }

    #[test]
    fn classes_of_the_detector_that_match_none_or_a_part_are_named() {
        let told = |of_detector: &str, of_data: &[&str]| {
            texts(&[72, 4], Some(&detector(of_detector)), &Targets::Boxes(boxes(of_data, &[])))
        };
        assert_eq!(told("'a', 'B ', 'c', 'd'", &["d", "b", "A", "C"]), "");
        let part = told("'a', 'b', 'c', 'd'", &["b", "x"]);
        assert!(part.starts_with("note: classes of the detector that the data do not have"), "{part}");
        assert!(part.contains("'a', 'c', 'd'; classes of the data") && part.contains("missed: 'x'\n"), "{part}");
        let none = told("'a', 'b', 'c', 'd'", &["x", "y"]);
        assert!(none.starts_with("warning: no class of the detector ('a', 'b', 'c', 'd')"), "{none}");
        assert!(none.contains("('x', 'y')") && none.contains("no box counts"), "{none}");
        let numbers = told("'a', 'b', 'c', 'd'", &["w", "x", "y", "z"]);
        assert!(numbers.starts_with("note: ") && numbers.contains("matched in their order"), "{numbers}");
        let unnamed = told("'a', 'b', 'c', 'd'", &["class 0", "class 1"]);
        assert!(unnamed.starts_with("note: ") && unnamed.contains("matched in their order"), "{unnamed}");
        let more = told("'a', 'b', 'c', 'd'", &["class 0", "class 1", "class 2", "class 3", "class 4"]);
        assert!(more.starts_with("warning: no class of the detector"), "{more}");
    }

    #[test]
    fn difficult_objects_of_the_samples_are_counted() {
        let targets = Targets::Boxes(boxes(&["a", "b", "c", "d"], &[true, false, true]));
        let told = texts(&[72, 4], Some(&detector("'a', 'b', 'c', 'd'")), &targets);
        assert!(told.starts_with("note: 1 object is marked as difficult"), "{told}");
    }

    #[test]
    fn data_that_nothing_scores_have_a_finding_with_the_reason() {
        let of_masks = Targets::Masks(masks());
        for output in [&[96, 3][..], &[5], &[3, 12, 8], &[12, 8]] {
            let told = texts(output, None, &of_masks);
            let says = format!("output of {} is no single map of scores, CLASSESx8x12", format_shape(output));
            assert!(told.starts_with("warning: the data have masks") && told.contains(&says), "{told}");
        }
        let few = texts(&[2, 8, 12], None, &of_masks);
        assert!(few.contains("the masks have 3 classes and the network scores 2"), "{few}");
        assert_eq!(texts(&[3, 4, 6], None, &of_masks), "");
        let of_boxes = Targets::Boxes(boxes(&["a"], &[false]));
        let told = texts(&[72, 4], None, &of_boxes);
        assert!(told.contains("output of 72x4") && told.contains("--head FILE.toml"), "{told}");
        let both = Targets::Scenes { masks: masks(), boxes: boxes(&["a"], &[false]) };
        assert!(texts(&[72, 4], None, &both).contains("of a detector state the head with --head FILE.toml"));
        let told = texts(&[72, 4], Some(&detector("'a', 'b', 'c', 'd'")), &of_masks);
        assert!(told.contains("the network is a detector: nothing is scored"), "{told}");
        assert_eq!(texts(&[72, 4], None, &Targets::Labels), "");
    }
}
