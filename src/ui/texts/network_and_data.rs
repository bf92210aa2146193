//! What the popups behind the names of network and data say.

pub const NETWORK: &str = "Network";

pub fn network(nodes: usize, parameters: usize, layers: usize, input: &str, classes: usize) -> String {
    format!("{nodes} nodes, {parameters} parameters, {layers} spiking layers; input {input}, {classes} classes")
}

pub const OPEN_NETWORK: &str = "Open network…";
pub const BACKEND: &str = "Backend";
pub const BACKEND_HINT: &str = "Which Burn backend computes the dense layers";
pub const DATA: &str = "Data";
pub const NO_LABELS: &str = "no labels";
pub const LABELS: &str = "with labels";

pub fn samples(count: usize, shape: &str, labels: &str) -> String {
    format!("{count} samples of {shape}, {labels}")
}

pub const OPEN_DATA: &str = "Open data set…";
pub const OPEN_PICTURES: &str = "Open pictures…";
pub const RUN: &str = "Run";
pub const RUN_HINT: &str = "The samples that are run and measured";
pub const CALIBRATE: &str = "Calibrate";
pub const CALIBRATE_HINT: &str = "The samples that thresholds are taken from";
pub const OVERLAP: &str = "Some samples are both calibrated on and measured.";
pub const CALIBRATE_ON: &str = "on";
pub const CALIBRATE_ON_HINT: &str = "Thresholds are best taken from training samples, and accuracy from others";
pub const THESE_DATA: &str = "these data";
pub const ANOTHER_SET: &str = "another set…";
pub const SAMPLES: &str = " samples";
pub const FROM: &str = "from";
pub const SCALING: &str = "Input scaling";
pub const SCALING_HINT: &str = "Must be what the network was trained with; it is kept with the network";
pub const UNIT: &str = "0 to 1";
pub const BYTES: &str = "0 to 255";
pub const MEAN_STD: &str = "mean and std";
pub const MEAN_STD_HINT: &str = "mean=M[,M,M];std=S[,S,S], one number or one per channel, of values from 0 to 1";
pub const RECORDINGS: &str = "Recordings of events";
pub const RECORDINGS_HINT: &str = "Each step of the network sees one frame, and after the last the first again";
pub const FRAMES: &str = "frames";
pub const FRAMES_HINT: &str = "So many frames of equal length in each recording";
pub const SPANS: &str = "µs a frame";
pub const SPANS_HINT: &str = "Frames of one length, from the first event on";
pub const FRAMES_NAME: &str = "Frames of a recording";
pub const SPAN_NAME: &str = "Microseconds of a frame";
pub const AT_MOST: &str = "at most";
pub const AT_MOST_HINT: &str = "Events after the last of so many frames are cut away";
pub const MOST_NAME: &str = "The most frames of a recording";
pub const AS_NETWORK: &str = "as the network has";
pub const SPLIT: &str = "a channel each";
pub const SUM: &str = "both in one channel";
pub const ON: &str = "brighter only";
pub const OFF: &str = "darker only";
pub const POLARITIES: &str = "Polarities";
pub const SENSOR_HINT: &str = "Where the sensor is larger than what the network sees, its pixels are summed";
pub const SENSOR: &str = "Sensor of";
pub const WIDTH: &str = "Width of the sensor in pixels";
pub const HEIGHT: &str = "Height of the sensor in pixels";
pub const PIXELS: &str = "pixels";
