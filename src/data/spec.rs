//! Data specification: one line of text that names a source of samples.
//!
//! Knows the readers, not what they read.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::digits::{Drawing, drawing};
use super::events::Binning;
use super::{Samples, cifar, digits, events, idx, images, npz, snn_toolbox};
use crate::{Error, Result};

/// A source of samples. [`fmt::Display`] writes its text form, [`DataSpec::parse`] reads it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DataSpec {
    /// `idx:IMAGES,LABELS` or `idx:IMAGES`
    Idx { images: PathBuf, labels: Option<PathBuf> },
    /// `cifar10:FILE[,FILE…]`
    Cifar10(Vec<PathBuf>),
    /// `images:FOLDER` or `images:FILE[,FILE…]`
    Images(Vec<PathBuf>),
    /// `npz:FILE`
    Npz(PathBuf),
    /// `snntoolbox:FOLDER` with `x_test.npz`, `y_test.npz` and, for calibration, `x_norm.npz`
    Toolbox(PathBuf),
    /// `events:FOLDER` or `events:FILE[,FILE…]`, then binning options: `,frames=N`, `,us=N`, `,polarity=…`, `,sensor=WxH`
    Events { paths: Vec<PathBuf>, binning: Binning },
    /// `builtin:digits` or `builtin:digits-train`
    Builtin(digits::Split),
    /// `drawn:…`: a user's drawing, as text
    Drawn(String),
}

impl DataSpec {
    /// Parses the text form.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the valid forms.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |why: &str| {
            Error::Invalid(format!(
                "Cannot open data '{text}': {why}. Use idx:IMAGES,LABELS, cifar10:FILE, images:FOLDER, npz:FILE, \
                 snntoolbox:FOLDER, events:FILE[,frames=N] or builtin:digits."
            ))
        };
        let (kind, rest) = text.trim().split_once(':').ok_or_else(|| bad("no data kind before a colon"))?;
        let list = || rest.split(',').map(str::trim).filter(|p| !p.is_empty()).map(PathBuf::from).collect::<Vec<_>>();
        if kind == drawing::KIND {
            let drawing = Drawing::parse(rest)?;
            return Ok(Self::Drawn(drawing.to_string()));
        }
        if rest.trim().is_empty() {
            return Err(bad("no file named"));
        }
        match kind {
            "idx" => match list().as_slice() {
                [images] => Ok(Self::Idx { images: images.clone(), labels: None }),
                [images, labels] => Ok(Self::Idx { images: images.clone(), labels: Some(labels.clone()) }),
                _ => Err(bad("one file of images and one of labels needed")),
            },
            "cifar10" if !list().is_empty() => Ok(Self::Cifar10(list())),
            // An existing folder whose name contains a comma is one path, not a list.
            "images" if Path::new(rest).exists() => Ok(Self::Images(vec![rest.into()])),
            "images" if !list().is_empty() => Ok(Self::Images(list())),
            "events" => {
                let mut parts: Vec<&str> = rest.split(',').collect();
                let binning = Binning::parse_options(&mut parts).map_err(|why| bad(&why))?;
                let files = parts.join(",");
                let paths: Vec<PathBuf> = match Path::new(&files).exists() {
                    true => vec![files.into()],
                    false => parts.iter().map(|p| p.trim()).filter(|p| !p.is_empty()).map(PathBuf::from).collect(),
                };
                if paths.is_empty() { Err(bad("no file named")) } else { Ok(Self::Events { paths, binning }) }
            }
            "npz" => Ok(Self::Npz(rest.trim().into())),
            "snntoolbox" => Ok(Self::Toolbox(rest.trim().into())),
            "builtin" => digits::Split::from_name(rest.trim())
                .map(Self::Builtin)
                .ok_or_else(|| bad("not built in; digits and digits-train are")),
            _ => Err(bad("unknown data kind")),
        }
    }

    /// Detects the kind of a dropped or opened path. For an IDX file of images, labels in the same folder are added.
    ///
    /// # Errors
    /// [`Error::File`] for a name of unknown kind, and for IDX labels without their images.
    pub fn detect(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        if path.is_dir() && snn_toolbox::is_folder(path) {
            return Ok(Self::Toolbox(path.to_owned()));
        }
        if events::is_recording(path) || (path.is_dir() && images::dir_contains(path, events::is_recording)) {
            return Ok(Self::Events { paths: vec![path.to_owned()], binning: Binning::default() });
        }
        if path.is_dir() || images::is_image(path) {
            return Ok(Self::Images(vec![path.to_owned()]));
        }
        if name.ends_with(".npz") {
            return Ok(Self::Npz(path.to_owned()));
        }
        if name.ends_with(".bin") {
            return Ok(Self::Cifar10(vec![path.to_owned()]));
        }
        if name.contains("idx") || name.contains("ubyte") {
            return detect_idx(path);
        }
        Err(Error::file(
            path,
            "name",
            "not a known kind of samples. Use IDX, CIFAR-10 .bin, .npz, images or a folder of images.",
        ))
    }

    /// Reads the samples.
    ///
    /// # Errors
    /// Those of the reader of this kind.
    pub fn load(&self) -> Result<Samples> {
        match self {
            Self::Idx { images, labels } => idx::read(images, labels.as_deref()),
            Self::Cifar10(files) => cifar::read(files),
            Self::Images(paths) => images::read(paths, None),
            Self::Events { paths, binning } => events::read(paths, binning, None),
            Self::Npz(path) => npz::read(path),
            Self::Toolbox(folder) => snn_toolbox::read(folder),
            Self::Builtin(split) => Ok(digits::generate(*split)),
            Self::Drawn(text) => drawn(text, None),
        }
    }

    /// The calibration samples that belong to this source, as a specification of their own.
    pub fn default_calibration(&self) -> Option<Self> {
        match self {
            Self::Toolbox(folder) => snn_toolbox::calibration(folder).map(Self::Npz),
            _ => None,
        }
    }

    /// Reads the samples; images, events and drawings are fitted to `shape` (the network's input).
    ///
    /// # Errors
    /// Those of the reader of this kind.
    pub fn load_resized(&self, shape: &[usize]) -> Result<Samples> {
        match self {
            Self::Images(paths) => images::read(paths, Some(shape)),
            Self::Events { paths, binning } => events::read(paths, binning, Some(shape)),
            Self::Drawn(text) => drawn(text, Some(shape)),
            _ => self.load(),
        }
    }
}

fn drawn(text: &str, shape: Option<&[usize]>) -> Result<Samples> {
    let strokes = text.split_once(':').map_or(text, |(_, strokes)| strokes);
    Drawing::parse(strokes).map(|drawing| drawing.samples(shape))
}

/// Pairs `…images-idx3-ubyte` with `…labels-idx1-ubyte`, with a dot or a hyphen, gzip-compressed or not.
fn detect_idx(path: &Path) -> Result<DataSpec> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let swapped = |from: &str, to: &str, rank: (&str, &str)| {
        let plain = name.strip_suffix(".gz").unwrap_or(&name).replace(from, to);
        let plain = if from == "labels" { plain.replace("idx1", "idx3") } else { plain.replace(rank.0, rank.1) };
        [plain.clone(), format!("{plain}.gz")].map(|n| path.with_file_name(n)).into_iter().find(|p| p.is_file())
    };
    if name.contains("labels") {
        let images = swapped("labels", "images", ("idx1", "idx3"))
            .ok_or_else(|| Error::file(path, "name", "contains labels, but their images are not in the same folder"))?;
        return Ok(DataSpec::Idx { images, labels: Some(path.to_owned()) });
    }
    let labels = ["idx3", "idx2", "idx4"].into_iter().find_map(|rank| swapped("images", "labels", (rank, "idx1")));
    Ok(DataSpec::Idx { images: path.to_owned(), labels: labels.filter(|l| l != path) })
}

impl fmt::Display for DataSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |paths: &[PathBuf]| paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(",");
        match self {
            Self::Idx { images, labels: Some(labels) } => write!(f, "idx:{},{}", images.display(), labels.display()),
            Self::Idx { images, labels: None } => write!(f, "idx:{}", images.display()),
            Self::Cifar10(files) => write!(f, "cifar10:{}", join(files)),
            Self::Images(paths) => write!(f, "images:{}", join(paths)),
            Self::Events { paths, binning } => write!(f, "events:{}{binning}", join(paths)),
            Self::Npz(path) => write!(f, "npz:{}", path.display()),
            Self::Toolbox(folder) => write!(f, "snntoolbox:{}", folder.display()),
            Self::Builtin(split) => write!(f, "builtin:{}", split.name()),
            Self::Drawn(text) => f.write_str(text),
        }
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
mod tests {
    use super::super::bounded_read::tests::{shared, write};
    use super::*;

    #[test]
    fn text_form_round_trips() {
        for text in [
            "idx:a,b",
            "idx:a",
            "cifar10:a.bin,b.bin",
            "images:a.png,b.png",
            "npz:a,b.npz",
            "builtin:digits-train",
            "events:a.bin,b.bin",
            "events:a,frames=16",
            "events:a,us=1000,frames=8,polarity=on,sensor=128x64",
        ] {
            let spec = DataSpec::parse(text).unwrap();
            assert_eq!(spec.to_string(), text);
            let json = serde_json::to_string(&spec).unwrap();
            assert_eq!(serde_json::from_str::<DataSpec>(&json).unwrap(), spec);
        }
        for text in
            ["events:frames=4", "events:a,frames=0", "events:a,frames=x", "events:a,sensor=9", "events:a,polarity=up"]
        {
            let why = DataSpec::parse(text).unwrap_err().to_string();
            assert!(why.contains(text), "{why}");
        }
        assert_eq!(DataSpec::parse("events:a,frames=32").unwrap().to_string(), "events:a");
        for text in ["", "digits", "idx:", "idx:a,b,c", "cifar10:,", "builtin:letters", "tar:x"] {
            assert!(DataSpec::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn dropped_paths_are_recognized() {
        let dir = tempfile::tempdir().unwrap();
        let images = write(&dir, "t10k-images-idx3-ubyte.gz", b"");
        let lone = DataSpec::detect(&images).unwrap();
        assert_eq!(lone, DataSpec::Idx { images: images.clone(), labels: None });
        let labels = write(&dir, "t10k-labels-idx1-ubyte", b"");
        let both = DataSpec::Idx { images: images.clone(), labels: Some(labels.clone()) };
        assert_eq!(DataSpec::detect(&images).unwrap(), both);
        assert_eq!(DataSpec::detect(&labels).unwrap(), both);
        assert_eq!(DataSpec::detect(dir.path()).unwrap(), DataSpec::Images(vec![dir.path().into()]));
        assert!(matches!(DataSpec::detect(Path::new("A.NPZ")), Ok(DataSpec::Npz(_))));
        assert!(matches!(DataSpec::detect(Path::new("x.bin")), Ok(DataSpec::Cifar10(_))));
        assert!(matches!(DataSpec::detect(Path::new("x.JPG")), Ok(DataSpec::Images(_))));
        assert!(DataSpec::detect(Path::new("x.txt")).is_err());
    }

    #[test]
    fn shared_mnist_is_detected_and_read() {
        let Some(path) = shared("mnist/t10k-images-idx3-ubyte.gz") else { return };
        assert_eq!(DataSpec::detect(&path).unwrap().load().unwrap().labels[..5], [7, 2, 1, 0, 4]);
    }
}
