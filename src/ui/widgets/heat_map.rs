//! Heat maps: matrices as images, for density plots and feature maps.
//!
//! Textures are uploaded when their numbers change, not each frame.

use std::hash::{DefaultHasher, Hash, Hasher};

use egui::{
    Color32, ColorImage, Pos2, Rect, Response, RichText, Sense, Stroke, TextStyle, TextWrapMode, TextureHandle,
    TextureOptions, Ui, Vec2, WidgetText, pos2, vec2,
};

/// Pixel layout of a layer's values: channels as tiles, `[F]` layers as a near-square.
#[derive(Clone, Copy, Debug, PartialEq, Hash)]
pub struct ChannelGrid {
    channels: usize,
    height: usize,
    width: usize,
    /// Tiles in a row.
    across: usize,
    /// Pixels between tiles.
    gap: usize,
}

impl ChannelGrid {
    /// The grid for a layer of `shape` that fills `room` best.
    pub fn new(shape: &[usize], room: Vec2) -> Self {
        let (channels, height, width, gap) = match *shape {
            [channels, height, width] if height * width > 1 => (channels, height, width, 1),
            _ => (shape.iter().product::<usize>().max(1), 1, 1, 0),
        };
        let with = |across| Self { channels, height, width, across, gap };
        let scale = |across: usize| {
            let [w, h] = with(across).size();
            (room.x / w as f32).min(room.y / h as f32)
        };
        let best = (1..=channels.max(1)).max_by(|&a, &b| scale(a).total_cmp(&scale(b)));
        with(best.unwrap_or(1))
    }
    /// Width and height of the image, in pixels.
    pub fn size(&self) -> [usize; 2] {
        let down = self.channels.div_ceil(self.across);
        [self.across * (self.width + self.gap) - self.gap, down * (self.height + self.gap) - self.gap]
    }
    /// The pixel of value `index`.
    pub fn pixel(&self, index: usize) -> [usize; 2] {
        let plane = self.height * self.width;
        let (tile, rest) = (index / plane, index % plane);
        let x = tile % self.across * (self.width + self.gap) + rest % self.width;
        let y = tile / self.across * (self.height + self.gap) + rest / self.width;
        [x, y]
    }
    /// The value at a pixel, if any.
    pub fn index(&self, [x, y]: [usize; 2]) -> Option<usize> {
        let (tile_x, in_x) = (x / (self.width + self.gap), x % (self.width + self.gap));
        let (tile_y, in_y) = (y / (self.height + self.gap), y % (self.height + self.gap));
        let tile = tile_y * self.across + tile_x;
        let inside = tile_x < self.across && in_x < self.width && in_y < self.height && tile < self.channels;
        inside.then_some(tile * self.height * self.width + in_y * self.width + in_x)
    }
    /// The image of `values` colored by `color`, on `background`.
    pub fn image(&self, values: &[f32], background: Color32, color: impl Fn(f32) -> Color32) -> ColorImage {
        let [width, height] = self.size();
        let mut image = ColorImage::filled([width, height], background);
        for (index, &value) in values.iter().enumerate() {
            let [x, y] = self.pixel(index);
            if let Some(pixel) = image.pixels.get_mut(y * width + x) {
                *pixel = color(value);
            }
        }
        image
    }
}

/// The texture cached under `name`, created again when `key` changes; `key` contains everything that the image depends
/// on. An image larger than the GPU's texture limit is reduced.
pub fn texture(ui: &Ui, name: &str, key: impl Hash, make: impl FnOnce() -> ColorImage) -> TextureHandle {
    let id = ui.scope_id().with(name);
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let key = hasher.finish();
    let cached: Option<(u64, TextureHandle)> = ui.data(|data| data.get_temp(id));
    if let Some((_, handle)) = cached.filter(|(k, _)| *k == key) {
        return handle;
    }
    let most = ui.input(|input| input.max_texture_side);
    let handle = ui.ctx().load_texture(name, reduced(make(), most), TextureOptions::NEAREST);
    ui.data_mut(|data| data.insert_temp(id, (key, handle.clone())));
    handle
}

/// `image` with at most `most` pixels a side, each the mean of the pixels that it replaces.
fn reduced(image: ColorImage, most: usize) -> ColorImage {
    let [width, height] = image.size;
    let size = [width.min(most.max(1)), height.min(most.max(1))];
    if size == image.size {
        return image;
    }
    let mut sums = vec![[0u32; 5]; size[0] * size[1]];
    for (at, pixel) in image.pixels.iter().enumerate() {
        let (x, y) = (at % width * size[0] / width, at / width * size[1] / height);
        let sum = &mut sums[y * size[0] + x];
        sum.iter_mut().zip(pixel.to_array()).for_each(|(sum, part)| *sum += u32::from(part));
        sum[4] += 1;
    }
    let mean = |[r, g, b, a, n]: [u32; 5]| {
        let [r, g, b, a] = [r, g, b, a].map(|sum| (sum / n.max(1)) as u8);
        Color32::from_rgba_premultiplied(r, g, b, a)
    };
    ColorImage::new(size, sums.into_iter().map(mean).collect())
}

/// Discards all cached textures.
pub fn forget(data: &mut egui::util::IdTypeMap) {
    data.remove_by_type::<(u64, TextureHandle)>();
}

/// Draws an image scaled into `room` with its aspect ratio. Returns its rectangle and response.
pub fn image_ui(ui: &mut Ui, texture: &TextureHandle, room: Vec2) -> (Rect, Response) {
    let size = texture.size_vec2();
    let scale = (room.x / size.x.max(1.0)).min(room.y / size.y.max(1.0)).max(0.1);
    let (rect, response) = ui.allocate_exact_size(size * scale, Sense::click());
    ui.painter().image(texture.id(), rect, Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0)), Color32::WHITE);
    (rect, response)
}

/// The pixel at `at`, of an image of `size` pixels drawn in `rect`.
pub fn pixel_under(rect: Rect, size: [usize; 2], at: Pos2) -> [usize; 2] {
    let part = (at - rect.min) / rect.size();
    let pick = |part: f32, n: usize| ((part * n as f32).max(0.0) as usize).min(n.saturating_sub(1));
    [pick(part.x, size[0]), pick(part.y, size[1])]
}

/// Frames a pixel of an image of `size` pixels drawn in `rect`.
pub fn frame_pixel(ui: &Ui, rect: Rect, size: [usize; 2], [x, y]: [usize; 2], color: Color32) {
    let cell = vec2(rect.width() / size[0] as f32, rect.height() / size[1] as f32);
    let frame = Rect::from_min_size(rect.min + vec2(x as f32 * cell.x, y as f32 * cell.y), cell).expand(1.5);
    ui.painter().rect_stroke(frame, 1.0, Stroke::new(1.5, color), egui::StrokeKind::Outside);
}

/// A horizontal color bar with the numbers at its ends.
pub fn color_bar(ui: &mut Ui, width: f32, low: &str, high: &str, color: impl Fn(f32) -> Color32) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        // In a narrow pane the bar shrinks, and the numbers stay readable.
        let words: f32 = [low, high].into_iter().map(|words| small_width(ui, words) + 4.0).sum();
        let width = width.min(ui.available_width() - words).max(12.0);
        ui.small(low);
        let (rect, _) = ui.allocate_exact_size(vec2(width, 8.0), Sense::hover());
        for k in 0..32 {
            let (a, b) = (k as f32 / 32.0, (k + 1) as f32 / 32.0);
            let part = Rect::from_min_max(
                pos2(rect.left() + a * width, rect.top()),
                pos2(rect.left() + b * width, rect.bottom()),
            );
            ui.painter().rect_filled(part, 0.0, color((a + b) / 2.0));
        }
        ui.small(high);
    });
}

fn small_width(ui: &Ui, words: &str) -> f32 {
    let small = WidgetText::from(RichText::new(words).small());
    small.into_galley(ui, Some(TextWrapMode::Extend), f32::INFINITY, TextStyle::Small).size().x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_beyond_the_texture_limit_are_reduced_to_means() {
        let gray = |v: u8| Color32::from_rgb(v, v, v);
        let image = ColorImage::new([6, 2], (0..12).map(|k| gray(10 * (k % 6))).collect());
        let small = reduced(image.clone(), 3);
        assert_eq!((small.size, &small.pixels[..3]), ([3, 2], &[gray(5), gray(25), gray(45)][..]));
        assert_eq!(reduced(image.clone(), 6).pixels, image.pixels);
    }

    #[test]
    fn channel_grid_maps_values_to_pixels_and_back() {
        for shape in [vec![16, 14, 14], vec![3, 5, 2], vec![64], vec![7, 1, 1], vec![1, 4, 4]] {
            for room in [vec2(90.0, 300.0), vec2(200.0, 200.0), vec2(800.0, 200.0)] {
                let grid = ChannelGrid::new(&shape, room);
                let [width, height] = grid.size();
                for index in 0..shape.iter().product() {
                    let [x, y] = grid.pixel(index);
                    assert!(x < width && y < height);
                    assert_eq!(grid.index([x, y]), Some(index));
                }
            }
        }
    }
}
