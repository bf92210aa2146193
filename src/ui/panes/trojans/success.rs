//! Success of one trojan in the run on the screen, over its steps.

use egui::{ComboBox, Label, Role, Ui, WidgetInfo};
use egui_plot::{HLine, Line, PlotPoints};

use crate::export::results_table::quoted;
use crate::lab::{Lab, Message};
use crate::trojan::live::SuccessCurve;
use crate::ui::panes::t_curve::plot::over_time;
use crate::ui::texts::format::format_percent;
use crate::ui::texts::panes::trojans as texts;
use crate::ui::texts::shared;
use crate::ui::theme::colors::{plot_colors, ui_colors};
use crate::ui::widgets::{legend, pane_frame, pane_parts, plot_description};

const HEIGHT: f32 = 170.0;

/// The curve of the chosen trojan.
fn curve(lab: &Lab) -> Option<&SuccessCurve> {
    lab.attribution.curve(lab.view.attribution.trojan.as_deref()?).map(AsRef::as_ref)
}

/// The result in a sentence.
pub fn sentence(lab: &Lab) -> String {
    let Some(run) = &lab.finished else { return texts::EMPTY.to_owned() };
    let Some(of) = curve(lab) else {
        let reason = lab.attribution.curve_error.as_deref();
        return match (&lab.attribution.plan, &lab.view.attribution.trojan) {
            (None, _) => texts::NO_PLAN.to_owned(),
            (_, None) => texts::NO_TRIGGER.to_owned(),
            _ => reason.unwrap_or(crate::ui::texts::panes::pane_header::COUNTING).to_owned(),
        };
    };
    let t = lab.cursor().clamp(1, of.snn.len().max(1));
    let at = of.snn.get(t - 1).copied().unwrap_or(0.0);
    texts::curve(&of.trojan, &run.class_name(of.target), of.ann, (t, at), of.appears(), of.pictures)
}

/// Draws the choice of the trojan, and its curve.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    if let (Some(plan), true) = (&lab.attribution.plan, pane_frame::has_controls(ui)) {
        let mut next = lab.view.attribution.clone();
        ui.horizontal_wrapped(|ui| {
            ui.label(texts::TRIGGER);
            let name = next.trojan.as_deref().unwrap_or(texts::NONE).to_owned();
            let combo = ComboBox::from_id_salt("trojan of the success").selected_text(name).show_ui(ui, |ui| {
                ui.selectable_value(&mut next.trojan, None, texts::NONE);
                for trojan in &plan.trojans {
                    ui.selectable_value(&mut next.trojan, Some(trojan.name.clone()), &trojan.name);
                }
            });
            combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, texts::TRIGGER));
        });
        if next != lab.view.attribution {
            messages.push(Message::SetAttribution(Box::new(next)));
        }
    }
    ui.add(Label::new(sentence(lab)).wrap());
    let Some(of) = curve(lab) else { return };
    let (colors, lines) = (ui_colors(ui), plot_colors(ui));
    let last = of.snn.len();
    let cursor = lab.cursor().clamp(1, last.max(1));
    legend::lines(ui, &[(shared::ANN, colors.ann), (shared::SNN, colors.snn)]);
    let points: Vec<[f64; 2]> = of.snn.iter().enumerate().map(|(k, share)| [(k + 1) as f64, *share]).collect();
    let plot = over_time("trojan-success", texts::SUCCESS_AXIS, last).height(HEIGHT);
    let shown = plot.show(ui, |plot| {
        plot.hline(HLine::new(shared::ANN, of.ann).color(colors.ann).width(1.5).allow_hover(false));
        let line = PlotPoints::from(pane_parts::shown(plot, points.clone()));
        plot.line(Line::new(shared::SNN, line).color(colors.snn).width(2.2).allow_hover(false));
        plot.vline(pane_parts::cursor_line(cursor, lines.cursor));
    });
    plot_description::describe_plot(&shown.response, texts::SUCCESS, || {
        plot_description::describe_curve(&points, |[t, share]| shared::at_step(&format_percent(share), t))
    });
    pane_parts::drag_cursor(&shown, cursor, lab.steps(), true, messages);
}

/// Success over the steps of the run, and by recipe.
pub fn csv(lab: &Lab) -> String {
    if curve(lab).is_none() && lab.trojans.bench.is_none() {
        return String::new();
    }
    let mut table = "trojan,recipe,steps,success,pictures\n".to_owned();
    if let Some(of) = curve(lab) {
        let mut line = |recipe: &str, steps: &str, share: f64| {
            table += &format!("{},{recipe},{steps},{share:.4},{}\n", quoted(&of.trojan), of.pictures);
        };
        line("ann", "", of.ann);
        of.snn.iter().enumerate().for_each(|(k, share)| line("run", &(k + 1).to_string(), *share));
    }
    if let Some((_, bench)) = &lab.trojans.bench {
        let whole = crate::trojan::survival::csv(&bench.success);
        table += whole.split_once('\n').map_or("", |(_, rows)| rows);
    }
    table
}
