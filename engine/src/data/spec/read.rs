//! Samples of a data specification: each source by its reader.

use super::{DataSpec, Source};
use crate::Result;
use crate::data::cifar::Cifar;
use crate::data::digits::Drawing;
use crate::data::events::generator as event_generator;
use crate::data::options::ReadOptions;
use crate::data::scenes::generator::{self, SceneOptions};
use crate::data::scenes::{coco_samples, masks, objects, voc, yolo};
use crate::data::{Samples, cifar, digits, events, idx, images, npz, snn_toolbox};

impl DataSpec {
    /// Reads the samples, in their own shape.
    ///
    /// # Errors
    /// Those of the reader of this kind.
    pub fn load(&self) -> Result<Samples> {
        self.read(None)
    }

    /// The calibration samples that belong to this source, as a specification of their own.
    pub fn default_calibration(&self) -> Option<Self> {
        match &self.source {
            Source::Toolbox(folder) => {
                let source = Source::Npz(snn_toolbox::calibration(folder)?);
                Some(Self { source, options: ReadOptions { layout: self.options.layout, ..ReadOptions::default() } })
            }
            _ => None,
        }
    }

    /// Shape of a sample as it is read without a network; of images that of the first, since sizes may differ.
    ///
    /// # Errors
    /// Those of the reader of this kind.
    pub fn first_shape(&self) -> Result<Vec<usize>> {
        match &self.source {
            Source::Images(paths) => images::first_shape(paths),
            Source::Masks(folder) => masks::first_shape(folder, &self.options),
            Source::Voc(folder) => voc::first_shape(folder, &self.options),
            Source::Yolo(path) => yolo::first_shape(path, &self.options),
            Source::Coco { file, pictures } => coco_samples::first_shape(file, pictures.as_deref(), &self.options),
            Source::EventDigits { split, binning } => {
                Ok(event_generator::generate_some(*split, 1, binning, 0, None)?.shape)
            }
            _ => Ok(self.load()?.shape),
        }
    }

    /// Reads the samples; images, scenes of files, events and drawings are fitted to `shape`, channels first.
    ///
    /// # Errors
    /// Those of the reader of this kind.
    pub fn load_resized(&self, shape: &[usize]) -> Result<Samples> {
        self.read(Some(shape))
    }

    fn read(&self, shape: Option<&[usize]>) -> Result<Samples> {
        let options = &self.options;
        let samples = match &self.source {
            Source::Idx { images, labels } => idx::read(images, labels.as_deref()),
            Source::Cifar10(files) => cifar::read(files, Cifar::Ten),
            Source::Cifar100(files) => cifar::read(files, Cifar::Hundred),
            Source::Images(paths) => images::read(paths, shape, options.background.unwrap_or_default()),
            Source::Events { paths, binning } => events::read(paths, binning, shape),
            Source::Npz(path) => npz::read_with(path, options),
            Source::Npy { samples, labels } => npz::read_npy_samples(samples, labels.as_deref()),
            Source::Toolbox(folder) => snn_toolbox::read(folder),
            Source::Masks(folder) => masks::read(folder, shape, options),
            Source::Voc(folder) => voc::read(folder, shape, options),
            Source::Yolo(path) => yolo::read(path, shape, options),
            Source::Coco { file, pictures } => coco_samples::read(file, pictures.as_deref(), shape, options),
            Source::Builtin(split) => Ok(digits::generate(*split)),
            Source::Scenes(split) => {
                let usual = SceneOptions::default();
                let size = options.size.unwrap_or(usual.size);
                let difficulty = options.difficulty.unwrap_or(usual.difficulty);
                generator::generate(*split, SceneOptions { size, difficulty }, options.seed.unwrap_or(0))
            }
            Source::Objects(split) => Ok(objects::generate(*split, options.seed.unwrap_or(0))),
            Source::EventDigits { split, binning } => {
                event_generator::generate(*split, binning, options.seed.unwrap_or(0), shape)
            }
            Source::Drawn(text) => drawn(text, shape),
        };
        // A drawing's text is long, and its samples have no other choices.
        let named = !matches!(self.source, Source::Drawn(_));
        samples.map(|samples| if named { Samples { source: self.to_string(), ..samples } } else { samples })
    }
}

fn drawn(text: &str, shape: Option<&[usize]>) -> Result<Samples> {
    let strokes = text.split_once(':').map_or(text, |(_, strokes)| strokes);
    Drawing::parse(strokes).map(|drawing| drawing.samples(shape))
}
