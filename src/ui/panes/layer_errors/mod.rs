//! Panes on the errors of the layer in focus: rate mismatch, offset spikes, unevenness error.

mod live_mismatch;
pub mod mismatch;
pub mod offset_spikes;
pub mod unevenness;
