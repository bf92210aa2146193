//! How the values of a box become its corners, as a description of a head states it.

use serde::Deserialize;

/// How the values of the box output become corners.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BoxCoding {
    pub coding: Coding,
    #[serde(default)]
    pub units: Units,
    /// Of `yolov5` the sigmoid without it, else none.
    #[serde(default)]
    pub(super) function: Option<BoxFunction>,
    /// Factors of the four values of `center-size`.
    #[serde(default)]
    pub variances: Option<[f32; 4]>,
    /// Where the point of a cell lies in it, in cells.
    #[serde(default = "offset")]
    pub offset: f32,
}

/// What the four values of a box are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coding {
    /// Distances from the point of the cell to the left, top, right and bottom edge.
    Ltrb,
    /// Offset of the center and size, relative to a prior box.
    CenterSize,
    /// Left, top, right and bottom.
    Corners,
    /// Center, width and height.
    Cxcywh,
    /// The sigmoid of the center in its cell, and the logarithm of the size relative to a prior box (Redmon and Farhadi, YOLOv2
    /// and YOLOv3, 2017 and 2018).
    Yolov3,
    /// The same with a center that reaches half a cell further, and the square of a sigmoid for the size (YOLOv5 and YOLOv7).
    Yolov5,
}

/// Units of distances and corners.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Units {
    Strides,
    #[default]
    Pixels,
    /// Of the width and height of the input.
    Fractions,
}

/// Function of distances and sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoxFunction {
    Exp,
    Relu,
    Sigmoid,
    None,
}

fn offset() -> f32 {
    0.5
}

impl BoxCoding {
    /// Function of distances and sizes.
    pub fn function(&self) -> BoxFunction {
        let usual = if self.coding == Coding::Yolov5 { BoxFunction::Sigmoid } else { BoxFunction::None };
        self.function.unwrap_or(usual)
    }
}
