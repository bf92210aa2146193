//! The parts of a look at a run that only one pane reads. They are computed while that pane is on the screen.

use serde::{Deserialize, Serialize};

/// A part that one pane reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotPart {
    /// The threshold view of the layer in focus.
    Threshold,
    /// What v(0) does to the layer in focus.
    Initial,
    /// Operations of ANN and SNN.
    Operations,
    /// Accuracy by start and end of the readout.
    Readout,
    /// The run without its correction, at the time cursor.
    Uncorrected,
    /// The lanes of the race, at the time cursor.
    Lanes,
}

/// A set of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SnapshotParts(u8);

impl SnapshotParts {
    /// All of them: what is looked at where there is no window that knows better.
    pub const ALL: Self = Self(u8::MAX);

    /// Whether `part` is in the set.
    pub fn has(self, part: SnapshotPart) -> bool {
        self.0 & 1 << part as u8 != 0
    }
    /// Whether all of `others` are in the set.
    pub fn has_all(self, others: Self) -> bool {
        others.0 & !self.0 == 0
    }
}

impl Default for SnapshotParts {
    fn default() -> Self {
        Self::ALL
    }
}

impl FromIterator<SnapshotPart> for SnapshotParts {
    fn from_iter<I: IntoIterator<Item = SnapshotPart>>(parts: I) -> Self {
        Self(parts.into_iter().fold(0, |set, part| set | 1 << part as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set: SnapshotParts = [SnapshotPart::Initial, SnapshotPart::Lanes].into_iter().collect();
        assert!(set.has(SnapshotPart::Initial) && set.has(SnapshotPart::Lanes) && !set.has(SnapshotPart::Threshold));
        assert!(SnapshotParts::ALL.has_all(set) && set.has_all(set) && !set.has_all(SnapshotParts::ALL));
        assert!(
            set.has_all([SnapshotPart::Lanes].into_iter().collect())
                && !set.has_all([SnapshotPart::Readout].into_iter().collect())
        );
        assert_eq!([].into_iter().collect::<SnapshotParts>(), SnapshotParts(0));
    }
}
