//! Texts of the robustness pane: attacks, answers, gradients, accuracy over ε.

use crate::attack::{AttackKind, GradientRule};
use crate::ui::texts::format::format_value;

pub const EMPTY: &str = "No run yet. Open a classifier and images.";
pub const TITLE: &str = "Robustness";
pub const ATTACK: &str = "attack";
pub const EPS: &str = "ε (255ths)";
pub const EPS_COUNTS: &str = "ε (counts)";
pub const STEPS: &str = "steps";
pub const GRADIENT: &str = "SNN gradient";
pub const MEASURE: &str = "Accuracy over ε";
pub const MEASURE_HINT: &str =
    "Attack up to 32 samples of the run at eight radii, on both networks. It takes some seconds.";
pub const CURVE: &str = "Accuracy over ε";
pub const CURVE_AXIS: &str = "ε in 255ths, doubling";
pub const CURVE_AXIS_COUNTS: &str = "ε in counts of a frame, doubling";
pub const GRID: &str = "Robust accuracy (%) over T (rows) and ε in 255ths (columns), under the attack";
pub const GRID_COUNTS: &str = "Robust accuracy (%) over T (rows) and ε in counts (columns), under the attack";
pub const GRID_NAME: &str = "Robust accuracy over T and ε";
pub const ACCURACY: &str = "accuracy";
pub const PICTURE: &str = "image";
pub const PERTURBATION: &str = "change";
pub const ATTACKED: &str = "attacked";
pub const SLOPES: &str = "gradient";
pub const FRAMES: &str = "pictures";
pub const SUM: &str = "sum over time";
pub const SUM_HINT: &str = "All frames of the recording together";
pub const AT_CURSOR: &str = "at the cursor";
pub const AT_CURSOR_HINT: &str = "The frame that the time cursor's step shows";
pub const MEAN_FRAME: &str = "mean";
pub const WORST: &str = "worst";
pub const WORST_HINT: &str = "The attack by every gradient, one after the other: a sample is robust only if all fail";

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
    let [sum, length] = [l1, l2].map(format_value);
    format!("{who} gradient: {:.0} % of the pixels, sum {sum}, length {length}; {ratio}.", density * 100.0)
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

/// A radius, of event recordings in counts, else in 255ths.
pub fn radius(eps: f32, has_counts: bool) -> String {
    match has_counts {
        true if eps == 0.0 || eps >= 0.1 => format!("{}", (eps * 100.0).round() / 100.0),
        true => format!("{eps:.2}"),
        false => format!("{:.0}", eps * 255.0),
    }
}

/// The first is about Square, the second about all gradient rules together.
pub fn masked(square_on: &[&str], by_rules: bool) -> String {
    let square = (!square_on.is_empty()).then(|| {
        format!("Square, which reads no gradients, finds more than this attack on the {}", square_on.join(" and the "))
    });
    let rules = by_rules.then(|| "all gradients together find more than one alone on the SNN".to_owned());
    let both: Vec<String> = square.into_iter().chain(rules).collect();
    format!("Masked: {}. A single gradient misleads.", both.join("; "))
}

/// Which gradient rules fool the spiking network.
pub fn fooling(rules: &[(&str, bool)], was_right: bool) -> String {
    if !was_right {
        return "The SNN is wrong without an attack: no gradient needs to fool it.".to_owned();
    }
    let fooling: Vec<&str> = rules.iter().filter(|(_, fooled)| *fooled).map(|(word, _)| *word).collect();
    match fooling.as_slice() {
        [] => format!("None of {} gradients fools the SNN.", rules.len()),
        some => format!("{} of {} gradients fool the SNN: {}.", some.len(), rules.len(), some.join(", ")),
    }
}

/// Whether counts of events are whole numbers under attack.
pub fn whole_counts(whole: bool) -> String {
    match whole {
        true => "All counts of the attacked frames are whole numbers.".to_owned(),
        false => "Counts of the attacked frames are no longer whole numbers, so no recording has them; FGSM with ε = 1 keeps \
                  them whole."
            .to_owned(),
    }
}

pub fn one_frame(frame: usize, frames: usize) -> String {
    format!("frame {frame} of {frames}")
}

pub fn sum_of(frames: usize) -> String {
    format!("sum of {frames}")
}

pub fn measured(samples: usize, has_worst: bool) -> String {
    let worst = if has_worst { ", dashed: all gradients on the SNN" } else { "" };
    format!("{samples} samples; thin lines: noise, dotted: Square{worst}")
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

pub fn at_eps(eps: f32, has_counts: bool, of: &str, accuracy: f64) -> String {
    let unit = if has_counts { " counts" } else { "/255" };
    format!("ε = {}{unit}: {of} {:.0} %", radius(eps, has_counts), accuracy * 100.0)
}
