//! Data specification: one line of text that names a source of samples.
//!
//! `parse` reads the line, `read` the samples; knows the readers, not what they read.

mod parse;
mod read;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::digits;
use super::events::Binning;
use super::events::generator::EventSplit;
use super::npz::labels_beside;
use super::options::ReadOptions;
use super::scenes::objects::ObjectSplit;
use super::scenes::{coco_samples, generator};
use crate::{Error, Result};

/// A source of samples and what the user states about it. [`fmt::Display`] writes its text form, [`DataSpec::parse`]
/// reads it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DataSpec {
    pub source: Source,
    pub options: ReadOptions,
}

/// A source of samples.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// `idx:IMAGES,LABELS` or `idx:IMAGES`
    Idx { images: PathBuf, labels: Option<PathBuf> },
    /// `cifar10:FILE[,FILE…]`
    Cifar10(Vec<PathBuf>),
    /// `cifar100:FILE[,FILE…]`, with its fine labels
    Cifar100(Vec<PathBuf>),
    /// `images:FOLDER` or `images:FILE[,FILE…]`
    Images(Vec<PathBuf>),
    /// `npz:FILE`
    Npz(PathBuf),
    /// `npy:SAMPLES,LABELS` or `npy:SAMPLES`
    Npy { samples: PathBuf, labels: Option<PathBuf> },
    /// `snntoolbox:FOLDER` with `x_test.npz`, `y_test.npz` and, for calibration, `x_norm.npz`
    Toolbox(PathBuf),
    /// `events:FOLDER` or `events:FILE[,FILE…]`, then binning options: `,frames=N`, `,us=N`, `,polarity=…`, `,sensor=WxH`,
    /// `,unit=…`, `,order=…`, `,y=…`, `,tonic=…`
    Events { paths: Vec<PathBuf>, binning: Binning },
    /// `masks:FOLDER`: pictures with label masks
    Masks(PathBuf),
    /// `voc:FOLDER`: pictures with boxes in XML files
    Voc(PathBuf),
    /// `yolo:FOLDER` or `yolo:FILE.yaml`: pictures with boxes in text files
    Yolo(PathBuf),
    /// `coco:FILE` or `coco:FILE,FOLDER`: boxes in a JSON file and the folder of pictures
    Coco { file: PathBuf, pictures: Option<PathBuf> },
    /// `builtin:digits` or `builtin:digits-train`
    Builtin(digits::Split),
    /// `builtin:scenes` or `builtin:scenes-train`
    Scenes(generator::SceneSplit),
    /// `builtin:objects` or `builtin:objects-train`
    Objects(ObjectSplit),
    /// `builtin:events-digits` or `builtin:events-digits-train`, with `frames`, `us`, `polarity`; always with its frames
    EventDigits { split: EventSplit, binning: Binning },
    /// `drawn:…`: a user's drawing, as text
    Drawn(String),
}

impl DataSpec {
    /// The files and folders of the source.
    pub fn paths(&self) -> Vec<&Path> {
        match &self.source {
            Source::Idx { images: samples, labels } | Source::Npy { samples, labels } => {
                std::iter::once(samples.as_path()).chain(labels.as_deref()).collect()
            }
            Source::Cifar10(paths) | Source::Cifar100(paths) | Source::Images(paths) | Source::Events { paths, .. } => {
                paths.iter().map(PathBuf::as_path).collect()
            }
            Source::Coco { file, pictures } => std::iter::once(file.as_path()).chain(pictures.as_deref()).collect(),
            Source::Npz(path)
            | Source::Toolbox(path)
            | Source::Masks(path)
            | Source::Voc(path)
            | Source::Yolo(path) => vec![path],
            Source::Builtin(_)
            | Source::Scenes(_)
            | Source::Objects(_)
            | Source::EventDigits { .. }
            | Source::Drawn(_) => Vec::new(),
        }
    }

    /// Files that the source does not name and that are read nevertheless: labels and pictures that are found beside its own.
    pub fn files_beside(&self) -> Vec<PathBuf> {
        match &self.source {
            Source::Npy { samples, labels: None } => labels_beside(samples).into_iter().collect(),
            // What cannot be read is told when the samples are.
            Source::Coco { file, pictures: None } => coco_samples::picture_files(file).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// Whether samples are recordings of an event camera, whose frames are counts of events.
    pub fn is_of_recordings(&self) -> bool {
        matches!(self.source, Source::Events { .. } | Source::EventDigits { .. })
    }

    /// The same specification with every path replaced by `path`.
    pub fn map_paths(&self, mut path: impl FnMut(&Path) -> PathBuf) -> Self {
        let mut changed = self.clone();
        match &mut changed.source {
            Source::Idx { images: samples, labels } | Source::Npy { samples, labels } => {
                *samples = path(samples);
                labels.iter_mut().for_each(|labels| *labels = path(labels));
            }
            Source::Cifar10(paths) | Source::Cifar100(paths) | Source::Images(paths) | Source::Events { paths, .. } => {
                paths.iter_mut().for_each(|one| *one = path(one));
            }
            Source::Coco { file, pictures } => {
                *file = path(file);
                pictures.iter_mut().for_each(|pictures| *pictures = path(pictures));
            }
            Source::Npz(one) | Source::Toolbox(one) | Source::Masks(one) | Source::Voc(one) | Source::Yolo(one) => {
                *one = path(one)
            }
            Source::Builtin(_)
            | Source::Scenes(_)
            | Source::Objects(_)
            | Source::EventDigits { .. }
            | Source::Drawn(_) => {}
        }
        changed
    }
}

impl From<Source> for DataSpec {
    fn from(source: Source) -> Self {
        Self { source, options: ReadOptions::default() }
    }
}

impl fmt::Display for DataSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |paths: &[PathBuf]| paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(",");
        let pair = |a: &Path, b: Option<&Path>| match b {
            Some(b) => format!("{},{}", a.display(), b.display()),
            None => a.display().to_string(),
        };
        match &self.source {
            Source::Idx { images, labels } => write!(f, "idx:{}", pair(images, labels.as_deref())),
            Source::Npy { samples, labels } => write!(f, "npy:{}", pair(samples, labels.as_deref())),
            Source::Cifar10(files) => write!(f, "cifar10:{}", join(files)),
            Source::Cifar100(files) => write!(f, "cifar100:{}", join(files)),
            Source::Images(paths) => write!(f, "images:{}", join(paths)),
            Source::Events { paths, binning } => write!(f, "events:{}{binning}", join(paths)),
            Source::Npz(path) => write!(f, "npz:{}", path.display()),
            Source::Toolbox(folder) => write!(f, "snntoolbox:{}", folder.display()),
            Source::Masks(folder) => write!(f, "masks:{}", folder.display()),
            Source::Voc(folder) => write!(f, "voc:{}", folder.display()),
            Source::Yolo(path) => write!(f, "yolo:{}", path.display()),
            Source::Coco { file, pictures } => write!(f, "coco:{}", pair(file, pictures.as_deref())),
            Source::Builtin(split) => write!(f, "builtin:{}", split.name()),
            Source::Scenes(split) => write!(f, "builtin:{}", split.name()),
            Source::Objects(split) => write!(f, "builtin:{}", split.name()),
            Source::EventDigits { split, binning } => {
                write!(f, "builtin:{}", split.name())?;
                binning.write_options(f, &Binning::of_digits())
            }
            Source::Drawn(text) => f.write_str(text),
        }?;
        self.options.fmt(f)
    }
}

impl FromStr for DataSpec {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl TryFrom<String> for DataSpec {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<DataSpec> for String {
    fn from(spec: DataSpec) -> Self {
        spec.to_string()
    }
}

#[cfg(test)]
mod tests;
