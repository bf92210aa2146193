//! Export fidelity: how completely an exchange format represents a converted network.

use serde::Serialize;

/// Fidelity of an export, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fidelity {
    /// A reader that follows the format's definitions reproduces the spikes.
    Faithful,
    /// The graph is complete, but a reader that follows the definitions runs other dynamics.
    Approximate,
    /// The format cannot represent a part of the network.
    Unsupported,
}

/// A fidelity grade with its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FidelityReport {
    pub grade: Fidelity,
    /// Why the export is not faithful, in sentences.
    pub reasons: Vec<String>,
}

impl FidelityReport {
    /// A faithful export: no reasons yet.
    pub fn faithful() -> Self {
        Self { grade: Fidelity::Faithful, reasons: Vec::new() }
    }
    /// Lowers the grade to at most `grade` for `reason`.
    pub fn downgrade(&mut self, grade: Fidelity, reason: impl Into<String>) {
        let reason = reason.into();
        self.grade = self.grade.max(grade);
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
    /// [`downgrade`](Self::downgrade) for the decisive reason, which is listed first.
    pub fn downgrade_first(&mut self, grade: Fidelity, reason: impl Into<String>) {
        self.grade = self.grade.max(grade);
        self.reasons.insert(0, reason.into());
    }
}

impl Fidelity {
    /// The grade as one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Faithful => "faithful",
            Self::Approximate => "approximate",
            Self::Unsupported => "unsupported",
        }
    }
}
