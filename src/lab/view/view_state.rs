//! View state: focus, time cursor, workspace and display options, saved with the session but not undone.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::control_group::ControlGroup;
use super::trojan_choice::TrojanChoice;
use crate::experiment::attacked::AttackView;
use crate::experiment::explained::AttributionChoice;
use crate::lab::training::TrainingPlan;
use crate::measure::energy::EnergyConstants;
use crate::measure::neuron_bench::NeuronBench;
use crate::measure::{LedgerReference, NeuronRef};

/// Focus, time cursor and display options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct View {
    /// Index of the spiking layer in focus.
    pub layer: usize,
    /// Index of the sample in focus, counted within the run.
    pub sample: usize,
    /// Index of the neuron in focus, in the flattened layer.
    pub neuron: usize,
    /// Neurons whose membrane traces are pinned.
    pub pinned: Vec<NeuronRef>,
    /// The time cursor t, 1..=T; `None` follows the end of the run.
    pub cursor: Option<usize>,
    /// Whether the time cursor is playing.
    pub playing: bool,
    pub dark: bool,
    /// Large text and thick lines, for a projector.
    pub projector: bool,
    /// The neuron on the bench.
    pub bench: NeuronBench,
    pub workspace: Workspace,
    /// Reference of the error ledger.
    pub reference: LedgerReference,
    /// Energy constants of ANN and SNN operations.
    pub energy: EnergyConstants,
    /// Softmax probability at which a sample exits early, 0 to 1.
    pub exit_confidence: f32,
    /// The attack of the *Robustness* pane. A session without another one is written as before there was the pane.
    #[serde(skip_serializing_if = "is_default")]
    pub attack: AttackView,
    /// What the *Attribution* pane shows; written to a session as `attack`.
    #[serde(skip_serializing_if = "is_default")]
    pub attribution: AttributionChoice,
    /// What the *Trojans* pane shows; the same.
    #[serde(skip_serializing_if = "is_default")]
    pub trojans: TrojanChoice,
    /// What the *Train* pane trains.
    #[serde(skip_serializing_if = "is_default")]
    pub training: TrainingPlan,
    /// The data that the drawing replaces.
    pub before_drawing: Option<DataBeforeDrawing>,
    /// Whether the drawing stays when the canvas is not visible.
    pub keep_drawing: bool,
    /// Control groups that a lesson has locked.
    pub locked: Vec<ControlGroup>,
}

/// The data settings that a drawing replaces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DataBeforeDrawing {
    pub data: String,
    pub samples: Range<usize>,
    pub calibration_data: Option<String>,
}

/// Workspaces, each with its own pane layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workspace {
    #[default]
    Explore,
    Teach,
    Tune,
}

/// Whether a value is the default, which files leave out.
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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
            attack: AttackView::default(),
            attribution: AttributionChoice::default(),
            trojans: TrojanChoice::default(),
            training: TrainingPlan::default(),
            before_drawing: None,
            keep_drawing: false,
            locked: Vec::new(),
        }
    }
}
