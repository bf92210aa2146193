//! A finding of the diagnosis: what is unusual or wrong, how severe, and its fix.

use std::fmt;

use serde::Serialize;

use crate::convert::{MaxPoolRule, ThresholdRule};
use crate::data::Scaling;

/// Severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Something that was done or assumed, and its consequence.
    Note,
    /// The results are likely to mislead.
    Warning,
    /// The network cannot be converted with these settings.
    Error,
}

/// One result of the diagnosis: something that was done to a network, or that looks wrong about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// A short name of what was checked; the same for every finding of its kind.
    pub kind: &'static str,
    pub severity: Severity,
    /// Dotted path of the layer; `None` for the network or the recipe as a whole.
    pub layer: Option<String>,
    /// What is wrong and what to do, in plain words.
    pub text: String,
    /// The fix, if one change of the settings is enough.
    #[serde(rename = "mend")]
    pub fix: Option<Fix>,
}

/// A change of the settings that fixes a finding. Undo reverts it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fix {
    Threshold(ThresholdRule),
    Pooling(MaxPoolRule),
    /// v(0) as a fraction of θ.
    VInit(f32),
    /// θ of one layer set manually, or reset to the rule.
    LayerThreshold {
        layer: String,
        theta: Option<f32>,
    },
    /// Other calibration samples.
    Calibrate {
        first: usize,
        count: usize,
    },
    Scaling(Scaling),
    /// The same data with another option.
    Data {
        /// The complete specification.
        data: String,
        /// The option, `key=value`.
        option: String,
        /// Whether these are the calibration data.
        for_calibration: bool,
    },
    /// Another T.
    Steps(usize),
    /// Another output that answers, by its name.
    Output(String),
    /// Another duration of a time step.
    TimeStep(f64),
}

impl Finding {
    /// A finding without a fix.
    pub fn new(kind: &'static str, severity: Severity, layer: Option<&str>, text: impl Into<String>) -> Self {
        Self { kind, severity, layer: layer.map(str::to_owned), text: text.into(), fix: None }
    }
    /// A finding that is good to know.
    pub fn note(kind: &'static str, layer: Option<&str>, text: impl Into<String>) -> Self {
        Self::new(kind, Severity::Note, layer, text)
    }
    /// A finding that is likely to mislead.
    pub fn warning(kind: &'static str, layer: Option<&str>, text: impl Into<String>) -> Self {
        Self::new(kind, Severity::Warning, layer, text)
    }
    /// This finding with its fix.
    pub fn with_fix(self, fix: Fix) -> Self {
        Self { fix: Some(fix), ..self }
    }
}

impl Severity {
    /// The word for the severity.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Fix {
    /// The label of the button that applies the fix.
    pub fn label(&self) -> String {
        match self {
            Self::Threshold(rule) => format!("Use thresholds: {rule}"),
            Self::Pooling(MaxPoolRule::Lateral) => "Use lateral pooling".into(),
            Self::Pooling(MaxPoolRule::PreNeuron) => "Use max pooling before the neurons".into(),
            Self::VInit(share) => format!("Set v(0) to {share} θ"),
            Self::LayerThreshold { theta: Some(theta), .. } => format!("Set θ to {theta:.4}"),
            Self::LayerThreshold { theta: None, .. } => "Reset to rule".into(),
            Self::Calibrate { count, .. } => format!("Calibrate on {count} samples"),
            Self::Scaling(scaling) => format!("Use input scaling {scaling}"),
            Self::Data { option, .. } => format!("Read with {option}"),
            Self::Steps(steps) => format!("Set T to {steps}"),
            Self::Output(name) => format!("Use output '{name}'"),
            Self::TimeStep(dt) => format!("Read with dt = {dt}"),
        }
    }
    /// The command-line options for the fix; empty if there are none.
    pub fn cli_options(&self) -> String {
        match self {
            Self::Threshold(rule) => format!("--threshold {rule}"),
            Self::Pooling(MaxPoolRule::Lateral) => "--pooling lateral".into(),
            Self::Pooling(MaxPoolRule::PreNeuron) => "--pooling pre-neuron".into(),
            Self::VInit(share) => format!("--v-init {share}"),
            Self::LayerThreshold { layer, theta: Some(theta) } => {
                format!("--theta {}", quoted(&format!("{layer}={theta}")))
            }
            Self::LayerThreshold { layer, theta: None } => format!("--theta {}", quoted(&format!("{layer}=rule"))),
            Self::Calibrate { first, count } => format!("--calibrate {first}..{}", first + count),
            Self::Scaling(scaling) => format!("--scale \"{scaling}\""),
            Self::Data { data, for_calibration: false, .. } => format!("--data \"{data}\""),
            Self::Data { data, for_calibration: true, .. } => format!("--calibrate-data \"{data}\""),
            Self::Steps(steps) => format!("--steps {steps}"),
            Self::Output(name) => format!("--output {}", quoted(name)),
            Self::TimeStep(dt) => format!("--dt {dt}"),
        }
    }
}

/// `word` in quotes where a shell would read it as more than one plain word.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "._-/=+:,@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) { word.to_owned() } else { format!("\"{word}\"") }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.layer {
            Some(layer) => write!(f, "{layer}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

/// Findings with the same text about several layers, as one.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingGroup<'a> {
    /// The first of them.
    pub finding: &'a Finding,
    /// Every layer of the group, in order; one or none for a single finding.
    pub layers: Vec<&'a str>,
}

/// Merges `findings` that differ only in their layer, in their order. Findings with a fix stay separate, since one
/// click fixes one of them.
pub fn group_by_kind(findings: &[Finding]) -> Vec<FindingGroup<'_>> {
    let mut groups: Vec<FindingGroup<'_>> = Vec::new();
    for finding in findings {
        let same = |other: &Finding| {
            (other.kind, other.severity, &other.text) == (finding.kind, finding.severity, &finding.text)
                && other.fix.is_none()
                && finding.fix.is_none()
                && other.layer.is_some()
                && finding.layer.is_some()
        };
        match groups.iter_mut().find(|group| same(group.finding)) {
            Some(group) => group.layers.extend(finding.layer.as_deref()),
            None => groups.push(FindingGroup { finding, layers: finding.layer.as_deref().into_iter().collect() }),
        }
    }
    groups
}

impl fmt::Display for FindingGroup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layers.as_slice() {
            [] | [_] => self.finding.fmt(f),
            layers => write!(f, "{}: {}", layers.join(", "), self.finding.text),
        }
    }
}

/// Sorts by descending severity; equal ones keep their order.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_fixes_are_quoted_where_a_shell_needs_it() {
        let layer = |layer: &str, theta| Fix::LayerThreshold { layer: layer.into(), theta }.cli_options();
        assert_eq!(layer("layer1.act", Some(1.5)), "--theta layer1.act=1.5");
        assert_eq!(layer("act 2", None), "--theta \"act 2=rule\"");
        assert_eq!(Fix::Output("p".into()).cli_options(), "--output p");
    }

    #[test]
    fn findings_with_the_same_text_are_grouped() {
        let fixable = Finding::note("k", Some("d"), "same").with_fix(Fix::Steps(2));
        let all = [
            Finding::note("k", Some("a"), "same"),
            Finding::note("k", Some("b"), "other"),
            Finding::note("k", Some("c"), "same"),
            fixable,
            Finding::note("k", None, "same"),
        ];
        let lines: Vec<String> = group_by_kind(&all).iter().map(FindingGroup::to_string).collect();
        assert_eq!(lines, ["a, c: same", "b: other", "d: same", "same"]);
    }
}
