//! Findings badge: how many findings of each severity, and their list with fixes.
//!
//! They cover what the conversion changed in the network and what looks wrong.

use egui::style::StyleModifier;
use egui::{
    Align, Button, Color32, Layout, Popup, PopupCloseBehavior, Rect, Response, Role, ScrollArea, TextStyle, Ui,
    WidgetInfo, pos2, vec2,
};

use crate::convert::findings::{FindingGroup, group_by_kind};
use crate::convert::{Finding, Fix, Severity};
use crate::data::digits::Drawing;
use crate::experiment::{Run, Snapshot};
use crate::lab::{Lab, Message};
use crate::measure::Report;
use crate::ui::state::window::findings_popup;
use crate::ui::texts::layers as texts;
use crate::ui::theme::colors::ui_colors;
use crate::ui::theme::icons::{Icon, icon_label};

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

/// Width of an icon and its gap in the badge, in points.
const ICON_WIDTH: f32 = 18.0;
/// Width of the list, in points.
const WIDTH: f32 = 460.0;
/// Maximum number of layers of one finding with a link each.
const MAX_LINKS: usize = 12;

/// Draws the badge with the number of findings of each severity; it opens the list.
pub fn badge(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let Some(run) = &lab.run else { return };
    let snapshot = lab.snapshot.as_deref().filter(|s| std::sync::Arc::ptr_eq(&s.run, run));
    let findings = collect(run, snapshot.map_or(&run.report, |s| &s.report), snapshot);
    let groups = group_by_kind(&findings);
    let severities = [Severity::Error, Severity::Warning, Severity::Note];
    let counts = severities.map(|severity| groups.iter().filter(|g| g.finding.severity == severity).count());
    let words = texts::findings_by_severity(counts);
    let shown: Vec<_> = severities.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect();
    let button = badge_button(ui, if shown.is_empty() { &[(Severity::Note, 0)] } else { &shown });
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &words));
    let button = button.on_hover_text(&words);
    let height = 0.7 * ui.ctx().content_rect().height();
    let popup = Popup::menu(&button).id(findings_popup()).close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    popup.layout(Layout::top_down(Align::Min)).style(StyleModifier::default()).show(|ui| {
        ui.set_width(WIDTH.min(ui.ctx().content_rect().width() - 40.0));
        ui.strong(&words);
        if groups.is_empty() {
            ui.weak(texts::AS_IT_IS);
        }
        ScrollArea::vertical().max_height(height).show(ui, |ui| {
            for (index, group) in groups.iter().enumerate() {
                ui.push_id(index, |ui| finding_group(ui, run, group, messages));
            }
        });
    });
}

/// Draws a button with an icon and a number for each severity.
fn badge_button(ui: &mut Ui, counts: &[(Severity, usize)]) -> Response {
    let font = TextStyle::Button.resolve(ui.style());
    let color = ui.visuals().text_color();
    let numbers: Vec<_> = counts
        .iter()
        .map(|(severity, count)| (*severity, ui.painter().layout_no_wrap(count.to_string(), font.clone(), color)))
        .collect();
    let width = numbers.iter().map(|(_, number)| ICON_WIDTH + number.size().x + 8.0).sum::<f32>() + 4.0;
    let button = ui.add(Button::new("").min_size(vec2(width, 22.0)));
    let mut x = button.rect.left() + 6.0;
    for (severity, number) in numbers {
        let (icon, icon_color) = severity_icon(ui, severity);
        let rect = Rect::from_min_size(pos2(x, button.rect.top()), vec2(ICON_WIDTH - 3.0, button.rect.height()));
        icon.paint(ui.painter(), rect, icon_color);
        let at = pos2(x + ICON_WIDTH, button.rect.center().y - number.size().y / 2.0);
        x = at.x + number.size().x + 8.0;
        ui.painter().galley(at, number, color);
    }
    button
}

fn severity_icon(ui: &Ui, severity: Severity) -> (Icon, Color32) {
    let colors = ui_colors(ui);
    match severity {
        Severity::Error => (Icon::Warning, colors.error),
        Severity::Warning => (Icon::Warning, colors.parts[3]),
        Severity::Note => (Icon::Info, colors.accent),
    }
}

/// Draws one finding: a line, which opens its whole text, its layers and its fix.
fn finding_group(ui: &mut Ui, run: &Run, group: &FindingGroup<'_>, messages: &mut Vec<Message>) {
    let finding = group.finding;
    let (icon, color) = severity_icon(ui, finding.severity);
    let text = match group.layers.as_slice() {
        [] | [_] => finding.to_string(),
        names => texts::of_layers(names.len(), &finding.text),
    };
    let id = ui.unique_id().with((finding.kind, "open"));
    // What can be fixed is open from the beginning, so that its button is one click away.
    let mut open = ui.data(|data| data.get_temp(id)).unwrap_or(finding.fix.is_some());
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
    if !open {
        return;
    }
    ui.indent("finding", |ui| {
        layer_links(ui, run, group, messages);
        if let Some(fix) = &finding.fix
            && ui.button(fix.label()).on_hover_text(texts::MEND_HINT).clicked()
        {
            messages.extend([message(fix), Message::EndGesture]);
        }
    });
}

/// Draws the layers of a finding; a click focuses one.
fn layer_links(ui: &mut Ui, run: &Run, group: &FindingGroup<'_>, messages: &mut Vec<Message>) {
    if group.layers.is_empty() {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        for name in group.layers.iter().take(MAX_LINKS) {
            match run.spiking.layers.iter().position(|layer| layer.name == *name) {
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
