//! Renders a sample as an RGBA thumbnail image.
//!
//! Knows values and shapes, not the UI toolkit.

use super::{Layout, Samples};

/// Sample `index` as `(width, height, RGBA bytes)`, from the smallest value in black to the largest in white; `(0, 0, [])`
/// if there is no such sample.
///
/// Three channels are RGB; otherwise the first channel is shown in gray. A vector becomes a near-square, row by row, with
/// the rest transparent.
pub fn thumbnail_rgba(samples: &Samples, index: usize) -> (usize, usize, Vec<u8>) {
    if index >= samples.len() {
        return (0, 0, Vec::new());
    }
    let raw = samples.raw(index);
    let layout = samples.channels();
    let (channels, height, width) = match (samples.shape.as_slice(), layout) {
        (&[c, h, w], Layout::ChannelsFirst) | (&[h, w, c], Layout::ChannelsLast) => (c, h, w),
        (&[h, w], _) => (1, h, w),
        _ => {
            let width = raw.len().isqrt() + usize::from(raw.len().isqrt().pow(2) < raw.len());
            (1, raw.len().div_ceil(width.max(1)), width)
        }
    };
    let plane = width * height;
    let (min, range) = (samples.min, samples.max.max(samples.full_scale) - samples.min);
    if samples.frames.is_some() {
        return (width, height, mean_events_rgba(raw, (channels, layout), width * height));
    }
    let byte = |v: f32| ((v - min) / range * 255.0).round().clamp(0.0, 255.0) as u8;
    let mut rgba = Vec::with_capacity(plane * 4);
    for at in 0..plane {
        let channel = |c: usize| {
            let c = if channels == 3 { c } else { 0 };
            let place = if layout == Layout::ChannelsLast { at * channels + c } else { at + c * plane };
            raw.get(place).map(|v| byte(*v))
        };
        match (channel(0), channel(1), channel(2)) {
            (Some(r), Some(g), Some(b)) => rgba.extend([r, g, b, 255]),
            _ => rgba.extend([0; 4]),
        }
    }
    (width, height, rgba)
}

/// Mean events of a recording over time and polarities, the largest as white: most pixels have few.
fn mean_events_rgba(raw: &[f32], (channels, layout): (usize, Layout), plane: usize) -> Vec<u8> {
    let sum = |at: usize| {
        let place = |c: usize| if layout == Layout::ChannelsLast { at * channels + c } else { at + c * plane };
        (0..channels).filter_map(|c| raw.get(place(c))).sum::<f32>()
    };
    let sums: Vec<f32> = (0..plane).map(sum).collect();
    let max = sums.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    sums.iter().flat_map(|sum| [[(sum / max * 255.0).round() as u8; 3].as_slice(), &[255]].concat()).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn samples(shape: &[usize], values: Vec<f32>) -> Samples {
        Samples { shape: shape.to_vec(), values: Arc::new(values), ..Samples::default() }
    }

    #[test]
    fn gray_color_and_vectors() {
        let gray = samples(&[1, 1, 2], vec![0.0, 2.0]);
        assert_eq!(thumbnail_rgba(&gray, 0), (2, 1, vec![0, 0, 0, 255, 255, 255, 255, 255]));
        let rgb = samples(&[3, 1, 1], vec![1.0, 0.0, -1.0]);
        assert_eq!(thumbnail_rgba(&rgb, 0), (1, 1, vec![255, 0, 0, 255]));
        let (w, h, bytes) = thumbnail_rgba(&samples(&[5], vec![1.0; 5]), 0);
        assert_eq!((w, h, bytes.len(), bytes[23]), (3, 2, 24, 0));
        assert_eq!(thumbnail_rgba(&gray, 1), (0, 0, vec![]));
    }

    #[test]
    fn channels_last_and_other_ranges() {
        let values = (0..15).map(|v| if v % 3 == 1 { 1.0 } else { 0.0 }).collect();
        let last = Samples { layout: Some(Layout::ChannelsLast), ..samples(&[1, 5, 3], values) };
        assert_eq!(thumbnail_rgba(&last, 0), (5, 1, [0, 255, 0, 255].repeat(5)));
        let counts = Samples { max: 4.0, ..samples(&[1, 2], vec![4.0, 2.0]) };
        assert_eq!(thumbnail_rgba(&counts, 0).2, [255, 255, 255, 255, 128, 128, 128, 255]);
        let signed = Samples { min: -2.0, max: 2.0, ..samples(&[1, 1], vec![0.0]) };
        assert_eq!(thumbnail_rgba(&signed, 0).2[0], 128);
    }
}
