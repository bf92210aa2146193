//! Attributions of the network and samples of the settings, or of a run: the whole, and one sample as a pane shows it.

pub mod arrays;
pub mod asked;
pub mod choice;
pub mod options;
pub mod sanity;
#[cfg(test)]
mod sharing_tests;
pub mod shown;
pub mod subject;

pub use asked::{Explanation, ExplanationRequest, MethodMaps, TargetChoice};
pub use choice::{AttributionChoice, MapSign, PageKey, Side};
pub use options::AttributionOptions;
pub use shown::{PageInput, PagePart, ShownAnswer, ShownMap, ShownPicture, explain_page};
pub use subject::ExplainSubject;
