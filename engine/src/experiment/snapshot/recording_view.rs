//! Events of one sample over time, as the *Recording* pane shows them: rates, and pictures of any window.

use std::ops::Range;
use std::sync::Arc;

use crate::data::Samples;
use crate::data::samples::event_source::{Event, RecordingInfo};
use crate::progress::JobControl;
use crate::{Error, Result};

/// Most events that are kept, 16 bytes each; of longer recordings every second, third, … event is kept.
const MAX_KEPT: u64 = 1 << 22;
/// Number of bins of the rates.
pub const RATE_BINS: usize = 512;
/// Events between two looks at the cancellation.
const CHECKED: u64 = 1 << 16;

/// The events of a sample, or why they cannot be read again; `None` of samples without events.
pub type LoadedRecording = Option<Arc<std::result::Result<RecordingView, String>>>;

/// The events of one sample.
#[derive(Clone, Debug)]
pub struct RecordingView {
    pub info: RecordingInfo,
    /// One of so many events is kept for the pictures.
    pub every: u64,
    /// OFF and ON events in each of [`RATE_BINS`] equal parts of the recording; of all events.
    pub counts: Vec<[u64; 2]>,
    /// Kept events in order of time.
    kept: Vec<Event>,
}

impl RecordingView {
    /// Reads the events of sample `index`; `None` of samples without events, and the reason as a text if its file cannot
    /// be read again.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn load(samples: &Samples, index: usize, control: &JobControl) -> Result<LoadedRecording> {
        let Some(source) = samples.frames.as_ref().and_then(|frames| frames.events.clone()) else { return Ok(None) };
        let Some(info) = source.info(index) else { return Ok(None) };
        let mut view = Self::empty(info);
        let mut seen = 0u64;
        let read = source.for_each(index, &mut |event| {
            if seen.is_multiple_of(CHECKED) {
                control.check()?;
            }
            view.add(seen, event);
            seen += 1;
            Ok(())
        });
        match read {
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            Err(error) => return Ok(Some(Arc::new(Err(error.to_string())))),
            Ok(()) => {}
        }
        view.kept.sort_by_key(|event| event.t);
        Ok(Some(Arc::new(Ok(view))))
    }

    fn empty(info: RecordingInfo) -> Self {
        let every = info.events.div_ceil(MAX_KEPT).max(1);
        Self { every, counts: vec![[0; 2]; RATE_BINS], kept: Vec::new(), info }
    }

    fn add(&mut self, index: u64, event: Event) {
        let bin = (u128::from(event.t) * RATE_BINS as u128 / u128::from(self.info.span.max(1))) as usize;
        self.counts[bin.min(RATE_BINS - 1)][usize::from(event.p.min(1))] += 1;
        if index.is_multiple_of(self.every) {
            self.kept.push(event);
        }
    }

    /// OFF and ON events of every pixel in the window `range` (nanoseconds since the first event), `[H, W]` row-major. Of
    /// long recordings they are those of the events that are kept.
    pub fn picture(&self, range: Range<u64>) -> Vec<[f32; 2]> {
        let [width, height] = self.info.sensor;
        let mut picture = vec![[0.0; 2]; width * height];
        let from = self.kept.partition_point(|event| event.t < range.start);
        let to = self.kept.partition_point(|event| event.t < range.end);
        for event in self.kept.get(from..to.max(from)).unwrap_or_default() {
            if usize::from(event.x) < width
                && let Some(pixel) = picture.get_mut(usize::from(event.y) * width + usize::from(event.x))
            {
                pixel[usize::from(event.p.min(1))] += 1.0;
            }
        }
        picture
    }

    /// OFF and ON events in the window `range`, of all that are kept.
    pub fn count(&self, range: Range<u64>) -> [u64; 2] {
        let from = self.kept.partition_point(|event| event.t < range.start);
        let to = self.kept.partition_point(|event| event.t < range.end);
        let window = self.kept.get(from..to.max(from)).unwrap_or_default();
        let on = window.iter().filter(|event| event.p > 0).count() as u64;
        [window.len() as u64 - on, on]
    }

    /// The rates of OFF and ON events over time: `[time, rate]` in milliseconds and events per millisecond, at the middle of
    /// each bin.
    pub fn rates(&self) -> [Vec<[f64; 2]>; 2] {
        let bin = self.info.span as f64 / 1e6 / RATE_BINS as f64;
        [0, 1].map(|p| {
            let point = |(k, counts): (usize, &[u64; 2])| [(k as f64 + 0.5) * bin, counts[p] as f64 / bin];
            self.counts.iter().enumerate().map(point).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::events::generator::{EventSplit, generate_some};
    use crate::data::events::{Binning, FrameTiming};

    #[test]
    fn pictures_of_adjoining_windows_hold_every_event_once() {
        let binning = Binning { time: FrameTiming::Frames(4), ..Binning::default() };
        let samples = generate_some(EventSplit::Test, 4, &binning, 0, None).unwrap();
        let view = RecordingView::load(&samples, 3, &JobControl::default()).unwrap().unwrap();
        let view = view.as_ref().as_ref().unwrap();
        let RecordingInfo { events, on, span, frame, sensor, .. } = view.info.clone();
        assert_eq!((sensor, view.every, frame), ([34, 34], 1, span as f64 / 4.0));
        let total = |p: usize| view.counts.iter().map(|counts| counts[p]).sum::<u64>();
        assert_eq!((total(1), total(0)), (on, events - on));
        let frames = samples.frames.as_ref().unwrap();
        let mut all = 0.0;
        for k in 0..4 {
            let edge = |k: usize| (span as f64 * k as f64 / 4.0).ceil() as u64;
            let picture = view.picture(edge(k)..edge(k + 1));
            // The frame of the network counts the same events: OFF in its first plane, ON in its second.
            let plane = 34 * 34;
            let own = &frames.values[(3 * 4 + k) * 2 * plane..][..2 * plane];
            assert!((0..plane).all(|at| picture[at] == [own[at], own[plane + at]]), "frame {k}");
            assert_eq!(view.count(edge(k)..edge(k + 1)).iter().sum::<u64>() as f32, own.iter().sum::<f32>());
            all += own.iter().sum::<f32>();
        }
        assert_eq!(all as u64, events);
        assert!(RecordingView::load(&samples, 99_999, &JobControl::default()).unwrap().is_none());
        let control = JobControl::default();
        control.cancel();
        assert!(matches!(RecordingView::load(&samples, 0, &control), Err(Error::Cancelled)));
    }

    #[test]
    fn long_recordings_are_thinned_and_their_rates_are_not() {
        let info =
            RecordingInfo { name: String::new(), events: 3 * MAX_KEPT, on: 0, sensor: [2, 2], span: 1000, frame: 10.0 };
        let mut view = RecordingView::empty(info);
        (0..30).for_each(|k| view.add(k, Event { x: 1, y: 0, t: k * 33, p: 0 }));
        assert_eq!((view.every, view.kept.len(), view.count(0..1000)), (3, 10, [10, 0]));
        assert_eq!(view.counts.iter().map(|counts| counts[0]).sum::<u64>(), 30);
        assert_eq!(view.picture(0..1000)[1], [10.0, 0.0]);
        assert_eq!(view.rates()[0].len(), RATE_BINS);
    }
}
