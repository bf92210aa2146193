//! Decoding of network outputs: class predictions, boxes, their agreement and their scores.
//!
//! Pure functions: no windows, threads or files.

pub mod answer;
pub mod classification;
mod detected_box;
pub mod detection;
pub mod detector_head;
pub mod nms;
pub mod output_agreement;
pub mod scene_scores;
pub mod scores;
pub mod segmentation;

pub use detected_box::DetectedBox;
pub use detection::Detector;
pub use output_agreement::{OutputAgreement, OutputKind};
