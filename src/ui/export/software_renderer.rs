//! Software renderer: draws an egui screen without a GPU, by alpha blending triangles pixel by pixel.
//!
//! For exported images and tests. It does not know the lab.

use std::collections::HashMap;

use egui::epaint::{Mesh, Primitive, Vertex};
use egui::{
    ColorImage, Context, FullOutput, ImageData, Pos2, RawInput, Rect, TextureFilter, TextureId, TexturesDelta, Ui,
    Vec2, pos2,
};

/// Number of frames before the final one: layouts and scroll areas settle in two or three.
const FRAMES: usize = 4;
/// Seconds between two frames; animations end before the last one.
const FRAME_SECONDS: f64 = 0.5;

/// Textures and their sampling filters.
#[derive(Default)]
pub struct Textures(HashMap<TextureId, (ColorImage, TextureFilter)>);

/// A screen without a window, drawn frame by frame.
pub struct OffscreenContext {
    ctx: Context,
    size: Vec2,
    scale: f32,
    textures: Textures,
    drawn: usize,
}

impl OffscreenContext {
    /// A screen with `size` in points and `scale` pixels per point, with the memory of `ctx`.
    pub fn new(ctx: Context, size: Vec2, scale: f32) -> Self {
        Self { ctx, size, scale, textures: Textures::default(), drawn: 0 }
    }
    /// The egui context of this screen.
    pub fn ctx(&self) -> &Context {
        &self.ctx
    }
    /// Size in points; a larger zoom factor means fewer points.
    pub fn size(&self) -> Vec2 {
        self.size / self.ctx.zoom_factor()
    }
    /// Makes the screen `points` higher.
    pub fn grow(&mut self, points: f32) {
        self.size.y = (self.size.y + points * self.ctx.zoom_factor()).round();
    }
    /// Textures uploaded so far.
    pub fn textures(&self) -> &Textures {
        &self.textures
    }

    /// Draws `count` frames of `ui` and returns the last.
    pub fn frames(&mut self, count: usize, mut ui: impl FnMut(&mut Ui)) -> FullOutput {
        let mut last = FullOutput::default();
        for _ in 0..count {
            let mut input = RawInput {
                screen_rect: Some(Rect::from_min_size(Pos2::ZERO, self.size())),
                time: Some(self.drawn as f64 * FRAME_SECONDS),
                ..RawInput::default()
            };
            if let Some(viewport) = input.viewports.get_mut(&egui::ViewportId::ROOT) {
                viewport.native_pixels_per_point = Some(self.scale);
            }
            last = self.ctx.run_ui(input, &mut ui);
            self.textures.apply_textures_delta(&last.textures_delta);
            // In debug builds egui refuses to drop changes that are not marked as applied.
            last.textures_delta.clear();
            self.drawn += 1;
        }
        last
    }

    /// The image of the last of `count` frames of `ui`.
    pub fn image(&mut self, count: usize, ui: impl FnMut(&mut Ui)) -> ColorImage {
        let output = self.frames(count, ui);
        let [width, height] = [self.size.x, self.size.y].map(|side| (side * self.scale).round().max(1.0) as usize);
        let mut canvas = Canvas { width, height, pixels: vec![[0.0; 3]; width * height] };
        let scale = output.pixels_per_point;
        for primitive in self.ctx.tessellate(output.shapes, scale) {
            if let Primitive::Mesh(mesh) = primitive.primitive {
                canvas.mesh(&mesh, primitive.clip_rect * scale, scale, &self.textures);
            }
        }
        canvas.finish()
    }
}

/// Draws `ui` on a screen with `size` in points and `scale` pixels per point.
pub fn draw(size: Vec2, scale: f32, ui: impl FnMut(&mut Ui)) -> ColorImage {
    OffscreenContext::new(Context::default(), size, scale).image(FRAMES, ui)
}

impl Textures {
    /// The image of the texture `id`.
    pub fn image(&self, id: TextureId) -> Option<&ColorImage> {
        self.0.get(&id).map(|(image, _)| image)
    }

    fn apply_textures_delta(&mut self, delta: &TexturesDelta) {
        for (id, changes) in &delta.set {
            for change in changes {
                let ImageData::Color(image) = &change.image;
                match change.pos {
                    None => {
                        self.0.insert(*id, (ColorImage::clone(image), change.options.magnification));
                    }
                    Some([left, top]) => {
                        if let Some((whole, _)) = self.0.get_mut(id) {
                            let width = image.width().min(whole.width().saturating_sub(left));
                            for row in 0..image.height().min(whole.height().saturating_sub(top)) {
                                let to = (top + row) * whole.width() + left;
                                let from = row * image.width();
                                whole.pixels[to..to + width].copy_from_slice(&image.pixels[from..from + width]);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Pixels as premultiplied red, green, blue in 0 to 1, in the gamma space that egui blends in.
struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<[f32; 3]>,
}

impl Canvas {
    fn mesh(&mut self, mesh: &Mesh, clip: Rect, scale: f32, textures: &Textures) {
        let Some((texture, filter)) = textures.0.get(&mesh.texture_id) else { return };
        let screen = Rect::from_min_max(Pos2::ZERO, pos2(self.width as f32, self.height as f32));
        let clip = Rect::from_min_max(clip.min.round(), clip.max.round()).intersect(screen);
        if clip.is_negative() {
            return;
        }
        for triangle in mesh.indices.chunks_exact(3) {
            let corner = |k: usize| mesh.vertices.get(triangle[k] as usize).copied();
            if let (Some(a), Some(b), Some(c)) = (corner(0), corner(1), corner(2)) {
                self.triangle([a, b, c], clip, scale, texture, *filter);
            }
        }
    }

    fn triangle(&mut self, corners: [Vertex; 3], clip: Rect, scale: f32, texture: &ColorImage, filter: TextureFilter) {
        let p = corners.map(|v| v.pos * scale);
        // Twice the signed area of the triangle `a b q`.
        let cross = |a: Pos2, b: Pos2, q: Pos2| (b.x - a.x) * (q.y - a.y) - (b.y - a.y) * (q.x - a.x);
        let area = cross(p[0], p[1], p[2]);
        if area == 0.0 || !area.is_finite() {
            return;
        }
        let bounds = Rect::from_points(&p).intersect(clip);
        if bounds.is_negative() {
            return;
        }
        let sign = area.signum();
        // A pixel center on an edge belongs to one of the two triangles that share the edge.
        let owns = |a: Pos2, b: Pos2, w: f32| {
            let way = (b - a) * sign;
            w > 0.0 || w == 0.0 && (way.y < 0.0 || way.y == 0.0 && way.x > 0.0)
        };
        let colors = corners.map(|v| v.color.to_array().map(|c| f32::from(c) / 255.0));
        for y in bounds.top().floor() as usize..(bounds.bottom().ceil() as usize).min(self.height) {
            for x in bounds.left().floor() as usize..(bounds.right().ceil() as usize).min(self.width) {
                let q = pos2(x as f32 + 0.5, y as f32 + 0.5);
                if q.x < clip.left() || q.x >= clip.right() || q.y < clip.top() || q.y >= clip.bottom() {
                    continue;
                }
                let w = [(1, 2), (2, 0), (0, 1)].map(|(a, b)| cross(p[a], p[b], q) / area);
                if !(owns(p[1], p[2], w[0]) && owns(p[2], p[0], w[1]) && owns(p[0], p[1], w[2])) {
                    continue;
                }
                let mix = |values: [f32; 3]| (0..3).map(|k| w[k] * values[k]).sum::<f32>();
                let uv = pos2(mix(corners.map(|v| v.uv.x)), mix(corners.map(|v| v.uv.y)));
                let texel = sample(texture, uv, filter);
                let channel = |c: usize| mix(colors.map(|color| color[c])) * texel[c];
                let alpha = channel(3);
                let pixel = &mut self.pixels[y * self.width + x];
                *pixel = [0, 1, 2].map(|c| channel(c) + pixel[c] * (1.0 - alpha));
            }
        }
    }

    fn finish(self) -> ColorImage {
        let byte = |v: f32| (v.clamp(0.0, 1.0) * 255.0).round() as u8;
        let bytes: Vec<u8> = self.pixels.iter().flat_map(|pixel| pixel.map(byte)).collect();
        ColorImage::from_rgb([self.width, self.height], &bytes)
    }
}

/// The texture's color at `uv`, premultiplied, 0 to 1.
fn sample(texture: &ColorImage, uv: Pos2, filter: TextureFilter) -> [f32; 4] {
    let [width, height] = texture.size;
    let at = |x: f32, y: f32| {
        let x = (x.max(0.0) as usize).min(width.saturating_sub(1));
        let y = (y.max(0.0) as usize).min(height.saturating_sub(1));
        let color = texture.pixels.get(y * width + x).copied().unwrap_or_default();
        color.to_array().map(|c| f32::from(c) / 255.0)
    };
    let (x, y) = (uv.x * width as f32, uv.y * height as f32);
    if filter == TextureFilter::Nearest {
        return at(x, y);
    }
    let (x, y) = (x - 0.5, y - 0.5);
    let (fx, fy) = (x - x.floor(), y - y.floor());
    let (x, y) = (x.floor(), y.floor());
    let mix = |a: [f32; 4], b: [f32; 4], f: f32| [0, 1, 2, 3].map(|c| a[c] + (b[c] - a[c]) * f);
    let above = mix(at(x, y), at(x + 1.0, y), fx);
    mix(above, mix(at(x, y + 1.0), at(x + 1.0, y + 1.0), fx), fy)
}

#[cfg(test)]
mod tests {
    use egui::Color32;

    use super::*;

    #[test]
    fn zoom_reduces_points_but_not_pixels() {
        let mut stage = OffscreenContext::new(Context::default(), egui::vec2(140.0, 70.0), 1.0);
        stage.ctx().set_zoom_factor(1.4);
        let mut room = Vec2::ZERO;
        let image = stage.image(2, |ui| room = ui.ctx().content_rect().size());
        assert_eq!((image.size, room), ([140, 70], egui::vec2(100.0, 50.0)));
    }

    #[test]
    fn rectangle_covers_exactly_its_pixels() {
        let red = Color32::from_rgb(200, 0, 0);
        for scale in [1.0, 2.0] {
            let image = draw(egui::vec2(8.0, 6.0), scale, |ui| {
                let rect = Rect::from_min_max(pos2(2.0, 1.0), pos2(5.0, 4.0));
                ui.painter().rect_filled(rect, 0.0, red);
            });
            let s = scale as usize;
            assert_eq!(image.size, [8 * s, 6 * s]);
            let inside = image.pixels.iter().filter(|pixel| **pixel == red).count();
            assert!(inside >= 4 * s * s, "{inside} pixels at scale {scale}");
            assert_eq!(image[(0, 0)], Color32::BLACK);
            assert_eq!(image[(3 * s, 2 * s)], red);
        }
    }
}
