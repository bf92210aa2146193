//! Questions about one finished run, as pure functions of the ANN's values and a recording. Knows no window, no thread
//! and no file.

pub mod answers;
pub mod bench;
pub mod detect;
pub mod divergence;
pub mod energy;
pub mod fan_out;
pub mod initial;
pub mod ledger;
pub mod likeness;
pub mod maps;
pub mod readout;
pub mod report;
pub mod run_report;
mod strip;
mod sums;
pub mod ties;
mod view;
pub mod wilson;

pub use detect::{Detector, Found};
pub use divergence::{Cause, Divergence, FirstLayers, first_divergence};
pub use initial::InitialView;
pub use likeness::{Answer, Likeness};
pub use report::{
    Categories, Condition, CurvePoint, Density, LayerReport, Ledger, NeuronRef, Reference, Report, Residual, Silenced,
};
pub use run_report::{Subject, curve, report, report_behind};
