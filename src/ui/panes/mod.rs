//! Panes of the window: each shows one aspect of the run.
//!
//! A pane reads the lab and pushes messages.

use super::types::pane::Pane;
mod bench;
pub mod boxes;
mod draw;
mod energy;
mod initial_potential;
mod ledger;
mod live_mismatch;
mod membrane;
mod mismatch;
mod offset_spikes;
mod race;
mod raster;
mod readout_window;
mod runs;
mod t_curve;
mod threshold;
pub mod tiles;
mod transfer;
mod unevenness;

use egui::util::IdTypeMap;
use egui::{Id, Ui, UiBuilder};

use crate::lab::{Lab, Message};

impl Pane {
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
            Self::ReadoutWindow => readout_window::show(ui, lab, out),
            Self::InitialPotential => initial_potential::show(ui, lab, out),
            Self::Runs => runs::show(ui, lab, out),
            Self::Boxes => boxes::show(ui, lab, out),
            Self::Draw => draw::show(ui, lab, out),
        }
    }
}

/// Draws `pane` anywhere. Its UI state has an id that depends on the pane only.
pub fn show(ui: &mut Ui, pane: Pane, lab: &Lab, out: &mut Vec<Message>) {
    let own = UiBuilder::new().scope_id(Id::unique(("pane", pane)));
    ui.scope_builder(own, |ui| pane.show(ui, lab, out));
}

/// Discards the textures of another window's context.
pub fn forget_textures(data: &mut IdTypeMap) {
    super::widgets::heat_map::forget(data);
    raster::forget(data);
}
