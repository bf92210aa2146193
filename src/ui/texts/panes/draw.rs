//! Texts of the draw pane: canvas, controls and predictions.

pub fn label(label: &str) -> String {
    format!("The label of the sample in focus is {label}. ")
}

/// The prediction of each network with its probability, and the number of steps of the SNN. `label` is a sentence or
/// empty.
pub fn answers(label: &str, ann: (&str, f64), steps: usize, snn: (&str, f64)) -> String {
    let steps = after(steps);
    let ((ann, sure), (snn, as_sure)) = (ann, snn);
    let (sure, as_sure) = (sure * 100.0, as_sure * 100.0);
    format!("{label}ANN: {ann} ({sure:.0} %). SNN after {steps}: {snn} ({as_sure:.0} %).")
}

/// A name with a part or a probability in percent.
pub fn with_share(name: &str, percent: f64) -> String {
    format!("{name} {percent:.0} %")
}

/// A class without a name.
pub fn numbered(class: usize) -> String {
    format!("class {class}")
}

/// Classes of the pixels of both networks, the largest first, and the part of the pixels with the same class.
pub fn masks(ann: &[String], steps: usize, snn: &[String], same: f64) -> String {
    let (ann, snn, steps) = (ann.join(", "), snn.join(", "), after(steps));
    format!("Pixels of the ANN: {ann}. SNN after {steps}: {snn}. Both give {same:.1} % of the pixels the same class.")
}

/// Number and names of the boxes of both networks, and the number of boxes at the same place.
pub fn boxes(ann: (usize, &[String]), steps: usize, snn: (usize, &[String]), same: u32) -> String {
    let found = |(count, named): (usize, &[String])| match count {
        0 => "no box".to_owned(),
        1 => format!("1 box ({})", named.join(", ")),
        more if more > named.len() => format!("{more} boxes ({}, …)", named.join(", ")),
        more => format!("{more} boxes ({})", named.join(", ")),
    };
    format!("ANN: {}. SNN after {}: {}, {same} of them where the ANN has one.", found(ann), after(steps), found(snn))
}

/// The difference of outputs that are neither classes nor pictures.
pub fn values(steps: usize, error: f64) -> String {
    format!("After {} the outputs of the SNN differ from those of the ANN by {error:.1} %.", after(steps))
}

fn after(steps: usize) -> String {
    if steps == 1 { "1 step".to_owned() } else { format!("{steps} steps") }
}

pub const PICTURES: &str = "Maps or boxes of ANN and SNN over the drawing";

pub const ANN_ABOVE: &str = "ANN (above)";
pub const SNN_BELOW: &str = "SNN (below)";

pub fn class(name: &str, ann: f64, snn: f64) -> String {
    format!("Class {name}: ANN {ann:.1} %, SNN {snn:.1} %")
}

pub const CANVAS: &str = "Canvas to draw a digit on";
pub const CANVAS_HINT: &str = "Draw with the pointer. By keys: arrows move the pen, Space puts it down and lifts it.";
pub const HERE: &str = "Draw a digit here";
pub const CANVAS_PICTURE: &str = "Canvas to draw a picture on";
pub const PICTURE_HERE: &str = "Draw a picture here";
pub const EMPTY: &str = "No run yet. Open a network.";
pub const TITLE: &str = "Draw a digit";
/// Title for a network that knows no digits.
pub const TITLE_PICTURE: &str = "Draw a picture";

pub fn explanation(answers: &str) -> String {
    format!(
        "The drawing is scaled to 20 pixels and centered by mass in 28, as in MNIST, brought to the size of the network's \
         input, and runs through both networks with the current thresholds. {answers} Move the time cursor to follow the SNN's answer."
    )
}

pub const SEEN: &str = "Network input: the drawing, scaled and centered";
pub const PEN: &str = "pen";
pub const PEN_HINT: &str = "Half the line width, in pixels of the final image";
pub const UNDO_STROKE: &str = "Undo stroke";
pub const UNDO_STROKE_HINT: &str = "Remove the last stroke";
pub const CLEAR: &str = "Clear";
pub const PASTE_HINT: &str = "Use the image on the clipboard; an image file can also be dropped here";
pub const PASTE: &str = "Paste image";
pub const BACK: &str = "Back to data";
pub const BACK_HINT: &str = "Run the previous samples again";
pub const KEEP_HINT: &str = "Otherwise the previous data return when this pane is hidden";
pub const KEEP: &str = "Keep drawing";
