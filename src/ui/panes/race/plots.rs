//! Plots of the race: curves over time, and a small histogram of offset spikes per recipe.

use std::collections::BTreeMap;

use egui::{Align2, Color32, RichText, Ui};
use egui_plot::{AxisHints, Bar, BarChart, GridMark, Line as Curve, Plot, PlotPoint, PlotPoints, PlotUi, Points, Text};

use super::super::t_curve::plot::{marks, quarters};
use super::data::{RaceLine, RaceView, agreement_words, done};
use crate::experiment::Run;
use crate::ground::numbers::percent;
use crate::lab::{Lab, Message};
use crate::measure::Report;
use crate::ui::texts::format::format_percent;
use crate::ui::texts::panes::race as texts;
use crate::ui::texts::shared;
use crate::ui::theme::colors::{GRID, ui_colors};
use crate::ui::widgets::{pane_parts, plot_description};

/// Minimum and maximum width of one histogram, and its height, in points.
const MIN_WIDTH: f32 = 126.0;
const MAX_WIDTH: f32 = 200.0;
const HEIGHT: f32 = 84.0;
/// Height of the name above it, in points.
const NAME_HEIGHT: f32 = 18.0;
/// Width of the names at the ends of the lines, as a share of the axis, and their least distance in points.
const NAME_SHARE: f64 = 0.22;
const NAME_GAP: f64 = 11.0;
/// Bounds of the axis of shares, with a margin for lines at its ends.
const SHARES: [f64; 2] = [-0.04, 1.04];
/// Least and largest height of the curves, and height of the time axis below them, in points.
const CURVES: [f32; 2] = [130.0, 320.0];
const AXIS: f32 = 44.0;
/// Offset spikes beyond this count in the outermost bar.
const MAX_OFFSET: i32 = 4;

/// Draws the plots of the finished lines, in `height` points if that is enough.
pub(super) fn show(
    ui: &mut Ui,
    lab: &Lab,
    lines: &[RaceLine<'_>],
    view: &RaceView,
    height: f32,
    messages: &mut Vec<Message>,
) {
    let all: Vec<_> = done(lines).filter(|(line, ..)| view.draws(line)).enumerate().collect();
    let (room, gap) = (ui.available_width(), ui.spacing().item_spacing);
    let row = (((room + gap.x) / (MIN_WIDTH + gap.x)) as usize).max(1);
    let width = ((room + gap.x) / row.min(all.len().max(1)) as f32 - gap.x).clamp(MIN_WIDTH, MAX_WIDTH);
    let histograms = all.len().div_ceil(row) as f32 * (HEIGHT + NAME_HEIGHT + gap.y);
    // The names have room one below the other.
    let names = (all.len() as f32 * NAME_GAP as f32 + AXIS).clamp(CURVES[0], CURVES[1]);
    curves(ui, lab, lines, view, (height - histograms - 2.0 * NAME_HEIGHT).clamp(names, CURVES[1]), messages);
    ui.add_space(4.0);
    ui.small(texts::OFFSETS);
    for chunk in all.chunks(row) {
        ui.horizontal(|ui| {
            for (index, (line, _, report)) in chunk {
                ui.vertical(|ui| {
                    ui.set_width(width);
                    ui.add(egui::Label::new(egui::RichText::new(line.name).small().color(line.color)).truncate());
                    histogram(ui, *index, line, report, width);
                });
            }
        });
    }
}

fn curves(ui: &mut Ui, lab: &Lab, lines: &[RaceLine<'_>], view: &RaceView, height: f32, messages: &mut Vec<Message>) {
    let colors = ui_colors(ui);
    let last = lab.steps();
    let ann = lab.run.as_ref().and_then(|run| run.report.ann_accuracy);
    let share = |report: &Report, t: usize| report.curve.get(t - 1).map(|p| p.accuracy.unwrap_or(p.agreement));
    let drawn = || done(lines).filter(move |(line, ..)| view.draws(line));
    let cursor = pane_parts::cursor_line(lab.cursor(), crate::ui::theme::colors::plot_colors(ui).cursor);
    let plot = Plot::new("race curves")
        .grid_color(GRID)
        .height(height)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .include_x(if last > 1 { 1.0 } else { 0.5 })
        // The names stand at the ends of the lines.
        .include_x((last.max(2) as f64) * (1.0 + NAME_SHARE))
        .x_grid_spacer(move |_| marks(last))
        .include_y(0.0)
        .include_y(1.0)
        .custom_x_axes(vec![pane_parts::x_axis(texts::TIME_AXIS)])
        .y_axis_label(if ann.is_some() { shared::RIGHT_ANSWERS } else { agreement_words(lines).short })
        .y_axis_min_width(46.0)
        .y_axis_formatter(|mark, _| percent(mark.value, 0))
        .y_grid_spacer(|_| quarters())
        .label_formatter(|at| {
            let t = pane_parts::step_at(pane_parts::position(at).x, last);
            let one = |(line, _, report): (&RaceLine<'_>, _, &Report)| {
                share(report, t).map(|share| format!("\n{}: {}", line.name, format_percent(share)))
            };
            Some(format!("t = {t}{}", drawn().filter_map(one).collect::<String>()))
        })
        .show(ui, |plot| {
            // Fixed: names below the lines would widen automatic bounds from frame to frame.
            plot.set_plot_bounds_y(SHARES[0]..=SHARES[1]);
            if let Some(ann) = ann {
                // No further than the curves: the names stand behind their ends.
                let [from, to] = if last > 1 { [1.0, last as f64] } else { [0.5, 1.5] };
                let ends = PlotPoints::from(vec![[from, ann], [to, ann]]);
                plot.line(Curve::new("ANN", ends).color(colors.ann).width(1.2).allow_hover(false));
            }
            let pointed = view.pointed.or_else(|| nearest(plot, drawn(), share, last));
            let mut ends = Vec::new();
            // Below the dots of a single step.
            plot.vline(cursor);
            for (line, _, report) in drawn() {
                let points = (1..=last).filter_map(|t| share(report, t).map(|y| [t as f64, y])).collect();
                let points: PlotPoints<'_> = pane_parts::shown(plot, points).into();
                let (width, color) = match pointed {
                    Some(lane) if lane == line.lane => (3.2, line.color),
                    Some(_) => (1.4, line.color.gamma_multiply(0.45)),
                    None if line.lane.is_none() => (2.4, line.color),
                    None => (1.6, line.color),
                };
                let name = line.name.to_owned();
                let end = (1..=last).rev().find_map(|t| share(report, t).map(|y| [t as f64, y]));
                if let Some([t, y]) = end {
                    // A line of one point is invisible.
                    if last == 1 {
                        plot.points(Points::new(&name, vec![[t, y]]).radius(4.0).color(color).allow_hover(false));
                    }
                    ends.push((y, name.clone(), color));
                }
                plot.line(Curve::new(name, points).color(color).width(width).style(line.style()).allow_hover(false));
            }
            end_names(plot, last, ends);
        });
    plot_description::describe_plot(&plot.response, texts::CURVES, || {
        let one = |(line, _, report): (&RaceLine<'_>, _, &Report)| {
            let points: Vec<[f64; 2]> = (1..=last).filter_map(|t| share(report, t).map(|y| [t as f64, y])).collect();
            format!(
                "{}: {}",
                line.name,
                plot_description::describe_curve(&points, |[t, y]| shared::at_step(&format_percent(y), t))
            )
        };
        let ann = ann.map_or(String::new(), |ann| texts::curve_ann(&format_percent(ann)));
        format!("{}.{ann}", done(lines).map(one).collect::<Vec<_>>().join(". "))
    });
    pane_parts::drag_cursor(&plot, lab.cursor(), lab.steps(), true, messages);
}

/// The line next to the pointer, if it is close to one.
fn nearest<'a>(
    plot: &PlotUi<'_>,
    lines: impl Iterator<Item = (&'a RaceLine<'a>, &'a Run, &'a Report)>,
    share: impl Fn(&Report, usize) -> Option<f64>,
    last: usize,
) -> Option<Option<usize>> {
    let at = plot.pointer_coordinate().filter(|_| plot.response().hovered())?;
    let t = pane_parts::step_at(at.x, last);
    let unit = plot.transform().dpos_dvalue_y().abs();
    let away = |report: &Report| Some((share(report, t)? - at.y).abs() * unit);
    let all = lines.filter_map(|(line, _, report)| Some((away(report)?, line.lane)));
    all.filter(|(away, _)| *away < 12.0).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, lane)| lane)
}

/// Draws the names beside the ends of the lines, apart from each other.
fn end_names(plot: &mut PlotUi<'_>, last: usize, mut ends: Vec<(f64, String, Color32)>) {
    let height = f64::from(plot.transform().frame().height()).max(1.0);
    let least = NAME_GAP * (SHARES[1] - SHARES[0]) / height;
    ends.sort_by(|a, b| b.0.total_cmp(&a.0));
    let places = apart(&ends.iter().map(|(y, ..)| *y).collect::<Vec<_>>(), least);
    for ((_, name, color), place) in ends.into_iter().zip(places) {
        let at = PlotPoint::new(last as f64 * (1.0 + NAME_SHARE * 0.08), place);
        let text = Text::new(format!("name of {name}"), at, RichText::new(name).small());
        plot.text(text.anchor(Align2::LEFT_CENTER).color(color).allow_hover(false));
    }
}

/// The places of descending `ends`, at least `least` apart and within the axis of shares where that has room.
fn apart(ends: &[f64], least: f64) -> Vec<f64> {
    let mut places: Vec<f64> = Vec::with_capacity(ends.len());
    for &end in ends {
        places.push(end.min(places.last().map_or(f64::INFINITY, |above| above - least)));
    }
    // What would be below the axis moves up, and what is above it with it.
    let mut lowest = SHARES[0] + least / 2.0;
    for place in places.iter_mut().rev() {
        *place = place.max(lowest);
        lowest = *place + least;
    }
    places
}

fn histogram(ui: &mut Ui, index: usize, line: &RaceLine<'_>, report: &Report, width: f32) {
    const FLOOR: f64 = -5.0;
    let mut counts = BTreeMap::<i32, u64>::new();
    for (&psi, &count) in report.layers.iter().flat_map(|layer| &layer.offset_spikes) {
        *counts.entry(psi.clamp(-MAX_OFFSET, MAX_OFFSET)).or_default() += count;
    }
    let all = counts.values().sum::<u64>().max(1) as f64;
    let bar = |(&psi, &count): (&i32, &u64)| {
        Bar::new(f64::from(psi), (count as f64 / all).log10().max(FLOOR) - FLOOR).width(0.8).fill(line.color)
    };
    let bars: Vec<Bar> = counts.iter().map(bar).collect();
    let shown = Plot::new(("race histogram", index))
        .grid_color(GRID)
        .width(width)
        .height(HEIGHT)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .include_x(-f64::from(MAX_OFFSET) - 0.6)
        .include_x(f64::from(MAX_OFFSET) + 0.6)
        .include_y(0.0)
        .include_y(-FLOOR)
        .show_y(false)
        .custom_x_axes(vec![AxisHints::new_x().label_spacing(egui::Rangef::new(12.0, 18.0)).formatter(|mark, _| {
            match mark.value as i32 {
                MAX_OFFSET => format!("{MAX_OFFSET}+"),
                psi => format!("{psi}"),
            }
        })])
        .custom_y_axes(vec![AxisHints::new_y().formatter(|mark, _| match (mark.value + FLOOR).round() as i32 {
            0 => "1".into(),
            e => format!("1e{e}"),
        })])
        .x_grid_spacer(|_| {
            (-MAX_OFFSET..=MAX_OFFSET)
                .step_by(2)
                .map(|psi| GridMark { value: f64::from(psi), step_size: 2.0 })
                .collect()
        })
        .y_grid_spacer(|_| [0, 2, 4, 5].map(|k| GridMark { value: f64::from(k), step_size: 1.0 }).to_vec())
        .label_formatter(|at| {
            let psi = pane_parts::position(at).x.round() as i32;
            counts.get(&psi).map(|&count| format!("ψ = {psi}\n{}", format_percent(count as f64 / all)))
        })
        .show(ui, |plot| plot.bar_chart(BarChart::new("ψ", bars).allow_hover(false)));
    plot_description::describe_plot(&shown.response, &texts::offsets_of(line.name), || {
        let bar = |(psi, count): (&i32, &u64)| format!("ψ = {psi}: {}", format_percent(*count as f64 / all));
        texts::offsets(&counts.iter().map(bar).collect::<Vec<_>>().join(", "))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_apart_and_stay_on_the_axis() {
        let ends: Vec<f64> = (0..12).map(|_| 0.1).collect();
        let places = apart(&ends, 0.08);
        assert!(places.windows(2).all(|pair| pair[0] - pair[1] > 0.08 - 1e-9), "{places:?}");
        assert!(places[0] < SHARES[1] && places[11] > SHARES[0], "{places:?}");
        assert_eq!(apart(&[0.9, 0.5], 0.1), [0.9, 0.5]);
    }
}
