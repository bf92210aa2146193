//! Trainings that the lab starts: what is trained, and what is known of it while it runs.

pub mod plan;
pub mod progress;

pub use plan::{AdversarialKind, TrainedKind, TrainingPlan};
pub use progress::{Epoch, Training, TrainingState};
