//! Texts of the panes that show the errors of layers.

pub mod ledger;
pub mod mismatch;
pub mod offset_spikes;
pub mod unevenness;
