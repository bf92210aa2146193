//! Texts of the scenes pane: class maps or boxes of ANN, SNN and target.

pub const EMPTY: &str = "No run yet. Open a segmentation network or a detector, and data with masks or boxes.";
pub const NO_SCENES: &str = "No masks or boxes to compare with: open a segmentation network or a detector, and data with \
     masks (masks:) or boxes (voc:, coco:, yolo:).";

pub const TITLE: &str = "Scenes";
pub const TARGET: &str = "target";
pub const SIDE_BY_SIDE: &str = "side by side";
pub const OVERLAID: &str = "overlaid";
pub const WIPE: &str = "wipe";
pub const ERRORS: &str = "errors";
pub const SIDE_BY_SIDE_HINT: &str = "Three pictures: ANN, SNN and target";
pub const OVERLAID_HINT: &str = "One picture: where both networks agree, and what only one of them finds";
pub const WIPE_HINT: &str = "The ANN to the left of the line, the SNN to the right; drag the line";
pub const ERRORS_HINT: &str = "Where the ANN, the SNN or both differ from the target";
pub const ONLY_ANN: &str = "only ANN wrong";
pub const ONLY_SNN: &str = "only SNN wrong";
pub const BOTH_WRONG: &str = "both wrong";
pub const MIOU: &str = "mIoU";
pub const MAP: &str = "mAP";

/// The name of the score of masks or of boxes, and what it is.
pub fn score(of_masks: bool) -> (&'static str, &'static str) {
    match of_masks {
        true => (MIOU, "Mean intersection over union of the classes of all pictures, at the time cursor"),
        false => (MAP, "COCO's mean average precision, at the last scored step up to the time cursor"),
    }
}
pub const BAND: &str = "95 % band of the ANN";
pub const PICTURES: &str = "Pictures with masks or boxes";
pub const CLICK: &str = "Click a wrong place: the neuron behind it comes into focus.";

pub fn now(what: &str, t: usize, ann: &str, snn: &str) -> String {
    format!("{what}: ANN {ann}, SNN {snn} at t = {t}")
}

pub fn of_picture(ann: &str, snn: &str) -> String {
    format!("; this picture: ANN {ann}, SNN {snn}")
}

pub fn explanation(now: &str, pictures: usize) -> String {
    format!(
        "What both networks find in the picture in focus, beside the target. {now}, over {pictures} pictures. The SNN is \
         read as its mean output over the steps up to the time cursor; a click on a wrong place leads to the neuron of \
         the last spiking layers that differs most there."
    )
}

pub fn description(now: &str) -> String {
    format!("Pictures of ANN, SNN and target, and the score over time. {now}")
}

pub fn hover(what: &str, t: usize, score: &str) -> String {
    format!("t = {t}\n{what} {score}")
}

pub fn drawn_boxes(ann: usize, snn: usize, target: usize) -> String {
    format!("{ann} boxes of the ANN, {snn} of the SNN, {target} of the target")
}

pub fn drawn_masks(ann: &str, snn: &str) -> String {
    format!("Class maps; the ANN's has the target's class in {ann} of the pixels, the SNN's in {snn}")
}

pub const UNSCORED: &str = "-";
