//! Panes of the window: each shows one aspect of the run.
//!
//! A pane reads the lab and pushes messages.

use super::types::pane::Pane;
mod activity;
mod attribution;
mod bench;
mod draw;
mod energy;
mod findings;
mod initial_potential;
mod layer_errors;
mod ledger;
mod race;
mod readout_window;
mod recording;
mod robustness;
mod runs;
mod scenes;
mod sweep;
mod t_curve;
mod threshold;
mod train;
mod transfer;
mod trojans;

use egui::util::IdTypeMap;
use egui::{Id, Ui, UiBuilder};

use crate::lab::{Lab, Message};

impl Pane {
    /// Draws the pane into `ui`, which it fills.
    pub fn show(self, ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
        match self {
            Self::TCurve => t_curve::show(ui, lab, messages),
            Self::Ledger => ledger::show(ui, lab, messages),
            Self::Findings => findings::show(ui, lab, messages),
            Self::Mismatch => layer_errors::mismatch::show(ui, lab, messages),
            Self::OffsetSpikes => layer_errors::offset_spikes::show(ui, lab, messages),
            Self::Unevenness => layer_errors::unevenness::show(ui, lab, messages),
            Self::Membrane => activity::membrane::show(ui, lab, messages),
            Self::Raster => activity::raster::show(ui, lab, messages),
            Self::Threshold => threshold::show(ui, lab, messages),
            Self::Transfer => transfer::show(ui, lab, messages),
            Self::Race => race::show(ui, lab, messages),
            Self::Bench => bench::show(ui, lab, messages),
            Self::Energy => energy::show(ui, lab, messages),
            Self::ReadoutWindow => readout_window::show(ui, lab, messages),
            Self::InitialPotential => initial_potential::show(ui, lab, messages),
            Self::Runs => runs::show(ui, lab, messages),
            Self::Boxes => scenes::boxes::show(ui, lab, messages),
            Self::Scenes => scenes::show(ui, lab, messages),
            Self::Recording => recording::show(ui, lab, messages),
            Self::Robustness => robustness::show(ui, lab, messages),
            Self::Attribution => attribution::show(ui, lab, messages),
            Self::Trojans => trojans::show(ui, lab, messages),
            Self::Sweep => sweep::show(ui, lab, messages),
            Self::Train => train::show(ui, lab, messages),
            Self::Draw => draw::show(ui, lab, messages),
        }
    }
}

/// Draws `pane` anywhere. Its UI state has an id that depends on the pane only.
pub fn show(ui: &mut Ui, pane: Pane, lab: &Lab, messages: &mut Vec<Message>) {
    let own = UiBuilder::new().scope_id(Id::unique(("pane", pane)));
    ui.scope_builder(own, |ui| pane.show(ui, lab, messages));
}

/// Discards the textures of another window's context.
pub fn forget_textures(data: &mut IdTypeMap) {
    super::widgets::heat_map::forget(data);
    activity::raster::forget(data);
}
