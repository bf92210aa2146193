//! The score of the SNN over time, with the ANN's line and its band.

use egui::Ui;
use egui_plot::{FilledArea, HLine, Line, PlotPoints, Points};

use crate::experiment::Run;
use crate::lab::{Lab, Message};
use crate::task::scene_scores::SceneScores;
use crate::ui::panes::t_curve::plot::over_time;
use crate::ui::texts::format::format_percent;
use crate::ui::texts::panes::scenes as texts;
use crate::ui::texts::shared;
use crate::ui::theme::colors::{plot_colors, ui_colors};
use crate::ui::widgets::{pane_parts, plot_description};

/// The score of a run over time.
pub(super) struct ScoreCurve {
    pub name: &'static str,
    pub ann: Option<f64>,
    pub band: Option<[f64; 2]>,
    /// Step and score; only where it was scored and counts.
    pub points: Vec<[f64; 2]>,
}

impl ScoreCurve {
    pub fn of(scene: &SceneScores) -> Self {
        let counted = |value: f64| (value >= 0.0).then_some(value);
        match scene {
            SceneScores::Masks(scores) => {
                let points = scores.snn.iter().enumerate();
                let points = points.filter_map(|(k, at)| at.miou.map(|miou| [(k + 1) as f64, miou]));
                Self { name: texts::MIOU, ann: scores.ann.miou, band: scores.ann_band, points: points.collect() }
            }
            SceneScores::Boxes(scores) => {
                let points = scores.at.iter().zip(&scores.snn);
                let points = points.filter_map(|(t, at)| counted(at.stats[0]).map(|map| [*t as f64, map]));
                Self {
                    name: texts::MAP,
                    ann: counted(scores.ann.stats[0]),
                    band: scores.ann_band,
                    points: points.collect(),
                }
            }
        }
    }

    /// The score at the last scored step up to `t`.
    pub fn at(&self, t: usize) -> Option<f64> {
        self.points.iter().rev().find(|[step, _]| *step <= t as f64).map(|[_, score]| *score)
    }
}

/// Draws the curve in the rest of the pane.
pub(super) fn show(ui: &mut Ui, lab: &Lab, run: &Run, curve: &ScoreCurve, messages: &mut Vec<Message>) {
    let (colors, plot_colors) = (ui_colors(ui), plot_colors(ui));
    let last = run.steps();
    let cursor = lab.cursor().clamp(1, last);
    let plot = over_time("scene-score", curve.name, last).label_formatter(|at| {
        let t = pane_parts::step_at(pane_parts::position(at).x, last);
        Some(texts::hover(curve.name, t, &curve.at(t).map_or(texts::UNSCORED.to_owned(), format_percent)))
    });
    let shown = plot.show(ui, |plot| {
        if let (Some([low, high]), true) = (curve.band, last > 1) {
            let ends = [1.0, last as f64];
            let band = FilledArea::new("band of the ANN", &ends, &[low; 2], &[high; 2]);
            plot.add(band.fill_color(colors.ann.gamma_multiply(0.18)).allow_hover(false));
        }
        if let Some(ann) = curve.ann {
            plot.hline(HLine::new("ANN", ann).color(colors.ann).width(1.5).allow_hover(false));
        }
        let points = PlotPoints::from(pane_parts::shown(plot, curve.points.clone()));
        plot.line(Line::new("SNN", points).color(colors.snn).width(2.2).allow_hover(false));
        if curve.points.len() < last {
            let marks = PlotPoints::from(curve.points.clone());
            plot.points(Points::new("SNN", marks).color(colors.snn).radius(2.5).allow_hover(false));
        }
        plot.vline(pane_parts::cursor_line(cursor, plot_colors.cursor));
    });
    plot_description::describe_plot(&shown.response, curve.name, || {
        let course = plot_description::describe_curve(&curve.points, |[t, y]| shared::at_step(&format_percent(y), t));
        format!("{}: {course}.", curve.name)
    });
    pane_parts::drag_cursor(&shown, cursor, lab.steps(), true, messages);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_between_scored_steps_is_the_last_one() {
        let curve = ScoreCurve { name: "mAP", ann: None, band: None, points: vec![[2.0, 0.1], [8.0, 0.5]] };
        assert_eq!([1, 2, 7, 8, 99].map(|t| curve.at(t)), [None, Some(0.1), Some(0.1), Some(0.5), Some(0.5)]);
    }
}
