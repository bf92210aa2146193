//! Texts of the robustness pane: attacks, answers, gradients, accuracy over ε.

use crate::attack::{AttackKind, GradientRule};

pub const EMPTY: &str = "No run yet. Open a classifier and images.";
pub const TITLE: &str = "Robustness";
pub const ATTACK: &str = "attack";
pub const EPS: &str = "ε (255ths)";
pub const STEPS: &str = "steps";
pub const GRADIENT: &str = "SNN gradient";
pub const MEASURE: &str = "Accuracy over ε";
pub const MEASURE_HINT: &str =
    "Attack up to 32 samples of the run at eight radii, on both networks. It takes some seconds.";
pub const CURVE: &str = "Accuracy over ε";
pub const CURVE_AXIS: &str = "ε in 255ths, doubling";
pub const GRID: &str = "Robust accuracy (%) over T (rows) and ε in 255ths (columns), under the attack";
pub const GRID_NAME: &str = "Robust accuracy over T and ε";
pub const ACCURACY: &str = "accuracy";
pub const PICTURE: &str = "image";
pub const PERTURBATION: &str = "change";
pub const ATTACKED: &str = "attacked";
pub const SLOPES: &str = "gradient";

/// The attacks of the pane, with their hints.
pub const KINDS: [(AttackKind, &str, &str); 6] = [
    (AttackKind::Uniform, "noise", "Uniform noise in the ball"),
    (AttackKind::Fgsm, "FGSM", "One step along the sign of the gradient"),
    (AttackKind::Rfgsm, "R-FGSM", "Steps from a random corner"),
    (AttackKind::Pgd, "PGD", "Projected gradient descent from a random start"),
    (AttackKind::Apgd, "APGD", "Gradient steps with momentum and a step size of their own"),
    (AttackKind::Square, "Square", "Random windows, without gradients; 100 queries"),
];

/// The gradient rules of the pane, with their hints.
pub const RULES: [(GradientRule, &str, &str); 4] = [
    (GradientRule::Rate, "rate", "Each neuron is the ramp under its staircase at its mean input"),
    (
        GradientRule::ThroughTime(crate::attack::snn::Surrogate::Triangle),
        "through time",
        "Back through all steps and resets, with a triangle for the spike",
    ),
    (GradientRule::StraightThrough, "straight", "Every neuron passes the gradient unchanged"),
    (GradientRule::Ann, "of the ANN", "The gradient of the ANN: a transferred attack"),
];

/// The word of an attack.
pub fn kind(kind: AttackKind) -> &'static str {
    KINDS.iter().find(|(known, ..)| *known == kind).map_or("attack", |(_, word, _)| word)
}

pub fn answers(who: &str, before: (&str, f64), after: (&str, f64), beside: &str) -> String {
    format!(
        "{who}: {} ({:.0} %), attacked {} ({:.0} %), under a random change of equal size {beside}.",
        before.0,
        before.1 * 100.0,
        after.0,
        after.1 * 100.0
    )
}

pub fn gradient(who: &str, density: f64, l1: f64, l2: f64, ratio: Option<f64>, upper: f64) -> String {
    let ratio = match ratio {
        None => "noise changes nothing".to_owned(),
        Some(ratio) if ratio > upper => format!("malice over chance above {upper:.0}: f is not linear here"),
        Some(ratio) => format!("malice over chance {ratio:.1}, between 3 and {upper:.0} where f is linear"),
    };
    format!("{who} gradient: {:.0} % of the pixels, sum {l1:.1e}, length {l2:.1e}; {ratio}.", density * 100.0)
}

pub fn label(name: &str, labeled: bool) -> String {
    if labeled { format!("label {name}") } else { format!("no label: the ANN's answer {name} in its place") }
}

pub fn changed(layers: &[(&str, f64)]) -> String {
    let each: Vec<String> = layers.iter().map(|(name, share)| format!("{name} {:.1} %", share * 100.0)).collect();
    let first = layers.iter().find(|(_, share)| *share > 0.0);
    let first = first
        .map_or("No neuron changes its spike count".to_owned(), |(name, _)| format!("Spikes change first in {name}"));
    format!("{first}; neurons whose spike count changes, layer by layer: {}.", each.join(", "))
}

pub fn after(steps: usize) -> String {
    format!("T = {steps}")
}

pub fn radius(eps: f32) -> String {
    format!("{:.0}", eps * 255.0)
}

pub fn masked(networks: &[&str]) -> String {
    format!(
        "Masked: Square, which reads no gradients, finds more than this attack on the {}. Its gradients mislead.",
        networks.join(" and the ")
    )
}

pub fn measured(samples: usize) -> String {
    format!("{samples} samples; thin lines: noise, dotted: Square")
}

pub fn explanation(words: &str) -> String {
    format!(
        "An attack moves each pixel of the sample in focus by at most ε until the answer changes; ANN and SNN are attacked \
         by gradients of their own. {words} The gradient is that of the probability of the label against the runner-up."
    )
}

pub fn description(kind: &str, ann: &str, snn: &str) -> String {
    format!("Image under {kind}, its changes and gradients; the ANN then answers {ann}, the SNN {snn}")
}

pub fn picture_of(what: &str, who: &str) -> String {
    format!("{who}: {what}, pixel by pixel")
}

pub fn at_eps(eps: f64, of: &str, accuracy: f64) -> String {
    format!("ε = {eps:.0}/255: {of} {:.0} %", accuracy * 100.0)
}
