//! Data that the energy pane draws.

use crate::experiment::Snapshot;
use crate::measure::energy::{Energy, EnergyConstants, OperationCounts};

/// What the pane shows, put together once a frame.
pub(super) struct PaneData<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) operations: &'a OperationCounts,
    pub(super) constants: &'a EnergyConstants,
    pub(super) energy: Energy,
    /// The time cursor, 1..=T.
    pub(super) t: usize,
}
