//! Texts about the agreement of both networks: classes, boxes, or numbers.

use crate::ground::numbers::percent;
use crate::task::OutputKind;
use crate::task::output_agreement::SampleAgreement;

/// Names of the agreement measure, by kind of output (`None`: classes).
pub struct AgreementLabels {
    /// The one name of the measure.
    pub short: &'static str,
    pub hint: &'static str,
}

/// The names for outputs of kind `of`.
pub fn agreement_labels(of: Option<OutputKind>) -> AgreementLabels {
    match of {
        None => AgreementLabels {
            short: "agreement",
            hint: "Samples for which SNN and ANN give the same prediction, at the time cursor",
        },
        Some(of @ OutputKind::Boxes) => AgreementLabels {
            short: of.measure(),
            hint: "Boxes that SNN and ANN both detect (IoU of 0.5 or more), of all boxes detected, at the time cursor",
        },
        Some(of @ OutputKind::Values) => AgreementLabels {
            short: of.measure(),
            hint: "1 − |SNN − ANN| / |ANN| of the outputs, averaged over the samples, at the time cursor",
        },
    }
}

/// Title of the curve over time steps.
pub fn curve_title(of: OutputKind) -> &'static str {
    match of {
        OutputKind::Boxes => "Matching boxes over time-steps",
        OutputKind::Values => "Output similarity over time-steps",
    }
}

/// Explanation of the curve over time steps.
pub fn curve_explained(of: OutputKind) -> &'static str {
    match of {
        OutputKind::Boxes => {
            "This network detects boxes, so accuracy and agreement of classes are not defined. The line is the share \
             of matching boxes (IoU of 0.5 or more) among all that either network detects; the dashed line is the \
             similarity of scores and offsets, 1 − |SNN − ANN| / |ANN|. Boxes need high scores, so the dashed line \
             rises first."
        }
        OutputKind::Values => {
            "This network's outputs are not classes, so accuracy and agreement are not defined. The line is the \
             similarity of the outputs, 1 − |SNN − ANN| / |ANN|, averaged over the samples."
        }
    }
}

/// The two lines below a sample's image: the ANN's output and the SNN's.
pub fn tile(of: OutputKind, ann: u32, snn: SampleAgreement) -> [String; 2] {
    match of {
        OutputKind::Boxes => [format!("ANN {}", boxes(ann)), format!("SNN {}", boxes(snn.found))],
        OutputKind::Values => ["SNN error".into(), percent(f64::from(snn.error), 1)],
    }
}

/// A number of boxes.
pub fn boxes(count: u32) -> String {
    match count {
        0 => "none".into(),
        1 => "1 box".into(),
        more => format!("{more} boxes"),
    }
}

/// The text of panes that need classes, for networks without classes.
pub const NO_CLASSES: &str =
    "This pane needs class outputs, which this network does not have. Use the Boxes pane and the T-curve.";

/// The ANN detects boxes, the SNN none of them so far.
pub const NOTHING_YET: &str =
    "The SNN detects none of the ANN's boxes yet: boxes need accurate scores and offsets, which take many steps.";

pub fn description(now: &str) -> String {
    format!("Curve of output similarity over time-steps. {now}")
}

pub const OUTPUTS_ALIKE: &str = "output similarity";

pub fn hover(t: usize, short: &str, share: &str, outputs: &str) -> String {
    format!("t = {t}\n{short} {share}\noutputs {outputs}")
}

pub fn off_by(t: usize, error: &str) -> String {
    format!("After {t} steps the outputs differ from the ANN's by {error}.")
}

pub fn all_from(t: usize) -> String {
    format!(" From t = {t} on all boxes match.")
}

pub const NONE_SAME: &str = "none matching";

pub fn same(boxes: u32, overlap: &str) -> String {
    format!("{boxes} matching with a mean IoU of {overlap}")
}

pub fn found(t: usize, snn: &str, ann: u32, same: &str, error: &str, since: &str) -> String {
    format!(
        "After {t} steps the SNN detects {snn} (ANN {ann}), {same}; its outputs differ from the ANN's by \
         {error}.{since}"
    )
}
