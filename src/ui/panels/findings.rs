//! Findings: problems of network, data and recipe, each with a button that applies its fix.
//!
//! They cover what the conversion changed in the network and what looks wrong.

use egui::{RichText, Ui};

use crate::convert::findings::{FindingGroup, group_by_kind};
use crate::convert::{Finding, Fix, Severity};
use crate::data::digits::Drawing;
use crate::experiment::{Run, Snapshot};
use crate::lab::Message;
use crate::measure::Report;
use crate::ui::texts::layers as texts;
use crate::ui::theme::colors::ui_colors;

/// All findings about `run` and its focus, the most serious first.
pub fn collect(run: &Run, report: &Report, snapshot: Option<&Snapshot>) -> Vec<Finding> {
    let mut all = run.findings.clone();
    // A partial drawing differs from complete digits by design, so this finding is dropped.
    all.retain(|finding| finding.kind != "input range" || !Drawing::is_drawing_spec(&run.settings.data));
    let known = |all: &[Finding], layer: &str| {
        all.iter().any(|f| f.kind == "never active" && f.layer.as_deref() == Some(layer))
    };
    for layer in report.layers.iter().filter(|layer| layer.spikes == 0) {
        if !known(&all, &layer.name) {
            let text = texts::silent(report.steps);
            all.push(Finding::warning("silent layer", Some(&layer.name), text));
        }
    }
    all.extend(snapshot.and_then(|snapshot| snapshot.ties.finding()));
    crate::convert::findings::sort(&mut all);
    all
}

/// Whether any of `findings` is a warning.
pub fn has_warnings(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity > Severity::Note)
}

/// Draws the findings.
pub fn show(ui: &mut Ui, run: &Run, findings: &[Finding], messages: &mut Vec<Message>) {
    let groups = group_by_kind(findings);
    let count = groups.len();
    let title = if count == 0 { texts::NO_FINDINGS.to_owned() } else { texts::findings(count) };
    let alarms = has_warnings(findings);
    // A separate id if there are warnings: the list then opens, even if the user has closed it before.
    let header = egui::CollapsingHeader::new(title).id_salt(("findings", alarms)).default_open(alarms);
    let shown = header.show(ui, |ui| {
        if count == 0 {
            ui.weak(texts::AS_IT_IS);
        }
        for group in &groups {
            finding_group(ui, run, group, messages);
        }
    });
    // The list is the last item of its column, so the opened part would be below the visible area.
    if shown.openness > 0.0 && shown.openness < 1.0 {
        ui.scroll_to_cursor(Some(egui::Align::BOTTOM));
    }
}

/// Maximum number of layers of one finding with a link each.
const MAX_LINKS: usize = 12;

fn finding_group(ui: &mut Ui, run: &Run, group: &FindingGroup<'_>, messages: &mut Vec<Message>) {
    let finding = group.finding;
    let written = |text: String| {
        let text = RichText::new(text).small();
        if finding.severity > Severity::Note { text.color(ui_colors(ui).error) } else { text }
    };
    let place = |name: &str| run.spiking.layers.iter().position(|layer| layer.name == name);
    // A click focuses the layer of the finding.
    let link = |ui: &mut Ui, text: RichText, layer: usize, messages: &mut Vec<Message>| {
        let label = ui.add(egui::Label::new(text).sense(egui::Sense::click()));
        if label.on_hover_text(texts::LOOK_AT).clicked() {
            messages.push(Message::FocusLayer(layer));
        }
    };
    match group.layers.as_slice() {
        [] => _ = ui.label(written(finding.to_string())),
        [name] => match place(name) {
            Some(layer) => link(ui, written(finding.to_string()), layer, messages),
            None => _ = ui.label(written(finding.to_string())),
        },
        names => {
            let text = written(texts::of_layers(names.len(), &finding.text));
            ui.label(text);
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing.x = 6.0;
                for name in names.iter().take(MAX_LINKS) {
                    let text = RichText::new(*name).small().weak();
                    match place(name) {
                        Some(layer) => link(ui, text, layer, messages),
                        None => _ = ui.label(text),
                    }
                }
                let more = names.len().saturating_sub(MAX_LINKS);
                if more > 0 {
                    ui.label(RichText::new(texts::and_more(more)).small().weak()).on_hover_text(names.join(", "));
                }
            });
        }
    }
    if let Some(fix) = &finding.mend
        && ui.small_button(fix.label()).on_hover_text(texts::MEND_HINT).clicked()
    {
        messages.extend([message(fix), Message::EndGesture]);
    }
}

/// The message that applies a fix.
pub fn message(fix: &Fix) -> Message {
    match fix.clone() {
        Fix::Threshold(rule) => Message::SetThreshold(rule),
        Fix::Pooling(pooling) => Message::SetPooling(pooling),
        Fix::VInit(share) => Message::SetVInit(share),
        Fix::LayerThreshold { layer, theta } => Message::SetLayerThreshold { layer, theta },
        Fix::Calibrate { first, count } => Message::SetCalibration { first, count },
        Fix::Scaling(scaling) => Message::SetScaling(scaling),
        Fix::Data { data, for_calibration: false, .. } => Message::OpenData(data),
        Fix::Data { data, for_calibration: true, .. } => Message::SetCalibrationData(Some(data)),
        Fix::Steps(steps) => Message::SetSteps(steps),
        Fix::Output(name) => Message::SetOutput(Some(name)),
    }
}
