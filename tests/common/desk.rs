//! Test window: the whole window on a small lab, driven by accessible names.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use spikescope::experiment::Settings;
use spikescope::lab::Lab;
use spikescope::ui::shell;
use spikescope::ui::state::window::WindowState;

/// The window on a lab that has computed its first run.
pub struct Desk {
    pub lab: Lab,
    pub window: WindowState,
}

/// A window of 1280 × 800 points on the bundled network with few samples.
pub fn desk() -> Harness<'static, Desk> {
    desk_of(egui::vec2(1280.0, 800.0))
}

/// A window of `size` points.
pub fn desk_of(size: egui::Vec2) -> Harness<'static, Desk> {
    let settings = Settings { samples: 0..12, calibrate: 0..64, ..Settings::demo() };
    desk_on(Desk { lab: Lab::open(settings).expect("the bundled network runs"), window: WindowState::default() }, size)
}

/// A window of `size` points on the given desk.
pub fn desk_on(desk: Desk, size: egui::Vec2) -> Harness<'static, Desk> {
    let draw = |ui: &mut egui::Ui, desk: &mut Desk| {
        let mut messages = Vec::new();
        shell::show(ui, &desk.lab, &mut desk.window, &mut messages);
        desk.lab.update(messages);
        // Waits for the lab in every frame, so that the next frame shows the result of the last input.
        desk.lab.wait_until_idle();
    };
    let mut harness = Harness::builder().with_size(size).build_ui_state(draw, desk);
    harness.run_ok();
    harness
}

/// Clicks the widget named `name`.
pub fn click(harness: &mut Harness<'static, Desk>, name: &str) {
    harness.get_by_label(name).click();
    harness.run_ok();
}
