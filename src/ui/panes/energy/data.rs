//! Data of the energy pane: run, energy figures, constants and time cursor.

use crate::experiment::Snapshot;
use crate::measure::energy::{Energy, EnergyConstants, OperationCounts};

/// Data of the pane, collected once per frame.
pub(super) struct PaneData<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) operations: &'a OperationCounts,
    pub(super) constants: &'a EnergyConstants,
    pub(super) energy: Energy,
    /// The time cursor, 1..=T.
    pub(super) t: usize,
}
