//! Small drawings that are pasted into pictures: their form, their place and the pixels they cover.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// An RGB color, 0 to 255.
pub type Color = [f32; 3];

/// A drawing over the square from -1 to 1; u points right and v down.
pub trait Sticker: Copy {
    /// Its name, as a person says it.
    fn name(self) -> &'static str;
    /// Its color at a point; `None` outside of it.
    fn color(self, u: f32, v: f32) -> Option<Color>;
}

/// Where a sticker lies in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Column and row of its middle, in pixels.
    pub center: [f32; 2],
    /// Half of its side in pixels.
    pub radius: f32,
    /// Cosine and sine of its turn.
    pub turn: [f32; 2],
}

impl Place {
    /// A random place in a picture of `[H, W]`: side in `sides` pixels, turned by up to about 10 degrees, not beyond the edge.
    pub fn random(rng: &mut ChaCha8Rng, sides: [f32; 2], [height, width]: [usize; 2]) -> Self {
        let radius = 0.5 * rng.random_range(sides[0]..=sides[1]);
        let inset = radius.min(0.5 * height.min(width) as f32 - 0.01);
        let center = [rng.random_range(inset..width as f32 - inset), rng.random_range(inset..height as f32 - inset)];
        // Half of the tangent gives sine and cosine without functions that differ by machine.
        let half = rng.random_range(-0.087f32..0.087);
        let square = 1.0 + half * half;
        Self { center, radius, turn: [(1.0 - half * half) / square, 2.0 * half / square] }
    }

    /// Paints `sticker` into `picture`, `[C, H, W]` of 0 to 255 with one channel (its luminance) or three. Returns the pixels
    /// of which it covers at least half, `[H, W]`.
    pub fn paint(
        &self,
        sticker: impl Sticker,
        picture: &mut [f32],
        [channels, height, width]: [usize; 3],
    ) -> Vec<bool> {
        let mut covered = vec![false; height * width];
        let reach = 1.5 * self.radius + 1.0;
        let rows = |center: f32, most: usize| {
            (center - reach).max(0.0) as usize..((center + reach).max(0.0) as usize + 1).min(most)
        };
        for y in rows(self.center[1], height) {
            for x in rows(self.center[0], width) {
                let (mut sum, mut quarters) = ([0.0f32; 3], 0);
                for (dx, dy) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
                    let (px, py) = (x as f32 + dx - self.center[0], y as f32 + dy - self.center[1]);
                    let [cos, sin] = self.turn;
                    let (u, v) = ((cos * px + sin * py) / self.radius, (cos * py - sin * px) / self.radius);
                    if u.abs().max(v.abs()) <= 1.0
                        && let Some(color) = sticker.color(u, v)
                    {
                        quarters += 1;
                        sum.iter_mut().zip(color).for_each(|(sum, value)| *sum += value);
                    }
                }
                if quarters > 0 {
                    let share = quarters as f32 / 4.0;
                    blend(picture, [channels, height, width], [y, x], sum.map(|v| v / quarters as f32), share);
                }
                covered[y * width + x] = quarters >= 2;
            }
        }
        covered
    }
}

/// Mixes `color` over a pixel of `picture`; pictures that are not of three channels get its luminance.
pub fn blend(picture: &mut [f32], [channels, height, width]: [usize; 3], [y, x]: [usize; 2], color: Color, share: f32) {
    for channel in 0..channels {
        let value = if channels == 3 { color[channel] } else { luminance(color) };
        let pixel = &mut picture[(channel * height + y) * width + x];
        *pixel = (*pixel * (1.0 - share) + value * share).round();
    }
}

/// Luminance of a color (Rec. 601).
pub fn luminance([red, green, blue]: Color) -> f32 {
    0.299 * red + 0.587 * green + 0.114 * blue
}

/// Whether `at` lies in the disk around `center`.
pub fn disk(at: [f32; 2], center: [f32; 2], radius: f32) -> bool {
    ellipse(at, center, [radius; 2])
}

/// Whether `at` lies in the ellipse around `center`.
pub fn ellipse(at: [f32; 2], center: [f32; 2], radii: [f32; 2]) -> bool {
    let [u, v]: [f32; 2] = std::array::from_fn(|k| (at[k] - center[k]) / radii[k]);
    u * u + v * v <= 1.0
}

/// Whether `at` lies in the rectangle around `center` of half sides `half`.
pub fn rectangle(at: [f32; 2], center: [f32; 2], half: [f32; 2]) -> bool {
    (0..2).all(|k| (at[k] - center[k]).abs() <= half[k])
}
