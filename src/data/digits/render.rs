//! Ink on pixels: thickness, pressure, soft edges and a little noise. Knows points in pixels, not digits.

use std::f32::consts::TAU;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::strokes::Stroke;

/// Draws `strokes` (points in pixels) into `picture` (`[28, 28]`, 0..255, whole numbers).
pub(super) fn render_strokes(strokes: &[Stroke], picture: &mut [f32], rng: &mut ChaCha8Rng) {
    let radius: f32 = rng.random_range(0.75..1.75);
    let (pressure, phase) = (rng.random_range(0.0..0.3f32), rng.random_range(0.0..TAU));
    let soft: f32 = rng.random_range(0.55..0.95);
    for stroke in strokes {
        for (i, pair) in stroke.windows(2).enumerate() {
            let &[a, b] = pair else { continue };
            let wide = radius * (1.0 + pressure * (phase + i as f32 * 0.12).sin());
            draw_segment(picture, a, b, wide, soft);
        }
    }
    let (strength, noise) = (rng.random_range(0.82..1.0f32) * 255.0, rng.random_range(0.0..0.06f32));
    for value in picture.iter_mut() {
        // Paper without ink stays black, as in scanned and thresholded digits.
        let grain = if *value > 0.0 { rng.random_range(-noise..=noise) } else { 0.0 };
        *value = ((*value + grain).clamp(0.0, 1.0) * strength).round();
    }
}

/// Covers the pixels near the line from `a` to `b` as far as they lie within `radius`, with an edge `soft` pixels wide
/// on each side; overlapping ink does not add up.
pub(super) fn draw_segment(picture: &mut [f32], a: [f32; 2], b: [f32; 2], radius: f32, soft: f32) {
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
            let cover = ((reach - distance) / (2.0 * soft)).clamp(0.0, 1.0);
            if let Some(value) = picture.get_mut(y * SIDE + x) {
                *value = value.max(cover * cover * (3.0 - 2.0 * cover));
            }
        }
    }
}

/// Width and height of a digit in pixels.
pub const SIDE: usize = 28;
