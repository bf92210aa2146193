//! Events behind the frames of samples: where they come from, and how long a frame is.

use crate::Result;

/// One event of an event camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub x: u16,
    pub y: u16,
    /// Nanoseconds since the first event of the recording.
    pub t: u64,
    /// Polarity: brighter (ON, 1) or darker (OFF, 0).
    pub p: u8,
}

/// One recording, as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordingInfo {
    /// The name of its file.
    pub name: String,
    /// Number of events, and of those that are brighter (ON).
    pub events: u64,
    pub on: u64,
    /// Width and height in pixels.
    pub sensor: [usize; 2],
    /// Duration from the first event to the last one, inclusive, in nanoseconds.
    pub span: u64,
    /// Length of a frame in nanoseconds.
    pub frame: f64,
}

/// The events of samples that are frames of events.
pub trait EventSource: std::fmt::Debug + Send + Sync {
    /// The recording of sample `index`, if there is one.
    fn info(&self, index: usize) -> Option<RecordingInfo>;
    /// Calls `visit` with every event of sample `index`, in file order.
    ///
    /// # Errors
    /// Those of `visit` and of reading the file again.
    fn for_each(&self, index: usize, visit: &mut dyn FnMut(Event) -> Result<()>) -> Result<()>;
}
