//! Generator of handwritten-looking digits, 28x28 pixels, for a first run without any file.
//!
//! The strokes of a digit (`strokes`) are distorted (`distort`) and rendered (`render`). Knows no files.

use render::SIDE;
mod distort;
pub mod drawing;
pub mod render;
mod strokes;

use std::sync::Arc;

pub use drawing::Drawing;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::Samples;

/// The test or the training set of generated digits; the two share no random stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// 2,000 digits for testing.
    Test,
    /// 20,000 digits for training.
    Train,
}

impl Split {
    /// The split called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Test, Self::Train].into_iter().find(|s| s.name() == name)
    }
    /// `digits` or `digits-train`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Test => "digits",
            Self::Train => "digits-train",
        }
    }
    fn size_and_seed(self) -> (usize, u64) {
        match self {
            Self::Test => (2_000, 0x7e57),
            Self::Train => (20_000, 0x7121),
        }
    }
}

/// All samples of `split`: `[1, 28, 28]`, white strokes on black, 0..255, labels 0 to 9.
pub fn generate(split: Split) -> Samples {
    let (count, seed) = split.size_and_seed();
    Samples { source: format!("builtin:{}", split.name()), ..generate_some(count, seed) }
}

/// `count` digits generated from `seed`. Sample `i` depends on `seed` and `i` alone, not on `count`.
pub fn generate_some(count: usize, seed: u64) -> Samples {
    let mut values = vec![0f32; count * SIDE * SIDE];
    let mut labels = vec![0u16; count];
    let pixels = values.par_chunks_exact_mut(SIDE * SIDE);
    pixels.zip(labels.par_iter_mut()).enumerate().for_each(|(index, (image, label))| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(index as u64);
        let digit = rng.random_range(0..10usize);
        *label = digit as u16;
        let distorted = distort::distort(strokes::digit_strokes(digit, &mut rng), &mut rng);
        render::render_strokes(&distorted, image, &mut rng);
    });
    Samples {
        source: "builtin:digits".into(),
        shape: vec![1, SIDE, SIDE],
        values: Arc::new(values),
        labels: Arc::new(labels),
        class_names: (0..10).map(|d| d.to_string()).collect(),
        layout: Some(super::Layout::ChannelsFirst),
        full_scale: 255.0,
        max: 255.0,
        ..Samples::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_does_not_depend_on_the_count() {
        let (few, many) = (generate_some(5, 1), generate_some(50, 1));
        assert_eq!(few.values[..], many.values[..5 * SIDE * SIDE]);
        assert_eq!(few.labels[..], many.labels[..5]);
        assert_ne!(generate_some(5, 2).values, few.values);
    }

    #[test]
    fn every_class_is_generated_with_values_in_range() {
        let samples = generate(Split::Test);
        assert_eq!((samples.len(), samples.shape.as_slice()), (2_000, [1, 28, 28].as_slice()));
        for digit in 0..10 {
            let count = samples.labels.iter().filter(|l| **l == digit).count();
            assert!((140..260).contains(&count), "digit {digit}: {count}");
        }
        assert!(samples.values.iter().all(|v| (0.0..=255.0).contains(v) && v.fract() == 0.0));
        let bright_pixels = |i: usize| samples.raw(i).iter().filter(|v| **v > 127.0).count();
        assert!(
            (0..samples.len()).all(|i| (15..420).contains(&bright_pixels(i))),
            "each picture has ink, none is flooded"
        );
    }

    /// Writes a contact sheet of 20 x 10 digits: `DIGITS_SHEET=sheet.png cargo test digits_sheet -- --ignored`.
    #[test]
    #[ignore = "writes a picture to look at"]
    fn digits_sheet() {
        let Some(path) = std::env::var_os("DIGITS_SHEET") else { return };
        let samples = generate_some(200, 5);
        let sheet = image::GrayImage::from_fn(20 * 28, 10 * 28, |x, y| {
            let index = (y as usize / SIDE) * 20 + x as usize / SIDE;
            image::Luma([samples.raw(index)[(y as usize % SIDE) * SIDE + x as usize % SIDE] as u8])
        });
        sheet.save(path).unwrap();
    }
}
