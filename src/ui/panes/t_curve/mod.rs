//! T-curve pane: accuracy and agreement over the number of time steps, from one run.

use plot::{compared, share, shares};
use scale::{TimeScale, zoom_by_scrolling};
use target::{Target, reached};
pub mod outputs;
pub mod plot;
mod scale;
mod target;

use egui::Ui;
use egui_plot::{FilledArea, HLine, Line, LineStyle, PlotPoints, Points, VLine};

use crate::lab::history::run_history::PastRun;
use crate::lab::{Lab, Message};
use crate::measure::CurvePoint;
use crate::measure::wilson::wilson_95;
use crate::ui::texts::format::format_percent;
use crate::ui::texts::panes::t_curve as texts;
use crate::ui::texts::shared;
use crate::ui::theme::colors::ui_colors;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::decimate::decimate;
use crate::ui::widgets::legend::Mark;
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
    let is_prefix = lab.prefix_run().is_some();
    let partial = lab.job.as_ref().map(|job| &job.partial).filter(|partial| !partial.curve.is_empty() && !is_prefix);
    let (curve, samples, ann) = match (partial, lab.curve()) {
        (Some(partial), _) => (&partial.curve[..], partial.samples, partial.ann_accuracy),
        (None, Some(curve)) => (curve.points, curve.samples, curve.ann),
        (None, None) => {
            return pane_parts::empty(ui, shared::no_run(lab.run.is_some(), lab.job.is_some(), texts::EMPTY));
        }
    };
    let some_of = partial.map(|partial| partial.of).or(lab.preview_counts().map(|(_, of)| of).filter(|_| !is_prefix));
    let id = ui.scope_id().with("t-curve view");
    let (mut target, mut scale) = ui.data(|data| data.get_temp::<(Target, TimeScale)>(id)).unwrap_or_default();
    let goal = target.goal(ann.unwrap_or(1.0));
    let enough = reached(curve, goal);
    let cursor = lab.cursor().min(curve.len());
    let Some(at) = curve.get(cursor.saturating_sub(1)) else { return };
    let other = compared(lab);
    let page = PaneHeader {
        of: Pane::TCurve,
        title: texts::TITLE,
        explanation: explain(at, ann, (enough, &target.words()), samples)
            + &other.map_or(String::new(), |other| comparison_sentence(at, other)),
        description: describe(at, ann) + &other.map_or(String::new(), |other| comparison_sentence(at, other)),
    };
    let csv = || table(curve, ann, other);
    pane_parts::pane_ui(ui, &page, csv, |ui| {
        let mut entries = vec![(texts::AGREES, colors.weak, Mark::Dashed)];
        if ann.is_some() {
            entries.insert(0, (shared::ANN, colors.ann, Mark::Line));
            entries.insert(1, (shared::SNN, colors.snn, Mark::Line));
            entries.insert(2, (texts::INTERVAL, colors.snn.gamma_multiply(0.35), Mark::Band));
        }
        entries.push((texts::TARGET, colors.text, Mark::Dotted));
        let name = other.map_or(String::new(), |other| shared::run(other.number));
        if other.is_some() {
            entries.push((&name, compared_color, Mark::Line));
        }
        legend::show(ui, &entries);
        let mut fit = false;
        match some_of {
            Some(of) => _ = ui.small(texts::through(samples, of)),
            None if pane_frame::has_sentences(ui) => {
                target::row(ui, lab, &mut target, enough, (curve, samples), messages);
            }
            None => {}
        }
        if pane_frame::has_controls(ui) {
            ui.horizontal(|ui| {
                let log = ui.checkbox(&mut scale.log, texts::LOG_TIME);
                fit = ui.small_button(texts::FIT).on_hover_text(texts::FIT_HINT).clicked() || log.changed();
                if ann.is_none() {
                    ui.small(texts::AGREEMENT_ONLY);
                }
            });
        }
        ui.data_mut(|data| data.insert_temp(id, (target, scale)));
        let last = curve.len().max(other.map_or(0, |other| other.curve.len()));
        let [first_x, last_x] = scale.ends(last);
        let mut plot = shares("t-curve", pane_parts::y_name(ui, texts::SHARE), last)
            .x_grid_spacer(move |input| scale.marks(last, input.bounds));
        if fit {
            plot = plot.reset();
        }
        if scale.log {
            let axis =
                pane_parts::x_axis(texts::LOG_STEPS).formatter(move |mark, _| format!("{:.0}", scale.step(mark.value)));
            plot = plot.custom_x_axes(vec![axis]);
        }
        let plot = plot.include_x(first_x).include_x(last_x).label_formatter(|at| {
            let t = pane_parts::step_at(scale.step(pane_parts::position(at).x), last);
            let own = curve.get(t - 1).map_or(String::new(), |point| {
                let accuracy = point.accuracy.map_or(String::new(), |a| texts::hover_accuracy(&format_percent(a)));
                texts::hover_agreement(&accuracy, &format_percent(point.agreement))
            });
            let other = other.and_then(|other| Some((other.number, share(other.curve.get(t - 1)?))));
            let other = other.map_or(String::new(), |(n, share)| texts::hover_run(n, &format_percent(share)));
            Some(format!("t = {t}{own}{other}"))
        });
        let shown = plot.show(ui, |plot| {
            zoom_by_scrolling(plot);
            let (from, to) = (plot.plot_bounds().min()[0], plot.plot_bounds().max()[0]);
            let columns = pane_parts::columns(plot);
            let points = |y: fn(&CurvePoint) -> Option<f64>| -> PlotPoints<'_> {
                let all: Vec<[f64; 2]> =
                    curve.iter().filter_map(|p| y(p).map(|y| [scale.place(p.t as f64), y])).collect();
                decimate(&all, from, to, columns).into()
            };
            if ann.is_some() {
                // The band is a function of the accuracy, so it has the same corners as the curve.
                let right: Vec<[f64; 2]> =
                    curve.iter().map(|p| [scale.place(p.t as f64), p.accuracy.unwrap_or(0.0)]).collect();
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
                let all: Vec<[f64; 2]> = other.curve.iter().map(|p| [scale.place(p.t as f64), share(p)]).collect();
                let points: PlotPoints<'_> = decimate(&all, from, to, columns).into();
                plot.line(Line::new(&name, points).color(compared_color).width(1.8).allow_hover(false));
            }
            plot.line(Line::new("SNN", points(|p| p.accuracy)).color(colors.snn).width(2.2).allow_hover(false));
            let line = HLine::new("target", goal).color(colors.text.gamma_multiply(0.6)).width(1.0);
            plot.hline(line.style(LineStyle::dotted_dense()).allow_hover(false));
            if let Some(t) = enough {
                let mark = VLine::new("target reached", scale.place(t as f64)).color(colors.text.gamma_multiply(0.6));
                plot.vline(mark.style(LineStyle::dotted_dense()).width(1.5).allow_hover(false));
            }
            let line = VLine::new("time cursor", scale.place(cursor as f64)).color(cursor_color).width(1.5);
            plot.vline(line.allow_hover(false));
            // A line of one point is invisible; over the lines through it.
            if curve.len() == 1 {
                let one = curve.iter().map(|p| [scale.place(p.t as f64), share(p)]).collect::<Vec<_>>();
                plot.points(Points::new("one step", one).radius(4.0).color(colors.snn).allow_hover(false));
            }
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
        pane_parts::drag_cursor_on(&shown, cursor, lab.steps(), true, |x| scale.step(x), messages);
    });
}

/// The curve as a table, with the curve of the run that is compared beside it.
fn table(curve: &[CurvePoint], ann: Option<f64>, other: Option<&PastRun>) -> String {
    let written = |share: Option<f64>| share.map_or(String::new(), |share| share.to_string());
    let own = |t: usize| {
        let point = curve.get(t - 1);
        let (accuracy, agreement) = (point.and_then(|p| p.accuracy), point.map(|p| p.agreement));
        format!("{t},{},{},{}", written(accuracy), written(agreement), written(ann))
    };
    let beside = |t: usize| {
        let Some(other) = other else { return String::new() };
        let point = other.curve.get(t - 1);
        format!(",{},{}", written(point.and_then(|p| p.accuracy)), written(point.map(|p| p.agreement)))
    };
    let columns = other.map_or(String::new(), |o| format!(",run_{0}_accuracy,run_{0}_agreement", o.number));
    let last = curve.len().max(other.map_or(0, |other| other.curve.len()));
    let rows = (1..=last).map(|t| own(t) + &beside(t) + "\n");
    format!("t,accuracy,agreement,ann_accuracy{columns}\n{}", rows.collect::<String>())
}

/// Both curves at the same step, as a sentence.
fn comparison_sentence(at: &CurvePoint, other: &PastRun) -> String {
    let reached = match other.curve.get(at.t - 1) {
        Some(point) => texts::reaches(&format_percent(share(point))),
        None => texts::ends(other.curve.len(), &format_percent(other.final_score())),
    };
    texts::against(other.number, &reached)
}

fn explain(at: &CurvePoint, ann: Option<f64>, (enough, target): (Option<usize>, &str), samples: usize) -> String {
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
        Some(t) => texts::stays(t, target),
        None => texts::does_not_stay(target),
    };
    format!("{first} {second} {third}")
}

fn describe(at: &CurvePoint, ann: Option<f64>) -> String {
    let accuracy = at.accuracy.map_or(texts::NO_LABELS.into(), |a| texts::snn_accuracy(&format_percent(a)));
    let ann = ann.map_or(String::new(), |a| texts::ann_accuracy(&format_percent(a)));
    texts::description(at.t, &accuracy, &ann, &format_percent(at.agreement))
}
