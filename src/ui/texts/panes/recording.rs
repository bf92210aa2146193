//! Texts of the recording pane: events over time, and the frames the network is given.

pub const EMPTY: &str = "No run yet. Open a network and event recordings.";
pub const NO_EVENTS: &str =
    "No events: these samples are not recordings of an event camera. Open some with events:, or builtin:events-digits.";
pub const TITLE: &str = "Recording";
pub const ON: &str = "ON (brighter)";
pub const OFF: &str = "OFF (darker)";
pub const SUM: &str = "events of both polarities";
pub const WINDOW: &str = "window";
pub const TIME: &str = "time";
pub const TIME_HINT: &str = "Middle of the window. Also: drag on the rates; the time cursor follows, frame by frame";
pub const WINDOW_HINT: &str = "Length of the window whose events the picture shows";
pub const MILLISECONDS: &str = " ms";
pub const ONE_FRAME: &str = "one frame";
pub const ONE_FRAME_HINT: &str = "A window as long as a frame of the network";
pub const PREVIOUS: &str = "<";
pub const NEXT: &str = ">";
pub const PREVIOUS_NAME: &str = "Previous recording";
pub const NEXT_NAME: &str = "Next recording";
pub const TIME_AXIS: &str = "time (ms)";
pub const RATE_AXIS: &str = "events/ms";
pub const PICTURE: &str = "Events in the window";
pub const FRAME: &str = "Frame of the network";
pub const RATES: &str = "Event rates over time";

pub fn recording(sample: usize, name: &str) -> String {
    format!("{sample}: {name}")
}

pub fn window(from: &str, to: &str) -> String {
    format!("{from} to {to} ms")
}

pub fn frame(frame: usize, frames: usize, t: usize) -> String {
    format!("frame {frame} of {frames}, at t = {t}")
}

pub fn in_window(on: u64, off: u64) -> String {
    format!("{on} ON and {off} OFF events in the window")
}

pub fn kept(every: u64) -> String {
    format!(", 1 of {every} shown")
}

pub fn in_frame(events: u64) -> String {
    format!("{events} events in the frame")
}

pub fn hover(ms: &str, on: &str, off: &str) -> String {
    format!("{ms} ms\nON {on} per ms\nOFF {off} per ms")
}

pub fn explanation(name: &str, events: u64, on: &str, milliseconds: &str, sensor: [usize; 2], now: &str) -> String {
    let [width, height] = sensor;
    format!(
        "{name} has {events} events, {on} of them ON, of {width}x{height} pixels in {milliseconds} ms. The picture shows those \
         within the window, beside the frame that the network is given at the time cursor. {now}"
    )
}

pub fn description(name: &str, now: &str) -> String {
    format!("Picture of the events of {name}, the frame of the network, and event rates over time. {now}")
}

pub fn pixels(size: [usize; 2], lit: usize, greatest: u64) -> String {
    let [width, height] = size;
    format!("{width}x{height} pixels, {lit} with events, at most {greatest} in one.")
}

pub fn at(rate: &str, ms: &str) -> String {
    format!("{rate} at {ms} ms")
}

pub fn courses(on: &str, off: &str) -> String {
    format!("Events per millisecond. {ON}: {on}. {OFF}: {off}.")
}

pub fn now(window: &str, thinned: &str, frame: &str) -> String {
    format!("{window}{thinned}; {frame}.")
}
