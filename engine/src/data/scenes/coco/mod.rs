//! COCO files: annotated pictures (ground truth) and results of detectors, read without trust in their types.

mod fields;
mod ground_truth;
mod results;

pub use fields::Id;
pub use ground_truth::{Category, GroundTruth, ObjectBox, Picture, is_ground_truth};
pub use results::{CocoDetection, Detections};
