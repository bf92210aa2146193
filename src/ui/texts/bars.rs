//! Texts of the bars at the top and at the bottom of the window.

pub const NOTHING_RUN: &str = "no run yet";

pub fn samples(count: usize, from: usize, to: usize, of: &str) -> String {
    let noun = if count == 1 { "sample" } else { "samples" };
    format!("{count} {noun} ({from}..{to}) of {of}")
}

pub fn latency(presteps: usize, steps: usize) -> String {
    format!("latency {presteps} + {steps} steps")
}

pub const EACH_LAYER: &str = "each layer, and each pass, calibrates on the corrected output of the layer before";
pub const LOCK_STEP: &str = "all layers run their pre-steps at the same time";

pub fn latency_hint(hardware: usize, steps: usize, why: &str) -> String {
    format!("Pre-steps + T, as counted in the papers. Event-driven hardware needs {hardware} + {steps}: {why}")
}

pub const BACKEND_HINT: &str = "Burn backend that computes the dense layers";

pub fn last_run(seconds: &str) -> String {
    format!("last run {seconds}")
}

pub fn took(opening: &str, calibrating: &str, ann: &str, snn: &str, measuring: &str) -> String {
    format!(
        "Opening {opening}, calibrating {calibrating}, ANN {ann}, SNN {snn}, measuring {measuring}. Cached results \
         take no time."
    )
}

pub fn recording(size: &str) -> String {
    format!("recording {size}")
}

pub const RECORDING_HINT: &str = "Spikes (one bit each), mean inputs, final potentials and the readout of every step";

pub fn last_change(change: &str) -> String {
    format!("last change: {change}")
}

pub const STEP_BACK: &str = "Step back";
pub const PAUSE: &str = "Pause";
pub const PLAY: &str = "Play";
pub const STEP_FORWARD: &str = "Step forward";
pub const FOLLOW: &str = "Follow end";
pub const FOLLOW_HINT: &str = "Keep the cursor at the last step";
pub const TIME_CURSOR: &str = "Time cursor";

pub fn right(share: &str) -> String {
    format!("SNN accuracy {share}, ")
}

/// In the header: what was opened waits for data, or a network, of a shape.
pub fn waits(source: &str, for_data: bool, shape: &str) -> String {
    let partner = if for_data { "data" } else { "a network" };
    format!("{source} waits for {partner} of {shape}")
}

pub const AGREES_ON: &str = "agreement with the ANN";

/// `alike` names the agreement measure; it is [`AGREES_ON`] for classes.
pub fn at_time(t: usize, right: &str, alike: &str, share: &str) -> String {
    format!("t = {t}: {right}{alike} {share}")
}

pub const EXPLORE: &str = "Explore";
pub const EXPLORE_HINT: &str = "Find where and why ANN and SNN disagree";
pub const TEACH: &str = "Teach";
pub const TEACH_HINT: &str = "One neuron in detail, with lessons";
pub const TUNE: &str = "Tune";
pub const TUNE_HINT: &str = "Adjust thresholds and T";
pub const LIGHT: &str = "Switch to light theme";
pub const DARK: &str = "Switch to dark theme";
pub const NETWORK: &str = "Network";
pub const DATA: &str = "Data";
pub const STOP: &str = "Stop";
pub const STOP_HINT: &str = "Stop the computation; the results shown stay";
pub const STARTING: &str = "starting";
/// The network of the shown figures while another one is loading.
pub fn figures_of(network: &str) -> String {
    format!("showing {network}:")
}

pub const RERUN: &str = "Rerun";
pub const RERUN_HINT: &str = "Reload the files and recompute everything (F5)";
pub const SNN_HINT: &str = "SNN accuracy at the time cursor: share of samples classified correctly";
pub const ANN_HINT: &str = "ANN accuracy: share of samples classified correctly";
