//! Generator of scenes: a few shapes over textures, with a class for every pixel, objects and boxes.
//!
//! Arithmetic is that of integers and of `f32` without functions of the system's mathematics library, so that the bytes are
//! the same on every machine. Knows no files.

mod draw;
pub(super) mod shapes;
pub(super) mod texture;

use std::sync::Arc;

use draw::{Scene, draw_scene};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use shapes::Shape;

use crate::data::samples::targets::{Boxes, Masks, Targets};
use crate::data::{Layout, Samples};
use crate::{Error, Result};

/// Allowed widths and heights of scenes in pixels.
pub const SIDES: std::ops::RangeInclusive<u32> = 64..=128;
/// Width and height without an option.
pub const DEFAULT_SIDE: u32 = 96;
/// Difficulty without an option, in hundredths.
pub const DEFAULT_DIFFICULTY: u8 = 50;

/// The test or the training set of generated scenes; the two share no random stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SceneSplit {
    /// 500 scenes for testing.
    Test,
    /// 2,000 scenes for training.
    Train,
}

/// What scenes are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SceneOptions {
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// From 0, few large shapes of clear color, to 100, many small ones that hide each other.
    pub difficulty: u8,
}

impl Default for SceneOptions {
    fn default() -> Self {
        Self { size: [DEFAULT_SIDE; 2], difficulty: DEFAULT_DIFFICULTY }
    }
}

impl SceneSplit {
    /// The split called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Test, Self::Train].into_iter().find(|split| split.name() == name)
    }
    /// `scenes` or `scenes-train`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Test => "scenes",
            Self::Train => "scenes-train",
        }
    }
    fn count_and_seed(self) -> (usize, u64) {
        match self {
            Self::Test => (500, 0x5ce7e),
            Self::Train => (2_000, 0x5ce71),
        }
    }
}

/// All scenes of `split`: `[3, H, W]` in 0..255 with masks, objects and boxes. Another `variant` than 0 gives others of the
/// same kind; training and test scenes share none.
///
/// # Errors
/// [`Error::Invalid`] for a size outside of [`SIDES`].
pub fn generate(split: SceneSplit, options: SceneOptions, variant: u32) -> Result<Samples> {
    let (count, seed) = split.count_and_seed();
    let samples = generate_some(count, seed + (u64::from(variant) << 32), options)?;
    Ok(Samples { source: format!("builtin:{}", split.name()), ..samples })
}

/// `count` scenes generated from `seed`. Scene `i` depends on `seed`, `i` and `options` alone.
///
/// # Errors
/// [`Error::Invalid`] for a size outside of [`SIDES`].
pub fn generate_some(count: usize, seed: u64, options: SceneOptions) -> Result<Samples> {
    let [w, h] = options.size;
    if !SIDES.contains(&w) || !SIDES.contains(&h) {
        let (least, most) = (SIDES.start(), SIDES.end());
        return Err(Error::Invalid(format!("Cannot draw scenes of {w}x{h}: sides are {least} to {most} pixels.")));
    }
    let (width, height) = (w as usize, h as usize);
    let plane = width * height;
    let mut values = vec![0f32; count * 3 * plane];
    let mut classes = vec![0u8; count * plane];
    let mut instances = vec![0u16; count * plane];
    let mut of_sample = vec![Vec::new(); count];
    let pixels = values.par_chunks_exact_mut(3 * plane).zip(classes.par_chunks_exact_mut(plane));
    let targets = instances.par_chunks_exact_mut(plane).zip(of_sample.par_iter_mut());
    pixels.zip(targets).enumerate().for_each(|(index, ((colors, classes), (instances, boxes)))| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(index as u64);
        *boxes = draw_scene(&mut Scene { width, height, colors, classes, instances }, options.difficulty, &mut rng);
    });
    let names = || Shape::ALL.map(|shape| shape.name().to_owned());
    let masks = Masks {
        height,
        width,
        classes: Arc::new(classes),
        instances: Some(Arc::new(instances)),
        class_names: std::iter::once("background".to_owned()).chain(names()).collect(),
    };
    let boxes = Boxes {
        of_sample: Arc::new(of_sample),
        class_names: names().to_vec(),
        places: Arc::default(),
        file_names: Arc::default(),
    };
    Ok(Samples {
        source: "builtin:scenes".into(),
        shape: vec![3, height, width],
        layout: Some(Layout::ChannelsFirst),
        values: Arc::new(values),
        targets: Targets::Scenes { masks, boxes },
        full_scale: 255.0,
        max: 255.0,
        ..Samples::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(samples: &Samples) -> (&Masks, &Boxes) {
        (samples.targets.masks().unwrap(), samples.targets.boxes().unwrap())
    }

    #[test]
    fn a_scene_does_not_depend_on_the_count_but_on_seed_and_difficulty() {
        let some = |count, seed, difficulty| {
            generate_some(count, seed, SceneOptions { difficulty, ..SceneOptions::default() }).unwrap()
        };
        let (few, many) = (some(3, 1, 50), some(9, 1, 50));
        assert_eq!(few.values[..], many.values[..few.values.len()]);
        assert_eq!(parts(&few).1.of_sample[..], parts(&many).1.of_sample[..3]);
        assert_ne!(some(3, 2, 50).values, few.values);
        assert_ne!(some(3, 1, 60).values, few.values);
    }

    #[test]
    fn masks_objects_and_boxes_agree_at_every_difficulty_and_size() {
        for (difficulty, size) in [(0, [96, 96]), (50, [64, 128]), (100, [128, 64])] {
            let samples = generate_some(60, 3, SceneOptions { size, difficulty }).unwrap();
            assert_eq!((samples.len(), samples.shape[1..].to_vec()), (60, vec![size[1] as usize, size[0] as usize]));
            assert!(samples.values.iter().all(|v| (0.0..=255.0).contains(v) && v.fract() == 0.0));
            let (masks, boxes) = parts(&samples);
            let instances = masks.instances.as_ref().unwrap();
            let (width, plane) = (masks.width, masks.width * masks.height);
            for sample in 0..samples.len() {
                let classes = masks.of_sample(sample);
                let objects = &instances[sample * plane..(sample + 1) * plane];
                let found = &boxes.of_sample[sample];
                assert!(!found.is_empty() && objects.iter().all(|object| usize::from(*object) <= found.len()));
                for (index, boxed) in found.iter().enumerate() {
                    let own = (0..plane).filter(|&at| usize::from(objects[at]) == index + 1).collect::<Vec<_>>();
                    assert!(own.iter().all(|&at| u16::from(classes[at]) == boxed.class + 1));
                    let xs = || own.iter().map(|at| (at % width) as f32);
                    let ys = || own.iter().map(|at| (at / width) as f32);
                    let corners = [
                        xs().fold(f32::MAX, f32::min),
                        ys().fold(f32::MAX, f32::min),
                        xs().fold(0.0, f32::max) + 1.0,
                        ys().fold(0.0, f32::max) + 1.0,
                    ];
                    assert_eq!((boxed.corners, boxed.area), (corners, own.len() as f32));
                    assert!(own.len() >= 24, "{}", own.len());
                }
                assert!(classes.iter().zip(objects).all(|(class, object)| (*class == 0) == (*object == 0)));
            }
        }
        let refused = generate_some(1, 1, SceneOptions { size: [32, 96], difficulty: 0 }).unwrap_err().to_string();
        assert!(refused.contains("64 to 128"), "{refused}");
    }

    #[test]
    fn every_class_is_drawn_and_difficulty_adds_shapes_that_hide_each_other() {
        let samples =
            |difficulty| generate_some(200, 5, SceneOptions { difficulty, ..SceneOptions::default() }).unwrap();
        let (easy, hard) = (samples(0), samples(100));
        let count = |samples: &Samples| parts(samples).1.of_sample.iter().map(Vec::len).sum::<usize>();
        assert!(count(&hard) > 2 * count(&easy), "{} {}", count(&easy), count(&hard));
        for class in 0..Shape::ALL.len() as u16 {
            let drawn = parts(&hard).1.of_sample.iter().flatten().filter(|boxed| boxed.class == class).count();
            assert!(drawn > 60, "{class}: {drawn}");
        }
        let mean_area = |samples: &Samples| {
            let all = parts(samples).1.of_sample.iter().flatten();
            all.map(|boxed| boxed.area).sum::<f32>() / count(samples) as f32
        };
        assert!(mean_area(&easy) > mean_area(&hard));
    }

    /// Writes a contact sheet: `SCENES_SHEET=sheet.png cargo test scenes_sheet -- --ignored`.
    #[test]
    #[ignore = "writes a picture to look at"]
    fn scenes_sheet() {
        let Some(path) = std::env::var_os("SCENES_SHEET") else { return };
        let side = DEFAULT_SIDE;
        let rows = [0u8, 50, 100]
            .map(|difficulty| generate_some(10, 5, SceneOptions { difficulty, ..SceneOptions::default() }).unwrap());
        let sheet = image::RgbImage::from_fn(10 * side, 6 * side, |x, y| {
            let (row, column) = (y / side, (x / side) as usize);
            let (at, plane) = (((y % side) * side + x % side) as usize, (side * side) as usize);
            let samples = &rows[(row / 2) as usize];
            let raw = samples.raw(column);
            match row % 2 {
                0 => image::Rgb([0, 1, 2].map(|channel| raw[channel * plane + at] as u8)),
                _ => image::Rgb([parts(samples).0.of_sample(column)[at] * 50; 3]),
            }
        });
        sheet.save(path).unwrap();
    }
}
