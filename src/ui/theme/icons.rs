//! Icons of buttons, drawn as shapes so that they do not depend on fonts.

use egui::{Color32, Painter, Rect, Response, Role, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

/// An icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    Play,
    Pause,
    Back,
    Forward,
    Cross,
    Sun,
    Moon,
    Warning,
    Info,
}

impl Icon {
    /// Paints the icon into the center of `rect`.
    pub fn paint(self, painter: &Painter, rect: Rect, color: Color32) {
        let c = rect.center();
        let triangle = |at: egui::Pos2, size: f32| {
            let points = vec![at + vec2(-0.5 * size, -size), at + vec2(-0.5 * size, size), at + vec2(size, 0.0)];
            Shape::convex_polygon(points, color, Stroke::NONE)
        };
        let bar = |x: f32| painter.rect_filled(Rect::from_center_size(pos2(c.x + x, c.y), vec2(2.5, 10.0)), 0.0, color);
        match self {
            Self::Play => {
                painter.add(triangle(c, 5.5));
            }
            Self::Pause => {
                bar(-2.75);
                bar(2.75);
            }
            Self::Forward => {
                painter.add(triangle(c + vec2(1.5, 0.0), 4.5));
                bar(-4.5);
            }
            Self::Back => {
                let mut shape = triangle(pos2(0.0, 0.0), 4.5);
                if let Shape::Path(path) = &mut shape {
                    path.points.iter_mut().for_each(|p| *p = pos2(c.x - 1.5 - p.x, c.y + p.y));
                }
                painter.add(shape);
                bar(4.5);
            }
            Self::Warning => {
                let points = vec![c + vec2(-6.5, 5.5), c + vec2(0.0, -6.0), c + vec2(6.5, 5.5)];
                painter.add(Shape::closed_line(points, Stroke::new(1.3, color)));
                painter.vline(c.x, c.y - 2.0..=c.y + 2.0, Stroke::new(1.4, color));
                painter.circle_filled(c + vec2(0.0, 3.8), 0.8, color);
            }
            Self::Info => {
                painter.circle_stroke(c, 6.0, Stroke::new(1.3, color));
                painter.vline(c.x, c.y - 0.5..=c.y + 3.2, Stroke::new(1.4, color));
                painter.circle_filled(c + vec2(0.0, -2.8), 0.9, color);
            }
            Self::Cross => {
                let (r, stroke) = (3.5, Stroke::new(1.5, color));
                painter.line_segment([c + vec2(-r, -r), c + vec2(r, r)], stroke);
                painter.line_segment([c + vec2(-r, r), c + vec2(r, -r)], stroke);
            }
            Self::Sun => {
                painter.circle_filled(c, 3.2, color);
                for k in 0..8 {
                    let way = egui::Vec2::angled(k as f32 * std::f32::consts::TAU / 8.0);
                    painter.line_segment([c + way * 4.8, c + way * 6.8], Stroke::new(1.2, color));
                }
            }
            Self::Moon => {
                // A crescent: an outer and an inner arc with the same ends.
                let arc = |radius: f32, middle: f32, from: f32, to: f32| {
                    (0..=12).map(move |k| {
                        c + vec2(middle, 0.0) + egui::Vec2::angled(from + (to - from) * k as f32 / 12.0) * radius
                    })
                };
                let points = arc(6.0, 0.0, 0.9, 5.38).chain(arc(5.2, 2.6, 4.86, 1.42)).collect();
                painter.add(Shape::line(points, Stroke::new(1.4, color)));
            }
        }
    }
}

/// The icon as an inline label; `name` is its meaning.
pub fn icon_label(ui: &mut Ui, sign: Icon, color: Color32, name: &str) {
    let (rect, response) = ui.allocate_exact_size(vec2(15.0, 15.0), egui::Sense::hover());
    sign.paint(ui.painter(), rect, color);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, name));
    response.on_hover_text(name);
}

/// An icon button; `name` is its tooltip and its accessible name.
pub fn icon_button(ui: &mut Ui, sign: Icon, name: &str) -> Response {
    let response = ui.add(egui::Button::new("").min_size(vec2(26.0, 22.0)));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), name));
    let color = ui.style().interact(&response).fg_stroke.color;
    sign.paint(ui.painter(), response.rect, color);
    response.on_hover_text(name)
}

/// A button `text` that opens a popup below it.
pub fn dropdown_button(ui: &mut Ui, text: &str) -> Response {
    let response = ui.add(egui::Button::new(format!("{text}     ")));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), text));
    let color = ui.style().interact(&response).fg_stroke.color;
    let at = pos2(response.rect.right() - 11.0, response.rect.center().y + 0.5);
    let points = vec![at + vec2(-3.5, -2.0), at + vec2(3.5, -2.0), at + vec2(0.0, 2.5)];
    ui.painter().add(Shape::convex_polygon(points, color, Stroke::NONE));
    response
}
