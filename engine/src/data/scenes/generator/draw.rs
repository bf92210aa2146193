//! Draws one scene: a textured ground, shapes that may hide each other, and noise.

use rand::{Rng, RngCore};
use rand_chacha::ChaCha8Rng;

use super::shapes::{Placed, Shape};
use super::texture::{Texture, distance, random_color};
use crate::data::samples::targets::TargetBox;

/// Tries to place a shape before it is given up.
const TRIES: usize = 12;
/// Visible pixels that every object keeps.
const MIN_PIXELS: usize = 24;

/// The buffers of one scene.
pub(super) struct Scene<'a> {
    pub width: usize,
    pub height: usize,
    /// `[3, H, W]`, zero.
    pub colors: &'a mut [f32],
    /// `[H, W]`, zero.
    pub classes: &'a mut [u8],
    /// `[H, W]`, zero.
    pub instances: &'a mut [u16],
}

/// What a difficulty from 0 to 1 stands for.
struct Level {
    /// Maximum number of shapes.
    shapes: usize,
    /// Radii as parts of the shorter side.
    radii: [f32; 2],
    /// Part of every shape that stays visible.
    visible: f32,
    /// Difference of the two colors of a texture.
    contrast: f32,
    /// Least difference between a shape and its ground, over the three channels.
    distance: f32,
    noise: f32,
}

impl Level {
    fn new(difficulty: u8) -> Self {
        let d = f32::from(difficulty.min(100)) / 100.0;
        Self {
            shapes: 2 + (5.0 * d) as usize,
            radii: [0.2 - 0.11 * d, 0.3 - 0.06 * d],
            visible: 1.0 - 0.65 * d,
            contrast: 12.0 + 60.0 * d,
            distance: 240.0 - 170.0 * d,
            noise: 2.0 + 22.0 * d,
        }
    }
}

/// Draws a scene and returns the boxes of its objects, in the order of their numbers.
pub(super) fn draw_scene(scene: &mut Scene<'_>, difficulty: u8, rng: &mut ChaCha8Rng) -> Vec<TargetBox> {
    let level = Level::new(difficulty);
    let (width, height) = (scene.width, scene.height);
    let base = random_color(rng, [30.0, 225.0]);
    let ground = Texture::random(rng, base, level.contrast);
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        scene.blend(x, y, ground.color(x, y), 1.0);
    }
    let side = width.min(height) as f32;
    let radii = level.radii.map(|part| part * side);
    let mut objects: Vec<(Shape, usize)> = Vec::new();
    for _ in 0..rng.random_range(1..=level.shapes) {
        let mut color = random_color(rng, [5.0, 250.0]);
        // In a dim ground few colors differ enough: the last of some is taken.
        for _ in 0..TRIES {
            if distance(color, base) >= level.distance {
                break;
            }
            color = random_color(rng, [5.0, 250.0]);
        }
        let fill = Texture::random(rng, color, 0.5 * level.contrast);
        let found = (0..TRIES).find_map(|_| {
            let placed = Placed::random(rng, radii, [width as f32, height as f32]);
            let footprint = scene.footprint(&placed);
            scene.leaves_visible(&footprint, &objects, level.visible).then_some((placed, footprint))
        });
        let Some((placed, footprint)) = found else { continue };
        let number = objects.len() as u16 + 1;
        let class = Shape::ALL.iter().position(|shape| *shape == placed.shape).unwrap_or(0) as u8 + 1;
        let mut pixels = 0;
        for &(x, y, quarters) in &footprint {
            scene.blend(x, y, fill.color(x, y), f32::from(quarters) / 4.0);
            // The pixel belongs to what covers half of it.
            if quarters >= 2 {
                let at = y * width + x;
                (scene.classes[at], scene.instances[at]) = (class, number);
                pixels += 1;
            }
        }
        objects.push((placed.shape, pixels));
    }
    scene.add_noise(level.noise, rng);
    scene.boxes(objects.len())
}

impl Scene<'_> {
    /// Pixels that a shape covers, with the quarters of each.
    fn footprint(&self, placed: &Placed) -> Vec<(usize, usize, u8)> {
        let [x0, y0, x1, y1] = placed.bounds(self.width, self.height);
        let all = (y0..y1).flat_map(|y| (x0..x1).map(move |x| (x, y)));
        all.map(|(x, y)| (x, y, placed.quarters(x, y))).filter(|(.., quarters)| *quarters > 0).collect()
    }

    /// Whether a new shape is large enough and leaves the part `visible` of each of `objects` in sight.
    fn leaves_visible(&self, footprint: &[(usize, usize, u8)], objects: &[(Shape, usize)], visible: f32) -> bool {
        let own = footprint.iter().filter(|(.., quarters)| *quarters >= 2);
        let mut seen = vec![0usize; objects.len() + 1];
        self.instances.iter().for_each(|number| seen[usize::from(*number)] += 1);
        let mut pixels = 0;
        for (x, y, _) in own {
            seen[usize::from(self.instances[y * self.width + x])] -= 1;
            pixels += 1;
        }
        let stays = |((_, whole), seen): (&(Shape, usize), &usize)| {
            *seen >= MIN_PIXELS && *seen as f32 >= visible * *whole as f32
        };
        pixels >= MIN_PIXELS && objects.iter().zip(&seen[1..]).all(stays)
    }

    /// Mixes `color` over a pixel.
    fn blend(&mut self, x: usize, y: usize, color: [f32; 3], share: f32) {
        let plane = self.width * self.height;
        for (channel, value) in color.into_iter().enumerate() {
            let pixel = &mut self.colors[channel * plane + y * self.width + x];
            *pixel = *pixel * (1.0 - share) + value * share;
        }
    }

    /// Adds noise of up to `strength` to every value and rounds it to a byte.
    fn add_noise(&mut self, strength: f32, rng: &mut ChaCha8Rng) {
        // A random byte a value, four of one draw.
        for values in self.colors.chunks_mut(4) {
            for (value, byte) in values.iter_mut().zip(rng.next_u32().to_le_bytes()) {
                let noise = (f32::from(byte) - 127.5) / 127.5 * strength;
                *value = (*value + noise + 0.5).clamp(0.0, 255.0).floor();
            }
        }
    }

    /// The boxes around the visible pixels of objects 1 to `count`.
    fn boxes(&self, count: usize) -> Vec<TargetBox> {
        let mut found = vec![([usize::MAX, usize::MAX, 0, 0], 0u16, 0u32); count];
        for (at, (&number, &class)) in self.instances.iter().zip(self.classes.iter()).enumerate() {
            let Some((corners, of_class, pixels)) = usize::from(number).checked_sub(1).and_then(|k| found.get_mut(k))
            else {
                continue;
            };
            let (x, y) = (at % self.width, at / self.width);
            *corners = [corners[0].min(x), corners[1].min(y), corners[2].max(x + 1), corners[3].max(y + 1)];
            (*of_class, *pixels) = (u16::from(class) - 1, *pixels + 1);
        }
        let target = |(corners, class, pixels): ([usize; 4], u16, u32)| TargetBox {
            class,
            corners: corners.map(|corner| corner as f32),
            area: pixels as f32,
            is_crowd: false,
            is_difficult: false,
        };
        found.into_iter().map(target).collect()
    }
}
