//! The doctor: what a person should know about a network and its conversion before they believe the numbers, and what
//! mends it. Each file looks at one thing; none of them runs the spiking network. Knows no window.

use std::fmt;

use serde::Serialize;

use crate::convert::{MaxPoolRule, ThresholdRule};
use crate::data::Scaling;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Something that was done or assumed, and what follows from it.
    Note,
    /// The numbers are likely to mislead.
    Warning,
    /// The network cannot be converted like this.
    Error,
}

/// Something that was done to a network or looks wrong about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// A few words that name what was looked at; the same for every finding of its kind.
    pub kind: &'static str,
    pub severity: Severity,
    /// Dotted path of the layer it belongs to; `None` for the network or the recipe as a whole.
    pub layer: Option<String>,
    /// What is wrong and what to do, in plain words.
    pub text: String,
    /// What mends it, where one change of the settings does.
    pub mend: Option<Fix>,
}

/// A change of the settings that mends a finding. Undo takes it back.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fix {
    Threshold(ThresholdRule),
    Pooling(MaxPoolRule),
    /// v(0) as a fraction of θ.
    VInit(f32),
    /// θ of one layer by hand, or back to the rule.
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
    /// Another T.
    Steps(usize),
}

impl Finding {
    /// A finding without a mend.
    pub fn new(kind: &'static str, severity: Severity, layer: Option<&str>, text: impl Into<String>) -> Self {
        Self { kind, severity, layer: layer.map(str::to_owned), text: text.into(), mend: None }
    }
    /// Something to know.
    pub fn note(kind: &'static str, layer: Option<&str>, text: impl Into<String>) -> Self {
        Self::new(kind, Severity::Note, layer, text)
    }
    /// Something that is likely to mislead.
    pub fn warning(kind: &'static str, layer: Option<&str>, text: impl Into<String>) -> Self {
        Self::new(kind, Severity::Warning, layer, text)
    }
    /// The same with what mends it.
    pub fn with_fix(self, mend: Fix) -> Self {
        Self { mend: Some(mend), ..self }
    }
}

impl Severity {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Fix {
    /// What a button says that does it.
    pub fn label(&self) -> String {
        match self {
            Self::Threshold(rule) => format!("Use thresholds: {rule}"),
            Self::Pooling(MaxPoolRule::Lateral) => "Use max pooling by lateral inhibition".into(),
            Self::Pooling(MaxPoolRule::PreNeuron) => "Use max pooling before the neurons".into(),
            Self::VInit(share) => format!("Set v(0) to {share} θ"),
            Self::LayerThreshold { theta: Some(theta), .. } => format!("Set θ to {theta:.4}"),
            Self::LayerThreshold { theta: None, .. } => "Reset to rule".into(),
            Self::Calibrate { count, .. } => format!("Calibrate on {count} samples"),
            Self::Scaling(scaling) => format!("Use input scaling {scaling}"),
            Self::Steps(steps) => format!("Set T to {steps}"),
        }
    }
    /// The options of the command line that do it; empty where there are none.
    pub fn cli_options(&self) -> String {
        match self {
            Self::Threshold(rule) => format!("--threshold {rule}"),
            Self::Pooling(MaxPoolRule::Lateral) => "--pooling lateral".into(),
            Self::Pooling(MaxPoolRule::PreNeuron) => "--pooling pre-neuron".into(),
            Self::VInit(share) => format!("--v-init {share}"),
            Self::LayerThreshold { .. } => String::new(),
            Self::Calibrate { first, count } => format!("--calibrate {first}..{}", first + count),
            Self::Scaling(scaling) => format!("--scale \"{scaling}\""),
            Self::Steps(steps) => format!("--steps {steps}"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.layer {
            Some(layer) => write!(f, "{layer}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

/// Findings that say the same of several layers, as one with all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingGroup<'a> {
    /// The first of them.
    pub finding: &'a Finding,
    /// Every layer it was found at, in order; one or none for a finding that stands alone.
    pub layers: Vec<&'a str>,
}

/// `findings` with those that differ in nothing but the layer put together, in their order. What one click mends stands alone.
pub fn group_by_kind(findings: &[Finding]) -> Vec<FindingGroup<'_>> {
    let mut groups: Vec<FindingGroup<'_>> = Vec::new();
    for finding in findings {
        let same = |other: &Finding| {
            (other.kind, other.severity, &other.text) == (finding.kind, finding.severity, &finding.text)
                && other.mend.is_none()
                && finding.mend.is_none()
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

/// The most serious first, otherwise in the order they were found.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_several_layers_is_said_once() {
        let mended = Finding::note("k", Some("d"), "same").with_fix(Fix::Steps(2));
        let all = [
            Finding::note("k", Some("a"), "same"),
            Finding::note("k", Some("b"), "other"),
            Finding::note("k", Some("c"), "same"),
            mended,
            Finding::note("k", None, "same"),
        ];
        let lines: Vec<String> = group_by_kind(&all).iter().map(FindingGroup::to_string).collect();
        assert_eq!(lines, ["a, c: same", "b: other", "d: same", "same"]);
    }
}
