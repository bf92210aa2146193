//! Decoding of network outputs: class predictions, boxes and their agreement.
//!
//! Pure functions: no windows, threads or files.

pub mod answer;
pub mod classification;
pub mod detection;
pub mod output_agreement;

pub use detection::{DetectedBox, Detector};
pub use output_agreement::{OutputAgreement, OutputKind};
