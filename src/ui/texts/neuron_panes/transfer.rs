//! Texts of the transfer pane: the staircase of one neuron.

pub const EMPTY: &str = "No run yet. Open a network.";
pub const TITLE: &str = "Output of one neuron for a constant input";
pub const FOLLOW_HINT: &str = "Show the neuron of the layer in focus; otherwise the numbers here do not affect the run";

pub fn follow(layer: &str) -> String {
    format!("Follow {layer}")
}

pub const APPLY: &str = "Apply to run";
pub const APPLY_HINT: &str = "Run the network with these values: θ for this layer, the others for all layers";
pub const THRESHOLD_HINT: &str = "Threshold, in activation units";
pub const STEPS_HINT: &str = "Time-steps";
pub const V_INIT_HINT: &str = "Initial potential as a fraction of θ";
pub const SOFT_RESET: &str = "soft reset";
pub const SOFT_RESET_HINT: &str = "Reset by subtraction: the remainder stays";
pub const HARD_RESET: &str = "hard reset";
pub const HARD_RESET_HINT: &str = "Reset to zero: the remainder is lost";
pub const TIE_FIRES_HINT: &str = "A potential exactly at θ fires";
pub const TIE_RESTS_HINT: &str = "A potential exactly at θ does not fire";

pub fn of_ann(activation: &str) -> String {
    format!("ANN: {activation}")
}

pub fn of_snn(steps: usize) -> String {
    format!("SNN: T = {steps}")
}

pub const DIFFERENCE: &str = "difference";
pub const INPUT_AXIS: &str = "constant input z (activation units)";
pub const INPUT_AXIS_SHORT: &str = "input z";
pub const ANSWER: &str = "output θ n / T";

pub fn hover(z: &str, ann: &str, snn: &str, spikes: u32, steps: usize, difference: &str) -> String {
    format!("z = {z}\nANN {ann}\nSNN {snn} ({spikes} spikes in {steps} steps)\ndifference {difference}")
}

pub const CURVES: &str = "Output over input";

pub fn answers(z: &str, ann: &str, snn: &str) -> String {
    format!("z = {z}: ANN {ann}, SNN {snn}")
}

pub fn curves(ann: &str, snn: &str, answers: &str) -> String {
    format!("{ann}; {snn}. {answers}.")
}

pub fn neuron_of(layer: &str) -> String {
    format!("the neuron of {layer}")
}

pub const OWN: &str = "a test neuron";

pub fn never_active(whose: &str) -> String {
    format!(
        "This is {whose}. It has no threshold and never fires: its channel was never active on the calibration samples."
    )
}

pub fn soft_reset(error: &str) -> String {
    format!("For inputs uniform on (0, θ) the mean squared error against ReLU is {error}.")
}

pub const HARD_RESET_LOSS: &str = "Its hard reset loses what exceeds θ, so the staircase is uneven and too low.";

pub fn explanation(
    whose: &str,
    steps: usize,
    values: usize,
    step: &str,
    theta: &str,
    start: &str,
    reset: &str,
) -> String {
    format!(
        "This is {whose} with the same input at each of {steps} steps: its output has {values} levels, {step} apart, \
         up to θ = {theta}. v(0) = {start} of θ shifts the staircase sideways; one half centers it on the ReLU. {reset}"
    )
}

/// The parameters as one line, for frames without controls.
pub fn line(layer: &str, theta: f32, steps: usize, v_init: f32) -> String {
    format!("{layer}: θ = {theta:.3}, T = {steps}, v(0) = {v_init:.2} θ")
}
