//! Everything a person can ask of the lab. Menus, panes, tests and recorded scripts speak these words.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::compute::backend::Backend;
use crate::convert::{
    Correction, Granularity, InitialPotential, MaxPoolRule, NamedRecipe, NeuronModel, Readout, Recipe, Reset,
    ThresholdRule, TieRule,
};
use crate::data::Scaling;
use crate::data::digits::Drawing;
use crate::experiment::settings::Settings;
use crate::experiment::snapshot_parts::SnapshotParts;
use crate::lab::Notification;
use crate::lab::storage::session::Session;
use crate::lab::view::control_group::ControlGroup;
use crate::lab::view::view_state::Workspace;
use crate::measure::energy::EnergyConstants;
use crate::measure::neuron_bench::NeuronBench;
use crate::measure::{LedgerReference, NeuronRef};

/// One wish.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    /// Open a network: a file, or `builtin:NAME`.
    OpenModel(String),
    /// Open a data set by its specification.
    OpenData(String),
    /// Open whatever lies at a path: network, data set, picture, recipe, lesson or session.
    OpenPath(PathBuf),
    /// Run what a person draws, in place of the data.
    SetDrawing(Box<Drawing>),
    /// Lay the picture at a path on the canvas.
    DrawPicture(PathBuf),
    /// The data that were there before one drew.
    LeaveDrawing,
    /// Whether the drawing stays when the canvas is out of sight.
    KeepDrawing(bool),
    SetScaling(Scaling),
    /// Run `count` samples from `first` on.
    SetSamples {
        first: usize,
        count: usize,
    },
    /// Calibrate on another data set, by its specification, or on the data themselves.
    SetCalibrationData(Option<String>),
    /// Calibrate on whatever data set lies at a path.
    OpenCalibrationData(PathBuf),
    /// Calibrate on `count` samples from `first` on.
    SetCalibration {
        first: usize,
        count: usize,
    },
    SetSteps(usize),
    SetThreshold(ThresholdRule),
    SetGranularity(Granularity),
    /// v(0) as a fraction of θ.
    SetVInit(f32),
    SetReset(Reset),
    SetTie(TieRule),
    SetInitial(InitialPotential),
    SetNeuron(NeuronModel),
    SetCorrection(Correction),
    /// Add θ/(2N) at every step, or nothing.
    SetBiasShift(Option<usize>),
    SetBiasCorrection(bool),
    SetPooling(MaxPoolRule),
    SetReadout(Readout),
    /// Take over all settings.
    SetSettings(Box<Settings>),
    /// Take over a whole recipe.
    SetRecipe(Box<Recipe>),
    /// Add a recipe to the race.
    AddLane(Box<NamedRecipe>),
    /// Take the lane at this index out of the race.
    RemoveLane(usize),
    /// The recipes of the race.
    SetLanes(Vec<NamedRecipe>),
    /// Make the lane at this index the recipe.
    AdoptLane(usize),
    /// Write the recipe to a file under a name.
    SaveRecipe {
        path: PathBuf,
        name: String,
    },
    /// Set one layer's θ by hand, or give it back to the rule.
    SetLayerThreshold {
        layer: String,
        theta: Option<f32>,
    },
    /// The default recipe again.
    ResetRecipe,
    SetBackend(Backend),
    /// A drag has ended: what it changed becomes one step of undo.
    EndGesture,
    Undo,
    Redo,
    /// Look at a spiking layer.
    FocusLayer(usize),
    /// Look at a neuron in a layer whose count, for the input it had, is of a kind C0 to C4: the worst of the sample in focus,
    /// or one of another sample.
    FocusCategory {
        layer: usize,
        category: usize,
    },
    /// Look at a sample, counted within the run.
    FocusSample(usize),
    /// Look at a neuron: its layer, its sample and itself.
    FocusNeuron(NeuronRef),
    /// Keep a neuron's membrane in view, or let it go.
    Pin(NeuronRef),
    Unpin(NeuronRef),
    /// Put the time cursor at step t, or let it follow the end.
    SetCursor(Option<usize>),
    /// Move the cursor by some steps.
    StepCursor(i32),
    Play,
    Pause,
    /// Lay another neuron or input on the bench.
    SetBench(Box<NeuronBench>),
    /// Lay the neuron in focus on the bench, with the input that it had in the run.
    FocusOnBench,
    /// Compute again from nothing.
    Rerun,
    /// Stop the work in progress; what was there stays.
    Stop,
    SetDark(bool),
    /// Large type and thick lines, for a room.
    SetProjector(bool),
    SetWorkspace(Workspace),
    /// What the error ledger holds the answers against.
    SetReference(LedgerReference),
    /// What one operation of ANN and SNN costs.
    SetEnergy(EnergyConstants),
    /// The softmax probability from which on a sample may answer early, 0 to 1.
    SetExitConfidence(f32),
    /// What the panes on the screen read; nothing else is computed for them.
    #[serde(rename = "set-seen")]
    SetSnapshotParts(SnapshotParts),
    /// The window's arrangement of panes, to be saved with the session.
    SetLayout(serde_json::Value),
    /// Take the notice at this index off the screen.
    #[serde(rename = "dismiss-notice")]
    DismissNotification(usize),
    /// Open a lesson: a file, or `builtin:NAME`.
    OpenLesson(String),
    /// Take over a whole session.
    Restore(Box<Session>),
    /// Take these controls out of the person's hands, and give back all others.
    Lock(Vec<ControlGroup>),
    OpenSession(PathBuf),
    SaveSession(PathBuf),
    /// Write the run on the screen to a file; its ending says in which form.
    ExportRun(PathBuf),
    /// Stop the export of this number; nothing of it stays.
    StopExport(u64),
    /// A file was written.
    #[serde(rename = "wrote")]
    FileWritten(PathBuf),
    /// Open a session from its line of text.
    OpenSessionText(String),
    /// Open what was opened lately, counted from the newest.
    OpenRecent(usize),
    /// What is missing at this index for the waiting session lies there.
    #[serde(rename = "found-missing")]
    LocateMissing {
        index: usize,
        path: PathBuf,
    },
    /// Open the waiting session on the network and data that are open.
    #[serde(rename = "go-on-without-missing")]
    OpenWithoutMissing,
    /// Leave the waiting session alone.
    #[serde(rename = "leave-waiting")]
    DiscardPendingSession,
    /// The settings of the past run of this number.
    #[serde(rename = "go-back-to")]
    RestoreRun(usize),
    /// Compare the run on the screen with the past run of this number, or with none.
    CompareWith(Option<usize>),
    /// Forget the runs of earlier starts.
    ForgetRuns,
    /// Tell the person something.
    #[serde(rename = "tell")]
    Notify(Notification),
}
