//! Gray values of colors, by the weights that PIL, torchvision and OpenCV take.

use image::{DynamicImage, GrayImage, Luma};

/// `image` in gray: 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601) where it has color, in the fixed-point form of PIL's `L`.
///
/// The crate `image` itself takes the weights of BT.709.
pub fn into_gray(image: DynamicImage) -> GrayImage {
    if !image.color().has_color() {
        return image.into_luma8();
    }
    let rgb = image.into_rgb8();
    let mut gray = GrayImage::new(rgb.width(), rgb.height());
    for (gray, pixel) in gray.pixels_mut().zip(rgb.pixels()) {
        let [r, g, b] = pixel.0.map(u32::from);
        *gray = Luma([((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16) as u8]);
    }
    gray
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;

    #[test]
    fn colors_have_the_gray_of_pil() {
        let colors = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [200, 100, 50], [9, 9, 9], [255, 255, 255]];
        let image = RgbImage::from_fn(6, 1, |x, _| Rgb(colors[x as usize]));
        // PIL 13: Image.convert("L")
        assert_eq!(into_gray(image.into()).into_raw(), [76, 150, 29, 124, 9, 255]);
    }
}
