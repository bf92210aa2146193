//! Description of a detector's head: which outputs hold scores and boxes, and how boxes are coded.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::layout::Order;
use crate::{Error, Result};

/// Limits of what a description may state.
const MAX_LEVELS: usize = 64;
const MAX_CLASSES: usize = 10_000;
const MAX_STRIDE: usize = 4096;

/// The text of a description and the file that it is from, for the places of errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadText {
    pub path: PathBuf,
    pub text: String,
}

/// Description of a detector's head.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HeadDescription {
    /// Class names, in the order of the scores; the background is not among them.
    pub classes: Vec<String>,
    /// Function from the values of the class output to scores.
    #[serde(default = "sigmoid")]
    pub activation: ScoreFunction,
    /// Whether a score of the background stands before or behind those of the classes.
    #[serde(default)]
    pub background: Background,
    /// Function of the centre-ness output.
    #[serde(default = "sigmoid")]
    pub center_activation: ScoreFunction,
    /// How the class score and the centre-ness become one score.
    #[serde(default)]
    pub center_score: CenterScore,
    /// Boxes at or below this score are discarded.
    #[serde(default = "min_score")]
    pub min_score: f32,
    /// Boxes above this score are drawn and compared with each other.
    #[serde(default = "shown_score")]
    pub shown_score: f32,
    /// Of boxes of a class that overlap by more than this, only the one of the highest score is kept.
    #[serde(default = "max_iou")]
    pub max_iou: f64,
    /// Maximum number of boxes of a picture.
    #[serde(default = "top_k")]
    pub top_k: usize,
    pub boxes: BoxCoding,
    /// The outputs of each level of the pyramid.
    #[serde(rename = "level")]
    pub levels: Vec<Level>,
}

/// Function from values to scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScoreFunction {
    Sigmoid,
    /// Over the classes and the background.
    Softmax,
    None,
}

/// Place of the background among the class scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Background {
    #[default]
    None,
    First,
    Last,
}

/// How the class score and the centre-ness become one score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CenterScore {
    /// Their product (FCOS, Tian et al. 2019).
    #[default]
    Product,
    /// The root of their product, as torchvision scores FCOS.
    GeometricMean,
}

/// How the values of the box output become corners.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BoxCoding {
    pub coding: Coding,
    #[serde(default)]
    pub units: Units,
    #[serde(default)]
    pub function: BoxFunction,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoxFunction {
    Exp,
    Relu,
    #[default]
    None,
}

/// The outputs of one level.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Level {
    /// Names of the outputs.
    pub class: Spanned<String>,
    #[serde(rename = "box")]
    pub boxes: Spanned<String>,
    #[serde(default)]
    pub center: Option<Spanned<String>>,
    /// Pixels per cell; several if the output has the cells of several grids one after the other. Not needed for corners.
    #[serde(default)]
    pub stride: Option<Strides>,
    /// Width and height of the prior boxes of each cell in pixels, the same for each grid or one list for each; without
    /// them one prior of one cell.
    #[serde(default)]
    pub priors: Option<Priors>,
    /// Order of the values, where the shape of an output fits several.
    #[serde(default)]
    pub layout: Option<Spanned<Order>>,
}

/// Pixels per cell of one grid or of several.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "stride must be a whole number of pixels from 1 to 4096, as in 8, or a list, as in [8, 16]"
)]
pub enum Strides {
    One(usize),
    Many(Vec<usize>),
}

/// Prior boxes of a level.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "priors must be a list of [width, height], or one such list for each stride")]
pub enum Priors {
    Same(Vec<[f32; 2]>),
    OfGrid(Vec<Vec<[f32; 2]>>),
}

fn sigmoid() -> ScoreFunction {
    ScoreFunction::Sigmoid
}
fn min_score() -> f32 {
    0.05
}
fn shown_score() -> f32 {
    0.5
}
fn max_iou() -> f64 {
    0.5
}
fn top_k() -> usize {
    100
}
fn offset() -> f32 {
    0.5
}

impl HeadText {
    /// An error at the bytes `at` of the text.
    pub fn error(&self, at: Range<usize>, reason: impl Into<String>) -> Error {
        let line = self.text.get(..at.start).unwrap_or(&self.text).matches('\n').count() + 1;
        Error::file(&self.path, format!("line {line}"), reason)
    }

    /// Where the key `key` is first assigned, else the beginning.
    fn place_of(&self, key: &str) -> Range<usize> {
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            if line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('=')) {
                return start..start;
            }
            start += line.len();
        }
        0..0
    }
}

impl HeadDescription {
    /// Parses a description.
    ///
    /// # Errors
    /// [`Error::File`] with the line for text that is none, and for values out of their range.
    pub fn parse(head: &HeadText) -> Result<Self> {
        let found: Self = toml::from_str(&head.text).map_err(|e| Error::toml(&head.path, &head.text, &e))?;
        let refuse = |key: &str, reason: String| Err(head.error(head.place_of(key), reason));
        if found.classes.is_empty() || found.classes.len() > MAX_CLASSES {
            return refuse("classes", format!("classes are {}; 1 to {MAX_CLASSES} are supported", found.classes.len()));
        }
        for (key, value) in
            [("min-score", found.min_score), ("shown-score", found.shown_score), ("max-iou", found.max_iou as f32)]
        {
            if !(0.0..=1.0).contains(&value) {
                return refuse(key, format!("{key} is {value}; it must be 0 to 1"));
            }
        }
        if found.top_k == 0 {
            return refuse("top-k", "top-k is 0: no box would be left".into());
        }
        if found.activation == ScoreFunction::Softmax && found.background == Background::None && found.classes.len() < 2
        {
            return refuse("activation", "the softmax of one class is always 1; state the background".into());
        }
        if found.center_activation == ScoreFunction::Softmax {
            return refuse("center-activation", "center-activation must be sigmoid or none".into());
        }
        if found.levels.is_empty() || found.levels.len() > MAX_LEVELS {
            return refuse(
                "[[level]]",
                format!("there are {} tables [[level]]; 1 to {MAX_LEVELS} are supported", found.levels.len()),
            );
        }
        if !found.boxes.offset.is_finite()
            || found.boxes.variances.is_some_and(|all| all.iter().any(|value| !value.is_finite()))
        {
            return refuse("offset", "offset and variances must be finite numbers".into());
        }
        for level in &found.levels {
            let strides = level.strides();
            if let Some(bad) = strides.iter().find(|stride| !(1..=MAX_STRIDE).contains(*stride)) {
                return Err(
                    head.error(level.class.span(), format!("its stride is {bad}; it must be 1 to {MAX_STRIDE}"))
                );
            }
            if strides.is_empty() && found.boxes.coding != Coding::Corners {
                return Err(head.error(level.class.span(), "this level states no stride"));
            }
            let is_size = |side: &f32| side.is_finite() && *side > 0.0;
            if (0..strides.len().max(1)).any(|grid| {
                let priors = level.priors_of(grid);
                level.priors.is_some() && priors.is_empty() || priors.iter().flatten().any(|side| !is_size(side))
            }) {
                let reason = "its priors must be one list of [width, height] above 0, or one for each stride";
                return Err(head.error(level.class.span(), reason));
            }
        }
        Ok(found)
    }

    /// Columns of the class output: classes and background.
    pub fn columns(&self) -> usize {
        self.classes.len() + usize::from(self.background != Background::None)
    }
}

impl Level {
    /// The strides of its grids.
    pub fn strides(&self) -> Vec<usize> {
        match &self.stride {
            None => Vec::new(),
            Some(Strides::One(stride)) => vec![*stride],
            Some(Strides::Many(strides)) => strides.clone(),
        }
    }

    /// The stated priors of grid `grid`, in pixels.
    pub fn priors_of(&self, grid: usize) -> &[[f32; 2]] {
        match &self.priors {
            None => &[],
            Some(Priors::Same(priors)) => priors,
            Some(Priors::OfGrid(of)) => of.get(grid).map_or(&[], Vec::as_slice),
        }
    }
}

/// Path of the description beside the network file `model`: `NAME.head.toml`.
pub fn beside(model: &Path) -> PathBuf {
    model.with_extension("head.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "classes = [\"a\", \"b\"]\n[boxes]\ncoding = \"ltrb\"\nunits = \"strides\"\nfunction = \
                         \"exp\"\n[[level]]\nclass = \"c\"\nbox = \"b\"\nstride = 8\n";

    fn parse(text: &str) -> Result<HeadDescription> {
        HeadDescription::parse(&HeadText { path: PathBuf::from("x.head.toml"), text: text.into() })
    }

    #[test]
    fn omitted_values_have_their_defaults() {
        let head = parse(SOUND).unwrap();
        assert_eq!((head.activation, head.columns(), head.top_k), (ScoreFunction::Sigmoid, 2, 100));
        assert_eq!((head.levels[0].strides(), head.boxes.offset), (vec![8], 0.5));
        let first = parse(&format!("background = \"first\"\n{SOUND}")).unwrap();
        assert_eq!(first.columns(), 3);
    }

    #[test]
    fn errors_name_file_and_line() {
        let refused = |from: &str, to: &str, says: &str| {
            let error = parse(&SOUND.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains("x.head.toml: ") && error.contains(says), "{error}");
        };
        refused("\"ltrb\"", "\"xywh\"", "line 3: unknown variant `xywh`");
        refused("stride = 8", "stride = 0", "line 7: its stride is 0");
        refused("stride = 8\n", "", "line 7: this level states no stride");
        for wrong in ["8.0", "-8", "\"8\"", "[8, 16.0]"] {
            refused("stride = 8", &format!("stride = {wrong}"), "line 9: stride must be a whole number of pixels");
        }
        refused("stride = 8", "stride = 8\npriors = [[8, 8], 8]", "line 10: priors must be a list of [width, height]");
        refused(
            "stride = 8",
            "stride = 8\nlayout = \"nhwc\"",
            "line 10: unknown variant `nhwc`, expected one of `map`",
        );
        refused("[\"a\", \"b\"]", "[]", "line 1: classes are 0");
        refused("[boxes]", "max-iou = 3.0\n[boxes]", "line 2: max-iou is 3");
        refused("stride = 8", "stride = 8\npriors = [[1.0, -2.0]]", "line 7: its priors");
        refused("stride = 8", "strides = 8", "line 9: unknown field `strides`");
        refused(
            "classes = [\"a\", \"b\"]",
            "classes = [\"a\"]\nactivation = \"softmax\"",
            "line 2: the softmax of one",
        );
        assert!(parse("").unwrap_err().to_string().contains("classes"));
    }
}
