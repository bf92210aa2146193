//! The whole screen: bars, strips and the panes between them. The window, the picture command and the tests all draw
//! this one function.

use std::time::Instant;

use egui::{CentralPanel, Frame, Margin, Panel, Response, Ui};
use serde::{Deserialize, Serialize};

use super::commands::{Command, keys};
use super::dialog::Ask;
use super::docks::Docks;
use super::export::work::{self, Work};
use super::fading::fade;
use super::folding::{Folding, Side};
use super::frame_times::FrameTimes;
use super::hints::{self, Hints};
use super::lesson::{self, Classroom, Place};
use super::palette::{self, Palette};
use super::panes::{Pane, boxes};
use super::sample_strip::Thumbnails;
use super::sound::{self, Sound};
use super::{explain, inspector, layer_strip, notices, sample_strip, sessions, status_bar, time_bar, tones, top_bar};
use crate::lab::{Lab, Message};
use crate::lesson::Part;

/// How wide a lesson is.
const LESSON: f32 = 330.0;

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
    /// The list of lessons, in the Teach workspace.
    pub lessons: bool,
    /// The lesson in progress, as a session keeps it.
    pub lesson: Option<Place>,
    /// The detector that *Boxes* was opened for by itself; empty for other networks.
    pub boxes_for: String,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            docks: Docks::default(),
            disagreements_only: false,
            layers: true,
            samples: true,
            inspector: true,
            lessons: true,
            lesson: None,
            boxes_for: String::new(),
        }
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
    /// What folds away where there is little room.
    pub folding: Folding,
    /// Exports under way.
    pub exports: Vec<Work>,
    /// The hints of the first start, while there are any.
    pub hints: Option<Hints>,
    /// The list of the field's words is open.
    pub words: bool,
    /// The open command palette.
    pub palette: Option<Palette>,
    /// The text that is to become a session.
    pub paste: Option<String>,
    /// Commands that were given from the palette, newest first.
    pub(super) given: Vec<Command>,
    pub frames: FrameTimes,
    /// Spikes are heard; kept between starts, but in no session: nobody else's file makes a noise here.
    pub clicks: bool,
    pub sound: Sound,
    /// The lesson in progress.
    pub lesson: Classroom,
    pub(super) thumbnails: Thumbnails,
    /// The layout of the lab that was taken over last.
    layout_version: u64,
}

impl Window {
    /// Takes over the arrangement that a session brought; tells whether there was one.
    fn follow(&mut self, lab: &Lab) -> bool {
        let new = self.layout_version != lab.layout_version;
        if new {
            self.layout_version = lab.layout_version;
            // An arrangement of another version is no reason to refuse the session.
            self.layout = serde_json::from_value(lab.layout.clone()).unwrap_or_default();
        }
        new
    }

    /// The layout as a session keeps it.
    pub fn saved_layout(&self) -> serde_json::Value {
        let layout = Layout { lesson: self.lesson.place(), ..self.layout.clone() };
        serde_json::to_value(layout).unwrap_or_default()
    }
}

/// Draws the screen and collects what the person wants.
pub fn show(ui: &mut Ui, lab: &Lab, window: &mut Window, out: &mut Vec<Message>) {
    let began = Instant::now();
    let new_layout = window.follow(lab);
    lesson::follow(lab, window, new_layout, out);
    boxes::follow(lab, &mut window.layout);
    tones::apply(ui.ctx(), lab.view.dark);
    tones::enlarge(ui.ctx(), lab.view.projector);
    let mut wishes = Vec::new();
    keys::read(ui, lab, window, &mut wishes);
    let fill = ui.visuals().window_fill;
    let bar = |x, y| Frame::new().fill(fill).inner_margin(Margin::symmetric(x, y));
    let mut spots = Vec::new();
    let mut point = |part: Part, window: &Window, shown: &Response| {
        if lesson::points_at(window, part) {
            spots.push(shown.rect);
        }
    };
    let top = Panel::top("top bar").frame(bar(8, 4)).show(ui, |ui| top_bar::show(ui, lab, window, &mut wishes));
    point(Part::Recipe, window, &top.response);
    let room = ui.available_size();
    window.folding.measure(room);
    if window.folding.shows(Side::Samples, window.layout.samples) && !lesson::hides(window, Part::Samples) {
        let strip = Panel::top("samples").frame(bar(8, 4));
        let shown = strip.show(ui, |ui| {
            fade(ui, lab);
            sample_strip::show(ui, lab, window, &mut wishes);
        });
        point(Part::Samples, window, &shown.response);
    }
    Panel::bottom("status").frame(bar(8, 2)).show(ui, |ui| status_bar::show(ui, lab, window));
    if !lesson::hides(window, Part::Time) {
        let shown = Panel::bottom("time").frame(bar(8, 4)).show(ui, |ui| time_bar::show(ui, lab, &mut wishes));
        point(Part::Time, window, &shown.response);
    }
    if window.folding.shows(Side::Layers, window.layout.layers) && !lesson::hides(window, Part::Layers) {
        let side = Panel::left("layers").default_size(190.0).size_range(150.0..=360.0);
        let shown = side.frame(bar(8, 6)).show(ui, |ui| {
            // Before there is much to show it would shrink to that, and stay so.
            ui.take_available_width();
            fade(ui, lab);
            layer_strip::show(ui, lab, &mut wishes);
        });
        point(Part::Layers, window, &shown.response);
        hints::note(ui, hints::Target::Layers, shown.response.rect.shrink(6.0));
    }
    // A lesson in progress is never out of sight: it may have locked what one looks for.
    if lesson::in_sight(lab, window) {
        // In the place of the inspector: there is room for one of them.
        let side = Panel::right("lesson").default_size(LESSON).size_range(260.0..=520.0);
        // What a lesson asks for is not the person's doing: its own locks do not hold for it.
        side.frame(bar(12, 8)).show(ui, |ui| lesson::show(ui, lab, window, out));
    } else if window.folding.shows(Side::Inspector, window.layout.inspector) && !lesson::hides(window, Part::Inspector)
    {
        let side = Panel::right("inspector").default_size(230.0).size_range(190.0..=420.0);
        let shown = side.frame(bar(10, 6)).show(ui, |ui| {
            ui.take_available_width();
            fade(ui, lab);
            inspector::show(ui, lab, &mut wishes);
        });
        point(Part::Inspector, window, &shown.response);
    }
    let middle = Frame::new().fill(ui.visuals().extreme_bg_color);
    let pane = window.lesson.pane();
    CentralPanel::default().frame(middle).show(ui, |ui| {
        window.layout.docks.show(ui, lab, pane, &mut window.asks, &mut wishes);
    });
    let seen = window.layout.docks.seen(lab.view.workspace);
    if seen != lab.seen {
        out.push(Message::SetSeen(seen));
    }
    // Whoever draws goes on drawing while the canvas is in sight; then the data come back.
    if lab.stands_in() && !lab.view.keep_drawing && !window.layout.docks.in_sight(lab.view.workspace, Pane::Draw) {
        out.push(Message::LeaveDrawing);
    }
    spots.into_iter().for_each(|rect| tones::point_at(ui, rect));
    notices::show(ui, lab, window, &mut wishes);
    hints::show(ui, lab, window);
    explain::words(ui, window);
    work::show(ui, lab, &mut window.exports, &mut wishes);
    sessions::show(ui, lab, window, &mut wishes);
    palette::show(ui, lab, window, &mut wishes);
    tones::ring_focus(ui.ctx());
    sound::follow(ui.ctx(), lab, window, &mut wishes);
    window.frames.laid_out(began.elapsed());
    if window.debug {
        window.frames.show(ui.ctx());
    }
    lab.drop_locked(&mut wishes);
    out.append(&mut wishes);
}
