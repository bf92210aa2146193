//! Names of things in layers and data: neurons, channels, samples.

pub const LAYER: &str = "layer";

pub fn place(channel: usize, row: usize, column: usize) -> String {
    format!("channel {channel}, row {row}, column {column}")
}

pub fn neuron(number: usize) -> String {
    format!("neuron {number}")
}

pub const DRAWING: &str = "a drawing";

/// The first of several pictures.
pub fn and_more(first: &str, others: usize) -> String {
    format!("{first} and {others} more")
}
