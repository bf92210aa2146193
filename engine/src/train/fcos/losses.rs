//! The losses of a detector for single values, each with its derivative.

/// Weight of objects against the background (Lin et al. 2017).
const ALPHA: f64 = 0.25;
/// Exponent of the focal loss.
const GAMMA: i32 = 2;
/// Added to areas, as in torchvision.
const EPSILON: f64 = 1e-7;

/// Focal loss of a logit, −α_t·(1 − p_t)^γ·log p_t with p = σ(logit) (Lin et al. 2017, equation 5), and its derivative.
pub(super) fn focal(logit: f64, is_object: bool) -> (f64, f64) {
    // The background is the object with the opposite sign.
    let (z, alpha, sign) = if is_object { (logit, ALPHA, 1.0) } else { (-logit, 1.0 - ALPHA, -1.0) };
    let (log_p, p) = (-softplus(-z), sigmoid(z));
    let rest = 1.0 - p;
    let loss = -alpha * rest.powi(GAMMA) * log_p;
    let slope = alpha * rest.powi(GAMMA) * (f64::from(GAMMA) * p * log_p - rest);
    (loss, sign * slope)
}

/// Binary cross-entropy of a logit and a target from 0 to 1, and its derivative.
pub(super) fn binary_cross_entropy(logit: f64, target: f64) -> (f64, f64) {
    (softplus(logit) - target * logit, sigmoid(logit) - target)
}

/// Centre-ness of a point with distances left, top, right, bottom to its box (Tian et al. 2019, equation 3): 1 in the
/// middle, 0 on a side.
pub(super) fn centerness([left, top, right, bottom]: [f64; 4]) -> f64 {
    let ratio = |a: f64, b: f64| a.min(b) / a.max(b).max(f64::MIN_POSITIVE);
    (ratio(left, right) * ratio(top, bottom)).max(0.0).sqrt()
}

/// Loss 1 − GIoU (Rezatofighi et al. 2019) of two boxes around one point, given by distances left, top, right, bottom from
/// it, none negative; and its derivatives by the predicted distances. Areas get [`EPSILON`] in denominators.
pub(super) fn generalized_iou(predicted: [f64; 4], truth: [f64; 4]) -> (f64, [f64; 4]) {
    let size = |distances: [f64; 4], axis: usize| distances[axis] + distances[axis + 2];
    let merge = |of: fn(f64, f64) -> f64| [0, 1, 2, 3].map(|k| of(predicted[k], truth[k]));
    let (inner, outer) = (merge(f64::min), merge(f64::max));
    let area = |distances: [f64; 4]| size(distances, 0) * size(distances, 1);
    let (shared, hull) = (area(inner), area(outer));
    let union = area(predicted) + area(truth) - shared;
    let loss = 1.0 - shared / (union + EPSILON) + (hull - union) / (hull + EPSILON);
    let slope = |k: usize| {
        let across = 1 - k % 2;
        let is_inner = if predicted[k] < truth[k] { 1.0 } else { 0.0 };
        let of_shared = is_inner * size(inner, across);
        let of_hull = (1.0 - is_inner) * size(outer, across);
        let of_union = size(predicted, across) - of_shared;
        let of_iou = (of_shared * (union + EPSILON) - shared * of_union) / (union + EPSILON).powi(2);
        let of_rest = ((of_hull - of_union) * (hull + EPSILON) - (hull - union) * of_hull) / (hull + EPSILON).powi(2);
        of_rest - of_iou
    };
    (loss, [0, 1, 2, 3].map(slope))
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// log(1 + eᶻ) without overflow.
fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}
