//! Popups of the network and data buttons: files, input scaling, sample ranges, backend.

use egui::{Button, DragValue, Grid, RichText, Role, ScrollArea, TextEdit, Ui, WidgetInfo};

use crate::compute::Backend;
use crate::compute::backend::WGPU_HELP;
use crate::data::Scaling;
use crate::error::format_shape;
use crate::experiment::PreparedNetwork;
use crate::lab::{Lab, Message};
use crate::network::open::BUILTIN_PREFIX;
use crate::network::zoo::BUNDLED;
use crate::ui::state::window::WindowState;
use crate::ui::texts::format::backend_name;
use crate::ui::texts::popups::network_and_data as texts;
use crate::ui::theme::colors::ui_colors;
use crate::ui::types::file_request::FileRequest;
use crate::ui::widgets::number_field::number_field;

const WIDTH: f32 = 320.0;
/// Largest number of samples that can be typed.
const MAX_TYPED: usize = 1_000_000_000;
/// Maximum height of the list of outputs, in points.
const MAX_OUTPUTS_HEIGHT: f32 = 110.0;

/// Draws the network popup: facts about the network and its options.
pub fn network(ui: &mut Ui, lab: &Lab, window: &mut WindowState, messages: &mut Vec<Message>) {
    ui.set_width(WIDTH);
    ui.strong(texts::NETWORK);
    ui.add(egui::Label::new(RichText::new(&lab.settings.model).small().weak()).wrap());
    if let Some(run) = &lab.run {
        let network = &run.network.original;
        ui.label(texts::network(
            network.nodes.len(),
            network.parameter_count(),
            run.spiking.layers.len(),
            &format_shape(network.input_shape()),
            &match run.output_agreement {
                None => texts::classes(network.class_count()),
                Some(_) => texts::output_values(network.classes()),
            },
        ));
        output(ui, lab, &run.network, messages);
        super::time_step::show(ui, lab, &run.network, messages);
    }
    ui.separator();
    for bundled in BUNDLED {
        let source = format!("{BUILTIN_PREFIX}{}", bundled.name);
        let chosen = lab.settings.model == source;
        if ui.selectable_label(chosen, bundled.name).on_hover_text(bundled.description).clicked() && !chosen {
            messages.push(Message::OpenModel(source));
            ui.close();
        }
    }
    if ui.button(texts::OPEN_NETWORK).clicked() {
        window.file_requests.push(FileRequest::OpenNetwork);
        ui.close();
    }
    ui.separator();
    ui.horizontal(|ui| {
        ui.label(texts::BACKEND).on_hover_text(texts::BACKEND_HINT);
        for (_, backend) in Backend::ALL {
            let chosen = lab.settings.backend == backend;
            let choice = Button::selectable(chosen, backend_name(backend));
            let choice = ui.add_enabled(backend.built_in(), choice).on_disabled_hover_text(WGPU_HELP);
            if choice.clicked() && !chosen {
                messages.push(Message::SetBackend(backend));
            }
        }
    });
}

/// Draws the choice of the output that answers, if the network has several. Buttons, because a list that opens would close
/// the popup.
fn output(ui: &mut Ui, lab: &Lab, network: &PreparedNetwork, messages: &mut Vec<Message>) {
    if network.outputs.len() < 2 {
        return;
    }
    ui.separator();
    ScrollArea::vertical().max_height(MAX_OUTPUTS_HEIGHT).show(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.label(texts::OUTPUT).on_hover_text(texts::OUTPUT_HINT);
            for (index, name) in network.outputs.iter().enumerate() {
                let is_chosen = network.answers == Some(index);
                let choice = ui.add(Button::selectable(is_chosen, name));
                choice.widget_info(|| {
                    WidgetInfo::selected(Role::RadioButton, true, is_chosen, texts::output_named(name))
                });
                if choice.clicked() && !is_chosen {
                    messages.push(Message::SetOutput(Some(name.clone())));
                }
            }
            if lab.settings.output.is_some()
                && ui.button(texts::BY_DEFAULT).on_hover_text(texts::BY_DEFAULT_HINT).clicked()
            {
                messages.push(Message::SetOutput(None));
            }
        });
    });
    if network.answers.is_none() {
        ui.add(egui::Label::new(RichText::new(texts::ALL_OUTPUTS).small().weak()).wrap());
    }
}

/// Draws the data popup: facts about the samples and their options.
pub fn data(ui: &mut Ui, lab: &Lab, window: &mut WindowState, messages: &mut Vec<Message>) {
    ui.set_width(WIDTH);
    ui.strong(texts::DATA);
    ui.add(
        egui::Label::new(RichText::new(crate::ui::texts::format::source_name(&lab.settings.data)).small().weak())
            .wrap(),
    );
    let count = lab.run.as_ref().map(|run| run.samples.len());
    if let Some(run) = &lab.run {
        let labels = if run.samples.labels.is_empty() { texts::NO_LABELS } else { texts::LABELS };
        ui.label(texts::samples(run.samples.len(), &format_shape(&run.samples.shape), labels));
    }
    ui.horizontal_wrapped(|ui| {
        for (words, request) in [
            (texts::OPEN_DATA, FileRequest::OpenData),
            (texts::OPEN_PICTURES, FileRequest::OpenPictureFiles),
            (texts::OPEN_FOLDER, FileRequest::OpenPictures),
        ] {
            if ui.button(words).clicked() {
                window.file_requests.push(request);
                ui.close();
            }
        }
    });
    ui.separator();
    Grid::new("ranges").num_columns(2).spacing([14.0, 6.0]).show(ui, |ui| {
        let settings = &lab.settings;
        range(ui, texts::RUN, texts::RUN_HINT, &settings.samples, count, |first, count| {
            messages.push(Message::SetSamples { first, count });
        });
        let pool = if settings.calibration_data.is_some() { None } else { count };
        range(ui, texts::CALIBRATE, texts::CALIBRATE_HINT, &settings.calibrate, pool, |first, count| {
            messages.push(Message::SetCalibration { first, count });
        });
    });
    calibration_set(ui, lab, window, messages);
    super::event_binning::show(ui, lab, messages);
    let (run, calibrate) = (&lab.settings.samples, &lab.settings.calibrate);
    if lab.settings.calibration_data.is_none() && run.start < calibrate.end && calibrate.start < run.end {
        let color = ui_colors(ui).snn;
        ui.label(RichText::new(texts::OVERLAP).small().color(color));
    }
    ui.separator();
    scaling(ui, lab, messages);
}

/// Draws the choice of the calibration data set.
fn calibration_set(ui: &mut Ui, lab: &Lab, window: &mut WindowState, messages: &mut Vec<Message>) {
    let other = lab.settings.calibration_data.as_deref();
    ui.horizontal_wrapped(|ui| {
        ui.label(texts::CALIBRATE_ON).on_hover_text(texts::CALIBRATE_ON_HINT);
        if ui.radio(other.is_none(), texts::THESE_DATA).clicked() && other.is_some() {
            messages.push(Message::SetCalibrationData(None));
        }
        if ui.radio(other.is_some(), texts::ANOTHER_SET).clicked() {
            window.file_requests.push(FileRequest::OpenCalibrationData);
            ui.close();
        }
    });
    if let Some(other) = other {
        ui.add(egui::Label::new(RichText::new(other).small().weak()).wrap());
    }
}

/// Two fields `first` and `count`. Emits a change when the user finishes the edit.
fn range(
    ui: &mut Ui,
    name: &str,
    hint: &str,
    range: &std::ops::Range<usize>,
    of: Option<usize>,
    mut changed: impl FnMut(usize, usize),
) {
    let label = ui.label(name).on_hover_text(hint).id;
    ui.horizontal(|ui| {
        let id = ui.scope_id().with(name);
        // A dragged value is kept until release, so that no run starts for values in between.
        let (mut first, mut count) =
            ui.data(|data| data.get_temp::<(usize, usize)>(id)).unwrap_or((range.start, range.len()));
        let last = of.unwrap_or(MAX_TYPED);
        // What is typed is not cut silently: the lab refuses it with the number that fits.
        let samples =
            DragValue::new(&mut count).range(1..=MAX_TYPED).suffix(texts::SAMPLES).update_while_editing(false);
        let a = number_field(ui, samples).labelled_by(label);
        let from = ui.label(texts::FROM).id;
        let start = DragValue::new(&mut first).range(0..=MAX_TYPED).update_while_editing(false);
        let b = number_field(ui, start).labelled_by(from);
        let both = a.union(b);
        if both.dragged() {
            // A drag ends at the last sample.
            let first = first.min(last.saturating_sub(1));
            ui.data_mut(|data| data.insert_temp(id, (first, count.min(last - first))));
        } else {
            ui.data_mut(|data| data.remove::<(usize, usize)>(id));
            if (first, count) != (range.start, range.len()) {
                changed(first, count);
            }
        }
    });
    ui.end_row();
}

/// Draws how raw values are scaled to network input.
fn scaling(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let now = &lab.settings.scaling;
    ui.label(texts::SCALING).on_hover_text(texts::SCALING_HINT);
    ui.horizontal(|ui| {
        for (choice, name) in [(Scaling::Unit, texts::UNIT), (Scaling::Bytes, texts::BYTES)] {
            if ui.radio(*now == choice, name).clicked() && *now != choice {
                messages.push(Message::SetScaling(choice));
            }
        }
        let normal = matches!(now, Scaling::MeanStd { .. });
        if ui.radio(normal, texts::MEAN_STD).clicked() && !normal {
            messages.push(Message::SetScaling(Scaling::MeanStd { mean: vec![0.5], std: vec![0.5] }));
        }
    });
    if let Scaling::MeanStd { .. } | Scaling::Divide(_) = now {
        let id = ui.scope_id().with("scaling");
        let mut text = ui.data(|data| data.get_temp::<String>(id)).unwrap_or_else(|| now.to_string());
        let field = ui.add(TextEdit::singleline(&mut text).desired_width(WIDTH - 10.0));
        let field = field.on_hover_text(texts::MEAN_STD_HINT);
        let parsed = Scaling::parse(&text);
        if let Err(error) = &parsed {
            let color = ui_colors(ui).error;
            ui.add(egui::Label::new(RichText::new(error.to_string()).small().color(color)).wrap());
        }
        if field.has_focus() {
            ui.data_mut(|data| data.insert_temp(id, text));
        } else if field.lost_focus()
            && let Ok(scaling) = parsed
        {
            ui.data_mut(|data| data.remove::<String>(id));
            if scaling != *now {
                messages.push(Message::SetScaling(scaling));
            }
        }
    }
}
