//! Panels at the edges of the window: bars, strips, inspector and findings.

pub mod divergence;
pub mod findings;
pub mod headline;
pub mod inspector;
pub mod layer_strip;
pub mod recipe_bar;
pub mod sample_strip;
pub mod status_bar;
pub mod time_bar;
pub mod top_bar;
