//! Rates of events over time: the axis along which one scrubs.

use egui::Ui;
use egui_plot::{HLine, Line, Plot, PlotPoints, Polygon, VLine};

use super::scrub::{MS, Scrub};
use crate::experiment::snapshot::RecordingView;
use crate::ui::texts::format::{format_number, format_tick};
use crate::ui::texts::panes::recording as texts;
use crate::ui::theme::colors::{GRID, event_colors, plot_colors};
use crate::ui::widgets::{pane_parts, plot_description};

/// Edges of frames farther apart than this, in points, are drawn.
const EDGE_GAP: f64 = 5.0;
/// Height of the axis of time, and distance of the marks on that of rates, in points.
const AXIS_HEIGHT: f32 = 38.0;
const MARK_GAP: f32 = 24.0;

/// Draws the rates in `height` points; a drag or click moves `scrub`.
pub(super) fn show(ui: &mut Ui, view: &RecordingView, scrub: &mut Scrub, height: f32) {
    let ([off_color, on_color], colors) = (event_colors(ui), plot_colors(ui));
    let span = view.info.span as f64 / MS;
    let [off, on] = view.rates();
    // ON upward and OFF downward, so that neither hides the other.
    let highest = |rates: &[[f64; 2]]| rates.iter().map(|[_, rate]| *rate).fold(1e-9, f64::max) * 1.08;
    let (top, bottom) = (highest(&on), -highest(&off));
    let below: Vec<[f64; 2]> = off.iter().map(|[ms, rate]| [*ms, -rate]).collect();
    let window = scrub.window_of(&view.info);
    let [from, to] = [window.start, window.end].map(|ns| ns as f64 / MS);
    let frame = view.info.frame / MS;
    let at = |points: &[[f64; 2]], ms: f64| {
        let bin = (ms / span.max(1e-12) * points.len() as f64).max(0.0) as usize;
        points.get(bin).map_or(0.0, |[_, rate]| *rate)
    };
    let marks = f64::from((height - AXIS_HEIGHT) / MARK_GAP).clamp(1.5, 6.0);
    let shown = Plot::new("event rates")
        .grid_color(GRID)
        .height(height)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .set_margin_fraction(egui::Vec2::ZERO)
        .y_grid_spacer(move |input| pane_parts::round_marks(input.bounds, marks))
        .include_x(0.0)
        .include_x(span)
        .include_y(bottom)
        .include_y(top)
        .custom_x_axes(vec![pane_parts::x_axis(texts::TIME_AXIS)])
        .custom_y_axes(vec![pane_parts::y_axis(texts::RATE_AXIS).formatter(|mark, _| format_tick(mark.value.abs()))])
        .label_formatter(|place| {
            let ms = pane_parts::position(place).x;
            let [ms_text, on, off] = [ms, at(&on, ms), at(&off, ms)].map(format_number);
            (0.0..=span).contains(&ms).then(|| texts::hover(&ms_text, &on, &off))
        })
        .show(ui, |plot| {
            let corners = vec![[from, bottom], [to, bottom], [to, top], [from, top]];
            let area = Polygon::new("window", PlotPoints::from(corners));
            let fill = colors.cursor.gamma_multiply(0.22);
            plot.polygon(area.fill_color(fill).stroke(egui::Stroke::NONE).allow_hover(false));
            let points = frame * plot.transform().dpos_dvalue_x().abs();
            if points > EDGE_GAP {
                for k in 1..=(span / frame) as usize {
                    let edge = VLine::new("edge of a frame", k as f64 * frame);
                    plot.vline(edge.color(colors.grid).width(0.5).allow_hover(false));
                }
            }
            for (name, color, rate) in [(texts::OFF, off_color, &below), (texts::ON, on_color, &on)] {
                let points = PlotPoints::from(pane_parts::shown(plot, rate.clone()));
                plot.line(Line::new(name, points).color(color).width(1.2).fill(0.0).allow_hover(false));
            }
            plot.hline(HLine::new("no events", 0.0).color(colors.grid).width(0.5).allow_hover(false));
            let here = VLine::new("middle of the window", scrub.time / MS);
            plot.vline(here.color(colors.cursor).width(1.5).allow_hover(false));
        });
    plot_description::describe_plot(&shown.response, texts::RATES, || {
        let course = |points: &[[f64; 2]]| {
            plot_description::describe_curve(points, |[ms, rate]| texts::at(&format_number(rate), &format_number(ms)))
        };
        texts::courses(&course(&on), &course(&off))
    });
    let response = &shown.response;
    if (response.dragged() || response.clicked())
        && let Some(at) = response.interact_pointer_pos()
    {
        scrub.scrub_to((shown.transform.value_from_position(at).x.clamp(0.0, span)) * MS);
    }
}
