//! What is said about sound.

/// The switch.
pub const CLICKS: &str = "Spike clicks";
pub const HINT: &str = "Each spike of the neuron in focus, or of the one on the bench, clicks while time plays";

/// It cannot sound, and why.
pub fn silent(reason: &str) -> String {
    format!("Spike clicks are off: {reason}.")
}

pub const NO_SERVER: &str =
    "no sound server is there (PulseAudio or PipeWire; looked in PULSE_SERVER and XDG_RUNTIME_DIR)";
#[cfg(not(all(unix, not(target_os = "macos"))))]
pub const NOT_HERE: &str = "this program has no sound on this system yet, only on Linux with PulseAudio or PipeWire";

/// The server's socket is there, but nobody answers.
pub fn no_answer(place: &str, reason: &str) -> String {
    format!("the sound server at {place} does not answer ({reason})")
}

/// The connection has ended.
pub fn lost(reason: &str) -> String {
    format!("the sound server was lost ({reason})")
}
