//! The whole screen: bars, strips and the panes between them. The window, the picture command and the tests all draw
//! this one function.

use std::time::Instant;

use egui::{CentralPanel, Frame, Margin, Panel, Ui};
use serde::{Deserialize, Serialize};

use super::commands::{Command, keys};
use super::dialog::Ask;
use super::docks::Docks;
use super::frame_times::FrameTimes;
use super::palette::{self, Palette};
use super::sample_strip::Thumbnails;
use super::{explain, inspector, layer_strip, notices, sample_strip, sessions, status_bar, time_bar, top_bar};
use crate::lab::{Lab, Message};

/// In a window narrower than these, the inspector and the strip of layers make room for the panes; in a lower one, the
/// strip of samples does.
const INSPECTOR_FROM: f32 = 800.0;
const LAYERS_FROM: f32 = 720.0;
const SAMPLES_FROM: f32 = 480.0;

/// How a person arranged the window; saved with the session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Layout {
    pub docks: Docks,
    /// The strip of samples shows only those where SNN and ANN disagree.
    pub disagreements_only: bool,
    pub layers: bool,
    pub samples: bool,
    pub inspector: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Self { docks: Docks::default(), disagreements_only: false, layers: true, samples: true, inspector: true }
    }
}

/// What the window has besides the lab; only the layout is saved.
#[derive(Default)]
pub struct Window {
    pub layout: Layout,
    /// Files that were asked for in this frame.
    pub asks: Vec<Ask>,
    /// Frame times are shown.
    pub debug: bool,
    /// The list of the field's words is open.
    pub words: bool,
    /// The open command palette.
    pub palette: Option<Palette>,
    /// The text that is to become a session.
    pub paste: Option<String>,
    /// Commands that were given from the palette, newest first.
    pub(super) given: Vec<Command>,
    pub frames: FrameTimes,
    pub(super) thumbnails: Thumbnails,
    /// The layout of the lab that was taken over last.
    layout_version: u64,
}

impl Window {
    /// Takes over the arrangement that a session brought.
    fn follow(&mut self, lab: &Lab) {
        if self.layout_version != lab.layout_version {
            self.layout_version = lab.layout_version;
            // An arrangement of another version is no reason to refuse the session.
            self.layout = serde_json::from_value(lab.layout.clone()).unwrap_or_default();
        }
    }

    /// The layout as a session keeps it.
    pub fn saved_layout(&self) -> serde_json::Value {
        serde_json::to_value(&self.layout).unwrap_or_default()
    }
}

/// Draws the screen and collects what the person wants.
pub fn show(ui: &mut Ui, lab: &Lab, window: &mut Window, out: &mut Vec<Message>) {
    let began = Instant::now();
    window.follow(lab);
    super::tones::apply(ui.ctx(), lab.view.dark);
    keys::read(ui, lab, window, out);
    let fill = ui.visuals().window_fill;
    let bar = |x, y| Frame::new().fill(fill).inner_margin(Margin::symmetric(x, y));
    Panel::top("top bar").frame(bar(8, 4)).show(ui, |ui| top_bar::show(ui, lab, window, out));
    let room = ui.available_size();
    if window.layout.samples && room.y >= SAMPLES_FROM {
        Panel::top("samples").frame(bar(8, 4)).show(ui, |ui| sample_strip::show(ui, lab, window, out));
    }
    Panel::bottom("status").frame(bar(8, 2)).show(ui, |ui| status_bar::show(ui, lab, window));
    Panel::bottom("time").frame(bar(8, 4)).show(ui, |ui| time_bar::show(ui, lab, out));
    if window.layout.layers && room.x >= LAYERS_FROM {
        let side = Panel::left("layers").default_size(190.0).size_range(150.0..=360.0);
        side.frame(bar(8, 6)).show(ui, |ui| layer_strip::show(ui, lab, out));
    }
    if window.layout.inspector && room.x >= INSPECTOR_FROM {
        let side = Panel::right("inspector").default_size(230.0).size_range(190.0..=420.0);
        side.frame(bar(10, 6)).show(ui, |ui| inspector::show(ui, lab, out));
    }
    let middle = Frame::new().fill(ui.visuals().extreme_bg_color);
    CentralPanel::default().frame(middle).show(ui, |ui| window.layout.docks.show(ui, lab, out));
    let seen = window.layout.docks.seen(lab.view.workspace);
    if seen != lab.seen {
        out.push(Message::SetSeen(seen));
    }
    notices::show(ui, lab, out);
    explain::words(ui, window);
    sessions::show(ui, lab, window, out);
    palette::show(ui, lab, window, out);
    window.frames.laid_out(began.elapsed());
    if window.debug {
        window.frames.show(ui.ctx());
    }
}
