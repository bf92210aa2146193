//! What the pane of a detector's boxes says.

pub const EMPTY: &str = "What a detector finds appears when the first run is through.";
pub const NO_BOXES: &str = "This network gives class scores and no boxes. Open a detector (scores and boxes as two \
     outputs, as UltraFace has them) to see them here.";

pub fn overlap(share: &str) -> String {
    format!(" Their surest boxes overlap by {share}.")
}

pub const TITLE: &str = "What the detector finds";

pub fn explanation(found: &str, overlap: &str) -> String {
    format!(
        "The boxes that the network finds in the sample in focus, wide lines for the ANN and thin ones for the SNN. \
         {found}.{overlap} The SNN's scores and offsets are the mean of its readout over the steps up to the time \
         cursor."
    )
}

pub fn description(ann: usize, snn: usize) -> String {
    format!("Picture with {ann} boxes of the ANN and {snn} of the SNN")
}

pub fn snn_at(t: usize) -> String {
    format!("SNN at t = {t}")
}

pub const BOXES: &str = "Picture with the boxes found";

pub fn place(sure: f32, left: &str, right: &str, top: &str, bottom: &str) -> String {
    format!("{sure:.0} % sure, {left} to {right} across, {top} to {bottom} down")
}

pub const NONE: &str = "none";

pub fn nothing(who: &str) -> String {
    format!("{who}: nothing found")
}

pub fn one(who: &str, sure: f32) -> String {
    format!("{who}: one box, {sure:.1} % sure")
}

pub fn several(who: &str, boxes: usize, sure: f32) -> String {
    format!("{who}: {boxes} boxes, the surest {sure:.1} %")
}
