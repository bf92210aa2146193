//! The whole screen: bars, strips and the panes between them. The window, the picture command and the tests all draw
//! this one function.

use std::time::Instant;

use egui::{CentralPanel, Frame, Margin, Panel, Response, Ui};

use super::commands::keys;
use super::export::jobs;
use super::lesson;
use super::panels::{inspector, layer_strip, sample_strip, status_bar, time_bar, top_bar};
use super::popups::{command_palette, first_start_hints, notifications, session_dialogs};
use super::sound::{self};
use super::state::responsive::Side;
use super::state::window::Window;
use super::theme::colors;
use super::types::pane::Pane;
use super::widgets::stale_overlay::fade;
use crate::lab::{Lab, Message};
use crate::lesson::Part;
use crate::ui::panes::tiles;

/// How wide a lesson is.
const LESSON: f32 = 330.0;

/// Draws the screen and collects what the person wants.
pub fn show(ui: &mut Ui, lab: &Lab, window: &mut Window, out: &mut Vec<Message>) {
    let began = Instant::now();
    let new_layout = window.follow(lab);
    lesson::follow(lab, window, new_layout, out);
    super::state::window::follow(lab, &mut window.layout);
    colors::apply(ui.ctx(), lab.view.dark);
    colors::enlarge(ui.ctx(), lab.view.projector);
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
        super::state::first_start::note(ui, super::state::first_start::Target::Layers, shown.response.rect.shrink(6.0));
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
        tiles::show(&mut window.layout.docks, ui, lab, pane, &mut window.asks, &mut wishes);
    });
    let seen = window.layout.docks.seen(lab.view.workspace);
    if seen != lab.seen {
        out.push(Message::SetSeen(seen));
    }
    // Whoever draws goes on drawing while the canvas is in sight; then the data come back.
    if lab.stands_in() && !lab.view.keep_drawing && !window.layout.docks.in_sight(lab.view.workspace, Pane::Draw) {
        out.push(Message::LeaveDrawing);
    }
    spots.into_iter().for_each(|rect| colors::point_at(ui, rect));
    notifications::show(ui, lab, window, &mut wishes);
    first_start_hints::show(ui, lab, window);
    super::popups::glossary::words(ui, window);
    jobs::show(ui, lab, &mut window.exports, &mut wishes);
    session_dialogs::show(ui, lab, window, &mut wishes);
    command_palette::show(ui, lab, window, &mut wishes);
    colors::ring_focus(ui.ctx());
    let bench = window.layout.docks.in_sight(lab.view.workspace, Pane::Bench);
    sound::follow(ui.ctx(), lab, &mut window.sound, &mut window.clicks, bench, &mut wishes);
    window.frames.laid_out(began.elapsed());
    if window.debug {
        window.frames.show(ui.ctx());
    }
    lab.drop_locked(&mut wishes);
    out.append(&mut wishes);
}
