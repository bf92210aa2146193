//! Event binning options in the data popup: how event recordings become frames.
//!
//! The same options as those of `events:` on the command line.

use egui::{ComboBox, DragValue, Ui};

use crate::data::DataSpec;
use crate::data::events::{Binning, DEFAULT_FRAMES, FrameTiming, MAX_FRAMES, Polarity};
use crate::data::spec::Source;
use crate::lab::{Lab, Message};
use crate::ui::texts::popups::network_and_data as texts;

/// Default duration of a frame, in µs.
const DEFAULT_SPAN: u64 = 10_000;

/// Draws the options if the open data are event recordings.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let Ok(mut spec) = DataSpec::parse(&lab.settings.data) else { return };
    let is_generated = matches!(spec.source, Source::EventDigits { .. });
    let (Source::Events { binning: stated, .. } | Source::EventDigits { binning: stated, .. }) = &mut spec.source
    else {
        return;
    };
    let binning = *stated;
    // A value under drag or edit applies at the end, so that recordings are not read again for every value in between.
    let id = ui.scope_id().with("binning");
    let kept = ui.data(|data| data.get_temp::<(Binning, Binning)>(id));
    let mut wanted = kept.filter(|(of, _)| *of == binning).map_or(binning, |(_, wanted)| wanted);
    let mut editing = false;
    ui.separator();
    ui.label(texts::RECORDINGS).on_hover_text(texts::RECORDINGS_HINT);
    ui.horizontal(|ui| {
        let spans = matches!(wanted.time, FrameTiming::Span { .. });
        if ui.radio(!spans, texts::FRAMES).on_hover_text(texts::FRAMES_HINT).clicked() {
            wanted.time = FrameTiming::Frames(DEFAULT_FRAMES);
        }
        if ui.radio(spans, texts::SPANS).on_hover_text(texts::SPANS_HINT).clicked() && !spans {
            wanted.time = FrameTiming::Span { us: DEFAULT_SPAN, frames: None };
        }
        match &mut wanted.time {
            FrameTiming::Frames(frames) => {
                editing |= number_field(ui, DragValue::new(frames).range(1..=MAX_FRAMES), texts::FRAMES_NAME);
            }
            FrameTiming::Span { us, frames } => {
                editing |=
                    number_field(ui, DragValue::new(us).range(1..=1_000_000_000u64).speed(100.0), texts::SPAN_NAME);
                let mut cut = frames.is_some();
                if ui.checkbox(&mut cut, texts::AT_MOST).on_hover_text(texts::AT_MOST_HINT).changed() {
                    *frames = cut.then_some(DEFAULT_FRAMES);
                }
                if let Some(frames) = frames {
                    editing |= number_field(ui, DragValue::new(frames).range(1..=MAX_FRAMES), texts::MOST_NAME);
                }
            }
        }
    });
    ui.horizontal(|ui| {
        let words = |polarity| match polarity {
            Polarity::AsNetwork => texts::AS_NETWORK,
            Polarity::Split => texts::SPLIT,
            Polarity::Sum => texts::SUM,
            Polarity::On => texts::ON,
            Polarity::Off => texts::OFF,
        };
        let label = ui.label(texts::POLARITIES);
        let combo = ComboBox::from_id_salt("polarity").selected_text(words(wanted.polarity));
        let shown = combo.show_ui(ui, |ui| {
            for (polarity, _) in Polarity::ALL {
                ui.selectable_value(&mut wanted.polarity, polarity, words(polarity));
            }
        });
        shown.response.labelled_by(label.id);
    });
    // The sensor of generated recordings is known.
    ui.add_enabled_ui(!is_generated, |ui| {
        ui.horizontal(|ui| {
            let mut stated = wanted.sensor.is_some();
            let hint = texts::SENSOR_HINT;
            if ui.checkbox(&mut stated, texts::SENSOR).on_hover_text(hint).changed() {
                let seen = lab.run.as_ref().map(|run| run.samples.shape.clone()).unwrap_or_default();
                wanted.sensor = stated.then(|| match seen[..] {
                    [_, height, width] => [width, height],
                    _ => [128, 128],
                });
            }
            if let Some([width, height]) = &mut wanted.sensor {
                editing |= number_field(ui, DragValue::new(width).range(1..=4096), texts::WIDTH);
                ui.label("×");
                editing |= number_field(ui, DragValue::new(height).range(1..=4096), texts::HEIGHT);
                ui.label(texts::PIXELS);
            }
        })
    });
    if editing {
        ui.data_mut(|data| data.insert_temp(id, (binning, wanted)));
        return;
    }
    ui.data_mut(|data| data.remove::<(Binning, Binning)>(id));
    if wanted != binning {
        *stated = wanted;
        messages.push(Message::OpenData(spec.to_string()));
    }
}

/// A number field. Returns whether the user is still editing it.
fn number_field(ui: &mut Ui, value: DragValue<'_>, name: &str) -> bool {
    let field = ui.add(value.update_while_editing(false)).on_hover_text(name);
    field.dragged()
}
