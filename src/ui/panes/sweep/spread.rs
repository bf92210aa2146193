//! Spread of the sweep pane: how far rows that differ in one axis alone, such as a seed, lie apart.

use egui::Ui;
use egui_plot::{GridMark, Line, MarkerShape, Plot, Points};

use super::map::shortened;
use super::view::View;
use crate::ground::numbers::percent;
use crate::lab::Message;
use crate::sweep::board::BoardRow;
use crate::ui::texts::format::format_tick;
use crate::ui::texts::panes::sweep as texts;
use crate::ui::theme::colors::{GRID, ui_colors};
use crate::ui::widgets::{pane_parts, plot_description};

/// Width of the groups of one value, of the distance to the next value.
const SHARE: f64 = 0.6;
/// Labels below the plot at most.
const MAX_LABELS: usize = 12;

/// One group in numbers.
struct Spread<'a> {
    /// Position on the axis below.
    at: usize,
    mean: f64,
    deviation: f64,
    least: &'a BoardRow,
    most: &'a BoardRow,
    ends: [f64; 2],
}

impl<'a> Spread<'a> {
    fn new(view: &View<'_>, axis: usize, rows: &[&'a BoardRow]) -> Option<Self> {
        let mut values: Vec<(f64, &BoardRow)> = rows.iter().filter_map(|row| Some((view.value(row)?, *row))).collect();
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let ((low, least), (high, most)) = (*values.first()?, *values.last()?);
        let count = values.len() as f64;
        let mean = values.iter().map(|(value, _)| value).sum::<f64>() / count;
        let squares = values.iter().map(|(value, _)| (value - mean).powi(2)).sum::<f64>();
        let deviation = (squares / (count - 1.0).max(1.0)).sqrt();
        Some(Self { at: least.at[axis], mean, deviation, least, most, ends: [low, high] })
    }
}

/// Draws the groups over the axis across.
pub fn show(ui: &mut Ui, view: &View<'_>, messages: &mut Vec<Message>) {
    let axes = &view.board.axes;
    let below = match view.across {
        across if across != view.over => across,
        _ => view.down.unwrap_or(view.across),
    };
    let spreads: Vec<Spread<'_>> = view.groups().iter().filter_map(|rows| Spread::new(view, below, rows)).collect();
    let range = |spread: &Spread<'_>| spread.ends[1] - spread.ends[0];
    let Some(largest) = spreads.iter().max_by(|a, b| range(a).total_cmp(&range(b))) else {
        ui.weak(texts::NO_GROUPS);
        return;
    };
    let deviation = spreads.iter().map(|spread| spread.deviation).sum::<f64>() / spreads.len() as f64;
    let sentence = texts::spread(
        &axes[view.over].key,
        spreads.len(),
        &view.text(deviation),
        &view.text(range(largest)),
        &view.place(largest.least),
    );
    ui.add(egui::Label::new(egui::RichText::new(&sentence).small()).wrap());
    let colors = ui_colors(ui);
    let names: Vec<String> = axes[below].values.iter().map(|value| shortened(value)).collect();
    let step = names.len().div_ceil(MAX_LABELS).max(1);
    let is_share = super::view::figure_text(view.figure, 0.5).contains('%');
    let place = |spread: &Spread<'_>, k: usize, of: usize| {
        spread.at as f64 + if of > 1 { SHARE * (k as f64 / (of - 1) as f64 - 0.5) } else { 0.0 }
    };
    let mut placed: Vec<(f64, &Spread<'_>)> = Vec::new();
    for at in 0..names.len() {
        let here: Vec<&Spread<'_>> = spreads.iter().filter(|spread| spread.at == at).collect();
        placed.extend(here.iter().enumerate().map(|(k, spread)| (place(spread, k, here.len()), *spread)));
    }
    let labels = names.clone();
    let shown = Plot::new("sweep spread")
        .grid_color(GRID)
        .height((ui.available_height() - 8.0).max(130.0))
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .include_x(-0.5)
        .include_x(names.len() as f64 - 0.5)
        .x_grid_spacer(move |_| {
            (0..labels.len()).step_by(step).map(|k| GridMark { value: k as f64, step_size: step as f64 }).collect()
        })
        .custom_x_axes(vec![
            pane_parts::x_axis(&axes[below].key)
                .formatter(move |mark, _| names.get(mark.value.round().max(0.0) as usize).cloned().unwrap_or_default()),
        ])
        .y_axis_label(view.figure.to_owned())
        .y_axis_formatter(move |mark, _| if is_share { percent(mark.value, 0) } else { format_tick(mark.value) })
        .y_axis_min_width(46.0)
        .show(ui, |plot| {
            for (x, spread) in &placed {
                let ends = spread.ends.map(|value| [*x, value]);
                plot.line(Line::new("range", ends.to_vec()).color(colors.weak).width(1.6).allow_hover(false));
            }
            let means: Vec<[f64; 2]> = placed.iter().map(|(x, spread)| [*x, spread.mean]).collect();
            plot.points(
                Points::new("mean", means).shape(MarkerShape::Circle).radius(3.4).color(colors.snn).allow_hover(false),
            );
        });
    plot_description::describe_plot(&shown.response, texts::SPREAD, || sentence.clone());
    let Some(pointer) = shown.response.hover_pos() else { return };
    let at = shown.transform.value_from_position(pointer);
    let nearest = placed.iter().min_by(|a, b| (a.0 - at.x).abs().total_cmp(&(b.0 - at.x).abs()));
    let Some((_, spread)) = nearest else { return };
    // The nearer end of the range.
    let row = if (at.y - spread.ends[0]).abs() < (at.y - spread.ends[1]).abs() { spread.least } else { spread.most };
    let value = view.value(row).unwrap_or_default();
    let words = texts::point(
        row.number,
        &view.text(value),
        &view.cost_text(view.cost_of(row).unwrap_or_default()),
        &view.place(row),
    );
    let hint = format!("{words}\n{}", texts::opens(row.number, row.is_run, 1));
    if shown.response.on_hover_text_at_pointer(hint).clicked() {
        super::view::open(row, messages);
    }
}
