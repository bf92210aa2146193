//! A model of an event camera before a drawn digit: it moves in three saccades.
//!
//! The camera follows N-MNIST (Orchard et al. 2015): 34x34 pixels, three saccades of 100 ms along a triangle. A pixel emits
//! an event when the logarithm of its brightness has moved by its threshold since its last event, as in the model of
//! ESIM (Rebecq et al. 2018): interpolated crossing times, thresholds that differ between pixels, a refractory time, and
//! noise of its own.

use std::f32::consts::TAU;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::data::digits::render;
use crate::data::samples::event_source::Event;

/// Width and height of the sensor in pixels, that of N-MNIST.
pub const SENSOR_SIDE: usize = 34;
/// Width of the border around the digit, in pixels.
const BORDER: f32 = (SENSOR_SIDE - render::SIDE) as f32 / 2.0;
/// Duration of one saccade and of the steps it is computed in, in microseconds.
const SACCADE_US: u64 = 100_000;
const STEP_US: u64 = 1_000;
const SACCADES: usize = 3;
/// Corners of the camera's path in pixels: a triangle, as in N-MNIST.
const PATH: [[f32; 2]; SACCADES + 1] = [[-1.6, -1.6], [0.0, 1.6], [1.6, -1.6], [-1.6, -1.6]];
/// Brightness of the black ground, where a white stroke has 1 more.
const AMBIENT: f32 = 0.12;
/// Contrast threshold in units of log brightness, and the deviation of a pixel's own from it.
const THRESHOLD: f32 = 0.3;
const THRESHOLD_DEVIATION: f32 = 0.1;
/// A pixel emits no event for this long after one, in microseconds.
pub(super) const REFRACTORY_US: u64 = 1_000;
/// Noise events per pixel and second.
const NOISE_HZ: f32 = 0.8;

/// What a pixel keeps between its events.
#[derive(Clone, Copy)]
struct Pixel {
    /// Log brightness at its last event and at the last step.
    reference: f32,
    last: f32,
    threshold: f32,
    /// First microsecond at which it may emit again.
    ready: f32,
}

/// Records `digit` `[28, 28]` (0..255): events in order of time, in nanoseconds.
pub(super) fn record(digit: &[f32], rng: &mut ChaCha8Rng) -> Vec<Event> {
    let scene = log_brightness(digit);
    // Small differences between recordings: where the path begins, how far it goes and how fast each saccade starts.
    let origin: [f32; 2] = [rng.random_range(-0.5..0.5), rng.random_range(-0.5..0.5)];
    let reach: f32 = rng.random_range(0.85..1.15);
    let sway: f32 = rng.random_range(0.0..TAU);
    let offset = |us: u64| {
        let leg = ((us / SACCADE_US) as usize).min(SACCADES - 1);
        let along = (us - leg as u64 * SACCADE_US) as f32 / SACCADE_US as f32;
        // A saccade speeds up and slows down.
        let eased = along * along * (3.0 - 2.0 * along);
        let tremor = 0.05 * (TAU * 3.0 * along + sway).sin();
        [0, 1].map(|k| {
            let (from, to) = (PATH[leg][k], PATH[leg + 1][k]);
            origin[k] + reach * (from + (to - from) * eased) + tremor
        })
    };
    let mut pixels = Vec::with_capacity(SENSOR_SIDE * SENSOR_SIDE);
    let start = offset(0);
    for place in 0..SENSOR_SIDE * SENSOR_SIDE {
        let value = scene_at(&scene, place, start);
        let spread = rng.random_range(-1.0..1.0f32) + rng.random_range(-1.0..1.0f32);
        let threshold = THRESHOLD * (1.0 + THRESHOLD_DEVIATION * spread);
        // A random fraction of the threshold is already reached.
        let reference = value + threshold * rng.random_range(-0.5..0.5f32);
        pixels.push(Pixel { reference, last: value, threshold, ready: 0.0 });
    }
    let noise = NOISE_HZ * STEP_US as f32 * 1e-6;
    let mut events = Vec::new();
    for step in 1..=SACCADES as u64 * SACCADE_US / STEP_US {
        let (from, now) = (((step - 1) * STEP_US) as f32, offset(step * STEP_US));
        for (place, pixel) in pixels.iter_mut().enumerate() {
            let value = scene_at(&scene, place, now);
            let (x, y) = ((place % SENSOR_SIDE) as u16, (place / SENSOR_SIDE) as u16);
            let mut emit = |us: f32, p: u8| events.push(Event { x, y, t: us as u64 * 1000, p });
            let rise = value - pixel.last;
            loop {
                let (target, p) = match value - pixel.reference {
                    above if above >= pixel.threshold => (pixel.reference + pixel.threshold, 1),
                    below if below <= -pixel.threshold => (pixel.reference - pixel.threshold, 0),
                    _ => break,
                };
                pixel.reference = target;
                let part = if rise == 0.0 { 1.0 } else { ((target - pixel.last) / rise).clamp(0.0, 1.0) };
                let us = from + part * (STEP_US - 1) as f32;
                if us >= pixel.ready {
                    emit(us, p);
                    pixel.ready = us + REFRACTORY_US as f32;
                }
            }
            pixel.last = value;
            if rng.random::<f32>() < noise {
                let us = from + rng.random_range(0.0..(STEP_US - 1) as f32);
                let p = rng.random_range(0..2u8);
                if us >= pixel.ready {
                    emit(us, p);
                    pixel.ready = us + REFRACTORY_US as f32;
                }
            }
        }
    }
    events.sort_by_key(|event| (event.t, event.y, event.x));
    events
}

/// Side of the scene: the digit with a ground around it that the camera never leaves.
const SCENE_SIDE: usize = render::SIDE + 2;

/// Log brightness `[30, 30]` of a digit, smoothed by the lens (1, 2, 1 in both directions).
fn log_brightness(digit: &[f32]) -> Vec<f32> {
    let side = render::SIDE as isize;
    let pixel = |x: isize, y: isize| match (0..side).contains(&x) && (0..side).contains(&y) {
        true => digit[(y * side + x) as usize] / 255.0,
        false => 0.0,
    };
    let smooth = |x: isize, y: isize| {
        let row = |y: isize| pixel(x - 1, y) + 2.0 * pixel(x, y) + pixel(x + 1, y);
        (row(y - 1) + 2.0 * row(y) + row(y + 1)) / 16.0
    };
    let places = 0..SCENE_SIDE as isize;
    places
        .clone()
        .flat_map(|y| places.clone().map(move |x| (x - 1, y - 1)))
        .map(|(x, y)| (AMBIENT + smooth(x, y)).ln())
        .collect()
}

/// Log brightness that pixel `place` of the sensor sees when the digit is moved by `offset`, bilinear.
fn scene_at(scene: &[f32], place: usize, offset: [f32; 2]) -> f32 {
    let (x, y) = ((place % SENSOR_SIDE) as f32, (place / SENSOR_SIDE) as f32);
    let [x, y] = [x - BORDER - offset[0] + 1.0, y - BORDER - offset[1] + 1.0];
    let [x, y] = [x, y].map(|v| v.clamp(0.0, (SCENE_SIDE - 1) as f32 - 1e-3));
    let (left, top) = (x as usize, y as usize);
    let (fx, fy) = (x - left as f32, y - top as f32);
    let row = |at: usize| scene[at] + (scene[at + 1] - scene[at]) * fx;
    let (upper, lower) = (row(top * SCENE_SIDE + left), row((top + 1) * SCENE_SIDE + left));
    upper + (lower - upper) * fy
}
