//! Attributions of the network and samples of the settings, or of a run.

pub mod arrays;
pub mod asked;
pub mod options;
pub mod sanity;
pub mod subject;

pub use asked::{Explanation, ExplanationRequest, MethodMaps, TargetChoice};
pub use options::AttributionOptions;
pub use subject::ExplainSubject;
