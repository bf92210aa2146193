//! Pictures of events: pixels in the colors of their polarities.

use egui::{Align2, Color32, ColorImage, FontSelection, Rect, Sense, TextStyle, Ui, Vec2, pos2, vec2};

use crate::data::{Layout, Samples};
use crate::ui::texts::panes::recording as texts;
use crate::ui::theme::colors::event_colors;
use crate::ui::widgets::heat_map::texture;
use crate::ui::widgets::plot_description;

/// Height of the captions above the pictures, in points.
pub(super) const CAPTION: f32 = 16.0;
/// Distance of the two pictures, in points.
const GAP: f32 = 8.0;
/// Strength of the color of a single event among several in a pixel.
const LEAST: f32 = 0.6;

/// Events of every pixel.
pub(in crate::ui::panes) struct EventPicture {
    /// Width and height.
    size: [usize; 2],
    /// OFF and ON, or the sum of both in the first, `[H, W]`.
    counts: Vec<[f32; 2]>,
    has_polarity: bool,
}

impl EventPicture {
    /// Of OFF and ON events.
    pub fn of_events(counts: Vec<[f32; 2]>, size: [usize; 2]) -> Self {
        Self { size, counts, has_polarity: true }
    }

    /// Of planes of counts, the first OFF and the second ON, or one of both together, `[planes][H·W]`.
    pub fn of_planes(planes: &[Vec<f32>], size: [usize; 2]) -> Self {
        let value = |plane: usize, at: usize| planes.get(plane).map_or(0.0, |values| values[at]);
        let counts = (0..size[0] * size[1]).map(|at| [value(0, at), value(1, at)]).collect();
        Self { size, counts, has_polarity: planes.len() > 1 }
    }

    /// Frame `frame` of sample `index`.
    pub fn of_frame(samples: &Samples, index: usize, frame: usize) -> Self {
        let empty = Self { size: [1, 1], counts: vec![[0.0; 2]], has_polarity: true };
        let (Some(frames), Some(([planes, height, width], [plane, pixel]))) = (&samples.frames, frame_form(samples))
        else {
            return empty;
        };
        let len = planes * height * width;
        let Some(values) = frames.values.get((index * frames.count + frame) * len..).and_then(|v| v.get(..len)) else {
            return empty;
        };
        let value = |p: usize, at: usize| if p < planes { values[p * plane + at * pixel] } else { 0.0 };
        let counts = (0..height * width).map(|at| [value(0, at), value(1, at)]).collect();
        Self { size: [width, height], counts, has_polarity: planes > 1 }
    }

    /// Whether both polarities are in one plane.
    pub fn is_sum(&self) -> bool {
        !self.has_polarity
    }

    /// Number of events.
    pub fn events(&self) -> u64 {
        self.counts.iter().flatten().map(|&count| f64::from(count)).sum::<f64>() as u64
    }

    fn greatest(&self) -> f32 {
        self.counts.iter().map(|[off, on]| off + on).fold(0.0, f32::max)
    }

    /// The picture in the colors of `off` and `on` events, or of `both` where the planes do not tell them apart. A part of
    /// an event is fainter.
    pub fn image(&self, [off, on]: [Color32; 2], both: Color32, ground: Color32) -> ColorImage {
        let greatest = self.greatest().max(1.0);
        let color = |&[a, b]: &[f32; 2]| {
            if a + b <= 0.0 {
                return ground;
            }
            let hue = if self.has_polarity { off.lerp_to_gamma(on, b / (a + b)) } else { both };
            let further = (a + b - 1.0).max(0.0);
            let first = (a + b).min(1.0);
            let strength =
                if greatest > 1.0 { LEAST * first + (1.0 - LEAST) * further / (greatest - 1.0) } else { first };
            ground.lerp_to_gamma(hue, strength.clamp(0.0, 1.0))
        };
        ColorImage::new(self.size, self.counts.iter().map(color).collect())
    }

    fn key(&self) -> (Vec<u32>, [usize; 2]) {
        (self.counts.iter().flatten().map(|count| count.to_bits()).collect(), self.size)
    }
}

/// Planes, height and width of a frame of `samples`, and the distance of planes and pixels in its values.
fn frame_form(samples: &Samples) -> Option<([usize; 3], [usize; 2])> {
    Some(match *samples.shape.as_slice() {
        [height, width, planes] if samples.channels() == Layout::ChannelsLast => ([planes, height, width], [1, planes]),
        [planes, height, width] => ([planes, height, width], [height * width, 1]),
        [height, width] => ([1, height, width], [height * width, 1]),
        _ => return None,
    })
}

/// Draws events and frame side by side in `room`, each below its caption.
pub(super) fn side_by_side(ui: &mut Ui, pictures: [&EventPicture; 2], captions: &[String; 2], room: Vec2) {
    let colors = event_colors(ui);
    let (both, ground) = (ui.visuals().text_color(), ui.visuals().extreme_bg_color);
    let (rect, _) = ui.allocate_exact_size(room, Sense::hover());
    let half = (room.x - GAP) / 2.0;
    let font = FontSelection::from(TextStyle::Small).resolve(ui.style());
    for (k, (picture, caption)) in pictures.into_iter().zip(captions).enumerate() {
        let left = rect.left() + k as f32 * (half + GAP);
        let [width, height] = picture.size.map(|side| side.max(1) as f32);
        let scale = (half / width).min((room.y - CAPTION) / height).max(0.05);
        let own = Rect::from_min_size(pos2(left, rect.top() + CAPTION), vec2(width, height) * scale);
        let painter = ui.painter_at(rect);
        painter.text(pos2(left, rect.top()), Align2::LEFT_TOP, caption, font.clone(), ui.visuals().text_color());
        let name = [texts::PICTURE, texts::FRAME][k];
        let image = texture(ui, name, (picture.key(), ui.visuals().dark_mode), || picture.image(colors, both, ground));
        painter.image(image.id(), own, Rect::from_min_max(egui::Pos2::ZERO, pos2(1.0, 1.0)), Color32::WHITE);
        let response = ui.interact(own, ui.scope_id().with(name), Sense::hover());
        plot_description::describe_plot(&response, name, || {
            let lit = picture.counts.iter().filter(|[off, on]| off + on > 0.0).count();
            texts::pixels(picture.size, lit, picture.greatest() as u64)
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::FrameSequence;

    #[test]
    fn frames_of_both_layouts_are_the_same_picture() {
        let first: Vec<f32> = (0..24).map(|k| (k % 5) as f32).collect();
        let last: Vec<f32> = (0..24).map(|k| first[k / 12 * 12 + k % 12 % 2 * 6 + k % 12 / 2]).collect();
        let samples = |shape: [usize; 3], layout, values: &[f32]| {
            let frames = FrameSequence { count: 2, values: Arc::new(values.to_vec()), events: None };
            Samples { shape: shape.to_vec(), layout: Some(layout), frames: Some(frames), ..Samples::default() }
        };
        let one = EventPicture::of_frame(&samples([2, 2, 3], Layout::ChannelsFirst, &first), 0, 1);
        let other = EventPicture::of_frame(&samples([2, 3, 2], Layout::ChannelsLast, &last), 0, 1);
        assert_eq!((one.size, &one.counts, one.is_sum()), (other.size, &other.counts, other.is_sum()));
        assert_eq!((one.size, one.counts[0], one.events()), ([3, 2], [first[12], first[18]], 25));
        let sum = EventPicture::of_frame(&samples([1, 4, 3], Layout::ChannelsFirst, &first), 0, 1);
        assert!(sum.is_sum() && sum.size == [3, 4]);
        assert_eq!(EventPicture::of_frame(&samples([2, 2, 3], Layout::ChannelsFirst, &first), 9, 1).events(), 0);
    }

    #[test]
    fn polarities_have_their_colors() {
        let picture = EventPicture::of_events(vec![[0.0, 0.0], [0.0, 3.0], [3.0, 0.0], [1.0, 0.0]], [4, 1]);
        let [off, on] = [Color32::from_rgb(0, 0, 200), Color32::from_rgb(200, 200, 0)];
        let image = picture.image([off, on], Color32::WHITE, Color32::BLACK);
        assert_eq!(image.pixels[..3], [Color32::BLACK, on, off]);
        assert!(image.pixels[3] != off && image.pixels[3] != Color32::BLACK);
    }
}
