//! Every text of the window, in one place, so that it can be translated: a file for each bar, strip and popup, and one for
//! each pane in `panes`. Plain texts are constants; what has numbers or names in it is a function that puts a whole sentence
//! together, so that words can change their order. `tests/texts.rs` finds texts of the window that stand elsewhere.
//!
//! What window and command line both say stands beside what it speaks of:
//!
//! - changes, for undo and the list of runs: `lab/undo.rs`, `lab/history.rs`;
//! - recipes and their differences: `convert/words.rs`, methods by name: `convert/method.rs`, `convert/named.rs`;
//! - findings and their mends: `convert/findings/`, `convert/calibration.rs`, `convert/rewrite.rs`, `lab/examine.rs`,
//!   `measure/ties.rs`;
//! - what a run came to: `lab/run.rs`; why a neuron leaves the ANN: `measure/divergence.rs`; why there are no boxes:
//!   `measure/detect.rs`; names of neurons: `convert/mod.rs`;
//! - stages of the work: `lab/compute.rs`, `lab/examine.rs`, `simulate/reference.rs`, `simulate/tune.rs`;
//! - networks and data that wait for each other, files that moved, exports that ended, backends: `lab/partners.rs`,
//!   `lab/moved.rs`, `lab/export.rs`, `lab/exporting.rs`, `lab/backend.rs`;
//! - facts that lessons ask for: `lesson/facts.rs`; the lessons themselves: `assets/lessons`;
//! - errors: where they arise, put into words by `error.rs`.

pub mod bars;
pub mod commands;
pub mod export;
pub mod file_dialog;
pub mod first_start_hints;
pub mod format;
pub mod glossary;
pub mod inspector;
pub mod layers;
pub mod lesson;
pub mod names;
pub mod network_and_data;
pub mod output_agreement;
pub mod panes;
pub mod recipe;
pub mod samples;
pub mod session_dialogs;
pub mod shared;
pub mod sound;
pub mod window;

/// The title of the list of the field's words.
pub const WORDS: &str = "Glossary";
