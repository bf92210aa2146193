//! SVG export of egui shapes: lines stay lines, text stays text.
//!
//! Textures are embedded as PNG. It does not know the lab.

use std::fmt::Write;

use base64::prelude::{BASE64_STANDARD, Engine};
use egui::epaint::{ClippedShape, ColorMode, Mesh, PathShape, PathStroke, RectShape, TextShape};
use egui::{Color32, ColorImage, Pos2, Rect, Shape, Stroke, StrokeKind, TextureId, Vec2};

use super::software_renderer::Textures;

/// Maximum enlargement of an image pixel, per side. Viewers that smooth enlarged images then smooth the pixel's edges
/// only.
const MAX_ENLARGEMENT: usize = 8;

/// Draws `shapes` on a page of `size` points.
pub fn svg_document(shapes: &[ClippedShape], size: Vec2, background: Color32, textures: &Textures) -> String {
    let mut page = SvgPage { out: String::new(), clips: Vec::new(), textures };
    let mut open: Option<Rect> = None;
    for ClippedShape { clip_rect, shape, transform_after_tessellation: after } in shapes {
        let clip = clip_rect.intersect(Rect::from_min_size(Pos2::ZERO, size));
        if clip.is_negative() {
            continue;
        }
        if open != Some(clip) {
            let id = page.clip(clip);
            page.out.push_str(if open.is_some() { "</g>\n" } else { "" });
            let _ = writeln!(page.out, r#"<g clip-path="url(#c{id})">"#);
            open = Some(clip);
        }
        let mut shape = shape.clone();
        shape.transform(*after);
        page.shape(&shape);
    }
    page.out.push_str(if open.is_some() { "</g>\n" } else { "" });
    let (w, h) = (format_number(size.x), format_number(size.y));
    // The window's own font first. The fallback fonts are not wider: a wider font would fill the gap between two words.
    let mut whole = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" font-family="Ubuntu, 'Ubuntu Sans', 'Noto Sans', 'Liberation Sans', 'DejaVu Sans Condensed', Arial, sans-serif">"#
    );
    whole.push_str("\n<defs>\n");
    for (id, clip) in page.clips.iter().enumerate() {
        let _ = writeln!(whole, r#"<clipPath id="c{id}"><rect {}/></clipPath>"#, rect_attributes(*clip));
    }
    let _ = writeln!(whole, "</defs>\n<rect width=\"{w}\" height=\"{h}\" {}/>", color_attributes("fill", background));
    whole + &page.out + "</svg>\n"
}

struct SvgPage<'a> {
    out: String,
    clips: Vec<Rect>,
    textures: &'a Textures,
}

impl SvgPage<'_> {
    fn clip(&mut self, clip: Rect) -> usize {
        self.clips.iter().position(|known| *known == clip).unwrap_or_else(|| {
            self.clips.push(clip);
            self.clips.len() - 1
        })
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| self.shape(shape)),
            Shape::Circle(c) => {
                let (x, y, r) = (format_number(c.center.x), format_number(c.center.y), format_number(c.radius));
                self.line(&format!(
                    r#"<circle cx="{x}" cy="{y}" r="{r}" {} {}/>"#,
                    color_attributes("fill", c.fill),
                    stroke(c.stroke)
                ));
            }
            Shape::Ellipse(e) => {
                let (x, y, a, b) = (
                    format_number(e.center.x),
                    format_number(e.center.y),
                    format_number(e.radius.x),
                    format_number(e.radius.y),
                );
                let style = format!("{} {}", color_attributes("fill", e.fill), stroke(e.stroke));
                self.line(&format!(r#"<ellipse cx="{x}" cy="{y}" rx="{a}" ry="{b}" {style}/>"#));
            }
            Shape::LineSegment { points: [a, b], stroke: s } => {
                let (ax, ay, bx, by) = (format_number(a.x), format_number(a.y), format_number(b.x), format_number(b.y));
                self.line(&format!(r#"<line x1="{ax}" y1="{ay}" x2="{bx}" y2="{by}" {}/>"#, stroke(*s)));
            }
            Shape::Path(path) => self.path(path),
            Shape::Rect(rect) => self.rect(rect),
            Shape::Text(text) => self.text(text),
            Shape::Mesh(mesh) => self.mesh(mesh),
            Shape::QuadraticBezier(curve) => {
                let [a, b, c] = curve.points.map(format_point);
                let style = format!("{} {}", color_attributes("fill", curve.fill), path_stroke(&curve.stroke));
                self.line(&format!(r#"<path d="M{a} Q{b} {c}{}" {style}/>"#, if curve.closed { "Z" } else { "" }));
            }
            Shape::CubicBezier(curve) => {
                let [a, b, c, d] = curve.points.map(format_point);
                let style = format!("{} {}", color_attributes("fill", curve.fill), path_stroke(&curve.stroke));
                self.line(&format!(r#"<path d="M{a} C{b} {c} {d}{}" {style}/>"#, if curve.closed { "Z" } else { "" }));
            }
            // The program draws no such shapes.
            Shape::Noop | Shape::Band(_) | Shape::Callback(_) => {}
        }
    }

    fn path(&mut self, path: &PathShape) {
        if path.points.is_empty() {
            return;
        }
        let name = if path.closed { "polygon" } else { "polyline" };
        let points: Vec<String> = path.points.iter().map(|p| format_point(*p)).collect();
        let fill = if path.closed { path.fill } else { Color32::TRANSPARENT };
        let style = format!("{} {}", color_attributes("fill", fill), path_stroke(&path.stroke));
        self.line(&format!(r#"<{name} points="{}" stroke-linejoin="round" {style}/>"#, points.join(" ")));
    }

    fn rect(&mut self, shape: &RectShape) {
        if let Some(brush) = &shape.brush {
            return self.image(brush.fill_texture_id, brush.uv, shape.rect);
        }
        let grow = match shape.stroke_kind {
            StrokeKind::Inside => -shape.stroke.width / 2.0,
            StrokeKind::Middle => 0.0,
            StrokeKind::Outside => shape.stroke.width / 2.0,
        };
        let rect = shape.rect.expand(grow);
        let rounded = format_number(f32::from(shape.corner_radius.nw));
        let style = format!("{} {}", color_attributes("fill", shape.fill), stroke(shape.stroke));
        self.line(&format!(r#"<rect {} rx="{rounded}" {style}/>"#, rect_attributes(rect)));
    }

    fn text(&mut self, text: &TextShape) {
        let job = &text.galley.job;
        // Sizes by position in the text: glyphs do not store their font size.
        let mut sizes = job.sections.iter().flat_map(|section| {
            let range = section.byte_range.start.0..section.byte_range.end.0;
            let letters = job.text.get(range).map_or(0, |text| text.chars().count());
            std::iter::repeat_n((section.format.font_id.size, section.format.italics), letters)
        });
        let mut now = job.sections.first().map_or((12.0, false), |s| (s.format.font_id.size, s.format.italics));
        let turn = if text.angle == 0.0 {
            String::new()
        } else {
            format!(r#" transform="rotate({} {})""#, format_number(text.angle.to_degrees()), format_point(text.pos))
        };
        for row in &text.galley.rows {
            let mut run: Option<LetterRun> = None;
            for glyph in &row.row.glyphs {
                now = sizes.next().unwrap_or(now);
                let color = row.row.visuals.mesh.vertices.get(glyph.first_vertex as usize).map(|vertex| vertex.color);
                let color = match (text.override_text_color, color) {
                    (Some(color), _) => color,
                    (None, Some(color)) if color != Color32::PLACEHOLDER => color,
                    _ => text.fallback_color,
                };
                let at = text.pos + row.pos.to_vec2() + glyph.pos.to_vec2();
                let style = (color.gamma_multiply(text.opacity_factor), now.0, now.1);
                match &mut run {
                    Some(run) if run.style == style && run.y == at.y => {
                        run.letters.push(glyph.chr);
                        run.places.push(at.x);
                    }
                    _ => {
                        self.run(run.take(), &turn);
                        run = Some(LetterRun { y: at.y, places: vec![at.x], letters: glyph.chr.into(), style });
                    }
                }
            }
            self.run(run, &turn);
            if row.ends_with_newline {
                sizes.next();
            }
        }
    }

    fn run(&mut self, run: Option<LetterRun>, turn: &str) {
        let Some(run) = run.filter(|run| !run.letters.trim().is_empty()) else { return };
        // Every letter has its own position, so that the viewer's font does not matter. Every word is an element of its
        // own, because some viewers place only the first letter of a text.
        let letters: Vec<(char, f32)> = run.letters.chars().zip(run.places).collect();
        for word in letters.split(|(letter, _)| letter.is_whitespace()).filter(|word| !word.is_empty()) {
            self.word(word, run.y, run.style, turn);
        }
    }

    fn word(&mut self, word: &[(char, f32)], y: f32, (color, size, leaning): LetterStyle, turn: &str) {
        let x = word.iter().map(|(_, x)| format_number(*x)).collect::<Vec<_>>().join(" ");
        let (y, size) = (format_number(y), format_number(size));
        let leaning = if leaning { r#" font-style="italic""# } else { "" };
        let letters = escaped(&word.iter().map(|(letter, _)| *letter).collect::<String>());
        let fill = color_attributes("fill", color);
        self.line(&format!(r#"<text x="{x}" y="{y}" font-size="{size}"{leaning} {fill}{turn}>{letters}</text>"#));
    }

    /// Draws an image, or triangles of one color each.
    fn mesh(&mut self, mesh: &Mesh) {
        let whole_quad = mesh.indices.len() == 6 && mesh.vertices.len() == 4;
        if mesh.texture_id != TextureId::default() && whole_quad {
            let rect = Rect::from_points(&mesh.vertices.iter().map(|v| v.pos).collect::<Vec<_>>());
            let uv = Rect::from_points(&mesh.vertices.iter().map(|v| v.uv).collect::<Vec<_>>());
            return self.image(mesh.texture_id, uv, rect);
        }
        for triangle in mesh.indices.chunks_exact(3) {
            let corners: Vec<_> = triangle.iter().filter_map(|&k| mesh.vertices.get(k as usize)).collect();
            let [a, b, c] = corners[..] else { continue };
            let mean = |channel: usize| {
                let sum: u32 = [a, b, c].iter().map(|v| u32::from(v.color.to_array()[channel])).sum();
                (sum / 3) as u8
            };
            let color = Color32::from_rgba_premultiplied(mean(0), mean(1), mean(2), mean(3));
            let points = [a, b, c].map(|v| format_point(v.pos)).join(" ");
            self.line(&format!(r#"<polygon points="{points}" {}/>"#, color_attributes("fill", color)));
        }
    }

    fn image(&mut self, texture: TextureId, uv: Rect, rect: Rect) {
        let Some(image) = self.textures.image(texture) else { return };
        let [w, h] = image.size.map(|side| side as f32);
        let cut = Rect::from_min_max(Pos2::new(uv.min.x * w, uv.min.y * h), Pos2::new(uv.max.x * w, uv.max.y * h));
        // Half a point per pixel is finer than visible smoothing.
        let times = (2.0 * rect.width() / cut.width().max(1.0)).ceil() as usize;
        let Some(png) = png_of(image, cut, times.clamp(1, MAX_ENLARGEMENT)) else { return };
        let place = rect_attributes(rect);
        self.line(&format!(
            r#"<image {place} preserveAspectRatio="none" image-rendering="pixelated" href="data:image/png;base64,{}"/>"#,
            BASE64_STANDARD.encode(png)
        ));
    }
}

/// Letters with the same style on one base line.
struct LetterRun {
    y: f32,
    /// Horizontal position of each letter, in points.
    places: Vec<f32>,
    letters: String,
    style: LetterStyle,
}

/// Color, font size, and whether the text is italic.
type LetterStyle = (Color32, f32, bool);

/// The part `cut` of `image`, in pixels, as a PNG file. Every pixel is enlarged `times` in width and height.
fn png_of(image: &ColorImage, cut: Rect, times: usize) -> Option<Vec<u8>> {
    let bound = |value: f32, side: usize| (value.round().max(0.0) as usize).min(side);
    let (left, right) = (bound(cut.left(), image.size[0]), bound(cut.right(), image.size[0]));
    let (top, bottom) = (bound(cut.top(), image.size[1]), bound(cut.bottom(), image.size[1]));
    let mut bytes = Vec::new();
    for y in top..bottom {
        let row = &image.pixels[y * image.size[0] + left..y * image.size[0] + right.max(left)];
        let wide = row.iter().flat_map(|pixel| std::iter::repeat_n(pixel.to_srgba_unmultiplied(), times));
        let wide: Vec<u8> = wide.flatten().collect();
        (0..times).for_each(|_| bytes.extend(&wide));
    }
    let [width, height] = [right - left.min(right), bottom - top.min(bottom)].map(|side| (side * times) as u32);
    let buffer = image::RgbaImage::from_raw(width, height, bytes)?;
    let mut png = std::io::Cursor::new(Vec::new());
    buffer.write_to(&mut png, image::ImageFormat::Png).ok()?;
    Some(png.into_inner())
}

fn stroke(stroke: Stroke) -> String {
    if stroke.is_empty() {
        return String::new();
    }
    format!(r#"{} stroke-width="{}""#, color_attributes("stroke", stroke.color), format_number(stroke.width))
}

fn path_stroke(path: &PathStroke) -> String {
    match &path.color {
        ColorMode::Solid(color) => stroke(Stroke::new(path.width, *color)),
        ColorMode::UV(_) => String::new(),
    }
}

/// `fill="#rrggbb"`, with its opacity if it is below 1.
fn color_attributes(what: &str, color: Color32) -> String {
    let [r, g, b, a] = color.to_srgba_unmultiplied();
    match a {
        0 => format!(r#"{what}="none""#),
        255 => format!(r##"{what}="#{r:02x}{g:02x}{b:02x}""##),
        a => format!(r##"{what}="#{r:02x}{g:02x}{b:02x}" {what}-opacity="{}""##, format_number(f32::from(a) / 255.0)),
    }
}

fn rect_attributes(rect: Rect) -> String {
    let [x, y, w, h] = [rect.left(), rect.top(), rect.width().max(0.0), rect.height().max(0.0)].map(format_number);
    format!(r#"x="{x}" y="{y}" width="{w}" height="{h}""#)
}

fn format_point(p: Pos2) -> String {
    format!("{} {}", format_number(p.x), format_number(p.y))
}

/// Rounds to hundredths of a point, which is below what is visible.
fn format_number(value: f32) -> String {
    let rounded = (f64::from(value) * 100.0).round() / 100.0;
    if rounded.is_finite() { (rounded + 0.0).to_string() } else { "0".into() }
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use egui::{FontId, pos2, vec2};

    use super::*;
    use crate::ui::export::software_renderer::OffscreenContext;

    #[test]
    fn svg_keeps_lines_as_lines_and_text_as_text() {
        let mut stage = OffscreenContext::new(egui::Context::default(), vec2(200.0, 100.0), 1.0);
        let output = stage.frames(1, |ui| {
            let painter = ui.painter();
            painter.line_segment([pos2(1.0, 2.0), pos2(30.5, 4.0)], Stroke::new(2.0, Color32::from_rgb(255, 0, 16)));
            painter.text(
                pos2(5.0, 50.0),
                egui::Align2::LEFT_TOP,
                "θ < 1 & φ",
                FontId::proportional(13.0),
                Color32::WHITE,
            );
            let image = ColorImage::filled([2, 2], Color32::RED);
            let texture = ui.ctx().load_texture("red", image, egui::TextureOptions::NEAREST);
            let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
            painter.image(texture.id(), Rect::from_min_size(pos2(9.0, 9.0), vec2(20.0, 20.0)), whole, Color32::WHITE);
            std::mem::forget(texture);
        });
        let svg = svg_document(&output.shapes, vec2(200.0, 100.0), Color32::BLACK, stage.textures());
        assert!(svg.contains(r##"<line x1="1" y1="2" x2="30.5" y2="4" stroke="#ff0010" stroke-width="2"/>"##), "{svg}");
        for word in [">θ</text>", ">&lt;</text>", ">1</text>", ">&amp;</text>", ">φ</text>"] {
            assert!(svg.contains(word), "{word}: {svg}");
        }
        assert!(svg.contains(r#"font-size="13""#) && svg.contains("data:image/png;base64,iVBOR"), "{svg}");
        assert_eq!(svg.matches("<g ").count(), svg.matches("</g>").count());
        assert_eq!(format_number(-0.001), "0");
    }
}
