//! Attributions of the network and samples of the settings, or of a run.

pub mod asked;
pub mod sanity;
pub mod subject;

pub use asked::{Explanation, ExplanationRequest, MethodMaps, TargetChoice};
pub use subject::ExplainSubject;
