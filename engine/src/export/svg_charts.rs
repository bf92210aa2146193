//! SVG charts of the HTML report: accuracy over time steps, and the error ledger per layer.

use std::fmt::Write;

use minijinja::HtmlEscape;

use crate::measure::{Ledger, Report};
use crate::task::OutputKind;

const WIDTH: f64 = 900.0;
/// Margins of a plot, in pixels; the left one holds the axis labels.
const LEFT: f64 = 66.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 34.0;
/// The five parts of the error in ledger order, in colors that are distinct for every kind of color vision.
const PARTS: [(&str, &str); 5] = [
    ("propagated", "#8a8f98"),
    ("clipping", "#c44e52"),
    ("quantization", "#4c72b0"),
    ("unevenness", "#d9a441"),
    ("pooling", "#64b5cd"),
];
const SNN: &str = "#dd8452";
const AGREEMENT: &str = "#3c9a5f";
const ANN: &str = "#4c72b0";

/// Line chart of accuracy and agreement at every step.
pub fn accuracy_chart(report: &Report) -> String {
    const HEIGHT: f64 = 320.0;
    const BOTTOM: f64 = 46.0;
    let steps = report.curve.len().max(1);
    let x = |t: f64| LEFT + (t - 1.0) / (steps.max(2) - 1) as f64 * (WIDTH - LEFT - RIGHT);
    let y = |share: f64| HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
    let mut out = open("Accuracy of the SNN and its agreement with the ANN at every step", HEIGHT);
    for percent in [0, 25, 50, 75, 100] {
        grid_line(&mut out, y(f64::from(percent) / 100.0), &format!("{percent} %"));
    }
    for t in ticks(steps) {
        text(&mut out, x(t as f64), HEIGHT - BOTTOM + 18.0, "middle", "", &t.to_string());
    }
    text(&mut out, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 8.0, "middle", "", "time-steps t");
    if let Some(ann) = report.ann_accuracy {
        let at = y(ann);
        line(&mut out, [LEFT, at, WIDTH - RIGHT, at], &format!("stroke:{ANN};stroke-width:2;stroke-dasharray:8 5"));
    }
    let mut draw = |values: Vec<(usize, f64)>, style: &str| {
        let points: Vec<String> = values.iter().map(|&(t, v)| format!("{:.1},{:.1}", x(t as f64), y(v))).collect();
        let _ = write!(out, "<polyline points=\"{}\" style=\"fill:none;stroke-width:2.5;{style}\"/>", points.join(" "));
        // A line does not show a single step: draw a point.
        if let [(t, v)] = values[..] {
            let _ = write!(out, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\" style=\"{style}\"/>", x(t as f64), y(v));
        }
    };
    let accuracy: Vec<(usize, f64)> = report.curve.iter().filter_map(|p| Some((p.t, p.accuracy?))).collect();
    let labeled = !accuracy.is_empty();
    draw(accuracy, &format!("stroke:{SNN}"));
    draw(
        report.curve.iter().map(|p| (p.t, p.agreement)).collect(),
        &format!("stroke:{AGREEMENT};stroke-dasharray:3 3"),
    );
    let mut legend = Vec::new();
    if labeled {
        legend.push(("accuracy of the SNN".to_owned(), SNN));
    }
    let agreement_label = match report.output_agreement.as_ref().map(|agreement| agreement.of) {
        None => "agreement with the ANN (dotted)",
        Some(OutputKind::Boxes) => "boxes that both networks detect, of all boxes detected (dotted)",
        Some(OutputKind::Values) => "1 − |SNN − ANN| / |ANN| of the outputs (dotted)",
    };
    legend.push((agreement_label.to_owned(), AGREEMENT));
    legend.extend(report.ann_accuracy.map(|ann| (format!("accuracy of the ANN, {:.1} % (dashed)", ann * 100.0), ANN)));
    self::legend(&mut out, legend.iter().map(|(name, color)| (name.as_str(), *color)));
    out + "</svg>\n"
}

/// Bar chart of the five error parts of every layer, `(layer, parts)`, on both sides of zero.
pub fn ledger_chart(layers: &[(&str, Ledger)]) -> String {
    const PLOT: f64 = 250.0;
    let parts: Vec<[f64; 5]> = layers.iter().map(|(_, ledger)| ledger.parts()).collect();
    let side = |sign: f64| {
        parts.iter().map(|p| p.iter().filter(|v| **v * sign > 0.0).map(|v| v.abs()).sum::<f64>()).fold(0.0, f64::max)
    };
    let (up, down) = (side(1.0), side(-1.0));
    let step = round_up_to_nice((up + down).max(f64::MIN_POSITIVE) / 5.0);
    let (highest, lowest) = ((up / step).ceil().max(1.0), -(down / step).ceil());
    let y = |value: f64| TOP + (highest * step - value) / ((highest - lowest) * step) * PLOT;
    // Layer names are rotated below their bars.
    let longest = layers.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(28);
    let height = TOP + PLOT + 26.0 + longest as f64 * 4.6;
    let bar_pitch = (WIDTH - LEFT - RIGHT) / layers.len().max(1) as f64;
    let mut out = open("The five parts of the error of every layer", height);
    for k in lowest as i64..=highest as i64 {
        let value = k as f64 * step;
        grid_line(&mut out, y(value), &format_axis_value(value));
    }
    for (index, values) in parts.iter().enumerate() {
        let left = LEFT + (index as f64 + 0.15) * bar_pitch;
        let (mut up, mut down) = (0.0, 0.0);
        for (value, (part, color)) in values.iter().zip(PARTS) {
            let from = if *value > 0.0 { &mut up } else { &mut down };
            let (a, b) = (y(*from), y(*from + value));
            *from += value;
            let _ = write!(
                out,
                "<rect x=\"{left:.1}\" y=\"{:.2}\" width=\"{:.1}\" height=\"{:.2}\" style=\"fill:{color}\"><title>{}, {part}: {value:+.5}</title></rect>",
                a.min(b),
                bar_pitch * 0.7,
                (a - b).abs(),
                HtmlEscape(layers[index].0)
            );
        }
        let (at, below) = (left + bar_pitch * 0.35, TOP + PLOT + 16.0);
        let name: String = layers[index].0.chars().take(28).collect();
        let _ = write!(
            out,
            "<text x=\"{at:.1}\" y=\"{below:.1}\" text-anchor=\"end\" transform=\"rotate(-35 {at:.1} {below:.1})\">{}</text>",
            HtmlEscape(&name)
        );
    }
    line(&mut out, [LEFT, y(0.0), WIDTH - RIGHT, y(0.0)], "stroke:currentColor");
    legend(&mut out, PARTS.into_iter());
    out + "</svg>\n"
}

/// Steps to label on the axis: about ten, including the first and the last.
fn ticks(steps: usize) -> Vec<usize> {
    let spacing = steps.div_ceil(10).next_power_of_two();
    let mut ticks: Vec<usize> =
        std::iter::once(1).chain((spacing..steps).step_by(spacing).filter(|&t| t > 1)).collect();
    // A label close to the last one would overlap it.
    ticks.retain(|&t| t == 1 || steps - t > spacing / 2);
    if steps > 1 {
        ticks.push(steps);
    }
    ticks
}

/// 1, 2 or 5 times a power of ten, not below `value`.
fn round_up_to_nice(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|k| k * power).into_iter().find(|k| *k >= value).unwrap_or(value)
}

/// An axis label: up to four decimals, without trailing zeros.
pub fn format_axis_value(value: f64) -> String {
    if value == 0.0 { "0".into() } else { format!("{value:.4}").trim_end_matches('0').trim_end_matches('.').to_owned() }
}

fn open(label: &str, height: f64) -> String {
    format!("<svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"{label}\">")
}

fn line(out: &mut String, [x1, y1, x2, y2]: [f64; 4], style: &str) {
    let _ = write!(out, "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" style=\"{style}\"/>");
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, style: &str, text: &str) {
    let _ = write!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" style=\"{style}\">{}</text>",
        HtmlEscape(text)
    );
}

/// A horizontal grid line with its label.
fn grid_line(out: &mut String, y: f64, number: &str) {
    line(out, [LEFT, y, WIDTH - RIGHT, y], "stroke:currentColor;stroke-opacity:.15");
    text(out, LEFT - 8.0, y + 4.5, "end", "", number);
}

fn legend<'a>(out: &mut String, entries: impl Iterator<Item = (&'a str, &'a str)>) {
    let mut x = LEFT;
    for (name, color) in entries {
        let _ = write!(out, "<rect x=\"{x:.0}\" y=\"8\" width=\"12\" height=\"12\" style=\"fill:{color}\"/>");
        text(out, x + 17.0, 18.5, "start", "", name);
        // Approximate width of a character at this font size.
        x += 44.0 + name.chars().count() as f64 * 6.6;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axis_ticks_and_labels_are_round_numbers() {
        assert_eq!([0.013, 0.02, 0.7].map(round_up_to_nice), [0.02, 0.02, 1.0]);
        assert_eq!([0.0, -0.02, 1.0].map(format_axis_value), ["0", "-0.02", "1"]);
        assert_eq!((ticks(1), ticks(8), ticks(16)), (vec![1], (1..=8).collect(), vec![1, 2, 4, 6, 8, 10, 12, 14, 16]));
        assert_eq!(*ticks(100).last().unwrap(), 100);
    }
}
