//! All texts of the window, in one place for translation.
//!
//! There is a file per bar, strip and popup, and one per pane in `panes`, `error_panes` (layers)
//! and `neuron_panes`. Plain texts are constants. A text with
//! numbers or names is a function that returns a whole sentence, so that a translation can change the word order.
//! `tests/texts.rs` finds texts of the window outside this folder.
//!
//! Texts shared by window and command line are beside their subject:
//!
//! - changes, for undo and the list of runs: `lab/history/undo.rs`, `lab/history/run_history.rs`;
//! - recipes and their differences: `convert/recipe_description.rs`; methods by name: `convert/recipe_options.rs`,
//!   `convert/named_recipe.rs`;
//! - findings and their fixes: `convert/findings/`, `convert/calibration.rs`, `convert/rewrite/`,
//!   `experiment/diagnose.rs`, `measure/ties.rs`;
//! - summary of a run: `experiment/run.rs`; why a neuron diverges from the ANN: `measure/divergence.rs`; why there are
//!   no boxes: `task/detection.rs`; names of neurons: `convert/spiking_layer.rs`;
//! - stages of a job: `experiment/pipeline.rs`, `experiment/load.rs`, `convert/calibration.rs`,
//!   `convert/threshold_balancing.rs`, `simulate/run.rs`, `simulate/light_calibration.rs`;
//! - pending opens, missing files, finished exports: `lab/document/pending_open.rs`, `lab/storage/missing_files.rs`,
//!   `experiment/run_export.rs`, `lab/document/export_jobs.rs`;
//! - facts of lessons: `lesson/facts.rs`; the lessons themselves: `assets/lessons`;
//! - errors: where they arise; `error.rs` formats them.

pub mod bars;
pub mod commands;
pub mod error_panes;
pub mod export;
pub mod format;
pub mod inspector;
pub mod layers;
pub mod lesson;
pub mod names;
pub mod neuron_panes;
pub mod output_agreement;
pub mod panes;
pub mod popups;
pub mod recipe;
pub mod samples;
pub mod shared;
pub mod sound;
pub mod window;

/// The title of the glossary window.
pub const WORDS: &str = "Glossary";
