//! What both networks answer to the drawing: classes, class maps, boxes, or other values.

use std::sync::Arc;

use egui::{Rect, Sense, Ui, pos2, vec2};

use super::class_bars::{self, ClassProbabilities};
use crate::experiment::Run;
use crate::lab::Lab;
use crate::task::DetectedBox;
use crate::ui::panes::scenes::data::{Found, PictureView, view_without_target};
use crate::ui::panes::scenes::pictures::{Layer, box_color, class_color, draw_boxes, draw_texture, texture};
use crate::ui::texts::panes::draw as texts;
use crate::ui::texts::shared;
use crate::ui::theme::colors::ui_colors;
use crate::ui::widgets::legend::{self, Mark};
use crate::ui::widgets::plot_description;

/// Classes and boxes that the sentence names.
const MAX_NAMED: usize = 3;
/// Smallest part of the pixels that is named.
const MIN_PART: f64 = 0.0005;
/// Distance of the two pictures, in points.
const GAP: f32 = 6.0;
/// Largest and smallest height of a picture, in points.
const HEIGHTS: [f32; 2] = [60.0, 320.0];

/// The answers for the sample in focus at the time cursor.
pub(super) enum Answers {
    Classes(ClassProbabilities),
    Pictures(PictureAnswers),
    Values { t: usize, error: f32, values: Vec<[f32; 2]> },
}

/// Class maps or boxes of both networks.
pub(super) struct PictureAnswers {
    view: Arc<PictureView>,
    run: Arc<Run>,
    sample: usize,
    t: usize,
}

impl Answers {
    /// `None` before the first run.
    pub(super) fn new(ui: &Ui, lab: &Lab) -> Option<Self> {
        let snapshot = lab.snapshot.as_ref()?;
        let (run, sample, t) = (&snapshot.run, snapshot.focus.sample, snapshot.focus.steps);
        let Some(agreement) = &run.output_agreement else { return ClassProbabilities::new(lab).map(Self::Classes) };
        if let Some(view) = view_without_target(ui, run, sample, t) {
            return Some(Self::Pictures(PictureAnswers { view, run: run.clone(), sample, t }));
        }
        let mean = run.window.mean(&run.recording, t, sample);
        let values = run.ann.logits_of(sample).iter().zip(mean).map(|(&ann, snn)| [ann, snn]).collect();
        Some(Self::Values { t, error: agreement.at(t, sample).error, values })
    }

    /// The answers as a sentence.
    pub(super) fn sentence(&self) -> String {
        match self {
            Self::Classes(classes) => classes.sentence(),
            Self::Pictures(pictures) => pictures.sentence(),
            Self::Values { t, error, .. } => texts::values(*t, f64::from(*error) * 100.0),
        }
    }

    pub(super) fn are_pictures(&self) -> bool {
        matches!(self, Self::Pictures(_))
    }

    /// Whether bars of all classes fit into `height` points below a sentence that takes `words` of them.
    pub(super) fn fit_below(&self, ui: &Ui, words: f32, height: f32) -> bool {
        match self {
            Self::Classes(classes) => words + class_bars::least_height(ui, classes) <= height,
            _ => true,
        }
    }

    pub(super) fn csv(&self) -> String {
        match self {
            Self::Classes(classes) => classes.csv(),
            Self::Pictures(pictures) => pictures.csv(),
            Self::Values { values, .. } => {
                let rows = values.iter().enumerate().map(|(k, [ann, snn])| format!("{k},{ann},{snn}\n"));
                format!("output,ann,snn\n{}", rows.collect::<String>())
            }
        }
    }

    /// Draws bars or pictures, in `height` points if that is enough for them.
    pub(super) fn show(&self, ui: &mut Ui, height: f32) {
        match self {
            Self::Classes(classes) => class_bars::show(ui, Some(classes), height),
            Self::Pictures(pictures) => pictures.show(ui, height),
            Self::Values { .. } => {}
        }
    }
}

impl PictureAnswers {
    fn sentence(&self) -> String {
        match &self.view.found {
            Found::Masks { maps: [ann, snn, _], .. } => {
                let same = ann.iter().zip(snn).filter(|(a, b)| a == b).count() as f64 / ann.len().max(1) as f64;
                let named = |map: &[u8]| {
                    let shares = shares(map).into_iter().take(MAX_NAMED);
                    shares
                        .map(|(class, part)| texts::with_share(&self.class_name(class), part * 100.0))
                        .collect::<Vec<_>>()
                };
                texts::masks(&named(ann), self.t, &named(snn), same * 100.0)
            }
            Found::Boxes { boxes: [ann, snn, _] } => {
                let named = |boxes: &[DetectedBox]| {
                    let surest = boxes.iter().take(MAX_NAMED);
                    let name =
                        |b: &DetectedBox| texts::with_share(&self.class_name(b.class), f64::from(b.score) * 100.0);
                    surest.map(name).collect::<Vec<_>>()
                };
                let same = self.run.output_agreement.as_ref().map_or(0, |all| all.at(self.t, self.sample).same);
                texts::boxes((ann.len(), &named(ann)), self.t, (snn.len(), &named(snn)), same)
            }
        }
    }

    /// The name of a class of maps or boxes.
    fn class_name(&self, class: usize) -> String {
        let detector = self.run.network.detector.as_deref();
        let known = detector.and_then(|detector| detector.class_names().get(class).cloned());
        let name = known.unwrap_or_else(|| self.run.class_name(class));
        if name == class.to_string() { texts::numbered(class) } else { name }
    }

    fn csv(&self) -> String {
        match &self.view.found {
            Found::Masks { maps: [ann, snn, _], size: [width, _], .. } => {
                let place = |at: usize| (at % width.max(&1), at / width.max(&1));
                let rows = ann.iter().zip(snn).enumerate().map(|(at, (ann, snn))| {
                    let (x, y) = place(at);
                    format!("{x},{y},{ann},{snn}\n")
                });
                format!("x,y,ann,snn\n{}", rows.collect::<String>())
            }
            Found::Boxes { boxes: [ann, snn, _] } => {
                let rows = [("ANN", ann), ("SNN", snn)].into_iter().flat_map(|(name, boxes)| {
                    boxes.iter().map(move |b| {
                        format!("{name},{},{},{},{},{},{}\n", b.class, b.score, b.left, b.top, b.right, b.bottom)
                    })
                });
                format!("network,class,score,left,top,right,bottom\n{}", rows.collect::<String>())
            }
        }
    }

    fn show(&self, ui: &mut Ui, height: f32) {
        let (top, colors) = (ui.cursor().top(), ui_colors(ui));
        let (found, mark) = match &self.view.found {
            Found::Masks { maps, .. } => {
                (maps[..2].iter().flat_map(|map| shares(map)).map(|(k, _)| k).collect(), Mark::Bar)
            }
            Found::Boxes { boxes } => {
                (boxes.iter().flatten().map(|found| found.class).collect::<Vec<_>>(), Mark::Frame)
            }
        };
        let mut found: Vec<usize> = found;
        found.sort_unstable();
        found.dedup();
        let color = |class: usize| match mark {
            Mark::Bar => u8::try_from(class).ok().and_then(class_color),
            _ => Some(box_color(class)),
        };
        let named: Vec<_> =
            found.into_iter().filter_map(|class| Some((self.class_name(class), color(class)?, mark))).collect();
        legend::show(ui, &named.iter().map(|(name, color, mark)| (name.as_str(), *color, *mark)).collect::<Vec<_>>());
        let caption = ui.text_style_height(&egui::TextStyle::Small) + 2.0;
        let room = (height - (ui.cursor().top() - top) - caption).clamp(HEIGHTS[0], HEIGHTS[1]);
        let [width, tall] = self.view.size.map(|side| side.max(1) as f32);
        let scale = ((ui.available_width() - GAP) / 2.0 / width).min(room / tall).max(0.1);
        let size = vec2(width * scale, tall * scale);
        let (rect, response) = ui.allocate_exact_size(vec2(2.0 * size.x + GAP, size.y + caption), Sense::hover());
        plot_description::describe_plot(&response, texts::PICTURES, || self.sentence());
        let painter = ui.painter_at(rect);
        let key = (Arc::as_ptr(&self.run).addr(), self.sample, self.t);
        let font = egui::TextStyle::Small.resolve(ui.style());
        let sides = [(shared::ANN, Layer::Ann, colors.ann), (shared::SNN, Layer::Snn, colors.snn)];
        for (k, (name, layer, color)) in sides.into_iter().enumerate() {
            let corner = pos2(rect.left() + k as f32 * (size.x + GAP), rect.top());
            painter.text(corner, egui::Align2::LEFT_TOP, name, font.clone(), color);
            let own = Rect::from_min_size(corner + vec2(0.0, caption), size);
            draw_texture(&painter, &texture(ui, &self.view, key, layer, &colors), own);
            draw_boxes(&painter, own, &self.view, layer, None, 2.0);
        }
    }
}

/// Classes of a map and their part of its pixels, the largest first.
fn shares(map: &[u8]) -> Vec<(usize, f64)> {
    let mut counts = [0usize; 256];
    map.iter().for_each(|&class| counts[usize::from(class)] += 1);
    let part = |count: usize| count as f64 / map.len().max(1) as f64;
    let all = counts.into_iter().enumerate().map(|(class, count)| (class, part(count)));
    let mut shares: Vec<_> = all.filter(|(_, part)| *part >= MIN_PART).collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_classes_of_a_map_come_first() {
        let mut map = vec![0u8; 90];
        map.extend([2; 8]);
        map.extend([5; 2]);
        assert_eq!(shares(&map), [(0, 0.9), (2, 0.08), (5, 0.02)]);
        assert!(shares(&[]).is_empty());
    }
}
