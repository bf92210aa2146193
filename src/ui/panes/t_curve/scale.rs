//! Time axis of the T-curve: linear or logarithmic, and its zoom.

use egui::vec2;
use egui_plot::{GridMark, PlotUi};

use super::plot::marks;

/// Zoom by one point of scrolling.
const ZOOM_PER_POINT: f32 = 0.004;

/// Where the steps lie on the axis.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct TimeScale {
    pub(super) log: bool,
}

impl TimeScale {
    /// The place of step `t` on the axis.
    pub(super) fn place(self, t: f64) -> f64 {
        if self.log { t.max(0.5).log2() } else { t }
    }

    /// The step at place `x`, not rounded.
    pub(super) fn step(self, x: f64) -> f64 {
        if self.log { x.exp2() } else { x }
    }

    /// The ends of the axis for `last` steps; one step has room on both sides.
    pub(super) fn ends(self, last: usize) -> [f64; 2] {
        match last {
            0 | 1 => [self.place(0.5), self.place(1.5)],
            _ => [self.place(1.0), self.place(last as f64)],
        }
    }

    /// Marks of the axis within `bounds`: on round steps, on powers of two on a logarithmic axis.
    pub(super) fn marks(self, last: usize, bounds: (f64, f64)) -> Vec<GridMark> {
        if self.log {
            let powers = bounds.0.max(0.0).ceil() as i32..=bounds.1.floor() as i32;
            return powers.map(|k| GridMark { value: f64::from(k), step_size: 1.0 }).collect();
        }
        let shown = (bounds.1 - bounds.0).ceil().max(1.0);
        if shown + 2.0 >= last as f64 {
            return marks(last);
        }
        crate::ui::widgets::pane_parts::step_marks(bounds).into_iter().filter(|mark| mark.value >= 1.0).collect()
    }
}

/// Zooms both axes around the pointer by scrolling, the time axis alone while Shift is held.
pub(super) fn zoom_by_scrolling(plot: &mut PlotUi<'_>) {
    if !plot.response().hovered() {
        return;
    }
    let (scrolled, shift) = plot.ctx().input_mut(|input| {
        let delta = std::mem::take(&mut input.smooth_scroll_delta);
        (delta.x + delta.y, input.modifiers.shift)
    });
    if scrolled != 0.0 {
        let factor = (scrolled * ZOOM_PER_POINT).exp();
        plot.zoom_bounds_around_hovered(vec2(factor, if shift { 1.0 } else { factor }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_return_from_their_place_and_marks_are_whole_steps() {
        for log in [false, true] {
            let scale = TimeScale { log };
            for t in [1.0, 3.0, 64.0] {
                assert!((scale.step(scale.place(t)) - t).abs() < 1e-9);
            }
            let [low, high] = scale.ends(1);
            assert!(low < scale.place(1.0) && scale.place(1.0) < high, "one step is visible");
            let steps = scale.marks(64, (scale.place(2.0), scale.place(9.0)));
            assert!(steps.len() > 1 && steps.iter().all(|m| scale.step(m.value).fract() < 1e-9), "{steps:?}");
        }
    }
}
