//! Words for how alike both networks answer: classes, boxes, or plain numbers.

use crate::task::OutputKind;
use crate::task::output_agreement::SampleAgreement;

/// What the agreement of a curve is called, by what the answers are (`None`: classes).
pub struct Words {
    /// Before a percentage.
    pub short: &'static str,
    /// At an axis.
    pub axis: &'static str,
    pub hint: &'static str,
}

/// The words for answers of kind `of`.
pub fn words(of: Option<OutputKind>) -> Words {
    match of {
        None => Words {
            short: "agree",
            axis: "agreement",
            hint: "Samples where SNN and ANN answer alike, at the time cursor",
        },
        Some(OutputKind::Boxes) => Words {
            short: "boxes shared",
            axis: "boxes shared",
            hint: "Boxes that SNN and ANN find at the same place (they overlap by half or more), of all that either finds, at the \
                   time cursor",
        },
        Some(OutputKind::Values) => Words {
            short: "outputs alike",
            axis: "likeness",
            hint: "1 − |SNN − ANN| / |ANN| of the outputs, averaged over the samples, at the time cursor",
        },
    }
}

/// Title of the curve over time-steps.
pub fn curve_title(of: OutputKind) -> &'static str {
    match of {
        OutputKind::Boxes => "Boxes shared over time-steps",
        OutputKind::Values => "Likeness of the outputs over time-steps",
    }
}

/// What the curve over time-steps shows.
pub fn curve_explained(of: OutputKind) -> &'static str {
    match of {
        OutputKind::Boxes => {
            "This network finds boxes, so that neither accuracy nor equal answers can be counted. The line is the share of boxes that \
             both networks find at the same place (overlap of half or more) of all that either finds; the dashed one says how near \
             the SNN's scores and offsets have come to the ANN's, 1 − |SNN − ANN| / |ANN|. Boxes appear only where scores are sure, \
             so that the dashed line rises long before the other."
        }
        OutputKind::Values => {
            "This network's outputs are no classes, so that neither accuracy nor equal answers can be counted. The line says how near \
             the SNN's outputs have come to the ANN's, 1 − |SNN − ANN| / |ANN|, averaged over the samples."
        }
    }
}

/// The two lines below a sample's picture: the ANN's answer and the SNN's.
pub fn tile(of: OutputKind, ann: u32, snn: SampleAgreement) -> [String; 2] {
    match of {
        OutputKind::Boxes => [format!("ANN {}", boxes(ann)), format!("SNN {}", boxes(snn.found))],
        OutputKind::Values => ["SNN off by".into(), format!("{:.1} %", snn.error * 100.0)],
    }
}

/// So many boxes.
pub fn boxes(count: u32) -> String {
    match count {
        0 => "none".into(),
        1 => "1 box".into(),
        more => format!("{more} boxes"),
    }
}

/// Where a pane reads classes, and the network has none.
pub const NO_CLASSES: &str =
    "This pane reads classes, and this network's answers are none: Boxes and the T-curve show what it finds.";

/// The ANN finds boxes, the SNN none of them so far.
pub const NOTHING_YET: &str =
    "The SNN finds none of the ANN's boxes so far: that needs sure scores and exact offsets, which take many steps.";

pub fn description(now: &str) -> String {
    format!("Curve of likeness over time-steps. {now}")
}

pub const OUTPUTS_ALIKE: &str = "outputs alike";

pub fn hover(t: usize, short: &str, share: &str, outputs: &str) -> String {
    format!("t = {t}\n{short} {share}\noutputs {outputs}")
}

pub fn off_by(t: usize, error: &str) -> String {
    format!("After {t} steps the outputs are {error} off the ANN's.")
}

pub fn all_from(t: usize) -> String {
    format!(" From t = {t} on it is all and no others.")
}

pub const NONE_SAME: &str = "none at the same place";

pub fn same(boxes: u32, overlap: &str) -> String {
    format!("{boxes} at the same place, which overlap by {overlap}")
}

pub fn found(t: usize, snn: &str, ann: u32, same: &str, error: &str, since: &str) -> String {
    format!(
        "After {t} steps the SNN finds {snn} (the ANN {ann}), {same}; its outputs are {error} off the ANN's.{since}"
    )
}
