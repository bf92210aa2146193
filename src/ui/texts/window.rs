//! Texts of the window outside bars, strips and panes.

pub const TITLE: &str = "Spikescope";

pub fn no_window(reason: &str) -> String {
    format!("Cannot open a window: {reason}. Use `spikescope run` or `spikescope shot`, which work without one.")
}

pub fn title(network: &str) -> String {
    format!("{network} – Spikescope")
}

pub const DROP: &str = "Drop a network, data set or image";
pub const ALL_CLOSED: &str = "All panes are closed. Add one from the View menu.";

pub fn export_as(format: &str) -> String {
    format!("Export {format}…")
}

pub fn export(pane: &str) -> String {
    format!("Export {pane}")
}

pub const MAXIMIZE: &str = "Maximize";
pub const MAXIMIZE_HINT: &str = "A double click on the tab does it too; Esc restores";
pub const RESTORE: &str = "Restore";
pub const RESTORE_HINT: &str = "Show the other panes again (Esc)";
pub const ERROR: &str = "Error";
pub const NOTE: &str = "Note";
pub const DISMISS: &str = "Dismiss";
pub const DISMISS_ALL: &str = "Dismiss all";
pub const COPY: &str = "Copy";
pub const COPY_HINT: &str = "Copy the text of this message";
pub const COPY_PYTHON: &str = "Copy Python";
pub const COPY_PYTHON_HINT: &str = "Copy these lines alone";

pub fn messages(count: usize) -> String {
    format!("{count} messages")
}

pub const CHOOSE_NETWORK: &str = "Choose network…";
pub const CHOOSE_DATA: &str = "Choose data…";
pub const CHOOSE_PICTURES: &str = "Choose images…";
pub const CHOOSE_FOLDER: &str = "Choose image folder…";

/// Opens the bundled data of a bundled network: "Use its own scenes".
pub fn use_own(data: &str) -> String {
    format!("Use its own {data}")
}

pub const USE_OWN_HINT: &str = "Open the data of this network, which are part of the program; can be undone";
pub const TYPE: &str = "Type a command";
pub const FIND: &str = "Find a command";
pub const NO_COMMAND: &str = "No matching command.";

pub fn not_now(command: &str, why: &str) -> String {
    format!("{command} (unavailable: {why})")
}

pub const FRAME: &str = "frame ";
pub const LAYOUT: &str = "layout";

/// One line of frame times; all names have the same length.
pub fn times(name: &str, mean: f32, p95: f32, worst: f32) -> String {
    format!("{name}  mean {mean:5.1}  95 % {p95:5.1}  worst {worst:5.1} ms")
}

pub fn shapes(frames: usize, shapes: usize) -> String {
    format!("last {frames} frames, {shapes} shapes painted")
}

/// Names of the regions of the window, for screen readers.
pub mod regions {
    pub const TOP: &str = "Menus and recipe";
    pub const SAMPLES: &str = "Sample strip";
    pub const LAYERS: &str = "Layer strip";
    pub const PANES: &str = "Area of the panes";
    pub const SIDE: &str = "Side panel";
    pub const TIME: &str = "Time bar";
}

/// Texts of the draft of an architecture file.
pub mod architecture_draft {
    pub const TITLE: &str = "Architecture file";
    pub const WRITE_DRAFT: &str = "Write a draft…";
    pub const WRITE_DRAFT_HINT: &str = "Describe the layers of these weights, and see the shapes that result";
    pub const READING: &str = "Reading the weights…";
    pub const FIELD: &str = "Text of the architecture file";
    pub const SHAPES: &str = "Layers and shapes";
    pub const FITS: &str = "The layers fit the weights.";
    pub const TRY: &str = "Save and open";
    pub const CLOSE: &str = "Close";

    /// Where the text is saved.
    pub fn file(path: &std::path::Path) -> String {
        format!("Saved as {}. Complete what is marked with (?).", path.display())
    }

    pub fn try_hint(source: &str) -> String {
        format!("Save the text and open {source} with it")
    }
}
