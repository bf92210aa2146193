//! How much of a converted network an exchange format can say.

use serde::Serialize;

/// The three words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fidelity {
    /// A reader that keeps to the format's definitions gives the same spikes.
    Faithful,
    /// The graph is all there, but a reader that keeps to the definitions runs other dynamics.
    Approximate,
    /// Something of the network has no form in it.
    Unsupported,
}

/// A grade with its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FidelityReport {
    pub grade: Fidelity,
    /// Why it is not faithful, in sentences.
    pub reasons: Vec<String>,
}

impl FidelityReport {
    /// Nothing against it yet.
    pub fn faithful() -> Self {
        Self { grade: Fidelity::Faithful, reasons: Vec::new() }
    }
    /// Takes it down to `grade` for `reason`.
    pub fn downgrade(&mut self, grade: Fidelity, reason: impl Into<String>) {
        let reason = reason.into();
        self.grade = self.grade.max(grade);
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
    /// [`downgrade`](Self::lower) for the reason that decides: it is said first.
    pub fn lower_first(&mut self, grade: Fidelity, reason: impl Into<String>) {
        self.grade = self.grade.max(grade);
        self.reasons.insert(0, reason.into());
    }
}

impl Fidelity {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Faithful => "faithful",
            Self::Approximate => "approximate",
            Self::Unsupported => "unsupported",
        }
    }
}
