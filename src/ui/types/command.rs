//! Commands of the window, as one enum for menus, shortcuts and palette.

use super::export_format::{ExportFormat, FigureTheme};
use super::file_request::FileRequest;
use super::pane::Pane;
use crate::convert::Recipe;
use crate::lab::{Lab, Workspace};

/// Bundled data sets by their specification.
pub const BUNDLED_DATA: [&str; 8] = [
    "builtin:digits",
    "builtin:digits-train",
    "builtin:scenes",
    "builtin:scenes-train",
    "builtin:objects",
    "builtin:objects-train",
    "builtin:events-digits",
    "builtin:events-digits-train",
];

/// One command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Open a file dialog and use the file as requested.
    FileDialog(FileRequest),
    /// Open the bundled network at this index of [`BUNDLED`](crate::network::zoo::BUNDLED).
    Bundled(usize),
    /// Open the bundled data set at this index of [`BUNDLED_DATA`].
    BundledData(usize),
    /// Open a recent item, counted from the newest.
    Recent(usize),
    /// Copy the session to the clipboard as a line of text.
    CopySession,
    /// Open a session from a line of text.
    PasteSession,
    /// Write a pane to a file.
    Export(Pane, ExportFormat),
    /// Copy a pane to the clipboard as a picture.
    CopyPicture(Pane),
    /// Set the theme of figures.
    FigureTheme(FigureTheme),
    /// Restore the settings of the past run at this index.
    RestoreRun(usize),
    /// Compare with the past run at this index.
    Compare(usize),
    /// Show the first-start hints again.
    FirstStartHints,
    Quit,
    Palette,
    Undo,
    Redo,
    ResetRecipe,
    /// Apply the method at this index of [`Recipe::published_methods`].
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
    /// Focus the spiking layer at this index.
    Layer(usize),
    /// Pin or unpin the neuron in focus.
    Pin,
    /// Go to the first divergence of the sample in focus from the ANN.
    Divergence,
    RaceCorrections,
    RaceAll,
    AddLane,
    ClearRace,
    Workspace(Workspace),
    /// Open or close this pane.
    Pane(Pane),
    ResetPaneLayout,
    Layers,
    Samples,
    Inspector,
    /// Show or hide the list of lessons.
    Lessons,
    /// Begin the bundled lesson at this index.
    Lesson(usize),
    Theme,
    /// Toggle large text and thick lines.
    Projector,
    FrameTimes,
    /// Toggle spike clicks while time plays.
    Clicks,
    /// Open the glossary.
    Glossary,
    /// Open the list of keyboard shortcuts.
    Keys,
    About,
    /// Open the list of findings.
    Findings,
    TextLarger,
    TextSmaller,
    TextNormal,
    FullScreen,
    /// Move the focus to the next region of the window.
    NextRegion,
}

/// Published methods, applied to the recipe of `lab`.
pub fn methods(lab: &Lab) -> Vec<crate::convert::NamedRecipe> {
    let recipe = &lab.settings.recipe;
    Recipe::published_methods(recipe, recipe.correction.presteps().max(4))
}
