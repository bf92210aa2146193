//! Texts of the attribution pane: methods, targets, signs, scores and what the user should know of them.

use crate::attack::GradientRule;
use crate::attack::snn::Surrogate;
use crate::experiment::explained::{MapSign, TargetChoice};
use crate::explain::Method;

pub const EMPTY: &str =
    "No run yet. Open a classifier and images; the maps then show which pixels its answer stands on.";
pub const NO_METHODS: &str = "No method is chosen. Choose some under Methods.";
pub const TITLE: &str = "Attribution";
pub const RECORDINGS: &str = "Event recordings: maps are of the mean over all frames, which the ANN reads. The SNN gets it at \
    every step, so that no map shows what the order of events adds.";
pub const METHODS_HINT: &str = "Methods whose maps are shown side by side";
pub const ALL: &str = "All";
pub const USUAL: &str = "Usual four";
pub const TARGET: &str = "target";
pub const TARGET_HINT: &str = "The output whose logit is explained";
pub const TRIGGER: &str = "trigger";
pub const TRIGGER_HINT: &str = "Explain test pictures with the trigger of a trojan, whose pixels are known";
pub const NO_TRIGGER: &str = "none";
pub const SIGN: &str = "sign";
pub const OPACITY: &str = "opacity";
pub const GRADIENT: &str = "SNN gradient";
pub const STOP: &str = "Stop";
pub const STOP_HINT: &str = "Cancel the maps in progress; finished ones stay";
pub const WAITING: &str = "…";
pub const RANKING: &str = "Ranking";
pub const LRP: &str = "LRP: γ rule with γ = 0.25, the default; with ε near 0 it would be input × gradient.";

/// The signs with their hints.
pub const SIGNS: [(MapSign, &str, &str); 3] = [
    (MapSign::Both, "both", "Orange speaks for the target, blue against it"),
    (MapSign::Positive, "for", "Only what speaks for the target"),
    (MapSign::Negative, "against", "Only what speaks against the target"),
];

/// The gradient rules of the spiking network with their hints.
pub const RULES: [(GradientRule, &str, &str); 2] = [
    (GradientRule::Rate, "rate", "Each neuron is the ramp under its staircase at its mean input"),
    (
        GradientRule::ThroughTime(Surrogate::Triangle),
        "through time",
        "Back through all steps and resets, with a triangle for the spike",
    ),
];

/// The columns of the ranking: of the ANN, then of the SNN.
pub const COLUMNS: [(&str, &str); 4] = [
    ("correlation", "Pearson's correlation of the map with the pixels of the trigger; larger is better"),
    ("L1", "Mean distance of the map from the pixels of the trigger; smaller is better"),
    ("deletion", "Area under the target's probability while the map's first pixels are removed; smaller is better"),
    ("insertion", "The same while they are put into an empty image; larger is better"),
];
pub const SAME: &str = "ANN ~ SNN";
pub const SAME_HINT: &str = "Correlation of both maps: 1 if they show the same";

/// The name of a method.
pub fn method(method: Method) -> &'static str {
    match method {
        Method::Saliency => "Saliency",
        Method::InputXGradient => "Input × gradient",
        Method::IntegratedGradients => "Integrated gradients",
        Method::Deeplift => "DeepLIFT",
        Method::DeepliftShap => "DeepLIFT SHAP",
        Method::GradientShap => "Gradient SHAP",
        Method::GuidedBackprop => "Guided backprop",
        Method::Deconvolution => "Deconvolution",
        Method::GuidedGradCam => "Guided Grad-CAM",
        Method::Lrp => "LRP",
        Method::FeatureAblation => "Feature ablation",
        Method::FeaturePermutation => "Feature permutation",
        Method::Occlusion => "Occlusion",
        Method::ShapleySampling => "Shapley sampling",
        Method::KernelShap => "KernelSHAP",
        Method::Lime => "LIME",
        Method::SpikeCount => "Spike counts",
        Method::Edges => "Edges (baseline)",
        Method::Blank => "Blank (baseline)",
        Method::Random => "Random (baseline)",
    }
}

pub fn methods(count: usize) -> String {
    format!("Methods ({count})")
}

pub fn target(choice: TargetChoice, class: impl Fn(usize) -> String) -> String {
    match choice {
        TargetChoice::Answer => "its answer".into(),
        TargetChoice::Label => "the label".into(),
        TargetChoice::Output(output) => class(output),
    }
}

pub fn progress(stage: &str) -> String {
    if stage.is_empty() { "starting".into() } else { stage.to_owned() }
}

pub fn at(steps: usize) -> String {
    format!("t = {steps}")
}

pub fn answer(who: &str, answer: &str, probability: f64, target: &str) -> String {
    format!("{who} answers {answer} ({:.0} %); explained: {target}.", probability * 100.0)
}

/// The same of a network whose outputs are not classes.
pub fn value(who: &str, value: f64, target: &str) -> String {
    format!("{who} gives {value:.3} for output {target}.")
}

pub fn picture(trigger: Option<&str>, index: usize, of: usize, label: Option<&str>) -> String {
    let label = label.map_or(String::new(), |label| format!(", label {label}"));
    match trigger {
        Some(trigger) => format!("Picture {} of {of} with {trigger}{label}", index + 1),
        None => format!("Sample {} of {of}{label}", index + 1),
    }
}

pub fn score(rank: f64) -> String {
    if rank.is_finite() { format!("{rank:.2}").replace('-', "−") } else { String::new() }
}

pub fn best(by_mask: bool, ann: Option<(&str, f64)>, snn: Option<(&str, f64)>) -> Option<String> {
    let by = if by_mask { "correlation with the trigger" } else { "insertion − deletion" };
    let one = |who: &str, (name, score): (&str, f64)| format!("{name} ({score:.2}) on the {who}");
    match (ann, snn) {
        (Some(ann), Some(snn)) => {
            Some(format!("Below each map its {by}. Best: {}, {}.", one("ANN", ann), one("SNN", snn)))
        }
        _ => None,
    }
}

pub fn stale(shown: usize) -> String {
    format!("t = {shown}")
}

pub fn seconds(seconds: f64) -> String {
    if seconds < 0.1 { format!("{:.1} ms", seconds * 1000.0) } else { format!("{seconds:.2} s") }
}

pub fn map_of(method: &str, who: &str) -> String {
    format!("{method} of the {who}")
}

pub fn hover(method: &str, who: &str, value: f32, seconds: &str) -> String {
    format!("{method}, {who}: {value:.4} at this pixel; made in {seconds}")
}

pub fn explanation(words: &str) -> String {
    format!(
        "A map gives each pixel its part in the explained logit, for the ANN above and for the SNN after t steps below; it \
         follows the time cursor. {words} Deletion and insertion ask the network itself; the correlation needs the pixels \
         of a trigger, which only a planted network has."
    )
}

pub fn description(methods: &[&str], words: &str) -> String {
    format!("Attribution maps of ANN and SNN by {}. {words}", methods.join(", "))
}
