//! Renders strokes to pixels with random line width, pressure, soft edges and noise.
//!
//! Knows points in pixels, not digits.

use std::f32::consts::TAU;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::strokes::Stroke;

/// Draws `strokes` (points in pixels) into `image` (`[28, 28]`, integers in 0..255).
pub(super) fn render_strokes(strokes: &[Stroke], image: &mut [f32], rng: &mut ChaCha8Rng) {
    let radius: f32 = rng.random_range(0.75..1.75);
    let (pressure, phase) = (rng.random_range(0.0..0.3f32), rng.random_range(0.0..TAU));
    let soft: f32 = rng.random_range(0.55..0.95);
    for stroke in strokes {
        for (i, pair) in stroke.windows(2).enumerate() {
            let &[a, b] = pair else { continue };
            let line_radius = radius * (1.0 + pressure * (phase + i as f32 * 0.12).sin());
            draw_segment(image, a, b, line_radius, soft);
        }
    }
    let (strength, noise) = (rng.random_range(0.82..1.0f32) * 255.0, rng.random_range(0.0..0.06f32));
    for value in image.iter_mut() {
        // The background stays black, as in scanned and thresholded digits.
        let grain = if *value > 0.0 { rng.random_range(-noise..=noise) } else { 0.0 };
        *value = ((*value + grain).clamp(0.0, 1.0) * strength).round();
    }
}

/// Draws the line from `a` to `b` with half width `radius` and a soft edge of `soft` pixels on each side. A pixel takes
/// the maximum of old and new coverage: overlapping lines do not add up.
pub(super) fn draw_segment(image: &mut [f32], a: [f32; 2], b: [f32; 2], radius: f32, soft: f32) {
    let reach = radius + soft;
    let span = |k: usize| {
        let low = (a[k].min(b[k]) - reach).floor().max(0.0) as usize;
        low..((a[k].max(b[k]) + reach).ceil().max(0.0) as usize + 1).min(SIDE)
    };
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let length2 = (dx * dx + dy * dy).max(1e-9);
    for y in span(1) {
        for x in span(0) {
            let (px, py) = (x as f32 + 0.5 - a[0], y as f32 + 0.5 - a[1]);
            let t = ((px * dx + py * dy) / length2).clamp(0.0, 1.0);
            let distance = (px - t * dx).hypot(py - t * dy);
            let coverage = ((reach - distance) / (2.0 * soft)).clamp(0.0, 1.0);
            if let Some(value) = image.get_mut(y * SIDE + x) {
                *value = value.max(coverage * coverage * (3.0 - 2.0 * coverage));
            }
        }
    }
}

/// Width and height of a digit in pixels.
pub const SIDE: usize = 28;
