//! Frame times: duration of the last 120 frames, for the overlay that F12 opens.

use std::collections::VecDeque;
use std::time::Duration;

use egui::{Align2, Area, Context, Frame, Id};

use crate::ui::texts::window as texts;

/// Number of remembered frames: two seconds at sixty per second.
const MAX_FRAMES: usize = 120;

/// Times of the last frames, in milliseconds.
#[derive(Clone, Debug, Default)]
pub struct FrameTimes {
    /// Layout and shape drawing.
    layout: VecDeque<f32>,
    /// Total CPU time of a frame, including tessellation and upload, if the window reports it.
    whole: VecDeque<f32>,
}

/// Summary statistics of some times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    pub mean: f32,
    /// The 95th percentile.
    pub p95: f32,
    pub worst: f32,
    pub frames: usize,
}

impl Summary {
    /// Statistics of times in any order; `None` if there are none.
    pub fn of(times: impl IntoIterator<Item = f32>) -> Option<Self> {
        let mut times: Vec<f32> = times.into_iter().collect();
        times.sort_by(f32::total_cmp);
        let frames = times.len();
        let worst = *times.last()?;
        let p95 = times[(frames * 95).div_ceil(100).max(1) - 1];
        Some(Self { mean: times.iter().sum::<f32>() / frames as f32, p95, worst, frames })
    }
}

impl FrameTimes {
    /// Records the layout `time` of this frame.
    pub fn laid_out(&mut self, time: Duration) {
        record(&mut self.layout, time.as_secs_f32());
    }
    /// Records the total work of the previous frame, in seconds.
    pub fn whole(&mut self, seconds: f32) {
        record(&mut self.whole, seconds);
    }

    /// Draws the overlay.
    pub fn show(&self, ctx: &Context) {
        let mut lines = Vec::new();
        for (name, times) in [(texts::FRAME, &self.whole), (texts::LAYOUT, &self.layout)] {
            if let Some(Summary { mean, p95, worst, .. }) = Summary::of(times.iter().copied()) {
                lines.push(texts::times(name, mean, p95, worst));
            }
        }
        let layers: Vec<_> = ctx.memory(|memory| memory.layer_ids().collect());
        let shapes: usize =
            ctx.graphics(|all| layers.iter().filter_map(|&id| all.get(id)).map(|list| list.all_entries().len()).sum());
        lines.push(texts::shapes(self.layout.len(), shapes));
        let corner = Area::new(Id::unique("frame times")).anchor(Align2::RIGHT_TOP, [-12.0, 80.0]);
        corner.interactable(false).show(ctx, |ui| {
            Frame::popup(ui.style()).show(ui, |ui| lines.into_iter().for_each(|line| _ = ui.monospace(line)));
        });
    }
}

fn record(times: &mut VecDeque<f32>, seconds: f32) {
    if times.len() == MAX_FRAMES {
        times.pop_front();
    }
    times.push_back(seconds * 1e3);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_latest_frames_count() {
        let mut times = FrameTimes::default();
        (0..MAX_FRAMES + 40).for_each(|k| times.laid_out(Duration::from_millis(if k < 40 { 500 } else { 2 })));
        let all = Summary::of(times.layout.iter().copied()).unwrap();
        assert_eq!(all.frames, MAX_FRAMES);
        assert!((all.mean - 2.0).abs() < 1e-3 && (all.worst - 2.0).abs() < 1e-3);
    }

    #[test]
    fn the_95th_percentile_leaves_out_one_in_twenty() {
        let of = |n: u32| Summary::of((1..=n).map(|k| k as f32)).unwrap();
        assert_eq!((of(100).p95, of(100).worst, of(100).mean), (95.0, 100.0, 50.5));
        assert_eq!((of(1).p95, of(20).p95, of(10).p95), (1.0, 19.0, 10.0));
        assert!(Summary::of([]).is_none());
    }
}
