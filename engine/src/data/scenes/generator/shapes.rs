//! The shapes of scenes: which points they cover, turned, scaled and moved.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// A class of objects; the classes of masks begin with the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Disk,
    Square,
    Triangle,
    Cross,
    Ring,
}

/// Sine of 60 degrees.
const SIN_60: f32 = 0.866_025_4;

impl Shape {
    /// All shapes, in the order of their classes.
    pub const ALL: [Self; 5] = [Self::Disk, Self::Square, Self::Triangle, Self::Cross, Self::Ring];

    /// The class name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Square => "square",
            Self::Triangle => "triangle",
            Self::Cross => "cross",
            Self::Ring => "ring",
        }
    }

    /// Whether the shape, within the unit circle, covers `(u, v)`.
    pub(in crate::data::scenes) fn covers(self, u: f32, v: f32) -> bool {
        let (au, av) = (u.abs(), v.abs());
        match self {
            Self::Disk => u * u + v * v <= 0.85,
            Self::Square => au.max(av) <= 0.75,
            // An equilateral triangle: three half planes at half the radius.
            Self::Triangle => v <= 0.5 && SIN_60 * au - 0.5 * v <= 0.5,
            Self::Cross => au.min(av) <= 0.28 && au.max(av) <= 0.95,
            Self::Ring => (0.3..=1.0).contains(&(u * u + v * v)),
        }
    }
}

/// A shape in a picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub shape: Shape,
    /// In pixels.
    center: [f32; 2],
    /// Radius of its circle in pixels.
    radius: f32,
    /// Height over width before the turn.
    aspect: f32,
    /// Cosine and sine of the turn.
    turn: [f32; 2],
}

impl Placed {
    /// A random shape of a radius in `radii`, its middle in the picture.
    pub fn random(rng: &mut ChaCha8Rng, radii: [f32; 2], [width, height]: [f32; 2]) -> Self {
        let shape = Shape::ALL[rng.random_range(0..Shape::ALL.len())];
        let radius = rng.random_range(radii[0]..radii[1]);
        let inset = 0.7 * radius;
        let center = [rng.random_range(inset..width - inset), rng.random_range(inset..height - inset)];
        Self { shape, center, radius, aspect: rng.random_range(0.8..1.25), turn: direction(rng) }
    }

    /// First and last column and row that it may cover, the last excluded: `[x0, y0, x1, y1]`.
    pub fn bounds(&self, width: usize, height: usize) -> [usize; 4] {
        let reach = self.radius * self.aspect.max(1.0 / self.aspect).max(1.0) + 1.0;
        let low = |center: f32| (center - reach).max(0.0) as usize;
        let high = |center: f32, most: usize| ((center + reach).max(0.0) as usize + 1).min(most);
        [low(self.center[0]), low(self.center[1]), high(self.center[0], width), high(self.center[1], height)]
    }

    /// Quarters of the pixel at `x`, `y` that it covers, 0 to 4.
    pub fn quarters(&self, x: usize, y: usize) -> u8 {
        let covers = |dx: f32, dy: f32| {
            let (px, py) = (x as f32 + dx - self.center[0], y as f32 + dy - self.center[1]);
            let [cos, sin] = self.turn;
            let (u, v) = ((cos * px + sin * py) / self.radius, (cos * py - sin * px) / (self.radius * self.aspect));
            u8::from(self.shape.covers(u, v))
        };
        covers(0.25, 0.25) + covers(0.75, 0.25) + covers(0.25, 0.75) + covers(0.75, 0.75)
    }
}

/// A random direction: cosine and sine.
///
/// By rejection from the square, because `sin` and `cos` differ by machine and the square root does not.
pub(in crate::data::scenes) fn direction(rng: &mut ChaCha8Rng) -> [f32; 2] {
    loop {
        let (x, y): (f32, f32) = (rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0));
        let square = x * x + y * y;
        if (0.01..=1.0).contains(&square) {
            let length = square.sqrt();
            return [x / length, y / length];
        }
    }
}
