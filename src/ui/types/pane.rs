//! List of panes, with their names and the snapshot parts they need.

use serde::{Deserialize, Serialize};

use crate::experiment::SnapshotPart;

/// A pane of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pane {
    TCurve,
    Ledger,
    Findings,
    Mismatch,
    OffsetSpikes,
    Unevenness,
    Membrane,
    Raster,
    Threshold,
    Transfer,
    Race,
    Bench,
    Energy,
    #[serde(rename = "delay")]
    ReadoutWindow,
    #[serde(rename = "initial")]
    InitialPotential,
    #[serde(rename = "history")]
    Runs,
    Boxes,
    Scenes,
    Robustness,
    Attribution,
    Trojans,
    Recording,
    Sweep,
    Train,
    Draw,
}

impl Pane {
    /// All panes in reading order.
    pub const ALL: [Self; 25] = [
        Self::TCurve,
        Self::Ledger,
        Self::Findings,
        Self::Mismatch,
        Self::OffsetSpikes,
        Self::Unevenness,
        Self::Membrane,
        Self::Raster,
        Self::Threshold,
        Self::Transfer,
        Self::Race,
        Self::Bench,
        Self::Energy,
        Self::ReadoutWindow,
        Self::InitialPotential,
        Self::Runs,
        Self::Boxes,
        Self::Scenes,
        Self::Robustness,
        Self::Attribution,
        Self::Trojans,
        Self::Recording,
        Self::Sweep,
        Self::Train,
        Self::Draw,
    ];

    /// Whether the pane shows only the run on the screen. Other panes follow the run in progress, list several runs or
    /// are independent.
    pub fn shows_run(self) -> bool {
        !matches!(
            self,
            Self::TCurve
                | Self::Race
                | Self::Runs
                | Self::Bench
                | Self::Transfer
                | Self::Sweep
                | Self::Train
                | Self::Draw
        )
    }

    /// Whether the pane shows measures of layers over all samples at the time cursor.
    pub fn shows_layers_at_cursor(self) -> bool {
        matches!(
            self,
            Self::Ledger
                | Self::Findings
                | Self::Mismatch
                | Self::OffsetSpikes
                | Self::Unevenness
                | Self::Threshold
                | Self::Race
        )
    }

    /// The name of the pane on the command line (`--pane NAME`).
    pub fn name(self) -> &'static str {
        match self {
            Self::TCurve => "t-curve",
            Self::Ledger => "ledger",
            Self::Findings => "findings",
            Self::Mismatch => "mismatch",
            Self::OffsetSpikes => "offset-spikes",
            Self::Unevenness => "unevenness",
            Self::Membrane => "membrane",
            Self::Raster => "raster",
            Self::Threshold => "threshold",
            Self::Transfer => "transfer",
            Self::Race => "race",
            Self::Bench => "bench",
            Self::Energy => "energy",
            Self::ReadoutWindow => "delay",
            Self::InitialPotential => "initial",
            Self::Runs => "runs",
            Self::Boxes => "boxes",
            Self::Scenes => "scenes",
            Self::Robustness => "robustness",
            Self::Attribution => "attribution",
            Self::Trojans => "trojans",
            Self::Recording => "recording",
            Self::Sweep => "sweep",
            Self::Train => "train",
            Self::Draw => "draw",
        }
    }

    /// The optional snapshot part that only this pane needs.
    pub fn part(self) -> Option<SnapshotPart> {
        match self {
            Self::OffsetSpikes => Some(SnapshotPart::Uncorrected),
            Self::Threshold => Some(SnapshotPart::Threshold),
            Self::Race => Some(SnapshotPart::Lanes),
            Self::Energy => Some(SnapshotPart::Operations),
            Self::ReadoutWindow => Some(SnapshotPart::Readout),
            Self::InitialPotential => Some(SnapshotPart::Initial),
            Self::Robustness => Some(SnapshotPart::Robustness),
            Self::Attribution => Some(SnapshotPart::Attribution),
            Self::Trojans => Some(SnapshotPart::Trojans),
            Self::Recording => Some(SnapshotPart::Recording),
            _ => None,
        }
    }
}
