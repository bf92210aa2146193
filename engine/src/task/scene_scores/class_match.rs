//! Classes of a detector and the classes of the data that they are: by name, else by number.

use crate::data::Boxes;
use crate::task::detection::Detector;

/// Which classes of the data the classes of a detector are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClassMatch {
    /// Class of the data for each class of the detector; `None` if its boxes do not count.
    pub classes: Vec<Option<u32>>,
    /// Whether they are matched by their number: the detector has no names, or no name is one of the data.
    pub is_by_number: bool,
}

impl ClassMatch {
    /// Classes of the same name, whatever the case of its letters. If there is none and both have as many classes, those of
    /// the same number, as if the data have no names. Without names of the detector class 0 is the background, and the others follow.
    pub fn new(detector: &Detector, boxes: &Boxes) -> Self {
        let (names, count) = (detector.class_names(), boxes.class_names.len());
        if names.is_empty() {
            let classes = std::iter::once(None).chain((0..count as u32).map(Some)).collect();
            return Self { classes, is_by_number: true };
        }
        let lower = |name: &str| name.trim().to_lowercase();
        let of_data: Vec<String> = boxes.class_names.iter().map(|name| lower(name)).collect();
        let by_name = |name: &String| of_data.iter().position(|class| *class == lower(name)).map(|class| class as u32);
        let classes: Vec<Option<u32>> = names.iter().map(by_name).collect();
        // Data without names have their numbers for them, up to the highest that occurs.
        let is_number = |(class, name): (usize, &String)| *name == format!("class {class}");
        let are_numbers = count <= names.len() && boxes.class_names.iter().enumerate().all(is_number);
        if (names.len() == count || are_numbers) && classes.iter().all(Option::is_none) {
            let of_number = |class: usize| (class < count).then_some(class as u32);
            return Self { classes: (0..names.len()).map(of_number).collect(), is_by_number: true };
        }
        Self { classes, is_by_number: false }
    }
}
