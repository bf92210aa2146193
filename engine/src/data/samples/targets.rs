//! Targets of samples beyond class labels: a class for every pixel, or boxes.

use std::sync::Arc;

/// The class of pixels that do not count.
pub const VOID: u8 = 255;
/// Maximum number of classes of a mask; the last number is [`VOID`].
pub const MAX_MASK_CLASSES: usize = 255;

/// What the outputs for samples are compared with.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Targets {
    /// Class labels ([`super::Samples::labels`]), or nothing.
    #[default]
    Labels,
    /// A class for every pixel.
    Masks(Masks),
    /// Boxes with classes.
    Boxes(Boxes),
    /// Both.
    Scenes { masks: Masks, boxes: Boxes },
}

/// A class for every pixel of every sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Masks {
    /// In pixels, those of the samples.
    pub height: usize,
    pub width: usize,
    /// Class indices or [`VOID`], `[N, H, W]` row-major.
    pub classes: Arc<Vec<u8>>,
    /// Numbers of objects, 0 for the ground, `[N, H, W]`; `None` if the source does not tell objects apart.
    pub instances: Option<Arc<Vec<u16>>>,
    /// Class names by index.
    pub class_names: Vec<String>,
}

/// The boxes of every sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Boxes {
    /// `[N]`, in the order of the source.
    pub of_sample: Arc<Vec<Vec<TargetBox>>>,
    /// Class names by index; there is no class for the ground.
    pub class_names: Vec<String>,
    /// The place of each picture in its sample, `[N]`; empty where samples are the pictures themselves.
    pub places: Arc<Vec<PicturePlace>>,
    /// File names of the pictures, `[N]`; empty where they are drawn.
    pub file_names: Arc<Vec<String>>,
}

/// Place of a picture in its sample, as an affine map of each axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PicturePlace {
    /// Width and height of the picture in pixels.
    pub size: [u32; 2],
    /// Pixels of the sample per pixel of the picture, along x and y; above 0.
    pub scale: [f64; 2],
    /// Where the picture's left and top edge lie in the sample, in pixels; negative where they are cut off.
    pub offset: [f64; 2],
}

impl PicturePlace {
    /// The place of a picture that is its sample, of `width` × `height` pixels.
    pub fn whole(width: u32, height: u32) -> Self {
        Self { size: [width, height], scale: [1.0; 2], offset: [0.0; 2] }
    }
    /// Left, top, right and bottom in the picture of a box that has `corners` in the sample; not clipped.
    pub fn to_picture(&self, corners: [f64; 4]) -> [f64; 4] {
        let undo = |axis: usize, value: f64| (value - self.offset[axis]) / self.scale[axis];
        [undo(0, corners[0]), undo(1, corners[1]), undo(0, corners[2]), undo(1, corners[3])]
    }
    /// Factor from areas in the sample to areas in the picture.
    pub fn area_scale(&self) -> f64 {
        1.0 / (self.scale[0] * self.scale[1])
    }
}

/// One box of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetBox {
    /// Index into the class names.
    pub class: u16,
    /// Left, top, right and bottom in pixels of the sample; a box around the pixel at 0, 0 is `[0, 0, 1, 1]`.
    pub corners: [f32; 4],
    /// Area in pixels: that of the object where the source states it, else of the box.
    pub area: f32,
    /// Whether it stands for a group of objects; it then neither counts as missed nor as found.
    pub is_crowd: bool,
    /// Whether it is marked as difficult; it then counts as a crowd does, as in VOC's scores.
    pub is_difficult: bool,
}

impl Targets {
    /// Class masks, if there are any.
    pub fn masks(&self) -> Option<&Masks> {
        match self {
            Self::Masks(masks) | Self::Scenes { masks, .. } => Some(masks),
            Self::Labels | Self::Boxes(_) => None,
        }
    }
    /// Boxes, if there are any.
    pub fn boxes(&self) -> Option<&Boxes> {
        match self {
            Self::Boxes(boxes) | Self::Scenes { boxes, .. } => Some(boxes),
            Self::Labels | Self::Masks(_) => None,
        }
    }
}

impl Masks {
    /// Classes of the pixels of sample `index`, `[H, W]`; empty if there is no such sample.
    pub fn of_sample(&self, index: usize) -> &[u8] {
        let len = self.height * self.width;
        self.classes.get(index * len..(index + 1) * len).unwrap_or_default()
    }
}

impl TargetBox {
    /// Left, top, width and height, as COCO writes boxes.
    pub fn xywh(&self) -> [f64; 4] {
        let [left, top, right, bottom] = self.corners.map(f64::from);
        [left, top, right - left, bottom - top]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_return_to_their_picture() {
        let place = PicturePlace { size: [200, 100], scale: [0.5, 0.25], offset: [-10.0, 4.0] };
        assert_eq!(place.to_picture([0.0, 4.0, 40.0, 29.0]), [20.0, 0.0, 100.0, 100.0]);
        assert_eq!(place.area_scale(), 8.0);
        assert_eq!(PicturePlace::whole(9, 9).to_picture([1.0, 2.0, 3.0, 4.0]), [1.0, 2.0, 3.0, 4.0]);
    }
}
