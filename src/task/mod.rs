//! Decoding of network outputs: class predictions, boxes, their agreement and their scores.
//!
//! Pure functions: no windows, threads or files.

pub mod answer;
pub mod classification;
pub mod detection;
pub mod nms;
pub mod output_agreement;
pub mod scores;

pub use detection::{DetectedBox, Detector};
pub use output_agreement::{OutputAgreement, OutputKind};
