//! Pasting a patch into a picture at a random place, turn and brightness, and the gradient back to the patch.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::data::scenes::objects::sticker::Place;

/// A linear map from a square patch to pixels of a picture: for each pixel four places of the patch and their weights.
#[derive(Clone, Debug)]
pub(super) struct Insertion {
    pixels: Vec<(usize, [(usize, f32); 4])>,
    side: usize,
    /// Factor of brightness.
    gain: f32,
}

/// Change of brightness, to either side (0.25 in the constants of RFLA).
const JITTER: f32 = 0.25;

impl Insertion {
    /// A patch of `side` by `side` at `place` in a picture of `[H, W]`.
    pub(super) fn new(side: usize, place: &Place, [height, width]: [usize; 2], gain: f32) -> Self {
        let mut pixels = Vec::new();
        let most = (side - 1) as f32;
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let (px, py) = (x as f32 + 0.5 - place.center[0], y as f32 + 0.5 - place.center[1]);
            let [cos, sin] = place.turn;
            let (u, v) = ((cos * px + sin * py) / place.radius, (cos * py - sin * px) / place.radius);
            if u.abs().max(v.abs()) > 1.0 {
                continue;
            }
            let split = |u: f32| {
                let at = ((u + 1.0) / 2.0 * side as f32 - 0.5).clamp(0.0, most);
                let low = at.floor().min((most - 1.0).max(0.0));
                (low as usize, at - low)
            };
            let ((column, right), (row, down)) = (split(u), split(v));
            let corner = |dy: usize, dx: usize| {
                let share = (if dy == 0 { 1.0 - down } else { down }) * (if dx == 0 { 1.0 - right } else { right });
                ((row + dy).min(side - 1) * side + (column + dx).min(side - 1), share)
            };
            pixels.push((y * width + x, [corner(0, 0), corner(0, 1), corner(1, 0), corner(1, 1)]));
        }
        Self { pixels, side, gain }
    }

    /// A random place: sides from `sides` pixels, turned by up to about 10 degrees, brighter or darker.
    pub(super) fn random(rng: &mut ChaCha8Rng, side: usize, sides: [f32; 2], size: [usize; 2]) -> Self {
        let place = Place::random(rng, sides, size);
        let gain = rng.random_range(1.0 - JITTER..1.0 + JITTER);
        Self::new(side, &place, size, gain)
    }

    /// Pastes `patch` `[C, side, side]` into `picture` `[C, H, W]`, values 0 to 1.
    pub(super) fn paste(&self, patch: &[f32], picture: &mut [f32]) {
        let planes = self.planes(patch.len(), picture.len());
        for (patch, picture) in patch.chunks_exact(planes.0).zip(picture.chunks_exact_mut(planes.1)) {
            for (at, corners) in &self.pixels {
                let value: f32 = corners.iter().map(|(from, share)| patch[*from] * share).sum();
                picture[*at] = (self.gain * value).clamp(0.0, 1.0);
            }
        }
    }

    /// Adds the gradient of the picture to that of the patch.
    pub(super) fn pull(&self, of_picture: &[f32], of_patch: &mut [f32]) {
        let planes = self.planes(of_patch.len(), of_picture.len());
        for (patch, picture) in of_patch.chunks_exact_mut(planes.0).zip(of_picture.chunks_exact(planes.1)) {
            for (at, corners) in &self.pixels {
                corners.iter().for_each(|(to, share)| patch[*to] += self.gain * share * picture[*at]);
            }
        }
    }

    fn planes(&self, patch: usize, picture: usize) -> (usize, usize) {
        let plane = self.side * self.side;
        (plane, picture / (patch / plane).max(1))
    }
}

/// Total variation of `[C, H, W]` (mean absolute difference of neighbors times `weight`), added to `gradient`.
pub(super) fn add_total_variation(values: &[f32], [height, width]: [usize; 2], weight: f32, gradient: &mut [f32]) {
    let plane = height * width;
    let share = weight / values.len().max(1) as f32;
    for (values, gradient) in values.chunks_exact(plane).zip(gradient.chunks_exact_mut(plane)) {
        let mut pair = |a: usize, b: usize| {
            let slope = share * (values[a] - values[b]).signum();
            if values[a] != values[b] {
                gradient[a] += slope;
                gradient[b] -= slope;
            }
        };
        for at in 0..plane {
            if at % width + 1 < width {
                pair(at, at + 1);
            }
            if at + width < plane {
                pair(at, at + width);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn pulling_is_the_transpose_of_pasting() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for _ in 0..5 {
            let insertion = Insertion::random(&mut rng, 6, [7.0, 9.0], [16, 16]);
            let patch: Vec<f32> = (0..72).map(|_| rng.random_range(0.1..0.7)).collect();
            let weights: Vec<f32> = (0..512).map(|_| rng.random_range(-1.0..1.0)).collect();
            let mut picture = vec![0.0; 512];
            insertion.paste(&patch, &mut picture);
            let mut pulled = vec![0.0; 72];
            insertion.pull(&weights, &mut pulled);
            let forward: f32 = picture.iter().zip(&weights).map(|(a, b)| a * b).sum();
            let backward: f32 = patch.iter().zip(&pulled).map(|(a, b)| a * b).sum();
            assert!((forward - backward).abs() < 1e-3, "{forward} {backward}");
            assert!(picture.iter().filter(|v| **v > 0.0).count() > 80);
        }
    }
}
