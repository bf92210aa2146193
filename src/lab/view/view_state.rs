//! What is saved: the settings that decide every number (undone by undo), and the view of them (not undone).

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::control_group::ControlGroup;
use crate::measure::energy::EnergyConstants;
use crate::measure::neuron_bench::NeuronBench;
use crate::measure::{LedgerReference, NeuronRef};

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct View {
    /// Index of the spiking layer in focus.
    pub layer: usize,
    /// Index of the sample in focus, counted within the run.
    pub sample: usize,
    /// Neuron in focus, index in the flattened layer in focus.
    pub neuron: usize,
    /// Neurons whose membranes are kept in view.
    pub pinned: Vec<NeuronRef>,
    /// The time cursor t, 1..=T; `None` follows the end of the run.
    pub cursor: Option<usize>,
    /// Whether the cursor moves by itself.
    pub playing: bool,
    pub dark: bool,
    /// Large type and thick lines for a room.
    pub projector: bool,
    /// The neuron on the bench.
    pub bench: NeuronBench,
    pub workspace: Workspace,
    /// What the error ledger holds the answers against.
    pub reference: LedgerReference,
    /// What one operation of ANN and SNN costs.
    pub energy: EnergyConstants,
    /// The softmax probability from which on a sample may answer early.
    pub exit_confidence: f32,
    /// What a drawing stands in for.
    pub before_drawing: Option<DataBeforeDrawing>,
    /// The drawing stays when the canvas is out of sight.
    pub keep_drawing: bool,
    /// Controls that a lesson keeps to itself.
    pub locked: Vec<ControlGroup>,
}

/// The data that a drawing stands in for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DataBeforeDrawing {
    pub data: String,
    pub samples: Range<usize>,
    pub calibration_data: Option<String>,
}

/// The arrangements of panes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workspace {
    #[default]
    Explore,
    Teach,
    Tune,
}

impl Default for View {
    fn default() -> Self {
        Self {
            layer: 0,
            sample: 0,
            neuron: 0,
            pinned: Vec::new(),
            cursor: None,
            playing: false,
            dark: true,
            projector: false,
            bench: NeuronBench::default(),
            workspace: Workspace::Explore,
            reference: LedgerReference::Activation,
            energy: EnergyConstants::default(),
            exit_confidence: 0.9,
            before_drawing: None,
            keep_drawing: false,
            locked: Vec::new(),
        }
    }
}
