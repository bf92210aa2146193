//! Accessible names and descriptions of plots, for screen readers.

use egui::{Response, Role, WidgetInfo};

/// Number of points of a curve in its description.
const DESCRIBED_POINTS: usize = 5;

/// Sets name and description of the plot behind `response`. The description is computed only for an active screen
/// reader.
pub fn describe_plot(response: &Response, name: &str, shows: impl FnOnce() -> String) {
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    response.ctx.accesskit_node_builder(response.id, |node| node.set_description(shows()));
}

/// Describes a curve by a few of its points, including the first and the last: "10 % at t = 1, 98 % at t = 16".
pub fn describe_curve(points: &[[f64; 2]], say: impl Fn([f64; 2]) -> String) -> String {
    let last = points.len().saturating_sub(1);
    let mut described: Vec<usize> =
        (0..DESCRIBED_POINTS).map(|k| (k * last + (DESCRIBED_POINTS - 1) / 2) / (DESCRIBED_POINTS - 1)).collect();
    described.dedup();
    described.into_iter().filter_map(|k| points.get(k).map(|point| say(*point))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curve_description_has_both_ends_and_some_points_between() {
        let curve = |n: usize| (1..=n).map(|t| [t as f64, 2.0 * t as f64]).collect::<Vec<_>>();
        let described = |n: usize| describe_curve(&curve(n), |[t, y]| format!("{y} at {t}"));
        assert_eq!(described(17), "2 at 1, 10 at 5, 18 at 9, 26 at 13, 34 at 17");
        assert_eq!(described(2), "2 at 1, 4 at 2");
        assert_eq!((described(1).as_str(), described(0).as_str()), ("2 at 1", ""));
    }
}
