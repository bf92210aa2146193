//! Texts of commands: labels, tooltips, and reasons why a command is disabled.

use super::format::source_file_name;
use crate::export::nir::NirReader;
use crate::lab::storage::recent_files::RecentItem;
use crate::lab::{Lab, Workspace};
use crate::measure::NeuronRef;
use crate::network::zoo::BUNDLED;
use crate::ui::types::command::{BUNDLED_DATA, Command, methods};
use crate::ui::types::file_request::FileRequest;

// Reasons why a command is disabled.
pub const NOTHING_RUN: &str = "no run yet";
pub const NOTHING_CHANGED: &str = "nothing to undo";
const UNDO: &str = "Undo";
const REDO: &str = "Redo";
pub const NOTHING_UNDONE: &str = "nothing to redo";
pub const NOTHING_COMPUTED: &str = "no computation is running";
pub const NO_RACE: &str = "the race has no recipes";
pub const AT_FIRST_STEP: &str = "the cursor is at the first step";
pub const AT_LAST_STEP: &str = "the cursor is at the last step";
pub const AT_FIRST_LAYER: &str = "this is the first layer";
pub const AT_LAST_LAYER: &str = "this is the last layer";
pub const AT_FIRST_SAMPLE: &str = "this is the first sample";
pub const AT_LAST_SAMPLE: &str = "this is the last sample";
pub const NEVER_LEAVES: &str = "this sample has no divergence";
pub const ON_THE_SCREEN: &str = "this run is already shown";
pub const LOCKED: &str = "locked by the lesson";

// Titles of the menus.
pub const FILE: &str = "File";
pub const EDIT: &str = "Edit";
pub const VIEW: &str = "View";
pub const GO: &str = "Go";
pub const HELP: &str = "Help";
pub const BUNDLED_NETWORKS: &str = "Bundled networks";
pub const BUNDLED_SETS: &str = "Bundled data";
pub const LATELY: &str = "Recent";
/// Submenu of plans and results of sweeps.
pub const SWEEP: &str = "Sweep";
pub const EXPORT_NIR: &str = "Export run as NIR for";
pub const LESSONS: &str = "Lessons";
pub const EXPORT: &str = "Export";
pub const METHODS: &str = "Methods";
pub const PANES: &str = "Panes";

/// The label of the command that opens a bundled data set.
fn bundled_data(spec: &str) -> String {
    let name = spec.trim_start_matches("builtin:");
    let (name, training) = name.strip_suffix("-train").map_or((name, ""), |name| (name, ", training"));
    let what = match name {
        "digits" => "drawn digits",
        "scenes" => "drawn scenes with masks and boxes",
        "objects" => "drawn objects",
        "events-digits" => "digits as events of a camera",
        other => other,
    };
    format!("Open bundled data: {what}{training}")
}

/// The label of a command.
pub fn words(command: Command, lab: &Lab) -> String {
    let fixed = match command {
        Command::FileDialog(ask) => file(ask),
        Command::Bundled(index) => {
            return format!("Open bundled network {}", BUNDLED.get(index).map_or("", |bundled| bundled.name));
        }
        Command::BundledData(index) => return bundled_data(BUNDLED_DATA.get(index).copied().unwrap_or_default()),
        Command::Recent(index) => {
            return format!("Open recent: {}", lab.recent.get(index).map(opened).unwrap_or_default());
        }
        Command::CopyPicture(pane) => return super::export::copy_picture(pane),
        Command::FigureTheme(theme) => super::export::figure_theme(theme),
        Command::Export(pane, format) => {
            return format!("Export {} {}…", pane.title(), super::export::format(format));
        }
        Command::RestoreRun(index) => return format!("Restore run {}", past(lab, index)),
        Command::Compare(index) => return format!("Compare with run {}", past(lab, index)),
        Command::FirstStartHints => "Getting started",
        Command::CopySession => "Copy session as text",
        Command::PasteSession => "Open session from text…",
        Command::Quit => "Quit",
        Command::Palette => "All commands…",
        Command::Undo => return with(UNDO, lab.undo_sentence()),
        Command::Redo => return with(REDO, lab.redo_sentence()),
        Command::ResetRecipe => "Reset recipe",
        Command::Method(index) => {
            return format!("Method: {}", methods(lab).get(index).map_or("", |method| &method.name));
        }
        Command::Rerun => "Rerun from files",
        Command::Stop => "Stop the computation",
        Command::Play if lab.view.playing => "Pause playback",
        Command::Play => "Play time-steps",
        Command::StepBack => "Previous time-step",
        Command::StepForward => "Next time-step",
        Command::FirstStep => "Go to first time-step",
        Command::LastStep => "Follow last time-step",
        Command::PreviousLayer => "Previous layer",
        Command::NextLayer => "Next layer",
        Command::PreviousSample => "Previous sample",
        Command::NextSample => "Next sample",
        Command::Layer(index) => {
            let layer = lab.run.as_ref().and_then(|run| run.spiking.layers.get(index));
            return format!("Layer: {}", layer.map_or("", |layer| &layer.name));
        }
        Command::Pin => {
            let view = &lab.view;
            let at = NeuronRef { layer: view.layer, sample: view.sample, neuron: view.neuron };
            if view.pinned.contains(&at) { "Unpin the neuron in focus" } else { "Pin the neuron in focus" }
        }
        Command::Divergence => "Show first divergence from the ANN",
        Command::RaceCorrections => "Race: add corrections",
        Command::RaceAll => "Race: add all methods",
        Command::AddLane => "Race: add this recipe",
        Command::ClearRace => "Race: clear",
        Command::Workspace(Workspace::Explore) => "Workspace: Explore",
        Command::Workspace(Workspace::Teach) => "Workspace: Teach",
        Command::Workspace(Workspace::Tune) => "Workspace: Tune",
        Command::Pane(pane) => return format!("Pane: {}", pane.title()),
        Command::ResetPaneLayout => "Reset layout",
        Command::Layers => "Layers panel",
        Command::Samples => "Samples panel",
        Command::Inspector => "Inspector panel",
        Command::Lessons => "Lessons",
        Command::Lesson(index) => {
            let lessons = crate::ui::types::lessons::bundled_lessons();
            return format!("Lesson: {}", lessons.get(index).map_or("", |lesson| &lesson.title));
        }
        Command::Theme if lab.view.dark => "Light theme",
        Command::Theme => "Dark theme",
        Command::Projector => "Projector mode",
        Command::FrameTimes => "Frame times",
        Command::Clicks => super::sound::CLICKS,
        Command::Glossary => super::WORDS,
        Command::Keys => super::popups::about::KEYS,
        Command::About => super::popups::about::ABOUT,
        Command::Findings => "List of findings",
        Command::TextLarger => "Larger text",
        Command::TextSmaller => "Smaller text",
        Command::TextNormal => "Normal text size",
        Command::FullScreen => "Full screen",
        Command::NextRegion => "Next region of the window",
    };
    fixed.into()
}

/// The tooltip of a command beyond its label, or an empty text; `keys` is appended.
pub fn hint(command: Command, lab: &Lab, keys: &str) -> String {
    let hint = match command {
        Command::Projector => "Larger text and thicker lines for projection".into(),
        Command::Clicks => super::sound::HINT.into(),
        Command::Lessons => "The list of lessons, in the Teach workspace".into(),
        Command::Lesson(index) => crate::ui::types::lessons::bundled_lessons()
            .get(index)
            .map(|lesson| lesson.summary.clone())
            .unwrap_or_default(),
        Command::Bundled(index) => BUNDLED.get(index).map_or("", |bundled| bundled.description).to_owned(),
        Command::BundledData(index) => BUNDLED_DATA.get(index).map_or("", |spec| spec).to_owned(),
        Command::Recent(index) => lab.recent.get(index).map(RecentItem::place).unwrap_or_default(),
        Command::CopyPicture(_) => super::export::COPY_PICTURE_HINT.into(),
        Command::Export(_, format) => super::export::hint(format).into(),
        Command::CopySession => "Settings and view as one line of text, to share".into(),
        Command::PasteSession => "The text can also be pasted anywhere in the window".into(),
        Command::ResetRecipe => {
            "Restore the default recipe: thresholds, v(0), correction, neuron and all other options".into()
        }
        Command::ResetPaneLayout => "Restore the default panes of this workspace".into(),
        Command::Method(index) => methods(lab).get(index).map(|method| method.recipe.title()).unwrap_or_default(),
        Command::Workspace(Workspace::Explore) => "Find where and why ANN and SNN disagree".into(),
        Command::Workspace(Workspace::Teach) => "One neuron in detail, with lessons".into(),
        Command::Workspace(Workspace::Tune) => "Adjust thresholds and T".into(),
        _ => String::new(),
    };
    match (hint.is_empty(), keys.is_empty()) {
        (_, true) => hint,
        (true, false) => keys.to_owned(),
        (false, false) => format!("{hint} ({keys})"),
    }
}

/// The label of a recent item: "net.onnx on t10k-images.gz", "session a.json".
fn opened(opened: &RecentItem) -> String {
    match opened {
        RecentItem::Subject { model, data, .. } => format!("{} on {}", source_file_name(model), source_file_name(data)),
        RecentItem::Session(path) => format!("session {}", source_file_name(&path.display().to_string())),
        RecentItem::Recipe(path) => format!("recipe {}", source_file_name(&path.display().to_string())),
    }
}

/// A past run by its number and its change.
fn past(lab: &Lab, index: usize) -> String {
    match lab.history.past().get(index) {
        Some(past) if past.changed.is_empty() => past.number.to_string(),
        Some(past) => format!("{}: {}", past.number, past.changed),
        None => String::new(),
    }
}

fn file(ask: FileRequest) -> &'static str {
    match ask {
        FileRequest::OpenNetwork => "Open network…",
        FileRequest::OpenPictureFiles => "Open images…",
        FileRequest::OpenData => "Open data set…",
        FileRequest::OpenPictures => "Open image folder…",
        FileRequest::OpenSession => "Open session…",
        FileRequest::SaveSession => "Save session…",
        FileRequest::OpenLesson => "Open lesson…",
        FileRequest::OpenSyntheses => "Open syntheses…",
        FileRequest::OpenRediscovery => "Open rediscovery…",
        FileRequest::Synthesize => "Synthesize in a folder…",
        FileRequest::OpenSweepPlan => "Open sweep plan…",
        FileRequest::OpenSweepResults => "Open sweep results…",
        FileRequest::SaveSweepPlan => "Save as sweep plan…",
        FileRequest::SaveRacePlan => "Save race as sweep plan…",
        FileRequest::OpenRecipe => "Open recipe…",
        FileRequest::SaveRecipe => "Save recipe…",
        FileRequest::OpenCalibrationData => "Open calibration data…",
        FileRequest::ExportRun => "Export run (NIR, npz, HTML, CSV, Parquet)…",
        FileRequest::ExportNir(NirReader::Nir) => "Export run as NIR…",
        FileRequest::ExportNir(NirReader::SpikingJelly) => "Export run as NIR for SpikingJelly…",
        FileRequest::ExportNir(NirReader::SnnTorch) => "Export run as NIR for snnTorch…",
        FileRequest::ExportNir(NirReader::Sinabs) => "Export run as NIR for sinabs…",
        FileRequest::ExportNir(NirReader::Norse) => "Export run as NIR for norse…",
        FileRequest::FindFile(_) => "Locate missing file…",
        FileRequest::FindFolder(_) => "Locate missing folder…",
        FileRequest::Export(..) => "Export…",
    }
}

fn with(word: &str, sentence: Option<String>) -> String {
    sentence.map_or(word.to_owned(), |sentence| format!("{word}: {sentence}"))
}

impl Command {
    /// The label of the command: "Undo: T 16 to 8".
    pub fn label(self, lab: &Lab) -> String {
        words(self, lab)
    }
    /// The label without the change that undo or redo names: "Undo".
    pub fn name(self, lab: &Lab) -> String {
        match self {
            Command::Undo => UNDO.to_owned(),
            Command::Redo => REDO.to_owned(),
            command => command.label(lab),
        }
    }
}
