//! Non-maximum suppression: of boxes that overlap much, the one of the highest score.
//!
//! The order, ties and rounding are those of torchvision's `nms` on a CPU; classes never suppress each other.

use std::cmp::Ordering;

/// Indices of the boxes that are kept, by descending score. `boxes` are left, top, right and bottom; of two that overlap
/// by more than `max_iou` (intersection over union) the second goes. Boxes without area suppress nothing and stay.
pub fn suppress(boxes: &[[f32; 4]], scores: &[f32], max_iou: f64) -> Vec<usize> {
    let order: Vec<usize> = by_score(scores).into_iter().filter(|&index| index < boxes.len()).collect();
    suppress_in_order(boxes, &order, max_iou)
}

/// [`suppress`] class by class; the result is over all classes by descending score.
pub fn suppress_by_class(boxes: &[[f32; 4]], scores: &[f32], classes: &[usize], max_iou: f64) -> Vec<usize> {
    let count = boxes.len().min(classes.len());
    let order: Vec<usize> = by_score(scores).into_iter().filter(|&index| index < count).collect();
    let mut of_class = order.clone();
    // Stable: within a class the order of scores stays.
    of_class.sort_by_key(|&index| classes[index]);
    let mut is_kept = vec![false; count];
    for class in of_class.chunk_by(|&a, &b| classes[a] == classes[b]) {
        suppress_in_order(boxes, class, max_iou).into_iter().for_each(|index| is_kept[index] = true);
    }
    order.into_iter().filter(|&index| is_kept[index]).collect()
}

/// Indices by descending score, equal ones in their order, scores that are no numbers first.
fn by_score(scores: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| match (scores[a].is_nan(), scores[b].is_nan()) {
        (false, false) => scores[b].partial_cmp(&scores[a]).unwrap_or(Ordering::Equal),
        (a, b) => b.cmp(&a),
    });
    order
}

fn suppress_in_order(boxes: &[[f32; 4]], order: &[usize], max_iou: f64) -> Vec<usize> {
    let mut kept: Vec<usize> = Vec::new();
    for &index in order {
        if !kept.iter().any(|&other| f64::from(iou(boxes[other], boxes[index])) > max_iou) {
            kept.push(index);
        }
    }
    kept
}

/// Intersection over union, with the comparisons of C++ where a corner is no number.
fn iou(a: [f32; 4], b: [f32; 4]) -> f32 {
    let area = |[left, top, right, bottom]: [f32; 4]| (right - left) * (bottom - top);
    let max = |a: f32, b: f32| if a < b { b } else { a };
    let min = |a: f32, b: f32| if b < a { b } else { a };
    let width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]));
    let height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]));
    let shared = width * height;
    shared / (area(a) + area(b) - shared)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::task::scores::tests::reference;

    #[test]
    fn reference_cases_are_kept_in_the_same_order() {
        let Some(path) = reference("nms/cases.json") else { return };
        let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        for case in &cases {
            let number = |value: &Value| value.as_f64().map_or(f32::NAN, |value| value as f32);
            let list = |value: &Value| value.as_array().unwrap().iter().map(number).collect::<Vec<f32>>();
            let boxes: Vec<[f32; 4]> =
                case["boxes_xyxy"].as_array().unwrap().iter().map(|row| list(row).try_into().unwrap()).collect();
            let kept = suppress(&boxes, &list(&case["scores"]), case["threshold"].as_f64().unwrap());
            let expected: Vec<usize> = list(&case["keep"]).iter().map(|index| *index as usize).collect();
            assert_eq!(kept, expected, "{}", case["why"]);
        }
        println!("{} of {} cases of nms/cases.json", cases.len(), cases.len());
        assert!(!cases.is_empty());
    }

    #[test]
    fn classes_never_suppress_each_other() {
        let boxes =
            [[-10.0, -10.0, 0.0, 0.0], [-10.0, -10.0, 0.0, 0.0], [-10.0, -10.0, 0.0, 1.0], [5.0, 5.0, 6.0, 6.0]];
        assert_eq!(suppress_by_class(&boxes, &[0.5, 0.9, 0.7, 0.6], &[0, 1, 0, 1], 0.5), [1, 2, 3]);
        assert_eq!(suppress(&boxes, &[0.5, 0.9, 0.7, 0.6], 0.5), [1, 3]);
        assert_eq!(suppress_by_class(&[], &[], &[], 0.5), [0; 0]);
    }
}
