//! Early exit: samples stop once their confidence exceeds a limit; the histogram shows when.

use egui::{Align, Layout, Slider, Ui};
use egui_plot::{Bar, BarChart, GridMark, Plot, VLine};

use crate::lab::Message;
use crate::measure::readout::{EarlyExit, ReadoutReport};
use crate::ui::panes::t_curve::plot::marks;
use crate::ui::texts::format::format_percent;
use crate::ui::texts::panes::readout_window as texts;
use crate::ui::theme::colors::{GRID, ui_colors};
use crate::ui::widgets::legend::Mark;
use crate::ui::widgets::number_field::number_field;
use crate::ui::widgets::{legend, pane_frame, pane_parts, plot_description};

/// Below this width, in points, the slider is below its label.
const SLIDER_ROW_WIDTH: f32 = 350.0;

/// Draws the slider, the figures and the histogram, in `height` points.
pub fn show(
    ui: &mut Ui,
    readout: &ReadoutReport,
    exit: &EarlyExit,
    confidence: f32,
    height: f32,
    messages: &mut Vec<Message>,
) {
    let top = ui.cursor().top();
    let layout = if ui.available_width() < SLIDER_ROW_WIDTH {
        Layout::top_down(Align::Min)
    } else {
        Layout::left_to_right(Align::Center)
    };
    ui.allocate_ui_with_layout(egui::vec2(ui.available_width(), 20.0), layout, |ui| {
        let label = ui.label(texts::EARLY);
        if !pane_frame::has_controls(ui) {
            ui.label(format!("{confidence:.3}"));
            return;
        }
        let mut wanted = confidence;
        let slider = Slider::new(&mut wanted, 0.0..=1.0).fixed_decimals(3).step_by(0.005);
        let hint = texts::EARLY_HINT;
        if number_field(ui, slider).labelled_by(label.id).on_hover_text(hint).changed() && wanted != confidence {
            messages.push(Message::SetExitConfidence(wanted));
        }
    });
    let steps = exit.histogram.len();
    let whole = readout.exits.at(f32::INFINITY);
    ui.label(texts::on_average(exit.mean_steps, steps));
    let figures = match (exit.accuracy, whole.accuracy) {
        (Some(early), Some(late)) => texts::accuracies(&format_percent(early), &format_percent(late)),
        _ => texts::NO_LABELS.into(),
    };
    let unsure = match exit.unsure {
        0 => texts::ALL_SURE.to_owned(),
        n => texts::never_sure(n, steps),
    };
    ui.add(
        egui::Label::new(
            egui::RichText::new(texts::agrees(&figures, &format_percent(exit.agreement), &unsure)).small(),
        )
        .wrap(),
    );
    histogram(ui, exit, (height - (ui.cursor().top() - top) - 6.0).max(110.0));
}

/// Draws the number of samples that exit at each step.
fn histogram(ui: &mut Ui, exit: &EarlyExit, height: f32) {
    let (colors, plot_colors) = (ui_colors(ui), crate::ui::theme::colors::plot_colors(ui));
    let last = exit.histogram.len();
    let sure = |i: usize| exit.histogram[i] - if i + 1 == last { exit.unsure } else { 0 };
    let bar =
        |i: usize, base: u64, count: u64| Bar::new((i + 1) as f64, count as f64).base_offset(base as f64).width(0.86);
    let bars: Vec<Bar> = (0..last).map(|i| bar(i, 0, sure(i)).fill(colors.snn)).collect();
    let rest: Vec<Bar> =
        last.checked_sub(1).map(|i| bar(i, sure(i), exit.unsure).fill(colors.weak)).into_iter().collect();
    let most = exit.histogram.iter().copied().max().unwrap_or(0).max(1) as f64;
    let top = ui.cursor().top();
    legend::show(
        ui,
        &[
            (texts::SURE, colors.snn, Mark::Bar),
            (texts::NOT_SURE, colors.weak, Mark::Bar),
            (texts::MEAN, plot_colors.cursor, Mark::Line),
        ],
    );
    let shown = Plot::new("exit steps")
        .grid_color(GRID)
        .height((height - (ui.cursor().top() - top)).max(96.0))
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .include_x(0.4)
        .include_x(last as f64 + 0.6)
        .include_y(0.0)
        .include_y(most * 1.05)
        .custom_x_axes(vec![pane_parts::x_axis(texts::STEP_AXIS).label_spacing(14.0..=22.0)])
        .x_grid_spacer(move |_| marks(last))
        .y_grid_spacer(move |_| count_marks(most))
        .y_axis_label(texts::SAMPLES)
        .y_axis_min_width(40.0)
        .label_formatter(|at| {
            let t = pane_parts::step_at(pane_parts::position(at).x, last);
            Some(texts::samples_answer(t, *exit.histogram.get(t - 1)?))
        })
        .show(ui, |plot| {
            plot.bar_chart(BarChart::new("sure", bars).allow_hover(false));
            plot.bar_chart(BarChart::new("not sure", rest).allow_hover(false));
            plot.vline(VLine::new("mean", exit.mean_steps).color(plot_colors.cursor).width(1.2).allow_hover(false));
        });
    plot_description::describe_plot(&shown.response, texts::EXITS, || {
        let some = exit.histogram.iter().enumerate().filter(|(_, count)| **count > 0);
        let bars: Vec<String> = some.map(|(i, count)| texts::exits_at(*count, i + 1)).collect();
        texts::exits(&bars.join(", "), exit.unsure, exit.mean_steps)
    });
}

/// Marks on an axis of counts up to `most`: about five, on round integers.
fn count_marks(most: f64) -> Vec<GridMark> {
    let rough = (most / 5.0).max(1.0);
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|k| k * power).find(|s| *s >= rough).unwrap_or(rough);
    (0..=(most * 1.05 / step) as usize).map(|k| GridMark { value: k as f64 * step, step_size: step }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_axis_marks_are_integers() {
        let at = |most: f64| count_marks(most).into_iter().map(|mark| mark.value).collect::<Vec<_>>();
        assert_eq!(at(3.0), vec![0.0, 1.0, 2.0, 3.0]);
        assert_eq!(at(100.0), vec![0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(at(45.0), vec![0.0, 10.0, 20.0, 30.0, 40.0]);
    }
}
