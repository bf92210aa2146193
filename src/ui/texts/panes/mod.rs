//! Texts of the panes: one file per pane, and the pane titles.

mod about;
pub mod attribution;
pub mod boxes;
pub mod draw;
pub mod energy;
pub mod findings;
pub mod pane_header;
pub mod race;
pub mod raster;
pub mod readout_window;
pub mod recording;
pub mod robustness;
pub mod runs;
pub mod scenes;
pub mod sweep;
pub mod t_curve;
pub mod train;
pub mod trojans;

pub use about::about;

use crate::ui::types::pane::Pane;

/// The title on the tab of `pane`.
pub fn title(pane: Pane) -> &'static str {
    match pane {
        Pane::TCurve => "T-curve",
        Pane::Ledger => "Error ledger",
        Pane::Findings => "Findings",
        Pane::Mismatch => "Mismatch",
        Pane::OffsetSpikes => "Offset spikes",
        Pane::Unevenness => "Unevenness",
        Pane::Membrane => "Membrane",
        Pane::Raster => "Raster",
        Pane::Threshold => "Threshold",
        Pane::Transfer => "Transfer",
        Pane::Race => "Race",
        Pane::Bench => "Neuron bench",
        Pane::Energy => "Energy",
        Pane::ReadoutWindow => "Readout",
        Pane::InitialPotential => "v(0)",
        Pane::Runs => "Runs",
        Pane::Boxes => "Boxes",
        Pane::Scenes => "Scenes",
        Pane::Robustness => "Robustness",
        Pane::Attribution => "Attribution",
        Pane::Trojans => "Trojans",
        Pane::Recording => "Recording",
        Pane::Sweep => "Sweep",
        Pane::Train => "Train",
        Pane::Draw => "Draw",
    }
}

/// Shows the hidden controls of a low pane.
pub const UNFOLD: &str = "Controls and explanations, hidden in little space";

/// The same, for one pane.
pub fn unfold(title: &str) -> String {
    format!("Show all of {title}")
}

impl Pane {
    /// The title on the pane's tab.
    pub fn title(self) -> &'static str {
        title(self)
    }
}
