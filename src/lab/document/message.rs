//! Messages: all requests to the lab, from menus, panes, lessons, tests and scripts.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::compute::backend::Backend;
use crate::convert::{
    Correction, Granularity, InitialPotential, MaxPoolRule, NamedRecipe, NeuronModel, Readout, Recipe, Reset,
    ThresholdRule, TieRule,
};
use crate::data::Scaling;
use crate::data::digits::Drawing;
use crate::experiment::attacked::AttackView;
use crate::experiment::explained::AttributionChoice;
use crate::experiment::settings::Settings;
use crate::experiment::snapshot::parts::SnapshotParts;
use crate::export::nir::NirReader;
use crate::lab::Notification;
use crate::lab::storage::session::Session;
use crate::lab::training::TrainingPlan;
use crate::lab::view::control_group::ControlGroup;
use crate::lab::view::trojan_choice::TrojanChoice;
use crate::lab::view::view_state::Workspace;
use crate::measure::energy::EnergyConstants;
use crate::measure::neuron_bench::NeuronBench;
use crate::measure::{LedgerReference, NeuronRef};

/// A request to the lab.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    /// Open a network: a file, or `builtin:NAME`.
    OpenModel(String),
    /// Choose the output that answers by its name, or with `None` the default.
    SetOutput(Option<String>),
    /// Read a NIR file with this duration of a time step, or with `None` with its own.
    SetTimeStep(Option<f64>),
    /// Open a data set by its specification.
    OpenData(String),
    /// Open a file by its kind: network, data set, image, recipe, lesson or session.
    OpenPath(PathBuf),
    /// Open files: several images are one data set, others are opened in order.
    OpenPaths(Vec<PathBuf>),
    /// Run the user's drawing in place of the data.
    SetDrawing(Box<Drawing>),
    /// Place the image at a path on the canvas.
    DrawPicture(PathBuf),
    /// Restore the data from before the drawing.
    LeaveDrawing,
    /// Whether the drawing stays when the canvas is not visible.
    KeepDrawing(bool),
    SetScaling(Scaling),
    /// Run `count` samples from `first` on.
    SetSamples {
        first: usize,
        count: usize,
    },
    /// Calibrate on another data set, by its specification, or with `None` on the data set itself.
    SetCalibrationData(Option<String>),
    /// Calibrate on the data set at a path.
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
    /// Decides a drawn v(0).
    SetSeed(u64),
    SetNeuron(NeuronModel),
    SetCorrection(Correction),
    /// Add θ/(2N) at every step, or nothing.
    SetBiasShift(Option<usize>),
    SetBiasCorrection(bool),
    SetPooling(MaxPoolRule),
    SetReadout(Readout),
    /// Replace all settings.
    SetSettings(Box<Settings>),
    /// Replace the recipe.
    SetRecipe(Box<Recipe>),
    /// Add a recipe to the race.
    AddLane(Box<NamedRecipe>),
    /// Remove the lane at this index from the race.
    RemoveLane(usize),
    /// Replace the recipes of the race.
    SetLanes(Vec<NamedRecipe>),
    /// Use the recipe of the lane at this index.
    AdoptLane(usize),
    /// Write the recipe to a file under a name.
    SaveRecipe {
        path: PathBuf,
        name: String,
    },
    /// Set one layer's θ manually, or with `None` reset it to the rule.
    SetLayerThreshold {
        layer: String,
        theta: Option<f32>,
    },
    /// Reset the recipe to the default.
    ResetRecipe,
    SetBackend(Backend),
    /// A drag has ended: its changes become one undo step.
    EndGesture,
    Undo,
    Redo,
    /// From here on undo reverts only what follows; a lesson sends it after the messages of a step.
    BeginUndoScope,
    /// The undo steps of before the first scope are back.
    EndUndoScope,
    /// Focus on a spiking layer.
    FocusLayer(usize),
    /// Focus on a neuron of a layer in category C0 to C4: the one with the largest error in the focused sample, or an
    /// example in another sample.
    FocusCategory {
        layer: usize,
        category: usize,
    },
    /// Focus on a sample, by its index in the run.
    FocusSample(usize),
    /// Focus on a neuron with its layer and sample.
    FocusNeuron(NeuronRef),
    /// Pin a neuron's membrane trace, or unpin it.
    Pin(NeuronRef),
    Unpin(NeuronRef),
    /// Set the time cursor to step t, or with `None` let it follow the end.
    SetCursor(Option<usize>),
    /// Move the cursor by some steps.
    StepCursor(i32),
    Play,
    Pause,
    /// Replace the neuron or input on the bench.
    SetBench(Box<NeuronBench>),
    /// Copy the focused neuron to the bench, with its input of the run.
    FocusOnBench,
    /// Discard the cache and compute again.
    Rerun,
    /// Cancel the work in progress; the displayed run stays.
    Stop,
    SetDark(bool),
    /// Large text and thick lines, for a projector.
    SetProjector(bool),
    SetWorkspace(Workspace),
    /// Reference of the error ledger.
    SetReference(LedgerReference),
    /// Energy constants of ANN and SNN operations.
    SetEnergy(EnergyConstants),
    /// Set the attack of the *Robustness* pane.
    SetAttack(AttackView),
    /// Set what the *Attribution* pane shows.
    SetAttribution(Box<AttributionChoice>),
    /// Cancel the maps in progress; those that are there stay.
    StopMaps,
    /// Set what the *Trojans* pane shows; folders that it names are read.
    SetTrojans(Box<TrojanChoice>),
    /// Show the folder of syntheses at a path.
    OpenSyntheses(PathBuf),
    /// Show the folder of a rediscovery at a path.
    OpenRediscovery(PathBuf),
    /// Make syntheses of the open network's trojans in a folder, all that it lacks.
    Synthesize(PathBuf),
    /// Let the automatic judge answer the quiz.
    JudgeQuiz,
    /// Answer the question of the quiz by the option at this index.
    AnswerQuiz(usize),
    /// Cancel the syntheses or judgements in progress; what is there stays.
    StopTrojanJob,
    /// Set what the *Train* pane trains.
    SetTraining(Box<TrainingPlan>),
    /// Train it, into a new file of this folder or of the state folder.
    StartTraining(Option<PathBuf>),
    /// Stop the training; its checkpoint and the best weights so far stay.
    StopTraining,
    /// Go on with the training that was stopped.
    ResumeTraining,
    /// Open the network that was trained.
    OpenTrained,
    /// Softmax probability at which a sample exits early, 0 to 1.
    SetExitConfidence(f32),
    /// Optional snapshot parts that the visible panes need; others are not computed.
    #[serde(rename = "set-seen")]
    SetSnapshotParts(SnapshotParts),
    /// Pane layout of the window, saved with the session.
    SetLayout(serde_json::Value),
    /// Remove the notification at this index.
    #[serde(rename = "dismiss-notice")]
    DismissNotification(usize),
    /// Open a lesson: a file, or `builtin:NAME`.
    OpenLesson(String),
    /// Restore a session.
    Restore(Box<Session>),
    /// Lock these control groups and unlock all others.
    Lock(Vec<ControlGroup>),
    OpenSession(PathBuf),
    SaveSession(PathBuf),
    /// Export the displayed run to a file, in the format of its extension.
    ExportRun(PathBuf),
    /// Write the finished run to this file as a NIR graph for one program.
    ExportNir {
        path: PathBuf,
        reader: NirReader,
    },
    /// Open the plan of a sweep, with the results beside it.
    OpenSweepPlan(PathBuf),
    /// Open a results folder of sweeps: of the open plan, or alone.
    OpenSweepResults(PathBuf),
    /// Close the sweep; one that runs stops.
    CloseSweep,
    /// Run the missing rows of the open plan in the background.
    RunSweep,
    /// Stop the sweep in the background; finished rows are kept.
    StopSweep,
    /// Write a plan of what is open, with the recipes of the race or without, and open it.
    SaveSweepPlan {
        path: PathBuf,
        race: bool,
    },
    /// Cancel the export of this number; no file remains.
    StopExport(u64),
    /// A file was written.
    #[serde(rename = "wrote")]
    FileWritten(PathBuf),
    /// Open a session from its text form.
    OpenSessionText(String),
    /// Open a recent item, by its index from the newest.
    OpenRecent(usize),
    /// Path of the missing file at this index of the pending session.
    #[serde(rename = "found-missing")]
    LocateMissing {
        index: usize,
        path: PathBuf,
    },
    /// Open the pending session with the current network and data.
    #[serde(rename = "go-on-without-missing")]
    OpenWithoutMissing,
    /// Discard the pending session.
    #[serde(rename = "leave-waiting")]
    DiscardPendingSession,
    /// Restore the settings of the past run of this number.
    #[serde(rename = "go-back-to")]
    RestoreRun(usize),
    /// Compare the displayed run with the past run of this number, or with none.
    CompareWith(Option<usize>),
    /// Discard the runs of earlier sessions that have no star.
    ForgetRuns,
    /// Name the past run of this number.
    NameRun {
        number: usize,
        name: String,
    },
    /// Star the past run of this number, or remove its star.
    StarRun {
        number: usize,
        starred: bool,
    },
    /// Remove the past run of this number from the list.
    RemoveRun(usize),
    /// Show a notification.
    #[serde(rename = "tell")]
    Notify(Notification),
}
