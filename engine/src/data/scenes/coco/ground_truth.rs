//! Ground truth of COCO: pictures, categories and annotated boxes, their ids resolved and checked.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use super::fields::{BoxField, Id, Scalar, read_json};
use crate::{Error, Result};

/// The content of an annotation file. Pictures and categories are in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroundTruth {
    pub pictures: Vec<Picture>,
    pub categories: Vec<Category>,
    pub objects: Vec<ObjectBox>,
    /// Annotations with the id of an earlier one: their number and a sentence about the first.
    pub duplicates: Option<(usize, String)>,
}

/// A picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    pub id: Id,
    /// Empty if the file names none.
    pub file_name: String,
    /// Width and height in pixels, where stated and above 0.
    pub size: [Option<f64>; 2],
}

/// A category.
#[derive(Clone, Debug, PartialEq)]
pub struct Category {
    pub id: Id,
    pub name: String,
}

/// A box of an object, or of a crowd of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObjectBox {
    /// Index into the pictures.
    pub picture: u32,
    /// Index into the categories.
    pub category: u32,
    /// Left, top, width and height in pixels.
    pub bbox: [f64; 4],
    /// That of the file, else width times height.
    pub area: f64,
    pub is_crowd: bool,
}

#[derive(Deserialize)]
struct RawFile {
    images: Option<Vec<RawPicture>>,
    categories: Option<Vec<RawCategory>>,
    annotations: Option<Vec<RawAnnotation>>,
}

#[derive(Deserialize)]
struct RawPicture {
    #[serde(default)]
    id: Scalar,
    #[serde(default)]
    file_name: Scalar,
    #[serde(default)]
    width: Scalar,
    #[serde(default)]
    height: Scalar,
}

#[derive(Deserialize)]
struct RawCategory {
    #[serde(default)]
    id: Scalar,
    #[serde(default)]
    name: Scalar,
}

#[derive(Deserialize)]
struct RawAnnotation {
    #[serde(default)]
    id: Scalar,
    #[serde(default)]
    image_id: Scalar,
    #[serde(default)]
    category_id: Scalar,
    #[serde(default)]
    bbox: BoxField,
    #[serde(default)]
    area: Scalar,
    #[serde(default)]
    iscrowd: Scalar,
}

/// Whether the file looks like ground truth of COCO: JSON whose beginning names pictures or annotations.
pub fn is_ground_truth(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(1 << 16).read_to_end(&mut head));
    let text = String::from_utf8_lossy(&head);
    let names = |key: &str| text.contains(&format!("\"{key}\""));
    read.is_ok() && text.trim_start().starts_with('{') && (names("images") || names("annotations") && names("image_id"))
}

impl GroundTruth {
    /// Reads an annotation file.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::File`] for text that is no such JSON, ids that are twice or nowhere, and boxes that are
    /// none; the place is the index in its list.
    pub fn read(path: &Path) -> Result<Self> {
        let raw: RawFile = read_json(path, b'{')?;
        let missing =
            |list: &str| Error::file(path, "", format!("has no list '{list}'; it is not ground truth of COCO"));
        let raw_pictures = raw.images.ok_or_else(|| missing("images"))?;
        let raw_annotations = raw.annotations.ok_or_else(|| missing("annotations"))?;
        let raw_categories = raw.categories.ok_or_else(|| missing("categories"))?;

        let mut pictures = Vec::with_capacity(raw_pictures.len());
        let mut picture_of = Ids::new(path, "images");
        for (index, raw) in raw_pictures.into_iter().enumerate() {
            let id = picture_of.add(index, raw.id)?;
            let file_name = if let Scalar::Text(name) = raw.file_name { name.into() } else { String::new() };
            let side = |side: &Scalar| side.number().filter(|side| *side > 0.0);
            pictures.push(Picture { id, file_name, size: [side(&raw.width), side(&raw.height)] });
        }
        let mut categories = Vec::with_capacity(raw_categories.len());
        let mut category_of = Ids::new(path, "categories");
        for (index, raw) in raw_categories.into_iter().enumerate() {
            let id = category_of.add(index, raw.id)?;
            let name = if let Scalar::Text(name) = raw.name { name.into() } else { format!("category {id}") };
            categories.push(Category { id, name });
        }
        let mut objects = Vec::with_capacity(raw_annotations.len());
        let mut seen: HashMap<Id, u32> = HashMap::new();
        let mut duplicates: Option<(usize, String)> = None;
        for (index, raw) in raw_annotations.into_iter().enumerate() {
            let fail = |reason: String| Error::file(path, format!("annotations[{index}]"), reason);
            if let Some(id) = raw.id.id()
                && let Some(first) = seen.get(&id).copied().or_else(|| seen.insert(id.clone(), index as u32))
            {
                let text = || format!("annotations[{index}]: id {id} is already that of annotations[{first}]");
                duplicates.get_or_insert_with(|| (0, text())).0 += 1;
            }
            let picture = picture_of.find(raw.image_id, "image_id").map_err(&fail)?;
            let category = category_of.find(raw.category_id, "category_id").map_err(&fail)?;
            let bbox = raw.bbox.checked().map_err(&fail)?;
            let area = match raw.area {
                Scalar::Missing => bbox[2] * bbox[3],
                area => area
                    .number()
                    .filter(|area| *area >= 0.0 && area.is_finite())
                    .ok_or_else(|| fail(format!("has the area {}, which is no number from 0", area.shown())))?,
            };
            let is_crowd =
                raw.iscrowd.flag().ok_or_else(|| fail(format!("has iscrowd {}, not 0 or 1", raw.iscrowd.shown())))?;
            objects.push(ObjectBox { picture, category, bbox, area, is_crowd });
        }
        Ok(Self { pictures, categories, objects, duplicates })
    }

    /// The index of every picture by its id.
    pub(super) fn picture_index(&self) -> HashMap<&Id, u32> {
        self.pictures.iter().enumerate().map(|(index, picture)| (&picture.id, index as u32)).collect()
    }

    /// The index of every category by its id.
    pub(super) fn category_index(&self) -> HashMap<&Id, u32> {
        self.categories.iter().enumerate().map(|(index, category)| (&category.id, index as u32)).collect()
    }
}

/// The ids of one list of the file.
struct Ids<'a> {
    path: &'a Path,
    list: &'static str,
    index_of: HashMap<Id, u32>,
}

impl<'a> Ids<'a> {
    fn new(path: &'a Path, list: &'static str) -> Self {
        Self { path, list, index_of: HashMap::new() }
    }

    /// Adds the id of entry `index`.
    fn add(&mut self, index: usize, id: Scalar) -> Result<Id> {
        let fail = |reason: String| Error::file(self.path, format!("{}[{index}]", self.list), reason);
        let shown = id.shown();
        let id = id.id().ok_or_else(|| fail(format!("has the id {shown}, which is no whole number or text")))?;
        let number = u32::try_from(index).map_err(|_| fail("is one entry too many".into()))?;
        match self.index_of.insert(id.clone(), number) {
            Some(first) => Err(fail(format!("has the id {id}, which is already that of {}[{first}]", self.list))),
            None => Ok(id),
        }
    }

    /// The index of the entry that `field` of another entry names.
    fn find(&self, id: Scalar, field: &str) -> Result<u32, String> {
        let shown = id.shown();
        let id = id.id().ok_or_else(|| format!("has {field} {shown}, which is no whole number or text"))?;
        let found = self.index_of.get(&id).copied();
        found.ok_or_else(|| format!("has {field} {id}, which is not in '{}'", self.list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<GroundTruth> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gt.json");
        std::fs::write(&path, text).unwrap();
        GroundTruth::read(&path)
    }

    fn file(annotation: &str) -> String {
        format!(
            "{{\"annotations\": [{annotation}], \"info\": {{}}, \"images\": [{{\"id\": 7, \"file_name\": \"a.jpg\", \
             \"width\": 4}}, {{\"id\": \"b\"}}], \"categories\": [{{\"id\": 90, \"name\": \"cat\"}}, {{\"id\": 3}}]}}"
        )
    }

    #[test]
    fn ids_with_gaps_of_any_type_and_missing_fields() {
        let crowd = "{\"id\": 1, \"image_id\": 7.0, \"category_id\": 3, \"bbox\": [1, 2, 3, 4], \"iscrowd\": 1, \
                     \"segmentation\": {\"counts\": [1, 2], \"size\": [3, 4]}, \"area\": 5.5}";
        let plain = "{\"image_id\": \"b\", \"category_id\": 90, \"bbox\": [0, 0, 2, 2]}";
        let found = read(&file(&format!("{crowd}, {plain}"))).unwrap();
        assert_eq!(found.categories[1].name, "category 3");
        assert_eq!((found.pictures[0].file_name.as_str(), found.pictures[0].size), ("a.jpg", [Some(4.0), None]));
        let first = ObjectBox { picture: 0, category: 1, bbox: [1.0, 2.0, 3.0, 4.0], area: 5.5, is_crowd: true };
        assert_eq!(found.objects[0], first);
        assert_eq!((found.objects[1].picture, found.objects[1].area, found.objects[1].is_crowd), (1, 4.0, false));
        assert_eq!(found.duplicates, None);
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place() {
        let with = |id: &str, image: &str, category: &str, rest: &str| {
            let one = "{\"id\": 1, \"image_id\": 7, \"category_id\": 3, \"bbox\": [1, 2, 3, 4]}";
            file(&format!("{one}, {{\"id\": {id}, \"image_id\": {image}, \"category_id\": {category}, {rest}}}"))
        };
        let bbox = "\"bbox\": [1, 2, 3, 4]";
        for (text, says) in [
            (with("2", "8", "3", bbox), "gt.json: annotations[1]: has image_id 8, which is not in 'images'"),
            (with("2", "7", "\"3\"", bbox), "has category_id '3', which is not in 'categories'"),
            (with("2", "null", "3", bbox), "image_id missing"),
            (with("2", "7.5", "3", bbox), "image_id 7.5"),
            (with("2", "7", "3", "\"bbox\": [1, 2, 3]"), "annotations[1]: has a bbox that is no list of four"),
            (with("2", "7", "3", "\"bbox\": [1, 2, -3, 4]"), "negative size"),
            (with("2", "7", "3", "\"x\": 1"), "has no bbox"),
            (with("2", "7", "3", &format!("{bbox}, \"area\": -1")), "area -1"),
            (with("2", "7", "3", &format!("{bbox}, \"iscrowd\": \"x\"")), "iscrowd 'x'"),
            ("{\"images\": [], \"categories\": []}".into(), "no list 'annotations'"),
            (file("").replace("\"b\"", "7"), "images[1]: has the id 7, which is already that of images[0]"),
            (file("").replace("\"id\": 3", "\"id\": 90"), "categories[1]: has the id 90"),
            (file("").replace("\"id\": 3", "\"id\": [3]"), "categories[1]: has the id a list"),
            ("[{\"image_id\": 1}]".into(), "it is a list, as results are"),
        ] {
            let refused = read(&text).unwrap_err().to_string();
            assert!(refused.contains(says), "{refused}\n{says}");
        }
        let (count, first) = read(&with("1", "7", "3", bbox)).unwrap().duplicates.unwrap();
        assert_eq!((count, first.as_str()), (1, "annotations[1]: id 1 is already that of annotations[0]"));
    }
}
