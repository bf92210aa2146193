//! Results of detectors as COCO writes them: a list of boxes with scores.

use std::path::Path;

use serde::Deserialize;

use super::fields::{BoxField, Scalar, read_json};
use super::ground_truth::GroundTruth;
use crate::{Error, Result};

/// Boxes of a detector, in the order of the file, their ids resolved.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detections {
    pub boxes: Vec<CocoDetection>,
    /// Results of categories that the ground truth does not list, which do not count: their number and the first.
    pub foreign: Option<(usize, String)>,
}

/// A detected box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CocoDetection {
    /// Index into the pictures of the ground truth.
    pub picture: u32,
    /// Index into the categories of the ground truth.
    pub category: u32,
    /// Left, top, width and height in pixels.
    pub bbox: [f64; 4],
    pub score: f64,
}

#[derive(Deserialize)]
struct RawResult {
    #[serde(default)]
    image_id: Scalar,
    #[serde(default)]
    category_id: Scalar,
    #[serde(default)]
    bbox: BoxField,
    #[serde(default)]
    score: Scalar,
}

impl Detections {
    /// Reads results for the pictures of `truth`.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::File`] for text that is no such JSON, pictures that the ground truth does not have, boxes
    /// that are none and scores that are no numbers; the place is the index in the list.
    pub fn read(path: &Path, truth: &GroundTruth) -> Result<Self> {
        let raw: Vec<RawResult> = read_json(path, b'[')?;
        let (pictures, categories) = (truth.picture_index(), truth.category_index());
        let mut found = Self { boxes: Vec::with_capacity(raw.len()), foreign: None };
        for (index, raw) in raw.into_iter().enumerate() {
            let fail = |reason: String| Error::file(path, format!("results[{index}]"), reason);
            let shown = raw.image_id.shown();
            let id = raw
                .image_id
                .id()
                .ok_or_else(|| fail(format!("has image_id {shown}, which is no whole number or text")))?;
            let picture = pictures.get(&id).copied();
            let picture =
                picture.ok_or_else(|| fail(format!("has image_id {id}, which is not in the ground truth")))?;
            let shown = raw.category_id.shown();
            let id = raw.category_id.id();
            let id = id.ok_or_else(|| fail(format!("has category_id {shown}, which is no whole number or text")))?;
            let bbox = raw.bbox.checked().map_err(&fail)?;
            let score = raw.score.number().filter(|score| score.is_finite());
            let score =
                score.ok_or_else(|| fail(format!("has the score {}, which is no finite number", raw.score.shown())))?;
            match categories.get(&id) {
                Some(&category) => found.boxes.push(CocoDetection { picture, category, bbox, score }),
                None => found.foreign.get_or_insert_with(|| (0, format!("results[{index}], category {id}"))).0 += 1,
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fields::Id;
    use super::super::ground_truth::{Category, Picture};
    use super::*;

    #[test]
    fn results_are_resolved_and_bad_ones_told_with_their_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dt.json");
        let truth = GroundTruth {
            pictures: vec![Picture { id: Id::Number(4), file_name: String::new(), size: [None; 2] }],
            categories: vec![Category { id: Id::Number(18), name: "dog".into() }],
            ..GroundTruth::default()
        };
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Detections::read(&path, &truth)
        };
        let one = |image: &str, category: &str, bbox: &str, score: &str| {
            let fields =
                format!("\"image_id\": {image}, \"category_id\": {category}, \"bbox\": {bbox}, \"score\": {score}");
            format!("[{{{fields}}}]")
        };
        let found = read(&one("4", "18.0", "[1, 2, 3, 4]", "0.5")).unwrap();
        let expected = CocoDetection { picture: 0, category: 0, bbox: [1.0, 2.0, 3.0, 4.0], score: 0.5 };
        assert_eq!((found.boxes, found.foreign), (vec![expected], None));
        let foreign = read(&one("4", "9", "[1, 2, 3, 4]", "0.5")).unwrap();
        assert_eq!(foreign.foreign, Some((1, "results[0], category 9".into())));
        assert_eq!(read("[]").unwrap(), Detections::default(), "a detector that finds nothing");
        for (text, says) in [
            ("{\"annotations\": []}".to_owned(), "it is an object, as ground truth is"),
            (one("5", "18", "[1, 2, 3, 4]", "1"), "results[0]: has image_id 5, which is not in the ground truth"),
            (one("4", "18", "[]", "1"), "no list of four numbers"),
            (one("4", "18", "[1, 2, 3, 4]", "\"x\""), "has the score 'x'"),
            (one("4", "18", "[1, 2, 3, 4]", "NaN"), "NaN or Infinity"),
            (one("4", "null", "[1, 2, 3, 4]", "1"), "category_id missing"),
        ] {
            let refused = read(&text).unwrap_err().to_string();
            assert!(refused.contains(says), "{refused}\n{says}");
        }
    }
}
