//! T-curve for detectors and regressors: agreement of boxes or outputs over time steps.

use egui::Ui;
use egui_plot::{Line, LineStyle, PlotPoints, VLine};

use super::plot::{compared, over_time};
use crate::experiment::Run;
use crate::lab::{Lab, Message};
use crate::task::{OutputAgreement, OutputKind};
use crate::ui::texts::format::format_percent;
use crate::ui::texts::{output_agreement as texts, shared};
use crate::ui::theme::colors::ui_colors;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{legend, pane_parts, plot_description};

/// Draws the pane for `run`, whose outputs are compared in `agreement`.
pub fn show(ui: &mut Ui, lab: &Lab, run: &Run, agreement: &OutputAgreement, messages: &mut Vec<Message>) {
    let (colors, plot_colors) = (ui_colors(ui), crate::ui::theme::colors::plot_colors(ui));
    let (curve, steps) = (&run.report.curve, run.steps());
    let cursor = lab.cursor().clamp(1, steps);
    let words = texts::agreement_labels(Some(agreement.of));
    let now = sentence(agreement, cursor);
    let page = PaneHeader {
        of: Pane::TCurve,
        title: texts::curve_title(agreement.of),
        explanation: format!("{} {now}", texts::curve_explained(agreement.of)),
        description: texts::description(&now),
    };
    let near = |t: usize| (1.0 - agreement.error(t)).max(0.0);
    let csv = || {
        let row = |t: usize| {
            let boxes = agreement.boxes(t);
            let counts = format!("{},{},{},{}", boxes.ann, boxes.snn, boxes.same, boxes.overlap);
            format!("{t},{},{},{counts}\n", agreement.agreement(t), agreement.error(t))
        };
        let head = "t,likeness,output_error,ann_boxes,snn_boxes,same_boxes,mean_overlap\n";
        head.to_owned() + &(1..=steps).map(row).collect::<String>()
    };
    pane_parts::pane_ui(ui, &page, csv, |ui| {
        let other = compared(lab);
        let name = other.map_or(String::new(), |other| shared::run(other.number));
        let mut entries = vec![(words.short, colors.snn)];
        if agreement.of == OutputKind::Boxes {
            entries.push((texts::OUTPUTS_ALIKE, colors.weak));
        }
        if other.is_some() {
            entries.push((&name, plot_colors.quantization));
        }
        legend::lines(ui, &entries);
        ui.small(&now);
        let last = steps.max(other.map_or(0, |other| other.curve.len()));
        let plot = over_time("alike-curve", words.short, last).label_formatter(|at| {
            let t = pane_parts::step_at(pane_parts::position(at).x, last).min(steps);
            Some(texts::hover(t, words.short, &format_percent(agreement.agreement(t)), &format_percent(near(t))))
        });
        let shown = plot.show(ui, |plot| {
            let line = |of: &dyn Fn(usize) -> f64| -> PlotPoints<'_> {
                (1..=steps).map(|t| [t as f64, of(t)]).collect::<Vec<_>>().into()
            };
            if agreement.of == OutputKind::Boxes {
                let dashed =
                    Line::new("outputs alike", line(&near)).color(colors.weak).style(LineStyle::dashed_dense());
                plot.line(dashed.width(1.2).allow_hover(false));
            }
            if let Some(other) = other {
                let points: PlotPoints<'_> =
                    other.curve.iter().map(|p| [p.t as f64, p.agreement]).collect::<Vec<_>>().into();
                plot.line(Line::new(&name, points).color(plot_colors.quantization).width(1.8).allow_hover(false));
            }
            let points = line(&|t| curve.get(t - 1).map_or(0.0, |p| p.agreement));
            plot.line(Line::new(words.short, points).color(colors.snn).width(2.2).allow_hover(false));
            if let Some(t) = agreement.steps_needed().filter(|_| agreement.of == OutputKind::Boxes) {
                let mark = VLine::new("the ANN's boxes", t as f64).color(colors.snn.gamma_multiply(0.6));
                plot.vline(mark.style(LineStyle::dotted_dense()).width(1.5).allow_hover(false));
            }
            plot.vline(pane_parts::cursor_line(cursor, plot_colors.cursor));
        });
        plot_description::describe_plot(&shown.response, page.title, || {
            let points: Vec<[f64; 2]> = curve.iter().map(|p| [p.t as f64, p.agreement]).collect();
            let course = plot_description::describe_curve(&points, |[t, y]| shared::at_step(&format_percent(y), t));
            format!("{}: {course}.", words.short)
        });
        pane_parts::drag_cursor(&shown, cursor, lab.steps(), true, messages);
    });
}

/// The agreement after `t` steps, as a sentence.
fn sentence(agreement: &OutputAgreement, t: usize) -> String {
    let error = format_percent(agreement.error(t));
    if agreement.of == OutputKind::Values {
        return texts::off_by(t, &error);
    }
    let boxes = agreement.boxes(t);
    let since = agreement.steps_needed().map_or(String::new(), texts::all_from);
    let same = match boxes.same {
        0 => texts::NONE_SAME.to_owned(),
        same => texts::same(same, &format_percent(boxes.overlap)),
    };
    texts::found(t, &texts::boxes(boxes.snn), boxes.ann, &same, &error, &since)
}
