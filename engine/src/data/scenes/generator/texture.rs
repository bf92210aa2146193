//! Textures of scenes: two colors mixed by smooth noise, stripes, checks or a gradient.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::shapes::direction;

/// Cells of the noise in each direction.
const CELLS: usize = 8;
/// Pixels that the noise covers; scenes are not larger.
const EXTENT: f32 = 160.0;

/// An RGB color, 0 to 255.
pub(in crate::data::scenes) type Color = [f32; 3];

/// A pattern of two colors.
pub(in crate::data::scenes) struct Texture {
    colors: [Color; 2],
    pattern: Pattern,
}

enum Pattern {
    /// Values at the corners of cells, 0 to 1, between them smooth.
    Noise(Box<[f32; (CELLS + 1) * (CELLS + 1)]>),
    /// Waves along a direction: periods a pixel.
    Stripes {
        along: [f32; 2],
        start: f32,
    },
    Checks {
        side: u32,
    },
    /// From one end of a direction to the other.
    Gradient {
        along: [f32; 2],
    },
}

/// A random color within `range`.
pub(in crate::data::scenes) fn random_color(rng: &mut ChaCha8Rng, range: [f32; 2]) -> Color {
    [0; 3].map(|_| rng.random_range(range[0]..range[1]))
}

/// Sum of the differences of the channels.
pub(in crate::data::scenes) fn distance(a: Color, b: Color) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum()
}

impl Texture {
    /// A random pattern around `base` whose colors differ by up to `contrast` a channel.
    pub fn random(rng: &mut ChaCha8Rng, base: Color, contrast: f32) -> Self {
        let shift = [0; 3].map(|_| rng.random_range(-contrast..contrast));
        let mixed =
            |sign: f32| std::array::from_fn(|channel| (base[channel] + sign * shift[channel]).clamp(0.0, 255.0));
        let pattern = match rng.random_range(0..4) {
            0 => Pattern::Noise(Box::new(std::array::from_fn(|_| rng.random_range(0.0..1.0)))),
            1 => {
                let (along, period) = (direction(rng), rng.random_range(5.0..16.0f32));
                Pattern::Stripes { along: along.map(|part| part / period), start: rng.random_range(0.0..1.0) }
            }
            2 => Pattern::Checks { side: rng.random_range(4..12) },
            _ => Pattern::Gradient { along: direction(rng) },
        };
        Self { colors: [mixed(1.0), mixed(-1.0)], pattern }
    }

    /// The color at a pixel.
    pub fn color(&self, x: usize, y: usize) -> Color {
        let (fx, fy) = (x as f32, y as f32);
        let share = match &self.pattern {
            Pattern::Noise(corners) => noise(corners, fx, fy),
            Pattern::Stripes { along, start } => {
                let phase = along[0] * fx + along[1] * fy + start;
                let within = phase - phase.floor();
                smooth((4.0 * (within - 0.5).abs() - 0.5).clamp(0.0, 1.0))
            }
            Pattern::Checks { side } => ((x as u32 / side + y as u32 / side) % 2) as f32,
            Pattern::Gradient { along } => {
                (0.5 + (along[0] * (fx - 48.0) + along[1] * (fy - 48.0)) / EXTENT).clamp(0.0, 1.0)
            }
        };
        std::array::from_fn(|channel| self.colors[0][channel] * (1.0 - share) + self.colors[1][channel] * share)
    }
}

fn smooth(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

fn noise(corners: &[f32; (CELLS + 1) * (CELLS + 1)], x: f32, y: f32) -> f32 {
    let scale = CELLS as f32 / EXTENT;
    let split = |at: f32| {
        let cell = (at * scale).floor().clamp(0.0, (CELLS - 1) as f32);
        (cell as usize, smooth((at * scale - cell).clamp(0.0, 1.0)))
    };
    let ((column, right), (row, down)) = (split(x), split(y));
    let at = |row: usize, column: usize| corners[row * (CELLS + 1) + column];
    let line = |row: usize| at(row, column) * (1.0 - right) + at(row, column + 1) * right;
    line(row) * (1.0 - down) + line(row + 1) * down
}
