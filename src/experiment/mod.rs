//! One run: from [`Settings`] to an immutable [`Run`], with cache, progress and cancellation.

pub mod adapt;
pub mod background_load;
pub mod cache;
pub mod diagnose;
pub mod load;
pub mod memory;
pub mod neuron_categories;
pub mod partial;
pub mod pipeline;
pub mod prepare;
pub mod run;
pub mod run_export;
pub mod settings;
pub mod snapshot;
pub mod snapshot_parts;

pub use partial::PartialResults;
pub use run::{PreparedNetwork, Run, Timings};
pub use settings::Settings;
pub use snapshot::{Focus, RunFigures, Snapshot, ThresholdView};
pub use snapshot_parts::{SnapshotPart, SnapshotParts};
