//! Texts about spike clicks, including reasons for missing sound.

/// Label of the toggle.
pub const CLICKS: &str = "Spike clicks";
pub const HINT: &str =
    "Play a click for each spike of the neuron in focus, or of the one on the bench, during playback";

/// The sound failed, with the reason.
pub fn silent(reason: &str) -> String {
    format!("Cannot play spike clicks: {reason}.")
}

pub const NO_SERVER: &str =
    "no sound server found (PulseAudio or PipeWire, searched in PULSE_SERVER and XDG_RUNTIME_DIR)";
#[cfg(not(all(unix, not(target_os = "macos"))))]
pub const NOT_HERE: &str = "sound is supported only on Linux with PulseAudio or PipeWire";

/// The server's socket exists, but the server does not answer.
pub fn no_answer(place: &str, reason: &str) -> String {
    format!("the sound server at {place} does not respond ({reason})")
}

/// The connection was lost.
pub fn lost(reason: &str) -> String {
    format!("the connection to the sound server was lost ({reason})")
}
