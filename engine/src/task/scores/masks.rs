//! Scores of class maps: intersection over union of each class from one confusion matrix, and their mean.
//!
//! The definition of the papers (macro Jaccard index over all pixels of all pictures): classes in neither prediction nor
//! target are left out, void pixels of the target do not count.

use hotcoco::metrics::semantic::{Label, PixelConfusion};

/// Maximum number of classes: the matrix then takes 134 MB.
pub const MAX_CLASSES: usize = 4096;

/// Counts of pixels by true and predicted class.
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    pixels: PixelConfusion,
    /// The class in the target whose pixels do not count.
    void: Option<u64>,
}

/// Scores of class maps; `None` where nothing counts.
#[derive(Clone, Debug, PartialEq)]
pub struct MaskScores {
    /// Mean of the classes that count.
    pub miou: Option<f64>,
    /// Intersection over union of each class.
    pub iou: Vec<Option<f64>>,
    /// Part of the pixels that count whose class is predicted.
    pub pixel_accuracy: Option<f64>,
}

impl Confusion {
    /// No pixels yet, of `classes` classes (at most [`MAX_CLASSES`]); pixels whose target is `void` do not count.
    pub fn new(classes: usize, void: Option<u64>) -> Self {
        Self { pixels: PixelConfusion::new(classes.min(MAX_CLASSES)), void }
    }

    /// Adds the pixels of one or more maps.
    ///
    /// # Errors
    /// The reason, for maps of different lengths and for classes out of range. A prediction on void is not checked.
    pub fn add<T: Label, P: Label>(&mut self, target: &[T], pred: &[P]) -> Result<(), String> {
        if target.len() != pred.len() {
            return Err(format!("{} predicted pixels for {} of the target", pred.len(), target.len()));
        }
        self.pixels.update(target, pred, self.void).map_err(|e| e.to_string())
    }

    /// The scores of the pixels so far.
    pub fn scores(&self) -> MaskScores {
        let classes = self.pixels.all_class_counts();
        let is_void = |class: usize| self.void == Some(class as u64);
        let iou: Vec<Option<f64>> =
            classes.iter().enumerate().map(|(class, counts)| counts.iou().filter(|_| !is_void(class))).collect();
        let counted: Vec<f64> = iou.iter().flatten().copied().collect();
        let miou = (!counted.is_empty()).then(|| counted.iter().sum::<f64>() / counted.len() as f64);
        let hits: u64 = classes.iter().map(|counts| counts.tp).sum();
        let pixels: u64 = classes.iter().map(|counts| counts.gt_area).sum();
        MaskScores { miou, iou, pixel_accuracy: (pixels > 0).then(|| hits as f64 / pixels as f64) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::data::npz::read_label_maps;
    use crate::task::scores::tests::reference;

    #[test]
    fn reference_maps_hold_to_six_digits() {
        let Some(folder) = reference("miou") else { return };
        let expected: Value = serde_json::from_slice(&std::fs::read(folder.join("expect.json")).unwrap()).unwrap();
        let mut checked = 0;
        for name in ["absent", "void"] {
            let maps = read_label_maps(&folder.join(format!("{name}.npz"))).unwrap();
            let expected = &expected[name];
            let classes = expected["num_classes"].as_u64().unwrap() as usize;
            let scores = |void: Option<u64>| {
                let mut confusion = Confusion::new(classes, void);
                let error = confusion.add(&maps.target, &maps.pred);
                error.map(|()| confusion.scores())
            };
            let mut same = |value: f64, expected: &Value| {
                let expected = expected.as_f64().unwrap();
                assert!((value - expected).abs() < 1e-6, "{name}: {value} {expected}");
                checked += 1;
            };
            let plain = scores(expected["void"].as_u64()).unwrap();
            same(plain.miou.unwrap(), &expected["jaccard_macro"]);
            for (class, iou) in plain.iou.iter().enumerate() {
                // torchmetrics writes 0 for classes that it leaves out.
                same(iou.unwrap_or(0.0), &expected["jaccard_none"][class]);
            }
            match scores(Some(0)) {
                Ok(without) => {
                    assert_eq!(without.iou[0], None);
                    same(without.miou.unwrap(), &expected["jaccard_macro_ignore0"]);
                }
                // Its void is then out of range.
                Err(reason) => assert!(name == "void" && reason.contains("255"), "{reason}"),
            }
        }
        println!("{checked} figures of 2 maps of miou/ agree to 1e-6");
    }

    #[test]
    fn absent_classes_are_left_out_and_void_does_not_count() {
        let mut confusion = Confusion::new(4, Some(255));
        confusion.add(&[0u8, 0, 1, 255, 255], &[0u8, 1, 1, 3, 200]).unwrap();
        let scores = confusion.scores();
        assert_eq!(scores.iou, [Some(0.5), Some(0.5), None, None]);
        assert_eq!((scores.miou, scores.pixel_accuracy), (Some(0.5), Some(2.0 / 3.0)));
        confusion.add(&[1u8], &[2u8]).unwrap();
        assert_eq!(confusion.scores().iou[2], Some(0.0), "predicted alone counts");
        assert!(confusion.add(&[1u8], &[9u8]).unwrap_err().contains('9'));
        assert!(confusion.add(&[1i32], &[-1i32]).is_err());
        assert!(confusion.add(&[1u8], &[1u8, 2]).unwrap_err().contains("2 predicted"));
        let empty = Confusion::new(2, None).scores();
        assert_eq!((empty.miou, empty.pixel_accuracy, empty.iou), (None, None, vec![None, None]));
    }
}
