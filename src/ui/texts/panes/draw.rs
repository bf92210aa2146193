//! What the pane for drawn digits says.

pub fn label(label: &str) -> String {
    format!("The sample in focus is {label}. ")
}

/// What either network answers, with its share, and after how many steps the SNN does; `label` is a sentence or empty.
pub fn answers(label: &str, ann: (&str, f64), steps: usize, snn: (&str, f64)) -> String {
    let steps = if steps == 1 { "1 step".to_owned() } else { format!("{steps} steps") };
    let ((ann, sure), (snn, as_sure)) = (ann, snn);
    let (sure, as_sure) = (sure * 100.0, as_sure * 100.0);
    format!("{label}ANN: {ann} ({sure:.0} %). SNN after {steps}: {snn} ({as_sure:.0} %).")
}

pub const ANN_ABOVE: &str = "ANN (above)";
pub const SNN_BELOW: &str = "SNN (below)";

pub fn class(name: &str, ann: f64, snn: f64) -> String {
    format!("Class {name}: ANN {ann:.1} %, SNN {snn:.1} %")
}

pub const CANVAS: &str = "Canvas to draw a digit on";
pub const CANVAS_HINT: &str = "Draw with the pointer. By keys: arrows move the pen, Space puts it down and lifts it.";
pub const HERE: &str = "Draw a digit here";
pub const EMPTY: &str = "Nothing has been run yet.";
pub const TITLE: &str = "Draw a digit";

pub fn explanation(answers: &str) -> String {
    format!(
        "What is drawn is scaled into 20 pixels and its center of mass put in the middle of 28, as MNIST was made, \
         and runs through both networks with the thresholds as they are. {answers} Move the time cursor to see how \
         the SNN makes up its mind."
    )
}

pub const SEEN: &str = "What the networks see: the drawing, scaled and centered";
pub const PEN: &str = "pen";
pub const PEN_HINT: &str = "Half the width of a line, in pixels of the finished picture";
pub const UNDO_STROKE: &str = "Undo stroke";
pub const UNDO_STROKE_HINT: &str = "Take back the last stroke";
pub const CLEAR: &str = "Clear";
pub const PASTE_HINT: &str = "Take the picture on the clipboard; one can also drop a picture file here";
pub const PASTE: &str = "Paste picture";
pub const BACK: &str = "Back to the data";
pub const BACK_HINT: &str = "Run the samples that were there before";
pub const KEEP_HINT: &str = "Otherwise the data come back when this pane is out of sight";
pub const KEEP: &str = "Keep when I leave";
