//! Window layout: bars, strips, side panels, panes and popups of one frame.
//!
//! The window, the `shot` command and the tests all draw this one function.

use std::time::Instant;

use egui::{CentralPanel, Frame, Margin, Panel, Response, Ui};

use super::commands::keys;
use super::export::jobs;
use super::lesson;
use super::panels::{inspector, layer_strip, sample_strip, status_bar, time_bar, top_bar};
use super::popups::{command_palette, first_start_hints, notifications, session_dialogs};
use super::sound::{self};
use super::state::responsive::SidePanel;
use super::state::window::WindowState;
use super::theme::colors;
use super::types::pane::Pane;
use super::widgets::regions::{self, Region};
use super::widgets::stale_overlay::dim_if_stale;
use crate::lab::{Lab, Message};
use crate::lesson::ScreenArea;
use crate::ui::tiles::{self, LessonMarks};

/// Default width of the lesson panel, in points.
const LESSON_WIDTH: f32 = 330.0;

/// Draws the window and collects the user's messages.
pub fn show(ui: &mut Ui, lab: &Lab, window: &mut WindowState, messages: &mut Vec<Message>) {
    let began = Instant::now();
    let new_layout = window.load_layout(lab);
    lesson::update(lab, window, new_layout, messages);
    super::state::window::open_boxes_pane(lab, &mut window.layout);
    colors::apply_theme(ui.ctx(), lab.view.dark);
    colors::set_projector_zoom(ui.ctx(), lab.view.projector);
    let mut user_messages = Vec::new();
    keys::handle_shortcuts(ui, lab, window, &mut user_messages);
    let fill = ui.visuals().window_fill;
    let bar = |x, y| Frame::new().fill(fill).inner_margin(Margin::symmetric(x, y));
    let mut highlighted = Vec::new();
    let mut mark_highlighted = |part: ScreenArea, window: &WindowState, shown: &Response| {
        if lesson::highlights(window, part) {
            highlighted.push(shown.rect);
        }
    };
    let top = Panel::top("top bar").frame(bar(8, 4)).show(ui, |ui| {
        regions::begin(ui, Region::Top);
        top_bar::show(ui, lab, window, &mut user_messages);
    });
    mark_highlighted(ScreenArea::Recipe, window, &top.response);
    let room = ui.available_size();
    window.responsive.measure(room, lesson::is_open(lab, window));
    if window.responsive.shows(SidePanel::Samples, window.layout.samples) && !lesson::hides(window, ScreenArea::Samples)
    {
        let strip = Panel::top("samples").frame(bar(8, 4));
        let shown = strip.show(ui, |ui| {
            regions::begin(ui, Region::Samples);
            dim_if_stale(ui, lab);
            sample_strip::show(ui, lab, window, &mut user_messages);
        });
        mark_highlighted(ScreenArea::Samples, window, &shown.response);
    }
    Panel::bottom("status").frame(bar(8, 2)).show(ui, |ui| status_bar::show(ui, lab, window));
    if !lesson::hides(window, ScreenArea::Time) {
        let shown = Panel::bottom("time").frame(bar(8, 4)).show(ui, |ui| {
            regions::begin(ui, Region::Time);
            // The curve in its track is that of the T-curve.
            let shows_curve = !lesson::covered_panes(window).contains(&Pane::TCurve);
            time_bar::show(ui, lab, shows_curve, &mut user_messages);
        });
        mark_highlighted(ScreenArea::Time, window, &shown.response);
    }
    if window.responsive.shows(SidePanel::Layers, window.layout.layers) && !lesson::hides(window, ScreenArea::Layers) {
        let side = Panel::left("layers").default_size(190.0).size_range(150.0..=360.0);
        let shown = side.frame(bar(8, 6)).show(ui, |ui| {
            // The panel would shrink to its first, almost empty contents and stay that narrow.
            ui.take_available_width();
            regions::begin(ui, Region::Layers);
            dim_if_stale(ui, lab);
            layer_strip::show(ui, lab, &mut user_messages);
        });
        mark_highlighted(ScreenArea::Layers, window, &shown.response);
        super::state::first_start::register_target(
            ui,
            super::state::first_start::HintTarget::Layers,
            shown.response.rect.shrink(6.0),
        );
    }
    // A lesson in progress is always visible: it may have locked a control that the user looks for.
    if lesson::is_visible(lab, window) {
        // In place of the inspector: there is room for one of them.
        let side = Panel::right("lesson").default_size(LESSON_WIDTH).size_range(260.0..=520.0);
        // Messages of a lesson bypass the locks that it sets for the user.
        side.frame(bar(12, 8)).show(ui, |ui| {
            regions::begin(ui, Region::Side);
            lesson::show(ui, lab, window, messages);
        });
    } else if window.responsive.shows(SidePanel::Inspector, window.layout.inspector)
        && !lesson::hides(window, ScreenArea::Inspector)
    {
        let side = Panel::right("inspector").default_size(230.0).size_range(190.0..=420.0);
        let shown = side.frame(bar(10, 6)).show(ui, |ui| {
            ui.take_available_width();
            regions::begin(ui, Region::Side);
            dim_if_stale(ui, lab);
            inspector::show(ui, lab, &mut user_messages);
        });
        mark_highlighted(ScreenArea::Inspector, window, &shown.response);
    }
    let middle = Frame::new().fill(ui.visuals().extreme_bg_color);
    let marks = LessonMarks { point: window.lesson.pane(), covered: lesson::covered_panes(window) };
    let workspace = lab.view.workspace;
    let before = window.maximized_in(workspace);
    let mut maximized = before;
    let panes = CentralPanel::default().frame(middle).show(ui, |ui| {
        regions::begin(ui, Region::Panes);
        let WindowState { layout, file_requests, .. } = window;
        tiles::show(&mut layout.docks, ui, lab, &marks, &mut maximized, file_requests, &mut user_messages);
    });
    if maximized != before || window.maximized.is_some() && maximized.is_none() {
        window.set_maximized(workspace, maximized);
    }
    let parts = window.layout.docks.snapshot_parts(lab.view.workspace);
    if parts != lab.snapshot_parts {
        messages.push(Message::SetSnapshotParts(parts));
    }
    // The drawing stays while the canvas is visible; then the data of the settings return.
    if lab.shows_drawing() && !lab.view.keep_drawing && !window.layout.docks.is_visible(lab.view.workspace, Pane::Draw)
    {
        messages.push(Message::LeaveDrawing);
    }
    highlighted.into_iter().for_each(|rect| colors::highlight(ui, rect));
    notifications::show(ui, lab, window, panes.response.rect, &mut user_messages);
    first_start_hints::show(ui, lab, window);
    super::popups::glossary::show(ui, window);
    super::popups::about::show(ui, lab, window);
    jobs::show(ui, lab, window.layout.figures, panes.response.rect, &mut window.exports, &mut user_messages);
    super::popups::architecture_draft::show(ui, window, &mut user_messages);
    session_dialogs::show(ui, lab, window, &mut user_messages);
    command_palette::show(ui, lab, window, &mut user_messages);
    colors::paint_focus_ring(ui.ctx());
    let bench = window.layout.docks.is_visible(lab.view.workspace, Pane::Bench);
    sound::play_passed_spikes(ui.ctx(), lab, &mut window.sound, &mut window.clicks, bench, &mut user_messages);
    window.frames.laid_out(began.elapsed());
    if window.debug {
        window.frames.show(ui.ctx());
    }
    lab.drop_locked(&mut user_messages);
    messages.append(&mut user_messages);
}
