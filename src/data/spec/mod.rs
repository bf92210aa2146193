//! Data specification: one line of text that names a source of samples.
//!
//! Knows the readers, not what they read.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::digits::{Drawing, drawing};
use super::events::Binning;
use super::events::generator::{self as event_generator, EventSplit};
use super::options::{ReadOptions, split_option};
use super::path_list::{split_pair, split_paths};
use super::scenes::generator::{self, SceneOptions};
use super::scenes::objects::{self, ObjectSplit};
use super::scenes::{coco_samples, masks, voc};
use super::{Samples, cifar, digits, events, idx, images, npz, snn_toolbox};
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

/// The options that each kind of data takes, besides those of [`Binning`] for events.
fn option_keys(kind: &str) -> &'static [&'static str] {
    match kind {
        "idx" | "cifar10" | "snntoolbox" => &["layout"],
        "images" => &["classes", "background", "layout"],
        "npz" => &["layout", "split", "x", "y", "classes"],
        "npy" => &["layout", "classes"],
        "events" => &["classes"],
        "masks" => &["fit", "size", "meaning", "void", "background"],
        "voc" => &["fit", "size", "origin", "split", "background"],
        "coco" => &["fit", "size", "background"],
        "builtin" => &["size", "difficulty", "seed"],
        _ => &[],
    }
}

impl DataSpec {
    /// Parses the text form.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the valid forms.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |why: &str| {
            // A whole sentence on an option has advice of its own.
            if let Some(why) = why.strip_prefix("Cannot use ").filter(|why| why.ends_with('.')) {
                return Error::Invalid(format!("Cannot open data '{text}': {why}"));
            }
            Error::Invalid(format!(
                "Cannot open data '{text}': {why}. Use idx:IMAGES,LABELS, cifar10:FILE, images:FOLDER, npz:FILE, \
                 npy:SAMPLES,LABELS, snntoolbox:FOLDER, events:FILE[,frames=N], masks:FOLDER, voc:FOLDER, \
                 coco:FILE[,FOLDER], builtin:digits, builtin:scenes, builtin:objects or builtin:events-digits."
            ))
        };
        let (kind, rest) = text.trim().split_once(':').ok_or_else(|| bad("no data kind before a colon"))?;
        if kind == drawing::KIND {
            let drawing = Drawing::parse(rest)?;
            return Ok(Source::Drawn(drawing.to_string()).into());
        }
        let (files, options, binning) = split_options(kind, rest).map_err(|why| bad(&why))?;
        if files.trim().is_empty() {
            return Err(bad("no file named"));
        }
        let pair = || split_pair(files).ok_or_else(|| bad("one file of samples and one of labels needed"));
        let list = || Some(split_paths(files)).filter(|paths| !paths.is_empty()).ok_or_else(|| bad("no file named"));
        let source = match kind {
            "idx" => pair().map(|(images, labels)| Source::Idx { images, labels })?,
            "npy" => pair().map(|(samples, labels)| Source::Npy { samples, labels })?,
            "cifar10" => Source::Cifar10(list()?),
            "images" => Source::Images(list()?),
            "events" => Source::Events { paths: list()?, binning },
            "npz" => Source::Npz(files.trim().into()),
            "snntoolbox" => Source::Toolbox(files.trim().into()),
            "masks" => Source::Masks(files.trim().into()),
            "voc" => Source::Voc(files.trim().into()),
            "coco" => pair().map(|(file, pictures)| Source::Coco { file, pictures })?,
            "builtin" => {
                let (name, digits) = (files.trim(), digits::Split::from_name(files.trim()));
                if let Some(split) = EventSplit::from_name(name) {
                    let seeded = ReadOptions { seed: options.seed, ..ReadOptions::default() };
                    if options != seeded {
                        return Err(bad("generated recordings have one size; they take frames, us, polarity and seed"));
                    }
                    return Ok(Self { source: Source::EventDigits { split, binning }, options });
                }
                if digits.is_some() && options != ReadOptions::default() {
                    return Err(bad("digits have one size and difficulty; scenes take size, difficulty and seed"));
                }
                let scenes = generator::SceneSplit::from_name(name).map(Source::Scenes);
                let objects = ObjectSplit::from_name(name).map(Source::Objects);
                let resized = options.size.is_some() || options.difficulty.is_some();
                if objects.is_some() && resized {
                    return Err(bad("objects have one size and difficulty; scenes take both"));
                }
                digits.map(Source::Builtin).or(scenes).or(objects).ok_or_else(|| {
                    bad("not built in; digits, scenes, objects and events-digits are, each also with -train")
                })?
            }
            _ => return Err(bad("unknown data kind")),
        };
        Ok(Self { source, options })
    }

    /// The same source with option `key` set to `value`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown option.
    pub fn with_option(&self, key: &str, value: &str) -> Result<Self> {
        let mut changed = self.clone();
        let invalid = |why: String| Error::Invalid(format!("Cannot read {self} with {key}={value}: {why}."));
        let is_of_binning = match &mut changed.source {
            Source::EventDigits { binning, .. } if Binning::GENERATED_KEYS.contains(&key) => {
                binning.set_option(key, value).map_err(invalid)?
            }
            Source::Events { binning, .. } => binning.set_option(key, value).map_err(invalid)?,
            _ => false,
        };
        let is_known = is_of_binning || changed.options.set(key, value).map_err(invalid)?;
        if is_known { Ok(changed) } else { Err(invalid("there is no such option".into())) }
    }

    /// The files and folders of the source.
    pub fn paths(&self) -> Vec<&Path> {
        match &self.source {
            Source::Idx { images: samples, labels } | Source::Npy { samples, labels } => {
                std::iter::once(samples.as_path()).chain(labels.as_deref()).collect()
            }
            Source::Cifar10(paths) | Source::Images(paths) | Source::Events { paths, .. } => {
                paths.iter().map(PathBuf::as_path).collect()
            }
            Source::Coco { file, pictures } => std::iter::once(file.as_path()).chain(pictures.as_deref()).collect(),
            Source::Npz(path) | Source::Toolbox(path) | Source::Masks(path) | Source::Voc(path) => vec![path],
            Source::Builtin(_)
            | Source::Scenes(_)
            | Source::Objects(_)
            | Source::EventDigits { .. }
            | Source::Drawn(_) => Vec::new(),
        }
    }

    /// The same specification with every path replaced by `path`.
    pub fn map_paths(&self, mut path: impl FnMut(&Path) -> PathBuf) -> Self {
        let mut changed = self.clone();
        match &mut changed.source {
            Source::Idx { images: samples, labels } | Source::Npy { samples, labels } => {
                *samples = path(samples);
                labels.iter_mut().for_each(|labels| *labels = path(labels));
            }
            Source::Cifar10(paths) | Source::Images(paths) | Source::Events { paths, .. } => {
                paths.iter_mut().for_each(|one| *one = path(one));
            }
            Source::Coco { file, pictures } => {
                *file = path(file);
                pictures.iter_mut().for_each(|pictures| *pictures = path(pictures));
            }
            Source::Npz(one) | Source::Toolbox(one) | Source::Masks(one) | Source::Voc(one) => *one = path(one),
            Source::Builtin(_)
            | Source::Scenes(_)
            | Source::Objects(_)
            | Source::EventDigits { .. }
            | Source::Drawn(_) => {}
        }
        changed
    }

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
            Source::Cifar10(files) => cifar::read(files),
            Source::Images(paths) => images::read(paths, shape, options.background.unwrap_or_default()),
            Source::Events { paths, binning } => events::read(paths, binning, shape),
            Source::Npz(path) => npz::read_with(path, options),
            Source::Npy { samples, labels } => npz::read_npy_samples(samples, labels.as_deref()),
            Source::Toolbox(folder) => snn_toolbox::read(folder),
            Source::Masks(folder) => masks::read(folder, shape, options),
            Source::Voc(folder) => voc::read(folder, shape, options),
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

/// The files of a specification without the options after them.
///
/// # Errors
/// The reason why an option is invalid, in a sentence.
fn split_options<'a>(kind: &str, rest: &'a str) -> Result<(&'a str, ReadOptions, Binning), String> {
    let (mut files, mut options, mut stated) = (rest, ReadOptions::default(), Vec::new());
    let is_generated =
        kind == "builtin" && EventSplit::from_name(rest.split(',').next().unwrap_or("").trim()).is_some();
    let (mut binning, of_binning): (Binning, &[&str]) = match kind {
        "events" => (Binning::default(), &Binning::KEYS),
        _ if is_generated => (Binning::of_digits(), &Binning::GENERATED_KEYS),
        _ => (Binning::default(), &[]),
    };
    let of_kind = if is_generated { &["seed"] } else { option_keys(kind) };
    let keys: Vec<&str> = of_kind.iter().chain(of_binning).copied().collect();
    // An existing path may look like one with options.
    while !Path::new(files.trim()).exists() {
        let (before, last) = files.rsplit_once(',').unwrap_or(("", files));
        let Some(option) = split_option(last, &keys) else { break };
        stated.insert(0, option);
        files = before;
    }
    let (_, last) = files.rsplit_once(',').unwrap_or(("", files));
    let is_word = |key: &str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b == b'_');
    let is_known = |key: &str| ReadOptions::KEYS.iter().chain(&Binning::KEYS).any(|known| *known == key);
    let other = last.trim().split_once('=').filter(|(key, _)| is_known(key) || (last != files && is_word(key)));
    if let Some((key, _)) = other.filter(|_| !Path::new(files.trim()).exists() && !Path::new(last.trim()).exists()) {
        let options = match keys.as_slice() {
            [] => String::new(),
            keys => format!("; its options are {}", keys.join(", ")),
        };
        return Err(format!("{kind} takes no option {key}{options}"));
    }
    // The length of frames comes before their number.
    stated.sort_by_key(|(key, _)| *key != "us");
    for (key, value) in stated {
        if !(of_binning.contains(&key) && binning.set_option(key, value)?) {
            options.set(key, value)?;
        }
    }
    Ok((files, options, binning))
}

fn drawn(text: &str, shape: Option<&[usize]>) -> Result<Samples> {
    let strokes = text.split_once(':').map_or(text, |(_, strokes)| strokes);
    Drawing::parse(strokes).map(|drawing| drawing.samples(shape))
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
            Source::Images(paths) => write!(f, "images:{}", join(paths)),
            Source::Events { paths, binning } => write!(f, "events:{}{binning}", join(paths)),
            Source::Npz(path) => write!(f, "npz:{}", path.display()),
            Source::Toolbox(folder) => write!(f, "snntoolbox:{}", folder.display()),
            Source::Masks(folder) => write!(f, "masks:{}", folder.display()),
            Source::Voc(folder) => write!(f, "voc:{}", folder.display()),
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
