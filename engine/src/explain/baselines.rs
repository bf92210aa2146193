//! Maps that know nothing of the network: edges of the image, a blank map, random numbers.

use rand::Rng;

use super::draws::{Purpose, stream};
use crate::attack::ImageForm;

/// The size of the Sobel gradient of each channel of `image` `[F]`; beyond the edge the image repeats its border.
pub fn edges(image: &[f32], form: &ImageForm) -> Vec<f32> {
    let mut map = vec![0.0; image.len()];
    let near = |at: usize, by: isize, size: usize| at.saturating_add_signed(by).min(size - 1);
    for channel in 0..form.channels {
        for row in 0..form.height {
            for column in 0..form.width {
                let at = |dy: isize, dx: isize| {
                    image[form.at(channel, near(row, dy, form.height), near(column, dx, form.width))]
                };
                let across = at(-1, 1) + 2.0 * at(0, 1) + at(1, 1) - at(-1, -1) - 2.0 * at(0, -1) - at(1, -1);
                let down = at(1, -1) + 2.0 * at(1, 0) + at(1, 1) - at(-1, -1) - 2.0 * at(-1, 0) - at(-1, 1);
                map[form.at(channel, row, column)] = across.hypot(down);
            }
        }
    }
    map
}

/// One number from 0 to 1 for each pixel of sample `sample`, the same in all channels.
pub fn random(form: &ImageForm, seed: u64, sample: usize) -> Vec<f32> {
    let mut rng = stream(seed, sample, Purpose::Map);
    let mut map = vec![0.0; form.len()];
    for row in 0..form.height {
        for column in 0..form.width {
            let value = rng.random::<f32>();
            (0..form.channels).for_each(|channel| map[form.at(channel, row, column)] = value);
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Layout;

    #[test]
    fn edges_are_where_the_image_changes() {
        let form = ImageForm::of(&[1, 3, 4], Layout::ChannelsFirst);
        let image = [0.0, 0.0, 1.0, 1.0].repeat(3);
        assert_eq!(edges(&image, &form), [0.0, 4.0, 4.0, 0.0].repeat(3));
        assert_eq!(edges(&[0.3; 12], &form), [0.0; 12]);
    }
}
