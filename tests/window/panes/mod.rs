//! Pane tests: what is drawn lies where it can be read, and panes follow clicks, keys and scrolling.

mod findings;
mod keyboard;
mod layout;
mod messages;
mod t_curve;
mod tables;

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use spikescope::ui::types::pane::Pane;

use crate::desk::Desk;

/// Shows `pane` in front of the other tabs.
fn front(harness: &mut Harness<'static, Desk>, pane: Pane) {
    let workspace = harness.state().lab.view.workspace;
    harness.state_mut().window.layout.docks.add(workspace, pane);
    harness.run_ok();
    // The parts of the snapshot that the pane needs are there in the next frame.
    harness.run_ok();
}

/// The place of the widget named `name`.
fn rect(harness: &Harness<'static, Desk>, name: &str) -> egui::Rect {
    harness.get_by_label(name).rect()
}

/// Presses (or releases) the left button at `at`.
fn press(harness: &mut Harness<'static, Desk>, at: egui::Pos2, pressed: bool) {
    harness.event(egui::Event::PointerMoved(at));
    let (button, modifiers) = (egui::PointerButton::Primary, egui::Modifiers::NONE);
    harness.event(egui::Event::PointerButton { pos: at, button, pressed, modifiers });
}
