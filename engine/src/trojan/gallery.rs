//! A folder of syntheses as the window shows it: its list with all pictures.

use std::path::{Path, PathBuf};

use super::synthesis::SynthesisIndex;
use crate::Result;
use crate::progress::JobControl;

/// The pictures of one trojan by one method.
#[derive(Clone, Debug, PartialEq)]
pub struct Pictures {
    /// `[N, C, H, W]`
    pub shape: [usize; 4],
    /// From 0 to 1.
    pub values: Vec<f32>,
}

/// A folder of syntheses.
#[derive(Clone, Debug)]
pub struct SynthesisFolder {
    pub path: PathBuf,
    pub index: SynthesisIndex,
    /// Of each item of the list, or why it cannot be read.
    pub pictures: Vec<std::result::Result<Pictures, String>>,
}

impl SynthesisFolder {
    /// Reads the folder at `path`.
    ///
    /// # Errors
    /// As [`SynthesisIndex::open`]; [`crate::Error::Cancelled`].
    pub fn open(path: &Path, control: &JobControl) -> Result<Self> {
        let index = SynthesisIndex::open(path)?;
        let mut pictures = Vec::with_capacity(index.items.len());
        for (k, item) in index.items.iter().enumerate() {
            control.check()?;
            control.progress("reading pictures", k as f32 / index.items.len() as f32);
            let read = item.pictures(path).map(|(shape, values)| Pictures { shape, values });
            pictures.push(read.map_err(|error| error.to_string()));
        }
        Ok(Self { path: path.to_owned(), index, pictures })
    }
}

impl Pictures {
    /// Red, green and blue of row `y`, column `x` of picture `picture`; black beyond the picture.
    pub fn color(&self, picture: usize, y: usize, x: usize) -> [u8; 3] {
        let [_, channels, height, width] = self.shape;
        let channel = |c: usize| {
            let at = ((picture * channels + if channels >= 3 { c } else { 0 }) * height + y) * width + x;
            (255.0 * self.values.get(at).copied().unwrap_or(0.0)).clamp(0.0, 255.0) as u8
        };
        [0, 1, 2].map(channel)
    }
}
