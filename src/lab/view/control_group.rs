//! Groups of controls that a lesson can lock.

use serde::{Deserialize, Serialize};

/// What can be locked.
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
    /// The threshold rule, granularity and thresholds set by hand.
    Threshold,
    /// v(0) and how it is spread.
    VInit,
    Correction,
    /// Everything else of the recipe, and whole recipes.
    Recipe,
    /// The neuron bench.
    Bench,
    /// The drawing canvas.
    Drawing,
    /// The time cursor.
    Time,
}
