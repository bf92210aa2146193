//! Place in the recording: time and window, kept between frames, together with the time cursor.

use std::ops::Range;

use egui::{Id, Ui};

use crate::data::samples::event_source::RecordingInfo;

/// Nanoseconds of a millisecond.
pub(super) const MS: f64 = 1e6;

/// The window of a recording that is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scrub {
    /// Index of the recording in the data.
    pub sample: usize,
    /// Middle of the window, in nanoseconds.
    pub time: f64,
    /// Length of the window, in nanoseconds.
    pub window: f64,
    /// The time cursor that belongs to the time.
    cursor: usize,
    /// Length of a frame in nanoseconds, and number of frames.
    frame_length: f64,
    frames: usize,
}

fn id() -> Id {
    Id::unique("place in the recording")
}

impl Scrub {
    /// The place kept last. It moves to the middle of the cursor's frame where the cursor was moved elsewhere.
    pub fn current(ui: &Ui, sample: usize, cursor: usize, frames: usize, info: &RecordingInfo) -> Self {
        let kept = ui.data(|data| data.get_temp::<Self>(id()));
        Self::resume(kept, sample, cursor, frames, info)
    }

    fn resume(kept: Option<Self>, sample: usize, cursor: usize, frames: usize, info: &RecordingInfo) -> Self {
        let frame_length = info.frame.max(1.0);
        let frames = frames.max(1);
        let middle = ((cursor.max(1) - 1) % frames) as f64 * frame_length + frame_length / 2.0;
        let new = Self { sample, time: middle, window: frame_length, cursor, frame_length, frames };
        match kept {
            Some(kept) if kept.frame_length == frame_length && kept.frames == frames => {
                let is_same = kept.cursor == cursor && kept.sample == sample;
                Self { time: if is_same { kept.time } else { middle }, window: kept.window, ..new }
            }
            // The window of a frame follows the frame.
            Some(kept) if kept.window != kept.frame_length => Self { window: kept.window, ..new },
            _ => new,
        }
    }

    /// Keeps the place for the next frame of the window.
    pub fn keep(self, ui: &Ui) {
        ui.data_mut(|data| data.insert_temp(id(), self));
    }

    /// Moves the middle of the window.
    pub fn scrub_to(&mut self, time: f64) {
        self.time = time.max(0.0);
    }

    /// The frame of the time, from 0.
    fn frame_of_time(self) -> usize {
        ((self.time / self.frame_length) as usize).min(self.frames - 1)
    }

    /// The frame that the network is given at the time cursor, from 0.
    pub fn frame(self) -> usize {
        (self.cursor.max(1) - 1) % self.frames
    }

    /// The step 1..=`last` at which the network is given the frame of the time, in the cursor's repetition of the recording
    /// if that has it.
    pub fn step(self, last: usize) -> usize {
        let frame = self.frame_of_time();
        let repetition = (self.cursor.max(1) - 1) / self.frames * self.frames;
        let step = if repetition + frame < last { repetition + frame + 1 } else { frame + 1 };
        step.clamp(1, last.max(1))
    }

    /// The same place with the time cursor at `step`.
    pub fn at_step(self, step: usize) -> Self {
        Self { cursor: step, ..self }
    }

    /// The window in nanoseconds since the first event.
    pub fn window_of(&self, info: &RecordingInfo) -> Range<u64> {
        let window = self.window.clamp(1.0, info.span.max(1) as f64);
        let edge = |at: f64| at.max(0.0).ceil() as u64;
        edge(self.time - window / 2.0)..edge(self.time + window / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_follows_the_cursor_and_the_cursor_the_time() {
        let info = RecordingInfo { name: String::new(), events: 1, on: 0, sensor: [1, 1], span: 1000, frame: 100.0 };
        let mut place = Scrub::resume(None, 0, 3, 10, &info);
        assert_eq!((place.time, place.window, place.window_of(&info), place.frame()), (250.0, 100.0, 200..300, 2));
        place.scrub_to(720.0);
        assert_eq!((place.step(10), place.step(5)), (8, 5));
        place.window = 30.0;
        // The cursor that the time asked for changes nothing; another one does.
        let kept = place.at_step(8);
        let next = Scrub::resume(Some(kept), 0, 8, 10, &info);
        assert_eq!((next.time, next.window), (720.0, 30.0));
        assert_eq!(Scrub::resume(Some(kept), 0, 14, 10, &info).time, 350.0);
        // In the second repetition of the recording the time stays in it.
        let mut second = Scrub::resume(Some(kept), 0, 14, 10, &info);
        second.scrub_to(10.0);
        assert_eq!((second.step(20), second.step(10)), (11, 1));
        // Other frames: the window of one's own stays.
        assert_eq!(Scrub::resume(Some(kept), 0, 8, 5, &info).window, 30.0);
    }
}
