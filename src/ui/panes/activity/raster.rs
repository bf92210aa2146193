//! Raster pane: all spikes of the layer in focus for one sample, with rates per channel.
//!
//! Time runs across, neurons run down, and each channel's rate is beside it.

use std::ops::Range;
use std::sync::{Arc, Weak};

use egui::{Color32, ColorImage, Context, Id, TextureHandle, TextureOptions, Ui};
use egui_plot::{Bar, BarChart, HLine, HoverPosition, Plot, PlotImage, PlotPoint, PlotResponse, PlotUi};

use crate::convert::SpikingLayer;
use crate::experiment::{Run, Snapshot};
use crate::lab::{Lab, Message};
use crate::measure::NeuronRef;
use crate::simulate::SpikeTrain;
use crate::ui::texts::format::{format_number, format_percent};
use crate::ui::texts::panes::raster as texts;
use crate::ui::texts::shared;
use crate::ui::theme::colors::GRID;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_parts::{PaneHeader, neuron_name};
use crate::ui::widgets::{pane_parts, plot_description};

/// Width of the plot of rates, in points.
const RATES_WIDTH: f32 = 110.0;
/// Channels closer than this, in points, have no line between them.
const SEPARATOR_GAP: f32 = 5.0;

/// Key of a raster image: steps and neurons of the visible region, on at most as many pixels as the region has.
#[derive(Clone, PartialEq)]
struct ImageKey {
    layer: usize,
    sample: usize,
    spike_color: Color32,
    /// Steps, from 0.
    steps: Range<usize>,
    neurons: Range<usize>,
    /// Columns and rows of pixels.
    pixels: [usize; 2],
}

/// The image drawn last. The weak reference keeps the run's address from being reused while the image exists.
#[derive(Clone)]
struct CachedImage {
    run: Weak<Run>,
    key: ImageKey,
    texture: TextureHandle,
}

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let Some(snapshot) = &lab.snapshot else {
        return pane_parts::empty(ui, shared::no_run(lab.run.is_some(), lab.job.is_some(), texts::EMPTY));
    };
    let (run, focus) = (&snapshot.run, &snapshot.focus);
    let Some(layer) = run.spiking.layers.get(focus.layer) else { return };
    let Some(spikes) = run.recording.layers.get(focus.layer).map(|layer| &layer.spikes) else { return };
    let rates = channel_rates(&snapshot.maps.counts, layer.neurons_per_channel(), snapshot.report.steps);
    let words = explanation(snapshot, layer, &rates);
    let page = PaneHeader { of: Pane::Raster, title: texts::TITLE, description: words.clone(), explanation: words };
    pane_parts::pane_ui(
        ui,
        &page,
        || csv(spikes, focus.sample),
        |ui| {
            let cursor = lab.cursor().min(run.steps());
            let link = ui.scope_id().with("neurons");
            let height = ui.available_height();
            ui.horizontal(|ui| {
                let width = (ui.available_width() - RATES_WIDTH - ui.spacing().item_spacing.x).max(80.0);
                let plot = raster(ui, snapshot, layer, spikes, cursor, egui::vec2(width, height), link);
                plot_description::describe_plot(&plot.response, texts::RASTER, || {
                    let spikes: u64 = snapshot.maps.counts.iter().map(|&n| u64::from(n)).sum();
                    let (t, all, neurons) = (snapshot.report.steps, run.steps(), layer.neurons());
                    texts::raster(all, neurons, &layer.name, spikes, t)
                });
                let pointed = plot.response.interact_pointer_pos().map(|at| plot.transform.value_from_position(at));
                if plot.response.clicked() {
                    let neuron = pointed.and_then(|at| index_at(at.y, layer.neurons()));
                    let at = |neuron| NeuronRef { layer: focus.layer, sample: focus.sample, neuron };
                    messages.extend(neuron.map(|neuron| Message::FocusNeuron(at(neuron))));
                }
                pane_parts::drag_cursor(&plot, cursor, run.steps(), false, messages);
                rate_bars(ui, layer, &rates, snapshot.report.steps, height, link);
            });
        },
    );
}

fn raster(
    ui: &mut Ui,
    snapshot: &Snapshot,
    layer: &SpikingLayer,
    spikes: &SpikeTrain,
    cursor: usize,
    size: egui::Vec2,
    link: egui::Id,
) -> PlotResponse<()> {
    let plot_colors = crate::ui::theme::colors::plot_colors(ui);
    let (steps, neurons) = (snapshot.run.steps(), layer.neurons());
    let id = ui.scope_id().with("raster picture");
    let all = ImageKey {
        layer: snapshot.focus.layer,
        sample: snapshot.focus.sample,
        spike_color: plot_colors.snn,
        steps: 0..steps,
        neurons: 0..neurons,
        pixels: [0, 0],
    };
    Plot::new("raster")
        .grid_color(GRID)
        .width(size.x)
        .height(size.y)
        .invert_y(true)
        .link_axis(link, [false, true])
        .allow_drag(false)
        .allow_boxed_zoom(false)
        .set_margin_fraction(egui::Vec2::ZERO)
        .include_x(0.5)
        .include_x(steps as f64 + 0.5)
        .include_y(-0.5)
        .include_y(neurons as f64 - 0.5)
        .show_grid(false)
        .custom_x_axes(vec![pane_parts::x_axis(shared::TIME_STEP)])
        .y_axis_label(texts::NEURON)
        .y_axis_min_width(46.0)
        .label_formatter(|at| hover(at, layer, spikes, snapshot.focus.sample, steps))
        .show(ui, |plot| {
            let key = all.window(plot);
            let middle = |range: &Range<usize>| (range.start + range.end) as f64 / 2.0;
            let center = PlotPoint::new(middle(&key.steps) + 0.5, middle(&key.neurons) - 0.5);
            let size = [key.steps.len() as f32, key.neurons.len() as f32];
            let texture = raster_texture(plot.ctx(), id, &snapshot.run, spikes, key);
            plot.image(PlotImage::new("spikes", texture.id(), center, size));
            let gap = plot.transform().dpos_dvalue_y().abs() as f32 * layer.neurons_per_channel() as f32;
            if layer.neurons_per_channel() > 1 && gap >= SEPARATOR_GAP {
                for channel in 1..layer.shape[0] {
                    let y = (channel * layer.neurons_per_channel()) as f64 - 0.5;
                    plot.hline(HLine::new("channels", y).color(plot_colors.grid).width(0.5).allow_hover(false));
                }
            }
            let here = HLine::new("neuron in focus", snapshot.focus.neuron as f64);
            plot.hline(here.color(plot_colors.cursor).width(1.0).allow_hover(false));
            plot.vline(pane_parts::cursor_line(cursor, plot_colors.cursor));
        })
}

/// Draws the rate of each channel up to the time cursor, as bars beside the channel.
fn rate_bars(ui: &mut Ui, layer: &SpikingLayer, rates: &[f64], steps: usize, height: f32, link: egui::Id) {
    let plot_colors = crate::ui::theme::colors::plot_colors(ui);
    let plane = layer.neurons_per_channel() as f64;
    let bar = |(channel, &rate): (usize, &f64)| Bar::new((channel as f64 + 0.5) * plane - 0.5, rate).width(plane * 0.9);
    let bars: Vec<Bar> = rates.iter().enumerate().map(bar).collect();
    let word = if layer.neurons_per_channel() > 1 { texts::CHANNEL } else { texts::NEURON };
    let shown = Plot::new("rates")
        .grid_color(GRID)
        .height(height)
        .invert_y(true)
        .link_axis(link, [false, true])
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .show_axes([true, false])
        .show_grid(false)
        .set_margin_fraction(egui::Vec2::ZERO)
        .include_x(0.0)
        .include_x(rates.iter().copied().fold(0.01, f64::max) * 1.05)
        .custom_x_axes(vec![pane_parts::x_axis(texts::RATE)])
        .label_formatter(|at| {
            let y = match at {
                HoverPosition::NearDataPoint { position, .. } | HoverPosition::Elsewhere { position } => position.y,
            };
            let channel = index_at(y, layer.neurons())? / layer.neurons_per_channel().max(1);
            Some(texts::rate(word, channel, &format_number(*rates.get(channel)?), steps))
        })
        .show(ui, |plot| {
            plot.bar_chart(BarChart::new("firing rate", bars).horizontal().color(plot_colors.snn).allow_hover(false))
        });
    plot_description::describe_plot(&shown.response, &texts::rates_of(word), || {
        // With many channels, only those with the highest rates.
        let mut order: Vec<usize> = (0..rates.len()).collect();
        order.sort_by(|&a, &b| rates[b].total_cmp(&rates[a]));
        let descriptions: Vec<String> =
            order.iter().take(16).map(|&k| format!("{k}: {}", format_number(rates[k]))).collect();
        texts::rates(rates.len(), &descriptions.join(", "))
    });
}

fn hover(
    at: &HoverPosition<'_>,
    layer: &SpikingLayer,
    spikes: &SpikeTrain,
    sample: usize,
    steps: usize,
) -> Option<String> {
    let (HoverPosition::NearDataPoint { position, .. } | HoverPosition::Elsewhere { position }) = at;
    let neuron = index_at(position.y, layer.neurons())?;
    let t = pane_parts::step_at(position.x, steps);
    let word = if spikes.fired(t - 1, sample, neuron) { texts::SPIKE } else { texts::NO_SPIKE };
    Some(texts::hover(&neuron_name(layer, neuron), t, word))
}

/// The row at height `y`, if there is one.
fn index_at(y: f64, rows: usize) -> Option<usize> {
    let row = y.round();
    (row >= 0.0 && row < rows as f64).then_some(row as usize)
}

/// Mean spikes per neuron and step of every channel.
fn channel_rates(counts: &[u32], plane: usize, steps: usize) -> Vec<f64> {
    let all = (plane * steps).max(1) as f64;
    counts.chunks(plane.max(1)).map(|channel| channel.iter().map(|&n| f64::from(n)).sum::<f64>() / all).collect()
}

impl ImageKey {
    /// The part of this image that `plot` shows.
    fn window(self, plot: &PlotUi<'_>) -> Self {
        let (bounds, frame) = (plot.plot_bounds(), plot.transform().frame());
        let scale = plot.ctx().pixels_per_point();
        let most = plot.ctx().input(|input| input.max_texture_side).max(16);
        let pixels = [frame.width(), frame.height()].map(|side| ((side * scale) as usize).clamp(16, most));
        let cut = |range: &Range<usize>, axis: usize, shift: f64| {
            let low = (bounds.min()[axis] + shift).floor().max(0.0) as usize;
            let high = (bounds.max()[axis] + shift).ceil().max(0.0) as usize;
            let window = low.min(range.end)..high.min(range.end);
            if window.is_empty() { range.clone() } else { window }
        };
        Self { steps: cut(&self.steps, 0, -0.5), neurons: cut(&self.neurons, 1, 0.5), pixels, ..self }
    }
}

/// The texture for `run`, drawn again only if the key or the run has changed.
fn raster_texture(ctx: &Context, id: Id, run: &Arc<Run>, spikes: &SpikeTrain, key: ImageKey) -> TextureHandle {
    let known = ctx.data(|data| data.get_temp::<CachedImage>(id));
    if let Some(known) = known.filter(|known| known.key == key && known.run.as_ptr() == Arc::as_ptr(run)) {
        return known.texture;
    }
    let (size, cells) = spike_image(spikes, key.sample, &key.steps, &key.neurons, key.pixels);
    let image = ColorImage::new(size, cells.into_iter().map(|share| tint(key.spike_color, share)).collect());
    let texture = ctx.load_texture("raster", image, TextureOptions::NEAREST);
    ctx.data_mut(|data| data.insert_temp(id, CachedImage { run: Arc::downgrade(run), key, texture: texture.clone() }));
    texture
}

/// Discards all cached images.
pub fn forget(data: &mut egui::util::IdTypeMap) {
    data.remove_by_type::<CachedImage>();
}

/// A single spike is always visible; several in one pixel are brighter.
fn tint(color: Color32, share: f32) -> Color32 {
    if share > 0.0 { color.gamma_multiply(0.4 + 0.6 * share.min(1.0)) } else { Color32::TRANSPARENT }
}

/// An image `[columns, rows]` of the spikes of `sample` in a region, row-major: time across, neurons down, at most
/// `pixels` each way. Each pixel is the fraction of its neurons and steps that fired.
fn spike_image(
    train: &SpikeTrain,
    sample: usize,
    steps: &Range<usize>,
    neurons: &Range<usize>,
    pixels: [usize; 2],
) -> ([usize; 2], Vec<f32>) {
    let columns = steps.len().clamp(1, pixels[0].max(1));
    let rows = neurons.len().clamp(1, pixels[1].max(1));
    let row_of: Vec<usize> = (0..neurons.len()).map(|neuron| neuron * rows / neurons.len()).collect();
    let mut counts = vec![0u32; columns * rows];
    let (mut heights, mut widths) = (vec![0u32; rows], vec![0u32; columns]);
    row_of.iter().for_each(|&row| heights[row] += 1);
    for (k, t) in steps.clone().enumerate() {
        let column = k * columns / steps.len();
        widths[column] += 1;
        train.for_each_spike(t, sample, |neuron| {
            if neurons.contains(&neuron) {
                counts[row_of[neuron - neurons.start] * columns + column] += 1;
            }
        });
    }
    let share =
        |(at, &count): (usize, &u32)| count as f32 / (heights[at / columns] * widths[at % columns]).max(1) as f32;
    ([columns, rows], counts.iter().enumerate().map(share).collect())
}

fn explanation(snapshot: &Snapshot, layer: &SpikingLayer, rates: &[f64]) -> String {
    let spikes: u64 = snapshot.maps.counts.iter().map(|&n| u64::from(n)).sum();
    let silent = snapshot.maps.counts.iter().filter(|&&n| n == 0).count();
    let neurons = layer.neurons();
    let busiest = rates.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    let busiest = busiest.map_or_else(String::new, |(channel, &rate)| {
        let word = if layer.neurons_per_channel() > 1 { texts::CHANNEL } else { texts::NEURON };
        texts::busiest(word, channel, &format_number(rate))
    });
    texts::explanation(
        neurons,
        &layer.name,
        snapshot.run.sample_index(snapshot.focus.sample),
        snapshot.report.steps,
        spikes,
        &format_percent(silent as f64 / neurons.max(1) as f64),
        &busiest,
    )
}

/// CSV with one row per spike.
fn csv(spikes: &SpikeTrain, sample: usize) -> String {
    let mut text = String::from("t,neuron\n");
    for t in 0..spikes.steps() {
        spikes.for_each_spike(t, sample, |neuron| text += &format!("{},{neuron}\n", t + 1));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn train(steps: usize, neurons: usize, spikes: &[(usize, usize)]) -> SpikeTrain {
        let mut train = SpikeTrain::new(2, neurons);
        train.resize(steps);
        for &(t, neuron) in spikes {
            train.row_mut(t, 1)[neuron / 64] |= 1 << (neuron % 64);
        }
        train
    }

    #[test]
    fn small_rasters_are_exact_and_large_ones_lose_no_spike() {
        let small = train(3, 70, &[(0, 0), (2, 69)]);
        let (size, picture) = spike_image(&small, 1, &(0..3), &(0..70), [1024, 1024]);
        assert_eq!(size, [3, 70]);
        let lit = |picture: &[f32]| (0..picture.len()).filter(|&at| picture[at] > 0.0).collect::<Vec<_>>();
        assert_eq!(lit(&picture), [0, 69 * 3 + 2]);
        assert!(lit(&spike_image(&small, 0, &(0..3), &(0..70), [1024, 1024]).1).is_empty());
        let (size, window) = spike_image(&small, 1, &(1..3), &(68..70), [1024, 1024]);
        assert_eq!((size, lit(&window)), ([2, 2], vec![3]));

        let large = train(4096, 5000, &[(0, 0), (4095, 4999), (2000, 2500)]);
        let (size, picture) = spike_image(&large, 1, &(0..4096), &(0..5000), [700, 300]);
        assert_eq!(size, [700, 300]);
        assert_eq!(lit(&picture).len(), 3);
        assert!(picture.iter().all(|&share| share <= 1.0) && picture[700 * 300 - 1] > 0.0);
    }

    #[test]
    fn channel_rates_are_means_over_neurons_and_steps() {
        assert_eq!(channel_rates(&[1, 3, 0, 0], 2, 4), [0.5, 0.0]);
        assert_eq!([-0.6, -0.4, 2.4, 2.6].map(|y| index_at(y, 3)), [None, Some(0), Some(2), None]);
    }
}
