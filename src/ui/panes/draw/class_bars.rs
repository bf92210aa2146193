//! Class probabilities of ANN and SNN for the sample in focus, as pairs of bars.

use egui::{Align2, Color32, Rect, Role, Sense, TextStyle, Ui, WidgetInfo, pos2, vec2};

use crate::lab::Lab;
use crate::network::predicted_class;
use crate::task::classification::probabilities;
use crate::ui::texts::panes::draw as texts;
use crate::ui::texts::shared;
use crate::ui::theme::colors::ui_colors;
use crate::ui::widgets::legend::{self, Mark};

/// Maximum number of bars; networks with more classes show the most probable ones only.
const MAX_BARS: usize = 12;
const ROW_HEIGHT: f32 = 22.0;
const MIN_ROW: f32 = 9.0;
const GAP: f32 = 3.0;
/// Below this row height, in points, the gaps between rows shrink.
const TIGHT_ROW: f32 = 14.0;

/// Class probabilities of both networks.
pub struct ClassProbabilities {
    /// Name, ANN probability, SNN probability. In class order, or by probability if there are too many classes.
    classes: Vec<(String, f64, f64)>,
    /// Most probable class and its probability, of the ANN and of the SNN.
    ann: (String, f64),
    snn: (String, f64),
    /// Step of the time cursor.
    t: usize,
    /// Label of the sample, if known.
    label: Option<String>,
}

impl ClassProbabilities {
    /// Probabilities for the sample in focus at the time cursor.
    pub fn new(lab: &Lab) -> Option<Self> {
        let snapshot = lab.snapshot.as_ref()?;
        let (run, sample, t) = (&snapshot.run, snapshot.focus.sample, snapshot.focus.steps);
        let logits = run.ann.logits.chunks(run.ann.classes.max(1)).nth(sample)?;
        let sums = run.recording.readout_at(t, sample);
        let (ann, snn) = (probabilities(logits, 1), probabilities(sums, t));
        let best = |of: &[f32], shares: &[f64]| {
            let class = predicted_class(of);
            (run.class_name(class), shares.get(class).copied().unwrap_or(0.0))
        };
        let (ann_best, snn_best) = (best(logits, &ann), best(sums, &snn));
        let shares = ann.into_iter().zip(snn).enumerate();
        let mut classes: Vec<_> = shares.map(|(class, (ann, snn))| (run.class_name(class), ann, snn)).collect();
        if classes.len() > MAX_BARS {
            classes.sort_by(|a, b| (b.1 + b.2).total_cmp(&(a.1 + a.2)));
            classes.truncate(MAX_BARS);
        }
        let label = run.labels.get(sample).map(|label| run.class_name(usize::from(*label)));
        Some(Self { classes, ann: ann_best, snn: snn_best, t, label })
    }

    /// The probabilities as a sentence.
    pub fn sentence(&self) -> String {
        let is = self.label.as_ref().map(|label| texts::label(label)).unwrap_or_default();
        texts::answers(&is, (&self.ann.0, self.ann.1), self.t, (&self.snn.0, self.snn.1))
    }

    pub fn csv(&self) -> String {
        let rows = self.classes.iter().map(|(name, ann, snn)| format!("{name},{ann},{snn}\n"));
        format!("class,ann,snn\n{}", rows.collect::<String>())
    }
}

/// Least height of a row, in points.
fn lowest_row(ui: &Ui) -> f32 {
    ui.text_style_height(&TextStyle::Small).max(MIN_ROW)
}

/// Least height of the legend and the bars of all classes, in points.
pub(super) fn least_height(ui: &Ui, probabilities: &ClassProbabilities) -> f32 {
    let legend = ui.text_style_height(&TextStyle::Small) + 2.0 * ui.spacing().item_spacing.y;
    legend + probabilities.classes.len() as f32 * (lowest_row(ui) + 1.0)
}

/// Draws a pair of bars for each class, in `height` points if that is enough to read them.
pub fn show(ui: &mut Ui, probabilities: Option<&ClassProbabilities>, height: f32) {
    let top = ui.cursor().top();
    let Some(probabilities) = probabilities else { return };
    let colors = ui_colors(ui);
    // Where there is no room for a second line, the colors must do.
    let names = match legend::fits(ui, &[texts::ANN_ABOVE, texts::SNN_BELOW]) {
        true => [texts::ANN_ABOVE, texts::SNN_BELOW],
        false => [shared::ANN, shared::SNN],
    };
    legend::show(ui, &[(names[0], colors.ann, Mark::Bar), (names[1], colors.snn, Mark::Bar)]);
    let width = ui.available_width().max(120.0);
    let longest = probabilities.classes.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(1);
    let (left, right) = ((8.0 * longest as f32 + 10.0).min(width * 0.4), 44.0);
    let room = height - (ui.cursor().top() - top);
    let each = room / probabilities.classes.len().max(1) as f32;
    // In tight space the gaps shrink first.
    let gap = if each < TIGHT_ROW { 1.0 } else { GAP };
    // Names keep apart: below their height the list scrolls.
    let lowest = lowest_row(ui);
    let row = (each - gap).clamp(lowest, ROW_HEIGHT.max(lowest));
    ui.spacing_mut().item_spacing.y = gap;
    let body = ui.text_style_height(&TextStyle::Body);
    for (name, ann, snn) in &probabilities.classes {
        let (rect, response) = ui.allocate_exact_size(vec2(width, row), Sense::hover());
        let words = texts::class(name, ann * 100.0, snn * 100.0);
        response.widget_info(|| WidgetInfo::labeled(Role::Meter, true, &words));
        response.on_hover_text(words);
        let painter = ui.painter_at(rect);
        let style = if row < body { TextStyle::Small } else { TextStyle::Body };
        let (font, small) = (style.resolve(ui.style()), TextStyle::Small.resolve(ui.style()));
        painter.text(rect.left_center(), Align2::LEFT_CENTER, name, font, colors.text);
        let track = Rect::from_min_max(pos2(rect.left() + left, rect.top()), pos2(rect.right() - right, rect.bottom()));
        let half = (row - 2.0) / 2.0;
        let bar = |top: f32, share: f64, color: Color32| {
            let whole = Rect::from_min_size(pos2(track.left(), top), vec2(track.width(), half));
            painter.rect_filled(whole, 1.0, colors.faint.gamma_multiply(0.4));
            let filled = Rect::from_min_size(whole.min, vec2(track.width() * share as f32, half));
            painter.rect_filled(filled, 1.0, color);
        };
        bar(rect.top(), *ann, colors.ann);
        bar(rect.top() + half + 2.0, *snn, colors.snn);
        // Numbers only for probabilities that do not round to zero.
        if ann.max(*snn) >= 0.005 {
            let text = format!("{:.0}|{:.0}", ann * 100.0, snn * 100.0);
            painter.text(rect.right_center(), Align2::RIGHT_CENTER, text, small, colors.weak);
        }
    }
}
