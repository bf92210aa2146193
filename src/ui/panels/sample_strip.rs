//! Sample strip: image, label and predictions of both networks at the time cursor, per sample.
//!
//! Only visible images stay on the GPU.

use egui::{Color32, Pos2, Rect, RichText, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use crate::experiment::Run;
use crate::ground::numbers::percent;
use crate::lab::{Lab, Message};
use crate::ui::state::window::WindowState;
use crate::ui::texts::{output_agreement, samples as texts, shared};
use crate::ui::theme::colors::ui_colors;

const TILE: egui::Vec2 = vec2(100.0, 48.0);
/// Maximum width of a tile, in points; longer names are truncated.
const MAX_TILE_WIDTH: f32 = 180.0;
const GAP: f32 = 4.0;

/// Draws the strip.
pub fn show(ui: &mut Ui, lab: &Lab, window: &mut WindowState, messages: &mut Vec<Message>) {
    ui.set_min_height(TILE.y + 10.0);
    let (Some(run), Some(whole)) = (&lab.run, &lab.finished) else {
        ui.weak(shared::no_run(lab.run.is_some(), lab.job.is_some(), texts::EMPTY));
        return;
    };
    let t = lab.cursor();
    let count = whole.recording.samples;
    // A preview has some of the samples; nothing older is shown of the others.
    let known = lab.previewed(run).unwrap_or(0..count);
    let shown = ShownRun { run, whole, first: known.start };
    let order = SampleOrder::new(&shown, known, t);
    ui.horizontal(|ui| {
        ui.vertical(|ui| {
            ui.set_width(112.0);
            ui.spacing_mut().item_spacing.y = 2.0;
            ui.horizontal(|ui| {
                ui.strong(texts::SAMPLES);
                ui.label(RichText::new(count.to_string()).weak());
            });
            ui.add(egui::Label::new(RichText::new(order.sentence(run, t)).small().weak()).truncate());
            let only = &mut window.layout.disagreements_only;
            let [name, hint] = order.option();
            ui.checkbox(only, RichText::new(name).small()).on_hover_text(hint);
        });
        ui.separator();
        let list: Vec<usize> = if window.layout.disagreements_only { order.first() } else { (0..count).collect() };
        if list.is_empty() {
            ui.weak(texts::all_agree(count, t));
            return;
        }
        strip(ui, lab, &shown, window, &list, messages);
    });
}

/// The displayed run and the complete run, whose samples the strip lists.
struct ShownRun<'a> {
    run: &'a Run,
    whole: &'a Run,
    /// The first sample of the displayed run.
    first: usize,
}

impl ShownRun<'_> {
    /// Index of `sample` in the displayed run; `None` if a preview lacks it.
    fn place(&self, sample: usize) -> Option<usize> {
        sample.checked_sub(self.first).filter(|&sample| sample < self.run.recording.samples)
    }
}

/// The samples that are shown first, and the sentence about them.
enum SampleOrder {
    /// Samples whose classes differ.
    Differing(Vec<usize>),
    /// Outputs that are no classes are graded: all samples, the least alike first.
    Graded(Vec<usize>),
}

impl SampleOrder {
    /// The samples `known` of the displayed run, by their outputs after `t` steps.
    fn new(shown: &ShownRun<'_>, known: std::ops::Range<usize>, t: usize) -> Self {
        let run = shown.run;
        if run.output_agreement.is_none() {
            return Self::Differing(known.filter(|&sample| run.differs(t, sample - shown.first)).collect());
        }
        let alike = |sample: &usize| run.likeness(t, sample - shown.first).unwrap_or(1.0);
        let mut samples: Vec<usize> = known.collect();
        samples.sort_by(|a, b| alike(a).total_cmp(&alike(b)));
        Self::Graded(samples)
    }

    fn first(self) -> Vec<usize> {
        match self {
            Self::Differing(samples) | Self::Graded(samples) => samples,
        }
    }

    fn sentence(&self, run: &Run, t: usize) -> String {
        match (self, &run.output_agreement) {
            (Self::Differing(samples), _) => texts::disagree(samples.len(), t),
            (Self::Graded(_), outputs) => {
                let measure = output_agreement::agreement_labels(outputs.as_ref().map(|outputs| outputs.of)).short;
                let share = outputs.as_ref().map_or(1.0, |outputs| outputs.agreement(t));
                texts::alike(measure, &percent(share, 0))
            }
        }
    }

    /// The name of the option and its hint.
    fn option(&self) -> [&'static str; 2] {
        match self {
            Self::Differing(_) => [texts::ONLY, texts::ONLY_HINT],
            Self::Graded(_) => [texts::WORST_FIRST, texts::WORST_FIRST_HINT],
        }
    }
}

fn strip(
    ui: &mut Ui,
    lab: &Lab,
    run: &ShownRun<'_>,
    window: &mut WindowState,
    shown: &[usize],
    messages: &mut Vec<Message>,
) {
    let size = vec2(tile_width(ui, run.whole), TILE.y);
    let pitch = size.x + GAP;
    ScrollArea::horizontal().auto_shrink([false, true]).show_viewport(ui, |ui, viewport| {
        let width = pitch * shown.len() as f32 - GAP;
        let (area, _) = ui.allocate_exact_size(vec2(width.max(1.0), TILE.y), Sense::hover());
        // Scrolls to the sample in focus if the focus changed elsewhere.
        let id = ui.scope_id().with("sample in focus");
        let last_focus: Option<usize> = ui.data(|data| data.get_temp(id));
        if last_focus != Some(lab.view.sample) {
            ui.data_mut(|data| data.insert_temp(id, lab.view.sample));
            if let Some(place) = shown.iter().position(|&sample| sample == lab.view.sample) {
                let at = area.left_top() + vec2(place as f32 * pitch, 0.0);
                ui.scroll_to_rect(Rect::from_min_size(at, TILE), None);
            }
        }
        let first = (viewport.left() / pitch).floor().max(0.0) as usize;
        let last = ((viewport.right() / pitch).ceil().max(0.0) as usize).min(shown.len());
        for (place, &sample) in shown.iter().enumerate().take(last).skip(first) {
            let rect = Rect::from_min_size(area.left_top() + vec2(place as f32 * pitch, 0.0), size);
            tile(ui, rect, lab, run, window, sample, messages);
        }
    });
}

/// Width of a tile with room for the longest class name beside the image, in points.
fn tile_width(ui: &Ui, run: &Run) -> f32 {
    if run.output_agreement.is_some() {
        return TILE.x + 20.0;
    }
    let names = (0..run.network.original.class_count()).map(|class| run.class_name(class));
    let longest = names.max_by_key(|name| name.chars().count()).unwrap_or_default();
    let font = egui::TextStyle::Small.resolve(ui.style());
    let text = ui.painter().layout_no_wrap(texts::snn("≠ ", &longest), font, Color32::WHITE).size().x;
    (TILE.y + text + 8.0).clamp(TILE.x, MAX_TILE_WIDTH)
}

fn tile(
    ui: &Ui,
    rect: Rect,
    lab: &Lab,
    shown: &ShownRun<'_>,
    window: &mut WindowState,
    sample: usize,
    messages: &mut Vec<Message>,
) {
    let (t, run, place) = (lab.cursor(), shown.whole, shown.place(sample));
    let likeness = place.and_then(|place| shown.run.likeness(t, place));
    let differ = likeness.is_none() && place.is_some_and(|place| shown.run.differs(t, place));
    let [ann, snn] = match place {
        Some(place) => prediction_lines(shown.run, t, place),
        None => [prediction_lines(run, run.steps(), sample)[0].clone(), texts::snn("", "…")],
    };
    let label = run.labels.get(sample).map(|&label| usize::from(label));
    let focused = lab.view.sample == sample;
    let response = ui.interact(rect, ui.scope_id().with(("sample", sample)), Sense::click());
    response.widget_info(|| {
        let known = label.map_or(String::new(), |label| texts::and_is(&run.class_name(label)));
        let name = match run.output_agreement {
            Some(_) => texts::sample_of(sample, &ann, &snn),
            None => {
                let snn = place.map(|place| run.class_name(shown.run.report.predictions.at(t, place)));
                let (ann, snn) = (run.class_name(run.ann.prediction(sample)), snn.unwrap_or_else(|| "…".into()));
                texts::sample(sample, &known, &ann, &snn)
            }
        };
        WidgetInfo::selected(Role::ListBoxOption, ui.is_enabled(), focused, name)
    });
    if response.clicked() {
        messages.push(Message::FocusSample(sample));
    }
    let colors = ui_colors(ui);
    let painter = ui.painter_at(rect);
    let edge = match (focused, differ, response.hovered() || response.has_focus()) {
        (true, ..) => Stroke::new(2.0, colors.accent),
        (_, true, _) => Stroke::new(1.0, colors.snn),
        (.., true) => Stroke::new(1.0, colors.weak),
        _ => Stroke::new(1.0, colors.faint),
    };
    let fill = if differ { colors.snn.gamma_multiply(0.14) } else { ui.visuals().faint_bg_color };
    painter.rect(rect, 3.0, fill, edge, StrokeKind::Inside);
    if let Some(likeness) = likeness {
        // In the line of the label, which such samples do not have.
        let track = Rect::from_min_max(
            pos2(rect.left() + TILE.y, rect.top() + 8.0),
            pos2(rect.right() - 5.0, rect.top() + 11.0),
        );
        painter.rect_filled(track, 1.0, colors.faint);
        let bar = track.with_max_x(track.left() + track.width() * likeness.clamp(0.0, 1.0) as f32);
        painter.rect_filled(bar, 1.0, colors.snn);
    }
    let picture = Rect::from_min_size(rect.min + vec2(3.0, 3.0), vec2(TILE.y - 6.0, TILE.y - 6.0));
    if let Some(texture) = window.thumbnails.get(ui.ctx(), &run.samples, run.sample_index(sample)) {
        let size = texture.size_vec2();
        let fitted = Rect::from_center_size(picture.center(), size * (picture.width() / size.max_elem()));
        let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        painter.image(texture.id(), fitted, whole, Color32::WHITE);
    }
    let label = label.map(|label| texts::is(&run.class_name(label)));
    let sign = if differ { "≠ " } else { "" };
    let lines =
        [label.map(|label| (label, colors.weak)), Some((ann, colors.ann)), Some((format!("{sign}{snn}"), colors.snn))];
    draw_lines(ui, &painter, pos2(picture.right() + 5.0, rect.top() + 3.0), rect.right() - 4.0, lines);
    response.on_hover_text(texts::of_data_set(run.sample_index(sample)));
}

/// Predictions of ANN and SNN for `sample` after `t` steps, one line each.
fn prediction_lines(run: &Run, t: usize, sample: usize) -> [String; 2] {
    match &run.output_agreement {
        Some(agreement) => output_agreement::tile(agreement.of, agreement.ann_boxes(sample), agreement.at(t, sample)),
        None => {
            let (ann, snn) = (run.ann.prediction(sample), run.report.predictions.at(t, sample));
            [texts::ann(&run.class_name(ann)), texts::snn("", &run.class_name(snn))]
        }
    }
}

/// Draws three lines from `at` on, truncated at `right`.
fn draw_lines(ui: &Ui, painter: &egui::Painter, at: Pos2, right: f32, lines: [Option<(String, Color32)>; 3]) {
    let font = egui::TextStyle::Small.resolve(ui.style());
    for (row, (text, color)) in lines.into_iter().enumerate().filter_map(|(row, line)| Some((row, line?))) {
        let mut job = egui::text::LayoutJob::simple_singleline(text, font.clone(), color);
        job.wrap = egui::text::TextWrapping::truncate_at_width(right - at.x);
        painter.galley(at + vec2(0.0, row as f32 * 14.0), painter.layout_job(job), color);
    }
}
