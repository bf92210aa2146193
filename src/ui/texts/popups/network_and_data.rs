//! Texts of the popups of the network and data buttons.

use crate::network::left_open::StepSource;

pub const NETWORK: &str = "Network";

pub fn network(nodes: usize, parameters: usize, layers: usize, input: &str, outputs: &str) -> String {
    let layers = if layers == 1 { "1 spiking layer".to_owned() } else { format!("{layers} spiking layers") };
    format!("{nodes} nodes, {parameters} parameters, {layers}; input {input}, {outputs}")
}

pub fn classes(count: usize) -> String {
    format!("{count} classes")
}

pub fn output_values(count: usize) -> String {
    if count == 1 { "1 output value".into() } else { format!("{count} output values") }
}

pub const OUTPUT: &str = "Output";
pub const OUTPUT_HINT: &str = "Output that answers; the others are left out of the run";
pub const ALL_OUTPUTS: &str = "All outputs are read together.";
pub const BY_DEFAULT: &str = "Reset to default";
pub const BY_DEFAULT_HINT: &str = "The first output with class scores; all outputs of a known detector";

pub fn output_named(name: &str) -> String {
    format!("Output {name}")
}

pub const TIME_STEP: &str = "Time step dt";
pub const TIME_STEP_HINT: &str =
    "Duration of a time step in the file's unit of time: at each step, a neuron adds r·dt times its input";
pub const TIME_STEP_OF_FILE: &str = "Reset to the file's";

/// Where the time step is from, in a few words.
pub fn time_step_source(source: StepSource) -> &'static str {
    match source {
        StepSource::User => "stated here",
        StepSource::File => "stated in the file",
        StepSource::Unit => "r = 1",
        StepSource::Inverse => "guessed: r = 1/dt",
        StepSource::Assumed => "guessed: the file does not state it",
    }
}

pub const OPEN_NETWORK: &str = "Open network…";
pub const BACKEND: &str = "Backend";
pub const BACKEND_HINT: &str = "Burn backend that computes the dense layers";
pub const DATA: &str = "Data";
pub const NO_LABELS: &str = "no labels";
pub const LABELS: &str = "with labels";

pub fn samples(count: usize, shape: &str, labels: &str) -> String {
    format!("{count} samples of {shape}, {labels}")
}

pub const OPEN_DATA: &str = "Open data set…";
pub const OPEN_PICTURES: &str = "Open images…";
pub const OPEN_FOLDER: &str = "Open image folder…";
pub const RUN: &str = "Run";
pub const RUN_HINT: &str = "Samples to run and measure";
pub const CALIBRATE: &str = "Calibrate";
pub const CALIBRATE_HINT: &str = "Samples whose activations set the thresholds";
pub const OVERLAP: &str = "Some samples are used for both calibration and measurement.";
pub const CALIBRATE_ON: &str = "Calibrate on";
pub const CALIBRATE_ON_HINT: &str = "Use training samples for the thresholds and other samples for the accuracy";
pub const THESE_DATA: &str = "same data";
pub const ANOTHER_SET: &str = "separate set…";
pub const SAMPLES: &str = " samples";
pub const FROM: &str = "from";
pub const SCALING: &str = "Input scaling";
pub const SCALING_HINT: &str = "Must match the scaling of the network's training; stored with the network";
pub const UNIT: &str = "0 to 1";
pub const BYTES: &str = "0 to 255";
pub const MEAN_STD: &str = "mean and std";
pub const MEAN_STD_HINT: &str =
    "mean=M[,M,M];std=S[,S,S], one number or one per channel, of values from 0 to 1; or /D, file values divided by D";
pub const RECORDINGS: &str = "Event recordings";
pub const RECORDINGS_HINT: &str = "Each time-step gets one frame; after the last frame the first follows again";
pub const FRAMES: &str = "frames";
pub const FRAMES_HINT: &str = "Number of frames of equal duration per recording";
pub const SPANS: &str = "µs per frame";
pub const SPANS_HINT: &str = "Frames of a fixed duration, from the first event on";
pub const FRAMES_NAME: &str = "Frames per recording";
pub const SPAN_NAME: &str = "Microseconds per frame";
pub const AT_MOST: &str = "at most";
pub const AT_MOST_HINT: &str = "Discard events after this number of frames";
pub const MOST_NAME: &str = "Maximum number of frames per recording";
pub const AS_NETWORK: &str = "as in the network";
pub const SPLIT: &str = "one channel each";
pub const SUM: &str = "sum in one channel";
pub const ON: &str = "ON events only";
pub const OFF: &str = "OFF events only";
pub const POLARITIES: &str = "Polarities";
pub const SENSOR_HINT: &str = "Sensor pixels are summed where the sensor is larger than the network's input";
pub const SENSOR: &str = "Sensor size";
pub const WIDTH: &str = "Sensor width in pixels";
pub const HEIGHT: &str = "Sensor height in pixels";
pub const PIXELS: &str = "pixels";
