//! Status bar: what the last run computed, how long it took and which backend ran it.

use egui::{RichText, Sides, Ui};

use super::headline::{headline, headline_below};
use crate::data::digits::Drawing;
use crate::experiment::memory::format_bytes;
use crate::lab::Lab;
use crate::ui::state::window::WindowState;
use crate::ui::texts::bars as texts;
use crate::ui::texts::format::{backend_name, format_seconds, source_file_name, source_name};

/// Draws the bar.
pub fn show(ui: &mut Ui, lab: &Lab, _window: &WindowState) {
    let small = |text: String| RichText::new(text).small().weak();
    let width = ui.available_width();
    // The left side gives way, and is cut where it has no room.
    let sides = Sides::new().shrink_left().truncate();
    let left = |ui: &mut Ui| {
        let Some(run) = &lab.run else {
            ui.label(small(texts::NOTHING_RUN.into()));
            return;
        };
        let settings = &run.settings;
        let backend = backend_name(settings.backend);
        let took = run.seconds;
        let total = took.load + took.calibrate + took.ann + took.snn + took.measure;
        // A file by its name alone: its folders would leave no room for the rest.
        let (count, whole) = (settings.samples.len(), source_name(&settings.data));
        let of = source_file_name(&settings.data);
        ui.label(small(match Drawing::is_drawing_spec(&settings.data) {
            true => whole.clone(),
            false => texts::samples(count, settings.samples.start, settings.samples.end, &of),
        }))
        .on_hover_text(whole);
        let correction = settings.recipe.correction;
        if correction.presteps() > 0 {
            let hardware = correction.hardware_presteps(run.spiking.layers.len());
            ui.label(small("·".into()));
            ui.label(small(texts::latency(correction.presteps(), run.steps()))).on_hover_text(texts::latency_hint(
                hardware,
                run.steps(),
                if hardware > correction.presteps() { texts::EACH_LAYER } else { texts::LOCK_STEP },
            ));
        }
        ui.label(small("·".into()));
        ui.label(small(backend.into())).on_hover_text(texts::BACKEND_HINT);
        ui.label(small("·".into()));
        ui.label(small(texts::last_run(&format_seconds(total)))).on_hover_text(texts::took(
            &format_seconds(took.load),
            &format_seconds(took.calibrate),
            &format_seconds(took.ann),
            &format_seconds(took.snn),
            &format_seconds(took.measure),
        ));
        ui.label(small("·".into()));
        ui.label(small(texts::recording(&format_bytes(run.recording.bytes())))).on_hover_text(texts::RECORDING_HINT);
        if let Some(path) = &lab.written {
            ui.label(small("·".into()));
            ui.label(small(crate::ui::texts::export::last(path))).on_hover_text(path.display().to_string());
        }
    };
    let right = |ui: &mut Ui| {
        if ui.data(|data| data.get_temp(headline_below())).unwrap_or(false) {
            headline(ui, lab);
            return;
        }
        if let Some(step) = lab.undo_sentence() {
            ui.set_max_width(width * 0.4);
            ui.add(egui::Label::new(small(texts::last_change(&step))).truncate());
        }
    };
    sides.show(ui, left, right);
}
