//! Formatting of numbers, units, layers and file names for the window.
//!
//! It does not know widgets.

use super::names as texts;
use crate::compute::Backend;
use crate::data::digits::Drawing;
use crate::experiment::Run;
use crate::ground::numbers::{fixed, percent};
use crate::measure::{LayerReport, LedgerReference};
use crate::network::NodeId;

/// A number with about four digits: "0.0312", "1.204", "153".
pub fn format_value(value: f64) -> String {
    let size = value.abs();
    match size {
        0.0 => "0".into(),
        s if s >= 100.0 => format!("{value:.0}"),
        s if s >= 10.0 => format!("{value:.2}"),
        s if s >= 0.001 => format!("{value:.4}"),
        _ => format!("{value:.1e}"),
    }
}

/// A large number with an SI prefix: "152 k", "1.2 M".
pub fn format_si(value: f64) -> String {
    match value.abs() {
        v if v >= 1e9 => format!("{:.1} G", value / 1e9),
        v if v >= 1e6 => format!("{:.1} M", value / 1e6),
        v if v >= 1e4 => format!("{:.0} k", value / 1e3),
        v if v >= 1e3 => format!("{:.1} k", value / 1e3),
        _ => fixed(value, 0),
    }
}

/// A layer's threshold, or the range of its channels' thresholds.
pub fn format_theta(theta: &[f32]) -> String {
    let low = theta.iter().copied().fold(f32::INFINITY, f32::min);
    let high = theta.iter().copied().fold(0.0, f32::max);
    if theta.len() <= 1 || low == high { format!("θ {high:.3}") } else { format!("θ {low:.2}–{high:.2}") }
}

/// The operation that feeds the neurons of `node`: "conv", "fully connected".
pub fn layer_kind(run: &Run, node: NodeId) -> &'static str {
    let network = run.network.program.network();
    let feeding = network.nodes.get(node).and_then(|n| n.inputs.first()).and_then(|&id| network.nodes.get(id));
    feeding.map_or(texts::LAYER, |node| node.kind_name())
}

/// A neuron by its position in the layer: "channel 3, row 5, column 7" or "neuron 12".
pub fn neuron_position(shape: &[usize], neuron: usize) -> String {
    match *shape {
        [_, h, w] if h * w > 0 => texts::place(neuron / (h * w), neuron / w % h, neuron % w),
        _ => texts::neuron(neuron),
    }
}

/// A data specification; a drawing is described instead.
pub fn source_name(source: &str) -> String {
    Drawing::from_spec(source).map_or_else(|| source.to_owned(), |drawing| drawing.describe())
}

/// The last part of a path, or the full name after `builtin:`.
pub fn source_file_name(source: &str) -> String {
    if source.starts_with("builtin:") {
        return source.trim_start_matches("builtin:").to_owned();
    }
    if Drawing::is_drawing_spec(source) {
        return texts::DRAWING.into();
    }
    // Of several files, the first contains the samples.
    let (first, others) = source.split_once(',').unwrap_or((source, ""));
    let name = first.rsplit(['/', '\\', ':']).next().unwrap_or(first).to_owned();
    match others.split(',').filter(|other| !other.is_empty()).count() {
        more @ 1.. if source.starts_with("images:") => texts::and_more(&name, more),
        _ => name,
    }
}

/// The activation that the ledger of `layer` refers to, as a formula.
pub fn reference_label(layer: &LayerReport, reference: LedgerReference) -> &'static str {
    match (reference, layer.ledger_activation) {
        (LedgerReference::Activation, Some(_)) => "a",
        _ => "ReLU(z)",
    }
}

/// A number with three significant digits, in scientific notation below 1e-4 and from 1e5 on.
pub fn format_number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if !(1e-4..1e5).contains(&size) => format!("{value:.2e}"),
        size => {
            let decimals = (2 - size.log10().floor() as i32).clamp(0, 6) as usize;
            format!("{value:.decimals$}")
        }
    }
}

/// A number at an axis: as [`format_number`], without trailing zeros.
pub fn format_tick(value: f64) -> String {
    let text = format_number(value);
    match text.contains('.') && !text.contains('e') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A fraction as a percentage.
pub fn format_percent(share: f64) -> String {
    match share * 100.0 {
        p if p > 0.0 && p < 0.1 => format!("{p:.3} %"),
        _ => percent(share, 1),
    }
}

/// The display name of the backend.
pub fn backend_name(backend: Backend) -> &'static str {
    match backend {
        Backend::Flex => "burn-flex",
        Backend::Ndarray => "burn-ndarray",
        Backend::Wgpu => "burn-wgpu",
    }
}

/// A duration with its unit: "0.42 s", "13 ms".
pub fn format_seconds(seconds: f64) -> String {
    if seconds < 0.0995 { format!("{:.0} ms", seconds * 1000.0) } else { format!("{seconds:.2} s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formatted_values_are_short_and_correct() {
        assert_eq!(
            (format_value(0.03125), format_value(153.2), format_value(1e-6)),
            ("0.0312".into(), "153".into(), "1.0e-6".into())
        );
        assert_eq!((format_si(950.0), format_si(152_000.0)), ("950".into(), "152 k".into()));
        assert_eq!(format_theta(&[1.0, 2.0]), "θ 1.00–2.00");
        assert_eq!(neuron_position(&[2, 3, 4], 17), "channel 1, row 1, column 1");
        assert_eq!(source_file_name("images:pictures/a/b.png"), "b.png");
        assert_eq!(source_file_name("images:pictures/a.png,pictures/b.png,pictures/c.png"), "a.png and 2 more");
        assert_eq!(source_file_name("idx:images,labels"), "images");
    }

    #[test]
    fn formatted_numbers_have_no_superfluous_digits() {
        let written = [0.0, 1234.5, 12.345, 0.012345, -0.5, 2.5e-7].map(format_number);
        assert_eq!(written, ["0", "1234", "12.3", "0.0123", "-0.500", "2.50e-7"]);
        assert_eq!([2.0, 0.001, 1200.0, 2.5].map(format_tick), ["2", "0.001", "1200", "2.5"]);
        assert_eq!([0.5, 0.0001, 0.0].map(format_percent), ["50.0 %", "0.010 %", "0.0 %"]);
    }
}
