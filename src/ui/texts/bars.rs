//! What the bars at the top and the bottom say.

pub const NOTHING_RUN: &str = "nothing has been run yet";

pub fn samples(count: usize, from: usize, to: usize, of: &str) -> String {
    format!("{count} samples ({from}..{to}) of {of}")
}

pub fn latency(presteps: usize, steps: usize) -> String {
    format!("latency {presteps} + {steps} steps")
}

pub const EACH_LAYER: &str = "each layer, and each pass, calibrates on the corrected output of the layer before";
pub const LOCK_STEP: &str = "all layers take their pre-steps in lock-step";

pub fn latency_hint(hardware: usize, steps: usize, why: &str) -> String {
    format!("Pre-steps and T, as the papers count. Event-driven hardware would need {hardware} + {steps}: {why}")
}

pub const BACKEND_HINT: &str = "The Burn backend that computes the dense layers";

pub fn last_run(seconds: &str) -> String {
    format!("last run {seconds}")
}

pub fn took(opening: &str, calibrating: &str, ann: &str, snn: &str, measuring: &str) -> String {
    format!(
        "Opening {opening}, calibrating {calibrating}, ANN {ann}, SNN {snn}, measuring {measuring}. What was known \
         from before costs nothing."
    )
}

pub fn recording(size: &str) -> String {
    format!("recording {size}")
}

pub const RECORDING_HINT: &str = "Every spike as one bit, mean inputs, last potentials and the readout of every step";

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

pub fn right(percent: f64) -> String {
    format!("SNN right on {percent:.1} %, ")
}

pub const AGREES_ON: &str = "agrees with the ANN on";

/// `alike` says how both answers are compared, [`AGREES_ON`] where they are classes.
pub fn at_time(t: usize, right: &str, alike: &str, share: f64) -> String {
    format!("t = {t}: {right}{alike} {share:.1} %")
}

pub const EXPLORE: &str = "Explore";
pub const EXPLORE_HINT: &str = "Where and why do the two networks disagree?";
pub const TEACH: &str = "Teach";
pub const TEACH_HINT: &str = "One neuron, large";
pub const TUNE: &str = "Tune";
pub const TUNE_HINT: &str = "Thresholds and T";
pub const LIGHT: &str = "Switch to light theme";
pub const DARK: &str = "Switch to dark theme";
pub const NETWORK: &str = "Network";
pub const DATA: &str = "Data";
pub const STOP: &str = "Stop";
pub const STOP_HINT: &str = "Stop the work in progress; what is on the screen stays";
pub const STARTING: &str = "starting";
/// Of which network the figures are while another is opened.
pub fn still(network: &str) -> String {
    format!("still {network}:")
}

pub const RERUN: &str = "Rerun";
pub const RERUN_HINT: &str = "Read the files again and compute from nothing (F5)";
pub const SNN_HINT: &str = "Samples the SNN answers rightly at the time cursor";
pub const ANN_HINT: &str = "Samples the ANN answers rightly";
