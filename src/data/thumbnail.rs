//! Renders a sample as an RGBA thumbnail image.
//!
//! Knows values and shapes, not the UI toolkit.

use super::Samples;

/// Sample `index` as `(width, height, RGBA bytes)`, with `full_scale` as white; `(0, 0, [])` if there is no such sample.
///
/// Three channels are RGB; otherwise the first channel is shown in gray. A vector becomes a near-square, row by row, with
/// the rest transparent.
pub fn thumbnail_rgba(samples: &Samples, index: usize) -> (usize, usize, Vec<u8>) {
    if index >= samples.len() {
        return (0, 0, Vec::new());
    }
    let raw = samples.raw(index);
    let (height, width) = match *samples.shape.as_slice() {
        [_, h, w] | [h, w] => (h, w),
        _ => {
            let width = raw.len().isqrt() + usize::from(raw.len().isqrt().pow(2) < raw.len());
            (raw.len().div_ceil(width.max(1)), width)
        }
    };
    let plane = width * height;
    let color = samples.shape.len() == 3 && samples.shape.first() == Some(&3);
    let byte = |v: f32| (v / samples.full_scale * 255.0).round().clamp(0.0, 255.0) as u8;
    let mut rgba = Vec::with_capacity(plane * 4);
    for at in 0..plane {
        let channel = |c: usize| raw.get(if color { at + c * plane } else { at }).map(|v| byte(*v));
        match (channel(0), channel(1), channel(2)) {
            (Some(r), Some(g), Some(b)) => rgba.extend([r, g, b, 255]),
            _ => rgba.extend([0; 4]),
        }
    }
    (width, height, rgba)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn samples(shape: &[usize], values: Vec<f32>) -> Samples {
        Samples {
            source: String::new(),
            shape: shape.to_vec(),
            values: Arc::new(values),
            labels: Arc::default(),
            class_names: Vec::new(),
            full_scale: 1.0,
            frames: None,
            notes: Vec::new(),
        }
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
}
