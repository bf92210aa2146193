//! Optional parts of a snapshot, computed only while a pane that needs them is visible.

use serde::{Deserialize, Serialize};

/// An optional part of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotPart {
    /// The threshold view of the focused layer.
    Threshold,
    /// Errors of the focused layer against v(0).
    Initial,
    /// Operation counts of ANN and SNN.
    Operations,
    /// Accuracy by first and last step of the readout, and early exit.
    Readout,
    /// The report without the correction, at the time cursor.
    Uncorrected,
    /// The reports of the race lanes, at the time cursor.
    Lanes,
    /// The focused sample under attack.
    Robustness,
    /// The events of the focused sample.
    Recording,
    /// The maps of the *Attribution* pane: not in the snapshot, but made beside it.
    Attribution,
    /// The success of the *Trojans* pane: as above.
    Trojans,
}

/// A set of optional parts, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SnapshotParts(u16);

impl SnapshotParts {
    /// All parts of the snapshot itself: the default if no window states which panes are visible.
    pub const ALL: Self = Self((1 << SnapshotPart::Attribution as u16) - 1);

    /// The set with all parts of the snapshot itself.
    pub fn with_snapshot(self) -> Self {
        Self(self.0 | Self::ALL.0)
    }
    /// The set with `part`.
    pub fn with(self, part: SnapshotPart) -> Self {
        Self(self.0 | 1 << part as u16)
    }
    /// Whether `part` is in the set.
    pub fn has(self, part: SnapshotPart) -> bool {
        self.0 & 1 << part as u16 != 0
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
        Self(parts.into_iter().fold(0, |set, part| set | 1 << part as u16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_contains_exactly_the_inserted_parts() {
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
