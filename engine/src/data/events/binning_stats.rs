//! Statistics of the events of all recordings, and the notes on frames made of them.

use super::binning::{Binning, FrameTiming, NS_PER_US, Polarity};
use super::frame_plan::FramePlan;

/// Statistics of the events of all recordings.
pub(super) struct BinningStats {
    pub frames: usize,
    recordings: usize,
    /// Durations of the shortest and the longest recording, in nanoseconds.
    spans: [u64; 2],
    binned: u64,
    /// Events in the same frame, channel and pixel as an earlier one.
    shared: u64,
    max_count: f32,
    pub discarded_late: u64,
    pub other_polarity: u64,
}

impl BinningStats {
    pub fn new(frames: usize) -> Self {
        let (spans, max_count) = ([u64::MAX, 0], 0.0);
        Self { frames, recordings: 0, spans, binned: 0, shared: 0, max_count, discarded_late: 0, other_polarity: 0 }
    }
    /// Counts what `more` has counted too.
    pub fn merge(&mut self, more: &Self) {
        self.recordings += more.recordings;
        self.spans = [self.spans[0].min(more.spans[0]), self.spans[1].max(more.spans[1])];
        self.binned += more.binned;
        self.shared += more.shared;
        self.max_count = self.max_count.max(more.max_count);
        self.discarded_late += more.discarded_late;
        self.other_polarity += more.other_polarity;
    }
    /// Counts a recording of duration `span`, in nanoseconds.
    pub fn begin(&mut self, span: u64) {
        self.recordings += 1;
        self.spans = [self.spans[0].min(span), self.spans[1].max(span)];
    }
    /// Counts an event in a pixel that holds `pixel_count` with it.
    #[inline]
    pub fn add(&mut self, pixel_count: f32) {
        self.binned += 1;
        self.shared += u64::from(pixel_count > 1.0);
        self.max_count = self.max_count.max(pixel_count);
    }

    /// Notes on the frames for the user, in sentences.
    pub fn notes(&self, binning: &Binning, plan: &FramePlan) -> Vec<String> {
        let percent =
            |n: u64| n as f64 / (self.binned + self.discarded_late + self.other_polarity).max(1) as f64 * 100.0;
        let format_us = |length: f64| if length < 100.0 { format!("{length:.1}") } else { format!("{length:.0}") };
        let frame_length = match binning.time {
            FrameTiming::Span { us, .. } => format!("{us} µs"),
            FrameTiming::Frames(frames) => {
                let [a, b] = self.spans.map(|span| format_us(span as f64 / NS_PER_US as f64 / frames as f64));
                if a == b { format!("{a} µs") } else { format!("{a} to {b} µs") }
            }
        };
        let mut notes = vec![format!(
            "{} recording(s) are divided into {} frames of {frame_length} each, one per time-step, repeated from the first; \
             the ANN gets their mean. {:.1} % of the {} events share frame and pixel with an earlier one and are \
             summed (up to {} in one)",
            self.recordings,
            self.frames,
            self.shared as f64 / self.binned.max(1) as f64 * 100.0,
            self.binned,
            self.max_count
        )];
        let [_, height, width] = plan.shape;
        if plan.sensor != [width, height] {
            let [sensor_width, sensor_height] = plan.sensor;
            notes.push(format!(
                "the sensor's {sensor_width}x{sensor_height} pixels are summed to the network's input of {width}x{height}"
            ));
        }
        match plan.polarity {
            Polarity::Sum => notes.push("ON and OFF events are summed in one channel".into()),
            Polarity::On | Polarity::Off => {
                notes.push(format!(
                    "{:.1} % of the events, those of the other polarity, are ignored",
                    percent(self.other_polarity)
                ));
            }
            _ => {}
        }
        if self.discarded_late > 0 {
            notes.push(format!(
                "{:.1} % of the events are after the last of {} frames and are discarded{}",
                percent(self.discarded_late),
                self.frames,
                if binning.tonic {
                    ", as tonic does: frames are whole ticks long, and the last event is in none"
                } else {
                    ""
                }
            ));
        }
        notes
    }
}
