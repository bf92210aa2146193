//! Control groups: the groups of controls that a lesson can lock.

use serde::{Deserialize, Serialize};

/// A group of controls that a lesson can lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlGroup {
    /// Opening networks.
    Network,
    /// Opening data, their samples and scaling.
    Data,
    /// T
    #[serde(rename = "T")]
    Steps,
    /// The threshold rule, granularity and manual thresholds.
    Threshold,
    /// v(0) and its distribution.
    VInit,
    Correction,
    /// All other recipe settings, and whole recipes.
    Recipe,
    /// The neuron bench.
    Bench,
    /// The drawing canvas.
    Drawing,
    /// The time cursor.
    Time,
}
