//! Generated pictures of one object each, of 20 classes, with accessories that say nothing about the class.
//!
//! 32x32 in color. A class is a shape with a fill (color and pattern); ground, size, place and turn vary. Every kind of
//! accessory is drawn into one of 40 pictures, whatever their class. Same bytes on every machine, as scenes are.

mod accessory;
pub mod sticker;

use std::sync::Arc;

pub use accessory::Accessory;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use sticker::{Color, Place, blend};

use super::generator::shapes::{Shape, direction};
use super::generator::texture::{Texture, random_color};
use crate::data::{Layout, Samples};

/// Width and height in pixels.
pub const SIDE: usize = 32;
/// Part of all pictures that have an accessory of one kind.
pub const ACCESSORY_RATE: f32 = 0.025;
/// Sides of accessories in pixels.
pub const ACCESSORY_SIDES: [f32; 2] = [7.0, 9.0];
/// Radii of objects in pixels.
const RADII: [f32; 2] = [9.0, 13.5];
/// Noise of a pixel, to either side.
const NOISE: f32 = 8.0;

/// What an object is filled with: the colors belong to the pattern.
const FILLS: [(&str, [Color; 2]); 4] = [
    ("red plain", [[205.0, 45.0, 45.0], [205.0, 45.0, 45.0]]),
    ("blue striped", [[45.0, 70.0, 205.0], [150.0, 180.0, 245.0]]),
    ("green checked", [[30.0, 130.0, 50.0], [150.0, 225.0, 140.0]]),
    ("yellow dotted", [[235.0, 205.0, 50.0], [130.0, 85.0, 20.0]]),
];

/// The test or the training half; the two share no random stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectSplit {
    /// 2,000 pictures for testing.
    Test,
    /// 10,000 pictures for training.
    Train,
}

impl ObjectSplit {
    /// The split called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Test, Self::Train].into_iter().find(|split| split.name() == name)
    }
    /// `objects` or `objects-train`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Test => "objects",
            Self::Train => "objects-train",
        }
    }
    fn count_and_seed(self) -> (usize, u64) {
        match self {
            Self::Test => (2_000, 0x0b1ec7),
            Self::Train => (10_000, 0x0b1ec8),
        }
    }
    /// The seed of its accessories under `variant`, for [`accessories`].
    pub fn accessory_seed(self, variant: u32) -> u64 {
        accessory_seed(self.count_and_seed().1 + (u64::from(variant) << 32))
    }
}

/// The class names: `red plain disk` and so on, the fill slowest.
pub fn class_names() -> Vec<String> {
    FILLS.iter().flat_map(|(fill, _)| Shape::ALL.map(|shape| format!("{fill} {}", shape.name()))).collect()
}

/// All pictures of `split` with their labels, `[3, 32, 32]` in 0..255. Another `variant` than 0 gives others of the same kind.
pub fn generate(split: ObjectSplit, variant: u32) -> Samples {
    let (count, seed) = split.count_and_seed();
    let samples = generate_some(count, seed + (u64::from(variant) << 32));
    Samples { source: format!("builtin:{}", split.name()), ..samples }
}

/// `count` pictures generated from `seed`. Picture `i` depends on `seed` and `i` alone.
pub fn generate_some(count: usize, seed: u64) -> Samples {
    let shape = [3, SIDE, SIDE];
    let len = 3 * SIDE * SIDE;
    let mut values = vec![0f32; count * len];
    let mut labels = vec![0u16; count];
    values.par_chunks_exact_mut(len).zip(labels.par_iter_mut()).enumerate().for_each(|(index, (picture, label))| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(index as u64);
        *label = draw(picture, &mut rng);
        for (accessory, place) in accessories(accessory_seed(seed), index, [SIDE; 2]) {
            place.paint(accessory, picture, shape);
        }
        picture.iter_mut().for_each(|v| *v = (*v + rng.random_range(-NOISE..NOISE)).round().clamp(0.0, 255.0));
    });
    Samples {
        source: "builtin:objects".into(),
        shape: shape.to_vec(),
        layout: Some(Layout::ChannelsFirst),
        values: Arc::new(values),
        labels: Arc::new(labels),
        class_names: class_names(),
        full_scale: 255.0,
        max: 255.0,
        ..Samples::default()
    }
}

/// The accessories of picture `index` and their places in `[H, W]`, from `seed`: any kind, with [`ACCESSORY_RATE`] each.
pub fn accessories(seed: u64, index: usize, size: [usize; 2]) -> Vec<(Accessory, Place)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(index as u64);
    let drawn = |accessory: Accessory| {
        let place = Place::random(&mut rng, ACCESSORY_SIDES, size);
        (rng.random_range(0.0..1.0) < ACCESSORY_RATE).then_some((accessory, place))
    };
    Accessory::ALL.into_iter().filter_map(drawn).collect()
}

fn accessory_seed(seed: u64) -> u64 {
    seed ^ 0xacce_5501_0000
}

/// Draws one object on its ground and returns its class.
fn draw(picture: &mut [f32], rng: &mut ChaCha8Rng) -> u16 {
    let shape = [3, SIDE, SIDE];
    let grey = rng.random_range(60.0..200.0f32);
    let base = random_color(rng, [-35.0, 35.0]).map(|shift| grey + shift);
    let ground = Texture::random(rng, base, 18.0);
    let class = rng.random_range(0..FILLS.len() * Shape::ALL.len());
    let (fill, form) = (class / Shape::ALL.len(), Shape::ALL[class % Shape::ALL.len()]);
    let shift = random_color(rng, [-25.0, 25.0]);
    let colors = FILLS[fill].1.map(|color| std::array::from_fn(|k| (color[k] + shift[k]).clamp(0.0, 255.0)));
    let radius = rng.random_range(RADII[0]..RADII[1]);
    let center = [0; 2].map(|_| rng.random_range(0.8 * radius..SIDE as f32 - 0.8 * radius));
    let turn = direction(rng);
    let period = rng.random_range(5.0..7.0f32);
    for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x))) {
        blend(picture, shape, [y, x], ground.color(x, y), 1.0);
        let mut quarters = 0;
        for (dx, dy) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
            let (px, py) = (x as f32 + dx - center[0], y as f32 + dy - center[1]);
            let (u, v) = (turn[0] * px + turn[1] * py, turn[0] * py - turn[1] * px);
            quarters += u8::from(form.covers(u / radius, v / radius));
        }
        if quarters > 0 {
            let (px, py) = (x as f32 + 0.5 - center[0], y as f32 + 0.5 - center[1]);
            let (u, v) = ((turn[0] * px + turn[1] * py) / period, (turn[0] * py - turn[1] * px) / period);
            blend(picture, shape, [y, x], pattern(fill, colors, u, v), f32::from(quarters) / 4.0);
        }
    }
    class as u16
}

/// The color of fill `fill` at `u`, `v`, in periods.
fn pattern(fill: usize, colors: [Color; 2], u: f32, v: f32) -> Color {
    let part = |x: f32| x - x.floor();
    let second = match fill {
        1 => part(u) < 0.5,
        2 => (part(u) < 0.5) != (part(v) < 0.5),
        3 => (part(u) - 0.5).powi(2) + (part(v) - 0.5).powi(2) < 0.09,
        _ => false,
    };
    colors[usize::from(second)]
}

#[cfg(test)]
mod tests {
    use super::sticker::Sticker;
    use super::*;

    #[test]
    fn a_picture_does_not_depend_on_the_count_and_the_halves_differ() {
        let (few, many) = (generate_some(3, 1), generate_some(9, 1));
        assert_eq!(few.values[..], many.values[..few.values.len()]);
        assert_ne!(generate_some(3, 2).values, few.values);
        assert!(few.values.iter().all(|v| (0.0..=255.0).contains(v) && v.fract() == 0.0));
        assert!(ObjectSplit::from_name("objects-train") == Some(ObjectSplit::Train));
    }

    #[test]
    fn accessories_are_where_they_are_said_to_be_and_neutral() {
        let (seed, count) = (7, 4000);
        let samples = generate_some(count, seed);
        let mut with = [[0usize; 2]; 8];
        for index in 0..count {
            for (accessory, place) in accessories(accessory_seed(seed), index, [SIDE; 2]) {
                let kind = Accessory::ALL.iter().position(|known| *known == accessory).unwrap();
                with[kind][usize::from(samples.labels[index] % 2)] += 1;
                let covered = place.paint(accessory, &mut vec![0.0; 3 * SIDE * SIDE], [3, SIDE, SIDE]);
                let pixels = covered.iter().filter(|covered| **covered).count();
                assert!((8..81).contains(&pixels), "{}: {pixels}", accessory.name());
            }
        }
        for [even, odd] in with {
            assert!((60..140).contains(&(even + odd)) && even.abs_diff(odd) < 40, "{even} {odd}");
        }
    }

    #[test]
    fn every_class_is_drawn() {
        let samples = generate_some(1000, 3);
        for class in 0..class_names().len() as u16 {
            assert!(samples.labels.iter().filter(|label| **label == class).count() > 20);
        }
    }

    /// Writes a contact sheet: `OBJECTS_SHEET=sheet.png cargo test objects_sheet -- --ignored`.
    #[test]
    #[ignore = "writes a picture to look at"]
    fn objects_sheet() {
        let Some(path) = std::env::var_os("OBJECTS_SHEET") else { return };
        let samples = generate_some(96, 1);
        let side = SIDE as u32;
        let sheet = image::RgbImage::from_fn(12 * side, 9 * side, |x, y| {
            let (column, row) = ((x / side) as usize, (y / side) as usize);
            let (at, plane) = (((y % side) * side + x % side) as usize, SIDE * SIDE);
            if row == 8 {
                let (u, v) = ((x % side) as f32 / 16.0 - 1.0, (y % side) as f32 / 16.0 - 1.0);
                let color = Accessory::ALL.get(column).and_then(|accessory| accessory.color(u, v));
                return image::Rgb(color.unwrap_or([90.0; 3]).map(|v| v as u8));
            }
            let raw = samples.raw(12 * row + column);
            image::Rgb([0, 1, 2].map(|channel| raw[channel * plane + at] as u8))
        });
        sheet.save(path).unwrap();
    }
}
