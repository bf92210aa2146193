//! Events of one recording as frames: counts per frame, channel and pixel.

use std::path::Path;

use super::binning::{Binning, FrameTiming, NS_PER_US, Polarity};
use super::binning_stats::BinningStats;
use super::frame_plan::FramePlan;
use crate::data::samples::event_source::Event;
use crate::{Error, Result};

/// Bins the events of one recording.
pub(super) struct Binner<'a> {
    binning: &'a Binning,
    path: &'a Path,
    plan: &'a FramePlan,
    /// Counts binned, summed and discarded events.
    pub stats: BinningStats,
    /// Width and height that the events cover.
    extent: [usize; 2],
    /// Duration in nanoseconds.
    span: u64,
    /// Length of a frame in nanoseconds and the number of frames that are filled, if their length is whole.
    whole: Option<[u64; 2]>,
    /// Event counts `[frames, P, H, W]`.
    counts: &'a mut [f32],
    /// Their sum over all frames, `[P, H, W]`.
    sums: &'a mut [f32],
}

impl<'a> Binner<'a> {
    /// A binner for a recording of duration and resolution `span` in nanoseconds, whose events cover `extent`. Adds to
    /// `counts` `[frames, P, H, W]` and to their sums `[P, H, W]`.
    pub fn new(
        binning: &'a Binning,
        path: &'a Path,
        (span, extent): ([u64; 2], [usize; 2]),
        plan: &'a FramePlan,
        [counts, sums]: [&'a mut [f32]; 2],
    ) -> Self {
        let mut stats = BinningStats::new(counts.len().checked_div(sums.len()).unwrap_or(0));
        stats.begin(span[0]);
        let duration = span[0].saturating_sub(span[1]);
        let whole = match binning.time {
            FrameTiming::Frames(frames) => {
                // In whole ticks, so that the remainder of the division is left over at the end.
                let ticks = duration / span[1].max(1) / frames as u64;
                binning.tonic.then_some([ticks * span[1], frames as u64])
            }
            FrameTiming::Span { us, .. } => {
                let length = us.saturating_mul(NS_PER_US);
                Some([length, if binning.tonic { (duration / length).max(1) } else { u64::MAX }])
            }
        };
        Self { binning, path, plan, stats, extent, span: span[0], whole, counts, sums }
    }

    /// Adds event `index` of the recording.
    ///
    /// # Errors
    /// [`Error::File`] for an event outside the sensor.
    #[inline]
    pub fn add(&mut self, index: u64, event: Event) -> Result<()> {
        let [planes, height, width] = self.plan.shape;
        let [sensor_width, sensor_height] = self.plan.sensor;
        let (x, y) = (usize::from(event.x), usize::from(event.y));
        if x >= sensor_width || y >= sensor_height {
            let reason = self.out_of_range_reason([x, y]);
            return Err(Error::file(self.path, format!("event {index}"), reason));
        }
        let frame = match (self.whole, self.binning.time) {
            (Some([0, _]), _) => u64::MAX,
            (Some([length, frames]), _) => Some(event.t / length).filter(|frame| *frame < frames).unwrap_or(u64::MAX),
            (None, FrameTiming::Frames(frames)) => {
                (u128::from(event.t) * frames as u128 / u128::from(self.span)) as u64
            }
            (None, FrameTiming::Span { .. }) => u64::MAX,
        };
        let plane = match (self.plan.polarity, event.p.min(1)) {
            (Polarity::Split, p) => usize::from(p),
            (Polarity::On, 0) | (Polarity::Off, 1) => {
                self.stats.other_polarity += 1;
                return Ok(());
            }
            _ => 0,
        };
        let Some(frame) = usize::try_from(frame).ok().filter(|&frame| frame < self.stats.frames) else {
            self.stats.discarded_late += 1;
            return Ok(());
        };
        let (column, row) = (x * width / sensor_width, y * height / sensor_height);
        let place = (plane * height + row) * width + column;
        let count = &mut self.counts[frame * planes * height * width + place];
        *count += 1.0;
        self.sums[place] += 1.0;
        self.stats.add(*count);
        Ok(())
    }

    /// The reason why an event at `x`, `y` is out of range, with advice.
    fn out_of_range_reason(&self, [x, y]: [usize; 2]) -> String {
        let [_, height, width] = self.plan.shape;
        let [sensor_width, sensor_height] = self.plan.sensor;
        if self.binning.sensor.is_some() {
            return format!("is at {x}, {y}, outside the stated sensor size of {sensor_width}x{sensor_height}");
        }
        let [wide, high] = self.extent;
        format!(
            "is at {x}, {y}, outside the network's input of {width}x{height}. Set the sensor size (at least \
             sensor={wide}x{high}) to sum its pixels, or open another network."
        )
    }
}
