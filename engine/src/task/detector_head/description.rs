//! Description of a detector's head: which outputs hold scores and boxes, and how boxes are coded.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::box_coding::{BoxCoding, BoxFunction, Coding};
use super::head_text::HeadText;
use super::level::Level;
use crate::{Error, Result};

/// Limits of what a description may state.
const MAX_LEVELS: usize = 64;
const MAX_CLASSES: usize = 10_000;

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
        let BoxCoding { coding, .. } = found.boxes;
        if coding == Coding::Yolov3 && found.boxes.function.is_some() {
            return refuse("function", "coding yolov3 has functions of its own; omit function".into());
        }
        if coding == Coding::Yolov5 && !matches!(found.boxes.function(), BoxFunction::Sigmoid | BoxFunction::None) {
            return refuse("function", "function of the coding yolov5 must be sigmoid or none".into());
        }
        found.levels.iter().try_for_each(|level| level.check(coding, head))?;
        Ok(found)
    }

    /// Columns of the class output: classes and background.
    pub fn columns(&self) -> usize {
        self.classes.len() + usize::from(self.background != Background::None)
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
        refused("box = \"b\"\n", "", "line 7: a level names either an output");
        refused("box = \"b\"", "box = \"b\"\noutput = \"o\"", "line 7: a level names either an output");
        refused("box = \"b\"", "box = \"b\"\nvalues = [\"box\", \"class\"]", "line 9: values is the order");
        let combined = |values: &str| format!("output = \"o\"\nvalues = {values}");
        let names = "class = \"c\"\nbox = \"b\"";
        refused(names, &combined("[\"box\"]"), "line 8: values is the order");
        refused(names, &combined("[\"box\", \"class\", \"box\"]"), "line 8: values is the order");
        refused(names, &combined("[\"box\", \"score\"]"), "line 8: unknown variant `score`");
        refused("\"ltrb\"", "\"yolov5\"", "line 5: function of the coding yolov5");
        refused("\"ltrb\"", "\"yolov3\"", "line 5: coding yolov3 has functions of its own");
        let without = SOUND.replace("function = \"exp\"\n", "").replace("\"ltrb\"", "\"yolov3\"");
        assert!(parse(&without).unwrap_err().to_string().contains("line 6: this level states no priors"));
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
