//! The panes: one question about the run each. A pane is handed the lab and pushes messages.

mod alike_curve;
mod bench;
pub mod boxes;
mod chart;
mod decimate;
mod delay;
mod draw;
pub(super) mod dress;
mod energy;
mod heat;
mod history;
mod initial;
mod ledger;
mod membrane;
mod mismatch;
mod offset_spikes;
mod parts;
mod race;
mod raster;
mod stairs;
mod streaming;
mod t_curve;
mod threshold;
mod transfer;
mod unevenness;

use egui::util::IdTypeMap;
use egui::{Id, Ui, UiBuilder};
use serde::{Deserialize, Serialize};

use crate::experiment::Part;
use crate::lab::{Lab, Message};

/// Every pane there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pane {
    TCurve,
    Ledger,
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
    Delay,
    Initial,
    History,
    Boxes,
    Draw,
}

impl Pane {
    /// All panes in reading order.
    pub const ALL: [Self; 17] = [
        Self::TCurve,
        Self::Ledger,
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
        Self::Delay,
        Self::Initial,
        Self::History,
        Self::Boxes,
        Self::Draw,
    ];

    /// Whether all of it is of the run on the screen; others follow the run in progress, list several or stand alone.
    pub fn of_run(self) -> bool {
        !matches!(self, Self::TCurve | Self::Race | Self::History | Self::Bench | Self::Transfer | Self::Draw)
    }

    /// The title on the pane's tab.
    pub fn title(self) -> &'static str {
        crate::ui::texts::panes::title(self)
    }

    /// The name of the pane on the command line (`--pane NAME`).
    pub fn name(self) -> &'static str {
        match self {
            Self::TCurve => "t-curve",
            Self::Ledger => "ledger",
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
            Self::Delay => "delay",
            Self::Initial => "initial",
            Self::History => "runs",
            Self::Boxes => "boxes",
            Self::Draw => "draw",
        }
    }

    /// What the pane reads that no other does.
    pub fn part(self) -> Option<Part> {
        match self {
            Self::OffsetSpikes => Some(Part::Uncorrected),
            Self::Threshold => Some(Part::Threshold),
            Self::Race => Some(Part::Lanes),
            Self::Energy => Some(Part::Operations),
            Self::Delay => Some(Part::Readout),
            Self::Initial => Some(Part::Initial),
            _ => None,
        }
    }

    /// Draws the pane into `ui`, which it fills.
    pub fn show(self, ui: &mut Ui, lab: &Lab, out: &mut Vec<Message>) {
        match self {
            Self::TCurve => t_curve::show(ui, lab, out),
            Self::Ledger => ledger::show(ui, lab, out),
            Self::Mismatch => mismatch::show(ui, lab, out),
            Self::OffsetSpikes => offset_spikes::show(ui, lab, out),
            Self::Unevenness => unevenness::show(ui, lab, out),
            Self::Membrane => membrane::show(ui, lab, out),
            Self::Raster => raster::show(ui, lab, out),
            Self::Threshold => threshold::show(ui, lab, out),
            Self::Transfer => transfer::show(ui, lab, out),
            Self::Race => race::show(ui, lab, out),
            Self::Bench => bench::show(ui, lab, out),
            Self::Energy => energy::show(ui, lab, out),
            Self::Delay => delay::show(ui, lab, out),
            Self::Initial => initial::show(ui, lab, out),
            Self::History => history::show(ui, lab, out),
            Self::Boxes => boxes::show(ui, lab, out),
            Self::Draw => draw::show(ui, lab, out),
        }
    }
}

/// Draws `pane` wherever it stands: what is chosen in it is found again by its name.
pub fn show(ui: &mut Ui, pane: Pane, lab: &Lab, out: &mut Vec<Message>) {
    let own = UiBuilder::new().scope_id(Id::unique(("pane", pane)));
    ui.scope_builder(own, |ui| pane.show(ui, lab, out));
}

/// Forgets pictures on the graphics card of another window.
pub fn forget_textures(data: &mut IdTypeMap) {
    heat::forget(data);
    raster::forget(data);
}

/// Where the window keeps which widget is the "?" of `pane`.
pub fn help_of(pane: Pane) -> Id {
    Id::unique(("help of the pane", pane))
}

/// Set while the numbers of `pane` are to be copied.
pub fn copy_wanted(pane: Pane) -> Id {
    Id::unique(("copy the numbers of", pane))
}

/// Where a pane puts the table of its numbers when a text lies there already.
pub fn csv_wanted() -> Id {
    Id::unique("csv wanted")
}
