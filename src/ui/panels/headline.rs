//! Headline: accuracy and agreement of the run at the time cursor, in one sentence.

use egui::{Color32, Id, RichText, Ui};

use crate::ground::numbers::percent;
use crate::lab::Lab;
use crate::task::scene_scores::SceneScores;
use crate::ui::texts::format::source_file_name;
use crate::ui::texts::panes::scenes;
use crate::ui::texts::{bars as texts, output_agreement, shared};
use crate::ui::theme::colors::ui_colors;

/// Set if the top bar has no room for the headline; the status bar then shows it.
pub fn headline_below() -> Id {
    Id::unique("headline below")
}

/// Draws accuracy and agreement of both networks at the time cursor.
pub fn headline(ui: &mut Ui, lab: &Lab) {
    let Some(run) = &lab.run else { return };
    let Some(curve) = lab.curve() else { return };
    let Some(point) = curve.points.get(lab.cursor().min(curve.points.len()).saturating_sub(1)) else { return };
    let colors = ui_colors(ui);
    let few = curve.samples < shared::FEW_SAMPLES;
    let figure = |ui: &mut Ui, name: &str, figure: String, color: Color32, hint: &str| {
        ui.label(RichText::new(format!("{name} {figure}")).color(color)).on_hover_text(hint);
    };
    // Of a handful of samples, as in a preview, a percentage would look like the network's accuracy.
    let share = |ui: &mut Ui, name: &str, share: f64, color: Color32, hint: &str| {
        figure(ui, name, shared::share_of(share, curve.samples), color, hint);
    };
    // A mean over a handful of samples is no count: it is faded.
    let mean = |ui: &mut Ui, name: &str, share: f64, color: Color32, hint: &str| {
        let color = if few && lab.preview_counts().is_some() { colors.weak } else { color };
        figure(ui, name, percent(share, 1), color, hint);
    };
    let words = output_agreement::agreement_labels(run.output_agreement.as_ref().map(|agreement| agreement.of));
    match run.output_agreement {
        None => share(ui, words.short, point.agreement, colors.text, words.hint),
        Some(_) => mean(ui, words.short, point.agreement, colors.text, words.hint),
    }
    // Scores of masks or boxes, after the steps so far.
    if let Some(scene) = &run.scene {
        let (name, hint) = scenes::score(matches!(**scene, SceneScores::Masks(_)));
        let both = [
            (shared::SNN, scene.snn_score(lab.cursor().min(run.steps())), colors.snn),
            (shared::ANN, scene.ann_score(), colors.ann),
        ];
        for (who, score, color) in both {
            score.into_iter().for_each(|score| mean(ui, who, score, color, hint));
        }
        ui.label(name).on_hover_text(hint);
    }
    if let Some(snn) = point.accuracy {
        share(ui, shared::SNN, snn, colors.snn, texts::SNN_HINT);
    }
    if let Some(ann) = curve.ann {
        share(ui, shared::ANN, ann, colors.ann, texts::ANN_HINT);
    }
    if let Some((count, of)) = lab.preview_counts().filter(|_| lab.prefix_run().is_none()) {
        ui.weak(shared::some_samples(count, of));
    }
    if run.settings.has_other_sources(&lab.settings) {
        ui.add(
            egui::Label::new(RichText::new(texts::figures_of(&source_file_name(&run.settings.model))).weak())
                .truncate(),
        );
    }
}
