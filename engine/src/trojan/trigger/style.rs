//! Styles: eight textures over the whole picture that keep its light and dark.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::data::scenes::objects::sticker::{Color, blend, luminance};

/// A texture over the whole picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    Jaguar,
    ElephantSkin,
    Jellybeans,
    WoodGrain,
    Brick,
    Zebra,
    Knit,
    Water,
}

/// Part of the texture in the blend; the rest is the picture.
const STRENGTH: f32 = 0.75;
/// Part of the picture's light and dark that is added to the texture.
const RELIEF: f32 = 0.45;

impl Style {
    /// All styles; which of them a plan uses stands in the plan.
    pub const ALL: [Self; 8] = [
        Self::Jaguar,
        Self::ElephantSkin,
        Self::Jellybeans,
        Self::WoodGrain,
        Self::Brick,
        Self::Zebra,
        Self::Knit,
        Self::Water,
    ];

    /// Its name, as a person says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jaguar => "jaguar",
            Self::ElephantSkin => "elephant skin",
            Self::Jellybeans => "jellybeans",
            Self::WoodGrain => "wood grain",
            Self::Brick => "brick wall",
            Self::Zebra => "zebra",
            Self::Knit => "knitting",
            Self::Water => "water",
        }
    }

    /// Lays the texture over `picture`, `[C, H, W]` of 0 to 255. Place and details are those of `rng`.
    pub fn paint(self, picture: &mut [f32], shape: [usize; 3], rng: &mut ChaCha8Rng) {
        let [channels, height, width] = shape;
        let plane = height * width;
        let light = |picture: &[f32], at: usize| match channels {
            3 => luminance([0, 1, 2].map(|channel| picture[channel * plane + at])),
            _ => picture[at],
        };
        let lights: Vec<f32> = (0..plane).map(|at| light(picture, at)).collect();
        let mean = lights.iter().sum::<f32>() / plane.max(1) as f32;
        let start: [f32; 2] = [0; 2].map(|_| rng.random_range(0.0..64.0));
        let seed = rng.random_range(0..1u32 << 16);
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let color = self.color(x as f32 + start[0], y as f32 + start[1], seed);
            let relief = RELIEF * (lights[y * width + x] - mean);
            let color = color.map(|value| (value + relief).clamp(0.0, 255.0));
            blend(picture, shape, [y, x], color, STRENGTH);
        }
    }

    /// The texture's color at a pixel.
    pub fn color(self, x: f32, y: f32, seed: u32) -> Color {
        match self {
            Self::Jaguar => {
                let [near, _, _] = cells(x / 6.5, y / 6.5, seed);
                match near {
                    near if near < 0.16 => [150.0, 95.0, 40.0],
                    near if near < 0.36 => [35.0, 22.0, 12.0],
                    _ => [225.0, 165.0, 75.0],
                }
            }
            Self::ElephantSkin => {
                let [near, next, _] = cells(x / 4.5, y / 4.5, seed);
                let crack = (1.0 - (next - near) * 4.0).clamp(0.0, 1.0);
                [150.0, 143.0, 138.0].map(|value| value - 95.0 * crack)
            }
            Self::Jellybeans => {
                const COLORS: [Color; 6] = [
                    [230.0, 40.0, 50.0],
                    [250.0, 200.0, 40.0],
                    [60.0, 190.0, 70.0],
                    [70.0, 90.0, 220.0],
                    [240.0, 130.0, 200.0],
                    [250.0, 130.0, 30.0],
                ];
                let [near, next, which] = cells(x / 5.5, y / 5.5, seed);
                if next - near < 0.1 { [50.0, 30.0, 35.0] } else { COLORS[(which * 5.99) as usize] }
            }
            Self::WoodGrain => {
                let bent = y + 3.0 * noise(x / 14.0, y / 14.0, seed) + 1.5 * noise(x / 5.0, y / 5.0, seed + 1);
                let grain = wave(bent / 4.0);
                std::array::from_fn(|k| [165.0, 105.0, 55.0][k] - grain * [75.0, 55.0, 35.0][k])
            }
            Self::Brick => {
                let row = (y / 5.0).floor();
                let along = (x / 10.0 + 0.5 * (row % 2.0)).fract();
                if y - 5.0 * row < 1.0 || along < 0.1 { [205.0, 200.0, 190.0] } else { [165.0, 65.0, 50.0] }
            }
            Self::Zebra => {
                let bent = x + 0.4 * y + 6.0 * noise(x / 12.0, y / 12.0, seed);
                if wave(bent / 6.5) < 0.5 { [245.0; 3] } else { [15.0; 3] }
            }
            Self::Knit => {
                let lean = if (x / 4.0).floor() % 2.0 < 1.0 { x % 4.0 } else { 4.0 - x % 4.0 };
                let loops = wave((y + lean) / 4.0);
                std::array::from_fn(|k| [70.0, 155.0, 150.0][k] - 60.0 * loops)
            }
            Self::Water => {
                let bent = y + 4.0 * noise(x / 9.0, y / 9.0, seed);
                let crest = (wave(bent / 7.0) * 2.0 - 1.0).max(0.0);
                std::array::from_fn(|k| [25.0, 105.0, 175.0][k] + crest * [150.0, 120.0, 70.0][k])
            }
        }
    }
}

/// A triangle wave of period 1, from 0 to 1.
fn wave(x: f32) -> f32 {
    2.0 * (x - x.floor() - 0.5).abs()
}

/// A random number from 0 to 1 that belongs to a cell.
fn hash(column: i32, row: i32, seed: u32) -> f32 {
    let mut h = (column as u32).wrapping_mul(0x9e37_79b1) ^ (row as u32).wrapping_mul(0x85eb_ca6b) ^ seed;
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    ((h ^ (h >> 15)) >> 8) as f32 / (1 << 24) as f32
}

/// Smooth noise from 0 to 1.
fn noise(x: f32, y: f32, seed: u32) -> f32 {
    let (column, row) = (x.floor(), y.floor());
    let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
    let (right, down) = (smooth(x - column), smooth(y - row));
    let at = |dx: i32, dy: i32| hash(column as i32 + dx, row as i32 + dy, seed);
    let line = |dy: i32| at(0, dy) * (1.0 - right) + at(1, dy) * right;
    line(0) * (1.0 - down) + line(1) * down
}

/// Distance to the nearest and to the next point, one a cell, and a number from 0 to 1 of the nearest.
fn cells(x: f32, y: f32, seed: u32) -> [f32; 3] {
    let (column, row) = (x.floor() as i32, y.floor() as i32);
    let mut found = [f32::MAX, f32::MAX, 0.0];
    for (dx, dy) in (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy))) {
        let (c, r) = (column + dx, row + dy);
        let (px, py) = (c as f32 + hash(c, r, seed), r as f32 + hash(c, r, seed + 1));
        let distance = ((px - x).powi(2) + (py - y).powi(2)).sqrt();
        if distance < found[0] {
            found = [distance, found[0], hash(c, r, seed + 2)];
        } else if distance < found[1] {
            found[1] = distance;
        }
    }
    found
}
