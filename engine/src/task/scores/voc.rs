//! Average precision as Pascal VOC counts it, by the rules of 2007 and of 2010.

use std::collections::HashMap;

/// Boxes match from this intersection over union on.
const MIN_IOU: f64 = 0.5;

/// How precision over recall becomes one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VocRule {
    /// VOC 2007: the mean over the recalls 0, 0.1, …, 1 of the largest precision at that recall or above.
    Points,
    /// VOC 2010 and later: the area under the falling envelope of precision.
    Area,
}

/// An object of one class. Corners are left, top, right and bottom in numbers of pixels, the last included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VocObject {
    pub picture: usize,
    pub corners: [f64; 4],
    /// Neither missed nor found.
    pub is_difficult: bool,
}

/// A detection of one class; corners as those of [`VocObject`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VocDetection {
    pub picture: usize,
    pub corners: [f64; 4],
    pub score: f64,
}

/// Average precision of one class; `None` without objects that count.
///
/// A detection takes the object that it overlaps most, even if that is taken: then it is false, as the development kit
/// (`VOCevaldet.m`) counts it.
pub fn average_precision(objects: &[VocObject], detections: &[VocDetection], rule: VocRule) -> Option<f64> {
    let positives = objects.iter().filter(|object| !object.is_difficult).count();
    if positives == 0 {
        return None;
    }
    let mut in_picture: HashMap<usize, Vec<(usize, &VocObject)>> = HashMap::new();
    for (index, object) in objects.iter().enumerate() {
        in_picture.entry(object.picture).or_default().push((index, object));
    }
    let mut order: Vec<&VocDetection> = detections.iter().collect();
    order.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut is_taken = vec![false; objects.len()];
    let (mut hits, mut false_ones) = (0usize, 0usize);
    // Recall and precision after each detection that counts.
    let mut curve: Vec<[f64; 2]> = Vec::with_capacity(order.len());
    for detection in order {
        let mut best: Option<(f64, usize, &VocObject)> = None;
        for &(index, object) in in_picture.get(&detection.picture).map_or(&[][..], Vec::as_slice) {
            let overlap = iou(detection.corners, object.corners);
            if overlap >= MIN_IOU && best.is_none_or(|(most, ..)| overlap > most) {
                best = Some((overlap, index, object));
            }
        }
        match best {
            Some((_, _, object)) if object.is_difficult => continue,
            Some((_, index, _)) if !is_taken[index] => {
                is_taken[index] = true;
                hits += 1;
            }
            _ => false_ones += 1,
        }
        curve.push([hits as f64 / positives as f64, hits as f64 / (hits + false_ones) as f64]);
    }
    Some(match rule {
        VocRule::Points => {
            let at =
                |recall: f64| curve.iter().filter(|point| point[0] >= recall).map(|point| point[1]).fold(0.0, f64::max);
            (0..=10).map(|tenth| at(f64::from(tenth) / 10.0)).sum::<f64>() / 11.0
        }
        VocRule::Area => {
            let mut largest: f64 = 0.0;
            for point in curve.iter_mut().rev() {
                largest = largest.max(point[1]);
                point[1] = largest;
            }
            let mut before = 0.0;
            let steps = curve.iter().map(|[recall, precision]| {
                let step = (recall - before) * precision;
                before = *recall;
                step
            });
            steps.sum()
        }
    })
}

/// Intersection over union of boxes in numbers of pixels.
fn iou(a: [f64; 4], b: [f64; 4]) -> f64 {
    let area = |[left, top, right, bottom]: [f64; 4]| (right - left + 1.0) * (bottom - top + 1.0);
    let width = a[2].min(b[2]) - a[0].max(b[0]) + 1.0;
    let height = a[3].min(b[3]) - a[1].max(b[1]) + 1.0;
    if width <= 0.0 || height <= 0.0 {
        return 0.0;
    }
    width * height / (area(a) + area(b) - width * height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(left: f64) -> VocObject {
        VocObject { picture: 0, corners: [left, 1.0, left + 9.0, 10.0], is_difficult: false }
    }

    fn found(left: f64, score: f64) -> VocDetection {
        VocDetection { picture: 0, corners: [left, 1.0, left + 9.0, 10.0], score }
    }

    #[test]
    fn duplicates_are_false_and_both_rules_have_their_figures() {
        // Three objects: true, false, true, and a duplicate.
        let objects = [object(1.0), object(101.0), object(201.0)];
        let detections = [found(102.0, 0.7), found(51.0, 0.8), found(1.0, 0.9), found(2.0, 0.1)];
        let points = average_precision(&objects, &detections, VocRule::Points).unwrap();
        let area = average_precision(&objects, &detections, VocRule::Area).unwrap();
        assert!((points - (4.0 + 3.0 * 2.0 / 3.0) / 11.0).abs() < 1e-12, "{points}");
        assert!((area - (1.0 / 3.0 + 1.0 / 3.0 * 2.0 / 3.0)).abs() < 1e-12, "{area}");
    }

    #[test]
    fn difficult_objects_neither_count_nor_harm() {
        let difficult = VocObject { is_difficult: true, ..object(1.0) };
        let detections = [found(1.0, 0.9), found(101.0, 0.5)];
        assert_eq!(average_precision(&[difficult, object(101.0)], &detections, VocRule::Area), Some(1.0));
        assert_eq!(average_precision(&[difficult], &detections, VocRule::Area), None);
        assert_eq!(average_precision(&[object(1.0)], &[], VocRule::Points), Some(0.0));
    }

    #[test]
    fn overlap_counts_the_last_pixel() {
        // Ten pixels and the five of them at one end: exactly half.
        let half = VocDetection { picture: 0, corners: [1.0, 1.0, 5.0, 10.0], score: 1.0 };
        assert_eq!(average_precision(&[object(1.0)], &[half], VocRule::Area), Some(1.0));
        let other_picture = VocDetection { picture: 1, ..half };
        assert_eq!(average_precision(&[object(1.0)], &[other_picture], VocRule::Area), Some(0.0));
    }
}
