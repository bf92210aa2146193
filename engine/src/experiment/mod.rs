//! One run: computes an immutable [`Run`] from [`Settings`], with cache, progress and cancellation.
//!
//! Nothing is computed twice. [`pipeline`] asks the [`cache`] before every stage: the network, data set, calibration,
//! balanced thresholds and ANN values are cached by the settings they depend on, and a finished run by all settings.
//! The simulation reuses an earlier run of the same network: spikes of the layers before the first changed one, the final
//! state for a larger T, a prefix of the recording for a smaller T, and samples that both runs have. It needs the final state
//! of that run (mean input and last potential, 64 bits per neuron), which is kept for the newest run and for older ones up to
//! a limit. The state at the time cursor ([`snapshot`]) is derived from the recording; membrane traces are recomputed for the
//! focused and pinned neurons only. Integration tests count that no stage runs twice.
//!
//! All work takes a [`JobControl`](crate::progress::JobControl) that cancels it and reports progress. [`background_load`]
//! reads files on separate threads, so that cancellation never waits for a file; the next request resumes the read.
//!
//! Imports nothing of `lab` or `ui`: the command line and the window's engine threads use the same functions.

pub mod adapt;
pub mod attacked;
pub mod background_load;
pub mod cache;
mod classes;
pub mod diagnose;
pub mod explained;
pub mod load;
pub mod memory;
pub mod neuron_categories;
pub mod open_sizes;
pub mod options;
pub mod partial;
pub mod pipeline;
pub mod prepare;
pub mod preview;
pub mod run;
pub mod run_export;
pub mod settings;
pub mod snapshot;
mod suggest;

pub use partial::PartialResults;
pub use run::{PreparedNetwork, Run, Timings};
pub use settings::Settings;
pub use snapshot::parts::{SnapshotPart, SnapshotParts};
pub use snapshot::{Focus, RunFigures, Snapshot, ThresholdView};
