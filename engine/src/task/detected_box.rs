//! A detected box: class, score and corners.

use serde::Serialize;

/// A detected box. Corners are fractions of the image's width and height.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DetectedBox {
    pub class: usize,
    /// Probability of the class.
    pub score: f32,
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
}

impl DetectedBox {
    fn area(&self) -> f32 {
        (self.right - self.left).max(0.0) * (self.bottom - self.top).max(0.0)
    }
    /// Intersection over union with `other`.
    pub fn iou(&self, other: &Self) -> f32 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        let shared = width.max(0.0) * height.max(0.0);
        shared / (self.area() + other.area() - shared).max(f32::MIN_POSITIVE)
    }
}
