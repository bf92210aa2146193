//! T-curve pane: accuracy and agreement over the number of time steps, from one run.

use plot::{compared, over_time};
pub mod outputs;
pub mod plot;

use egui::Ui;
use egui_plot::{FilledArea, HLine, Line, LineStyle, PlotPoints, VLine};

use crate::lab::history::run_history::PastRun;
use crate::lab::{Lab, Message};
use crate::measure::CurvePoint;
use crate::measure::accuracy_curve::steps_needed;
use crate::measure::wilson::wilson_95;
use crate::ui::texts::format::format_percent;
use crate::ui::texts::panes::t_curve as texts;
use crate::ui::texts::shared;
use crate::ui::theme::colors::ui_colors;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::decimate::decimate;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{legend, pane_frame, pane_parts, plot_description};

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let (colors, plot_colors) = (ui_colors(ui), crate::ui::theme::colors::plot_colors(ui));
    let (cursor_color, compared_color) = (plot_colors.cursor, plot_colors.quantization);
    if let Some(run) = &lab.run
        && let Some(agreement) = &run.output_agreement
    {
        return outputs::show(ui, lab, run, agreement, messages);
    }
    let partial = lab.job.as_ref().map(|job| &job.partial).filter(|partial| !partial.curve.is_empty());
    let (curve, samples, ann) = match (partial, &lab.run) {
        (Some(partial), _) => (&partial.curve, partial.samples, partial.ann_accuracy),
        (None, Some(run)) => (&run.report.curve, run.report.samples, run.report.ann_accuracy),
        (None, None) => {
            return pane_parts::empty(ui, texts::EMPTY);
        }
    };
    let enough = ann.and_then(|ann| steps_needed(curve, ann));
    let cursor = lab.cursor().min(curve.len());
    let Some(at) = curve.get(cursor.saturating_sub(1)) else { return };
    let other = compared(lab);
    let page = PaneHeader {
        of: Pane::TCurve,
        title: texts::TITLE,
        explanation: explain(at, ann, enough, samples)
            + &other.map_or(String::new(), |other| comparison_sentence(at, other)),
        description: describe(at, ann) + &other.map_or(String::new(), |other| comparison_sentence(at, other)),
    };
    let written = |share: Option<f64>| share.map_or(String::new(), |share| share.to_string());
    let csv = || {
        let rows = curve.iter().map(|p| format!("{},{},{},{}\n", p.t, written(p.accuracy), p.agreement, written(ann)));
        format!("t,accuracy,agreement,ann_accuracy\n{}", rows.collect::<String>())
    };
    pane_parts::pane_ui(ui, &page, csv, |ui| {
        let mut entries = vec![(shared::SNN, colors.snn), (texts::AGREES, colors.weak)];
        if ann.is_some() {
            entries.insert(0, (shared::ANN, colors.ann));
        }
        let name = other.map_or(String::new(), |other| shared::run(other.number));
        if other.is_some() {
            entries.push((&name, compared_color));
        }
        legend::lines(ui, &entries);
        match (partial, enough) {
            (None, _) if !pane_frame::has_sentences(ui) => {}
            (Some(partial), _) => _ = ui.small(texts::through(samples, partial.of)),
            (None, Some(t)) => _ = ui.small(texts::within_from(t)),
            (None, None) if ann.is_some() => _ = ui.small(texts::NOT_WITHIN),
            _ => _ = ui.small(texts::AGREEMENT_ONLY),
        }
        let last = curve.len().max(other.map_or(0, |other| other.curve.len()));
        let plot = over_time("t-curve", texts::SHARE, last).label_formatter(|at| {
            let t = pane_parts::step_at(pane_parts::position(at).x, last);
            let own = curve.get(t - 1).map_or(String::new(), |point| {
                let accuracy = point.accuracy.map_or(String::new(), |a| texts::hover_accuracy(&format_percent(a)));
                texts::hover_agreement(&accuracy, &format_percent(point.agreement))
            });
            let other = other.and_then(|other| Some((other.number, share(other.curve.get(t - 1)?))));
            let other = other.map_or(String::new(), |(n, share)| texts::hover_run(n, &format_percent(share)));
            Some(format!("t = {t}{own}{other}"))
        });
        let shown = plot.show(ui, |plot| {
            let (from, to) = (plot.plot_bounds().min()[0], plot.plot_bounds().max()[0]);
            let columns = pane_parts::columns(plot);
            let points = |y: fn(&CurvePoint) -> Option<f64>| -> PlotPoints<'_> {
                let all: Vec<[f64; 2]> = curve.iter().filter_map(|p| y(p).map(|y| [p.t as f64, y])).collect();
                decimate(&all, from, to, columns).into()
            };
            if ann.is_some() {
                // The band is a function of the accuracy, so it has the same corners as the curve.
                let right: Vec<[f64; 2]> = curve.iter().map(|p| [p.t as f64, p.accuracy.unwrap_or(0.0)]).collect();
                let right = decimate(&right, from, to, columns);
                let t: Vec<f64> = right.iter().map(|p| p[0]).collect();
                let (low, high): (Vec<f64>, Vec<f64>) = right.iter().map(|p| wilson_95(p[1], samples)).unzip();
                plot.add(
                    FilledArea::new("95 % interval", &t, &low, &high)
                        .fill_color(colors.snn.gamma_multiply(0.18))
                        .allow_hover(false),
                );
            }
            if let Some(ann) = ann {
                plot.hline(HLine::new("ANN", ann).color(colors.ann).width(1.5).allow_hover(false));
            }
            let agreement = Line::new("agreement", points(|p| Some(p.agreement)));
            plot.line(agreement.color(colors.weak).style(LineStyle::dashed_dense()).width(1.2).allow_hover(false));
            if let Some(other) = other {
                let all: Vec<[f64; 2]> = other.curve.iter().map(|p| [p.t as f64, share(p)]).collect();
                let points: PlotPoints<'_> = decimate(&all, from, to, columns).into();
                plot.line(Line::new(&name, points).color(compared_color).width(1.8).allow_hover(false));
            }
            plot.line(Line::new("SNN", points(|p| p.accuracy)).color(colors.snn).width(2.2).allow_hover(false));
            if let Some(t) = enough {
                let mark = VLine::new("within one point", t as f64).color(colors.snn.gamma_multiply(0.6));
                plot.vline(mark.style(LineStyle::dotted_dense()).width(1.5).allow_hover(false));
            }
            plot.vline(pane_parts::cursor_line(cursor, cursor_color));
        });
        plot_description::describe_plot(&shown.response, texts::TITLE, || {
            let described = |curve: &[CurvePoint]| {
                let points: Vec<[f64; 2]> = curve.iter().map(|p| [p.t as f64, share(p)]).collect();
                plot_description::describe_curve(&points, |[t, y]| shared::at_step(&format_percent(y), t))
            };
            let ann = ann.map_or(String::new(), |ann| texts::curve_ann(&format_percent(ann)));
            let other = other.map_or(String::new(), |o| texts::curve_run(o.number, &described(&o.curve)));
            texts::curves(&described(curve), &ann, &other)
        });
        pane_parts::drag_cursor(&shown, cursor, lab.steps(), true, messages);
    });
}

/// Accuracy, or agreement with the ANN if there are no labels.
fn share(point: &CurvePoint) -> f64 {
    point.accuracy.unwrap_or(point.agreement)
}

/// Both curves at the same step, as a sentence.
fn comparison_sentence(at: &CurvePoint, other: &PastRun) -> String {
    let reached = match other.curve.get(at.t - 1) {
        Some(point) => texts::reaches(&format_percent(share(point))),
        None => texts::ends(other.curve.len(), &format_percent(other.final_score())),
    };
    texts::against(other.number, &reached)
}

fn explain(at: &CurvePoint, ann: Option<f64>, enough: Option<usize>, samples: usize) -> String {
    let first = match (ann, at.accuracy) {
        (Some(ann), Some(snn)) => {
            let (low, high) = wilson_95(snn, samples);
            texts::right(
                at.t,
                &format_percent(snn),
                samples,
                &format_percent(ann),
                &format_percent(low),
                &format_percent(high),
            )
        }
        _ => texts::agree(at.t, &format_percent(at.agreement)),
    };
    let second = texts::SUMMED;
    let third = match enough {
        Some(t) => texts::stays(t),
        None => texts::DOES_NOT_STAY.into(),
    };
    format!("{first} {second} {third}")
}

fn describe(at: &CurvePoint, ann: Option<f64>) -> String {
    let accuracy = at.accuracy.map_or(texts::NO_LABELS.into(), |a| texts::snn_accuracy(&format_percent(a)));
    let ann = ann.map_or(String::new(), |a| texts::ann_accuracy(&format_percent(a)));
    texts::description(at.t, &accuracy, &ann, &format_percent(at.agreement))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needed_steps_start_where_accuracy_stays_high() {
        let curve = |values: &[f64]| -> Vec<CurvePoint> {
            let point = |(i, &a): (usize, &f64)| CurvePoint { t: i + 1, accuracy: Some(a), agreement: a };
            values.iter().enumerate().map(point).collect()
        };
        assert_eq!(steps_needed(&curve(&[0.2, 0.95, 0.5, 0.95, 0.96]), 0.96), Some(4));
        assert_eq!(steps_needed(&curve(&[0.2, 0.5]), 0.96), None);
        assert_eq!(steps_needed(&curve(&[0.96, 0.97]), 0.96), Some(1));
    }
}
