//! The images of an attack: pixels and labels of samples, and what is given with them.

use super::form::ImageForm;

/// Images with their labels.
#[derive(Clone, Copy, Debug)]
pub struct Images<'a> {
    /// `[N, F]`, values from 0 to the limit of `form`.
    pub pixels: &'a [f32],
    /// `[N]`
    pub labels: &'a [u16],
    /// Values of an image.
    pub width: usize,
    pub form: ImageForm,
    /// Index of the first image in its data set: draws belong to it.
    pub first: usize,
}

impl<'a> Images<'a> {
    /// The images `from..to`.
    pub fn block(&self, from: usize, to: usize) -> Images<'a> {
        let pixels = &self.pixels[from * self.width..to * self.width];
        Images { pixels, labels: &self.labels[from..to], first: self.first + from, ..*self }
    }
}

/// What belongs to an attack besides its numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given<'a> {
    /// Starting images of the first restart, `[N, F]`, or only for the samples that are answered right.
    pub start: Option<&'a [f32]>,
    /// Labels to move toward, `[N]`, instead of away from the true ones.
    pub goal: Option<&'a [u16]>,
}
