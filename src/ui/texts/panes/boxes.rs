//! Texts of the boxes pane: detections of ANN and SNN.

pub const EMPTY: &str = "No run yet. Open a detector.";
pub const NO_BOXES: &str = "No boxes: this network outputs class scores. Open a detector with scores and boxes as two \
     outputs (UltraFace).";

pub fn overlap(share: &str) -> String {
    format!(" Their boxes with the highest score overlap by {share} (IoU).")
}

pub const TITLE: &str = "Detected boxes";

pub fn explanation(found: &str, overlap: &str) -> String {
    format!(
        "Boxes detected in the sample in focus: wide lines for the ANN, thin lines for the SNN. {found}.{overlap} The \
         SNN's scores and offsets are its mean readout over the steps up to the time cursor."
    )
}

pub fn description(ann: usize, snn: usize) -> String {
    format!("Image with {ann} boxes of the ANN and {snn} of the SNN")
}

pub fn snn_at(t: usize) -> String {
    format!("SNN at t = {t}")
}

pub const BOXES: &str = "Image with the detected boxes";

pub fn place(sure: f32, left: &str, right: &str, top: &str, bottom: &str) -> String {
    format!("score {sure:.0} %, x {left} to {right}, y {top} to {bottom}")
}

pub const NONE: &str = "none";

pub fn nothing(who: &str) -> String {
    format!("{who}: no box")
}

pub fn one(who: &str, sure: f32) -> String {
    format!("{who}: 1 box, score {sure:.1} %")
}

pub fn several(who: &str, boxes: usize, sure: f32) -> String {
    format!("{who}: {boxes} boxes, highest score {sure:.1} %")
}
