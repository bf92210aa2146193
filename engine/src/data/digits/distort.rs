//! Random distortion of digit strokes: slant, size, position and a smooth displacement field.
//!
//! Knows points, not pixels.

use std::f32::consts::TAU;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::strokes::Stroke;

/// Maps strokes from the unit square to pixels of 28x28 by a random affine map and a smooth displacement field.
///
/// The field is a sum of three plane waves of at most 1.3 periods: as smooth as the filtered noise of Simard, Steinkraus
/// and Platt (2003), but evaluated at the stroke points alone.
pub(super) fn distort(mut strokes: Vec<Stroke>, rng: &mut ChaCha8Rng) -> Vec<Stroke> {
    let angle: f32 = rng.random_range(-0.22..0.22);
    let shear: f32 = rng.random_range(-0.28..0.42);
    let (width, height): (f32, f32) = (rng.random_range(12.0..20.0), rng.random_range(17.0..21.5));
    let shift: [f32; 2] = [rng.random_range(-1.8..1.8), rng.random_range(-1.8..1.8)];
    let waves: [[f32; 5]; 3] = std::array::from_fn(|_| {
        let direction = rng.random_range(0.0..TAU);
        let wavenumber = rng.random_range(0.4..1.3) * TAU;
        let (displacement_angle, amplitude) = (rng.random_range(0.0..TAU), rng.random_range(0.0..0.045f32));
        [
            wavenumber * f32::cos(direction),
            wavenumber * f32::sin(direction),
            rng.random_range(0.0..TAU),
            amplitude * displacement_angle.cos(),
            amplitude * displacement_angle.sin(),
        ]
    });
    let (sin, cos) = angle.sin_cos();
    for point in strokes.iter_mut().flatten() {
        let [mut x, mut y] = *point;
        for [kx, ky, phase, dx, dy] in waves {
            let wave = (kx * point[0] + ky * point[1] + phase).sin();
            x += dx * wave;
            y += dy * wave;
        }
        let (u, v) = ((x - 0.5 - shear * (y - 0.5)) * width, (y - 0.5) * height);
        *point = [14.0 + cos * u - sin * v + shift[0], 14.0 + sin * u + cos * v + shift[1]];
    }
    strokes
}
