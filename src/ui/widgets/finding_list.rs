//! List of findings about a run: a line each, its layers as links and its fix as a button.
//!
//! Shared by the badge in the header and the pane.

use std::sync::Arc;

use egui::{Button, Color32, Ui};

use super::pane_frame;
use crate::convert::findings::FindingGroup;
use crate::convert::{Finding, Fix, Severity};
use crate::data::digits::Drawing;
use crate::experiment::{Run, Snapshot};
use crate::lab::{Lab, Message};
use crate::ui::texts::layers as texts;
use crate::ui::theme::colors::ui_colors;
use crate::ui::theme::icons::{Icon, icon_label};

/// The severities in reading order.
pub const SEVERITIES: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Note];

/// Maximum number of layers of one finding with a link each.
const MAX_LINKS: usize = 12;

/// All findings about the run of `lab` up to the time cursor, the most serious first; `None` without a run.
pub fn of_lab(lab: &Lab) -> Option<(&Arc<Run>, Vec<Finding>)> {
    let run = lab.run.as_ref()?;
    let snapshot = lab.snapshot.as_deref().filter(|snapshot| Arc::ptr_eq(&snapshot.run, run));
    Some((run, collect(run, snapshot)))
}

/// All findings about `run` and, where there is one, its snapshot, the most serious first.
pub fn collect(run: &Run, snapshot: Option<&Snapshot>) -> Vec<Finding> {
    let report = snapshot.map_or(&run.report, |snapshot| &snapshot.report);
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

/// How many of `groups` have each severity, in the order of [`SEVERITIES`].
pub fn counts(groups: &[FindingGroup<'_>]) -> [usize; 3] {
    SEVERITIES.map(|severity| groups.iter().filter(|group| group.finding.severity == severity).count())
}

/// The icon of a severity and its color.
pub fn severity_icon(ui: &Ui, severity: Severity) -> (Icon, Color32) {
    let colors = ui_colors(ui);
    match severity {
        Severity::Error => (Icon::Warning, colors.error),
        Severity::Warning => (Icon::Warning, colors.parts[3]),
        Severity::Note => (Icon::Info, colors.accent),
    }
}

/// Draws one finding: a line, which opens its whole text, its layers and its fix. `opened`: from the beginning.
pub fn group_ui(ui: &mut Ui, run: &Run, group: &FindingGroup<'_>, opened: bool, messages: &mut Vec<Message>) {
    let finding = group.finding;
    let (icon, color) = severity_icon(ui, finding.severity);
    let text = match group.layers.as_slice() {
        [] | [_] => finding.to_string(),
        names => texts::of_layers(names.len(), &finding.text),
    };
    let id = ui.unique_id().with((finding.kind, "open"));
    let mut open = ui.data(|data| data.get_temp(id)).unwrap_or(opened);
    ui.horizontal_top(|ui| {
        icon_label(ui, icon, color, finding.severity.as_str());
        // Open, the line itself shows the whole text: nothing is written twice.
        let line = Button::new(&text).frame(false);
        let line = ui.add(if open { line.wrap() } else { line.truncate() });
        line.ctx.accesskit_node_builder(line.id, |node| node.set_expanded(open));
        if line.on_hover_text(if open { texts::SHOW_LESS } else { texts::SHOW_MORE }).clicked() {
            open = !open;
            ui.data_mut(|data| data.insert_temp(id, open));
        }
    });
    let fix = finding.fix.as_ref().filter(|_| pane_frame::has_controls(ui));
    let links = has_links(ui, run, group);
    if !open || !links && fix.is_none() {
        return;
    }
    ui.indent("finding", |ui| {
        if links {
            layer_links(ui, run, group, messages);
        }
        if let Some(fix) = fix
            && ui.button(fix.label()).on_hover_text(texts::MEND_HINT).clicked()
        {
            messages.extend([message(fix), Message::EndGesture]);
        }
    });
}

/// The spiking layer named `name`.
fn spiking_layer(run: &Run, name: &str) -> Option<usize> {
    run.spiking.layers.iter().position(|layer| layer.name == name)
}

/// Whether the layers of a finding are listed: the line itself names a single one, so its name is written again as a link
/// only.
fn has_links(ui: &Ui, run: &Run, group: &FindingGroup<'_>) -> bool {
    match group.layers[..] {
        [] => false,
        [name] => spiking_layer(run, name).is_some() && pane_frame::has_controls(ui),
        _ => true,
    }
}

/// Draws the layers of a finding; a click focuses one.
fn layer_links(ui: &mut Ui, run: &Run, group: &FindingGroup<'_>, messages: &mut Vec<Message>) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        for name in group.layers.iter().take(MAX_LINKS) {
            match spiking_layer(run, name) {
                Some(layer) => {
                    if ui.link(*name).on_hover_text(texts::LOOK_AT).clicked() {
                        messages.push(Message::FocusLayer(layer));
                    }
                }
                None => _ = ui.weak(*name),
            }
        }
        let more = group.layers.len().saturating_sub(MAX_LINKS);
        if more > 0 {
            ui.weak(texts::and_more(more)).on_hover_text(group.layers.join(", "));
        }
    });
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
        Fix::TimeStep(dt) => Message::SetTimeStep(Some(dt)),
    }
}
