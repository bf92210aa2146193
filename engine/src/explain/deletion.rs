//! Deletion and insertion: what an answer loses and wins with the pixels that a map ranks first.
//!
//! After Petsiuk et al. (RISE, BMVC 2018): pixels are removed, or put into an empty image, from the largest value of the map on;
//! the score is the area under the probability of the target. A good map has a small deletion and a large insertion.

use crate::attack::ImageForm;

/// Parts in which the pixels of an image are removed.
pub const PARTS: usize = 16;

/// The images to ask about, `[2 (PARTS + 1), F]`: first those of deletion, from the whole `sample` to the `baseline`, then
/// those of insertion, the other way. `map` has one value for each pixel, `[area]`.
pub fn changed(map: &[f32], form: &ImageForm, sample: &[f32], baseline: &[f32]) -> Vec<f32> {
    let mut order: Vec<usize> = (0..map.len()).collect();
    order.sort_by(|&a, &b| map[b].total_cmp(&map[a]));
    let course = |from: &[f32], to: &[f32]| {
        let mut image = from.to_vec();
        let mut images = image.clone();
        for part in 0..PARTS {
            for &pixel in &order[order.len() * part / PARTS..order.len() * (part + 1) / PARTS] {
                for channel in 0..form.channels {
                    let value = form.at(channel, pixel / form.width.max(1), pixel % form.width.max(1));
                    image[value] = to[value];
                }
            }
            images.extend(&image);
        }
        images
    };
    [course(sample, baseline), course(baseline, sample)].concat()
}

/// The areas under both curves, from the probabilities of the target for the images of [`changed`].
pub fn areas(probabilities: &[f64]) -> [f64; 2] {
    let area = |curve: &[f64]| curve.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0).sum::<f64>() / PARTS as f64;
    let (deletion, insertion) = probabilities.split_at(probabilities.len() / 2);
    [area(deletion), area(insertion)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Layout;

    #[test]
    fn a_map_that_knows_the_pixel_deletes_and_inserts_it_first() {
        let form = ImageForm::of(&[1, 4, 4], Layout::ChannelsFirst);
        let sample: Vec<f32> = (0..16).map(|k| f32::from(u8::from(k == 5))).collect();
        // The "network" answers by pixel 5.
        let score = |map: &[f32]| {
            let images = changed(map, &form, &sample, &[0.0; 16]);
            let answers: Vec<f64> = images.chunks_exact(16).map(|image| f64::from(image[5])).collect();
            assert_eq!(answers.len(), 2 * (PARTS + 1));
            areas(&answers)
        };
        let [deletion, insertion] = score(&sample);
        assert!((deletion - 0.5 / 16.0).abs() < 1e-12 && (insertion - 15.5 / 16.0).abs() < 1e-12);
        let last: Vec<f32> = sample.iter().map(|value| -value).collect();
        let [deletion, insertion] = score(&last);
        assert!((deletion - 15.5 / 16.0).abs() < 1e-12 && (insertion - 0.5 / 16.0).abs() < 1e-12);
    }
}
