//! Which object each place of a detector learns.

use super::layout::Place;

/// Places within this many strides of the middle of an object, along both axes, learn it.
const CENTER_RADIUS: f32 = 1.5;

/// For every place the index of its box (left, top, right, bottom in pixels), or `None` for the background.
///
/// A place takes a box around it whose middle is near (center sampling) and whose largest distance to a side lies in the
/// bounds of its level; of several the smallest (Tian et al. 2019, section 3.2; the rules are those of torchvision).
pub(super) fn assign(places: &[Place], boxes: &[[f32; 4]]) -> Vec<Option<usize>> {
    let area = |[left, top, right, bottom]: [f32; 4]| (right - left) * (bottom - top);
    let takes = |place: &Place, corners: [f32; 4]| {
        let [left, top, right, bottom] = corners;
        let middle = [(left + right) / 2.0, (top + bottom) / 2.0];
        let offset = (place.point[0] - middle[0]).abs().max((place.point[1] - middle[1]).abs());
        let distances = place.distances(corners);
        let least = distances.into_iter().fold(f32::INFINITY, f32::min);
        let most = distances.into_iter().fold(f32::NEG_INFINITY, f32::max);
        let [lower, upper] = place.bounds;
        offset < CENTER_RADIUS * place.stride && least > 0.0 && most > lower && most < upper
    };
    let own = |place: &Place| {
        let candidates = boxes.iter().enumerate().filter(|(_, corners)| takes(place, **corners));
        candidates.min_by(|(_, a), (_, b)| area(**a).total_cmp(&area(**b))).map(|(index, _)| index)
    };
    places.iter().map(own).collect()
}
