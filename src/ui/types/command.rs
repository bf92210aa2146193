//! The commands of the window.

use super::export_format::ExportFormat;
use super::file_request::FileRequest;
use super::pane::Pane;
use crate::convert::Recipe;
use crate::lab::{Lab, Workspace};

/// Bundled data sets by their specification.
pub const BUNDLED_DATA: [&str; 2] = ["builtin:digits", "builtin:digits-train"];

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Ask for a file and do with it what it is asked for.
    FileDialog(FileRequest),
    /// Open the bundled network at this index of [`BUNDLED`].
    Bundled(usize),
    /// Open the bundled data set at this index of [`BUNDLED_DATA`].
    BundledData(usize),
    /// Open what was opened lately, counted from the newest.
    Recent(usize),
    /// Put the session as a line of text on the clipboard.
    CopySession,
    /// Open a session from a line of text.
    PasteSession,
    /// Write a pane to a file.
    Export(Pane, ExportFormat),
    /// The settings of the past run at this index.
    RestoreRun(usize),
    /// Compare with the past run at this index.
    Compare(usize),
    /// The hints of the first start again.
    FirstStartHints,
    Quit,
    Palette,
    Undo,
    Redo,
    ResetRecipe,
    /// Take over the method at this index of [`Recipe::published_methods`].
    Method(usize),
    Rerun,
    Stop,
    /// Play or pause the time cursor.
    Play,
    StepBack,
    StepForward,
    FirstStep,
    LastStep,
    PreviousLayer,
    NextLayer,
    PreviousSample,
    NextSample,
    /// Look at the spiking layer at this index.
    Layer(usize),
    /// Keep the neuron in focus in view, or let it go.
    Pin,
    /// Where the sample in focus first leaves the ANN.
    Divergence,
    RaceCorrections,
    RaceAll,
    AddLane,
    ClearRace,
    Workspace(Workspace),
    /// Show this pane, or close it.
    Pane(Pane),
    ResetPaneLayout,
    Layers,
    Samples,
    Inspector,
    /// The list of lessons.
    Lessons,
    /// Begin the bundled lesson at this index.
    Lesson(usize),
    Theme,
    /// Large type and thick lines.
    Projector,
    FrameTimes,
    /// Spikes as clicks, while time plays.
    Clicks,
    /// The list of the field's words.
    Glossary,
}

/// The methods of the papers on the recipe of `lab`.
pub fn methods(lab: &Lab) -> Vec<crate::convert::NamedRecipe> {
    let recipe = &lab.settings.recipe;
    Recipe::published_methods(recipe, recipe.correction.presteps().max(4))
}
