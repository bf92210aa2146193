//! Square in ℓ₂: windows of two opposite pyramids, whose length comes from another window.
//!
//! Andriushchenko et al., ECCV 2020, section 3.2 and algorithm 3: the perturbation always has length ε; a new window takes
//! over the length that the old window, a second window and clipping leave.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::draws::random_sign;
use super::form::ImageForm;
use super::norm::{clamp_pixels, length};

/// Tiles on a side of the first image.
const TILES: usize = 5;

/// A window `[top, left, side]`.
type Window = [usize; 3];

/// The first image: tiles of pyramids with random signs, of length `eps`.
pub fn first(rng: &mut ChaCha8Rng, form: ImageForm, x: &[f32], eps: f32) -> Vec<f32> {
    let mut changes = vec![0.0; x.len()];
    let side = (form.height.min(form.width) / TILES).max(1);
    for top in (0..=form.height - side).step_by(side) {
        for left in (0..=form.width - side).step_by(side) {
            let shape = pyramids(side, rng.random());
            for channel in 0..form.channels {
                let sign = random_sign(rng);
                for (k, value) in shape.iter().enumerate() {
                    changes[form.at(channel, top + k / side, left + k % side)] = sign * value;
                }
            }
        }
    }
    of_length(x, &changes, eps, form.limit())
}

/// Another image than `best`: one window gets new pyramids, a second one its zero changes.
pub fn next(rng: &mut ChaCha8Rng, form: ImageForm, side: usize, x: &[f32], best: &[f32], eps: f32) -> Vec<f32> {
    let side = side.min(form.height).min(form.width);
    let mut changes: Vec<f32> = best.iter().zip(x).map(|(a, x)| a - x).collect();
    let mut window = || [rng.random_range(0..=form.height - side), rng.random_range(0..=form.width - side), side];
    let (to, from) = (window(), window());
    let whole = length(&changes);
    let left_over = (eps * eps - whole * whole).max(0.0) / form.channels.max(1) as f32;
    let shape = pyramids(side, rng.random());
    for channel in 0..form.channels {
        let old: Vec<f32> = cells(to).map(|(row, column)| changes[form.at(channel, row, column)]).collect();
        let both = cells(to).chain(cells(from).filter(|&cell| !is_inside(to, cell)));
        let both: Vec<f32> = both.map(|(row, column)| changes[form.at(channel, row, column)]).collect();
        let sign = random_sign(rng);
        let by = length(&old) + 1e-10;
        let new: Vec<f32> = shape.iter().zip(&old).map(|(new, old)| sign * new + old / by).collect();
        let mass = (left_over + length(&both).powi(2)).sqrt() / length(&new).max(1e-12);
        for (row, column) in cells(from) {
            changes[form.at(channel, row, column)] = 0.0;
        }
        for ((row, column), new) in cells(to).zip(new) {
            changes[form.at(channel, row, column)] = new * mass;
        }
    }
    of_length(x, &changes, eps, form.limit())
}

/// The cells of a window, row by row.
fn cells([top, left, side]: Window) -> impl Iterator<Item = (usize, usize)> {
    (0..side * side).map(move |k| (top + k / side, left + k % side))
}

fn is_inside([top, left, side]: Window, (row, column): (usize, usize)) -> bool {
    (top..top + side).contains(&row) && (left..left + side).contains(&column)
}

/// `x` moved by `changes`, scaled to length `eps`, inside [0, `limit`].
fn of_length(x: &[f32], changes: &[f32], eps: f32, limit: f32) -> Vec<f32> {
    let by = eps / length(changes).max(1e-12);
    let mut image: Vec<f32> = x.iter().zip(changes).map(|(x, d)| x + d * by).collect();
    clamp_pixels(&mut image, limit);
    image
}

/// Two opposite pyramids in a window of `side`², of length 1: one above the other, or beside it.
fn pyramids(side: usize, beside: bool) -> Vec<f32> {
    let half = side / 2;
    let upper = pyramid(half, side);
    let lower = pyramid(side - half, side).into_iter().map(|v| -v);
    let mut values: Vec<f32> = upper.into_iter().chain(lower).collect();
    if beside {
        values = (0..side * side).map(|k| values[k % side * side + k / side]).collect();
    }
    let by = length(&values).max(1e-12);
    values.iter_mut().for_each(|v| *v /= by);
    values
}

/// Nested rectangles around the middle, the k-th adding 1/k²; of length 1.
fn pyramid(height: usize, width: usize) -> Vec<f32> {
    let mut values = vec![0.0; height * width];
    let (middle_row, middle) = (height as isize / 2, width as isize / 2);
    for k in 0..=(middle_row.max(middle)) {
        for row in (middle_row - k).max(0)..(middle_row + k + 1).min(height as isize) {
            for column in (middle - k).max(0)..(middle + k + 1).min(width as isize) {
                values[row as usize * width + column as usize] += 1.0 / ((k + 1) * (k + 1)) as f32;
            }
        }
    }
    let by = length(&values).max(1e-12);
    values.iter_mut().for_each(|v| *v /= by);
    values
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::attack::norm::distance;
    use crate::data::Layout;

    #[test]
    fn every_image_lies_in_the_ball_and_in_range() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for (shape, side) in [(vec![3, 12, 12], 5), (vec![1, 7, 9], 3), (vec![40], 3), (vec![2, 3], 3)] {
            let form = ImageForm::of(&shape, Layout::ChannelsFirst);
            let x: Vec<f32> = (0..form.len()).map(|i| (i % 7) as f32 / 6.0).collect();
            let mut image = first(&mut rng, form, &x, 0.5);
            for _ in 0..40 {
                assert!(distance(&image, &x) < 0.5001 && image.iter().all(|v| (0.0..=1.0).contains(v)), "{shape:?}");
                assert!(image != x, "{shape:?}");
                image = next(&mut rng, form, side, &x, &image, 0.5);
            }
        }
    }

    #[test]
    fn pyramids_have_length_one_and_two_signs() {
        let values = pyramids(5, false);
        assert!((length(&values) - 1.0).abs() < 1e-5);
        assert!(values.iter().any(|v| *v > 0.0) && values.iter().any(|v| *v < 0.0));
        assert_eq!(pyramids(1, true).len(), 1);
    }
}
