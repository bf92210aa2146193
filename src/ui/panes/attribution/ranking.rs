//! Ranking of the attribution pane: scores of every method on both networks, the best first.

use egui::{Grid, RichText, Ui};

use super::view::PaneView;
use crate::experiment::explained::shown::MapScores;
use crate::explain::Method;
use crate::explain::scores::correlation;
use crate::lab::document::attribution_desk::AttributionPage;
use crate::ui::texts::panes::attribution as texts;
use crate::ui::theme::colors::ui_colors;

/// Draws the table, once a map is there.
pub fn show(ui: &mut Ui, view: &PaneView<'_>, page: &AttributionPage) {
    let [(ann_name, ann), (snn_name, snn)] = view.sides();
    let methods = view.lab.view.attribution.methods.iter().copied();
    let scores = |method: Method| [ann, snn].map(|side| view.map(page, side, method).map(|map| map.scores));
    let mut rows: Vec<(Method, [Option<MapScores>; 2])> = methods.map(|method| (method, scores(method))).collect();
    rows.retain(|(_, scores)| scores.iter().any(Option::is_some));
    if rows.is_empty() {
        return;
    }
    let rank = |(_, [ann, snn]): &(Method, [Option<MapScores>; 2])| {
        snn.or(*ann).map_or(f64::NEG_INFINITY, |scores| scores.rank())
    };
    rows.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
    let has_mask = view.has_mask(page);
    let columns = || texts::COLUMNS.iter().enumerate().filter(|(k, _)| *k >= 2 || has_mask);
    let colors = ui_colors(ui);
    ui.add_space(4.0);
    Grid::new("attribution ranking").striped(true).spacing([10.0, 2.0]).show(ui, |ui| {
        ui.label(RichText::new(texts::RANKING).small().strong());
        for (name, color) in [(ann_name, colors.ann), (snn_name, colors.snn)] {
            for (_, (word, hint)) in columns() {
                ui.label(RichText::new(format!("{name} {word}")).small().color(color)).on_hover_text(*hint);
            }
        }
        ui.small(texts::SAME).on_hover_text(texts::SAME_HINT);
        ui.end_row();
        for (k, (method, scores)) in rows.iter().enumerate() {
            ui.small(format!("{}  {}", k + 1, texts::method(*method)));
            for scores in scores {
                for (column, _) in columns() {
                    ui.small(value(*scores, column).map_or_else(|| "–".to_owned(), |value| format!("{value:.3}")));
                }
            }
            let maps = view.map(page, ann, *method).zip(view.map(page, snn, *method));
            ui.small(maps.map_or_else(|| "–".to_owned(), |(a, b)| format!("{:.3}", correlation(&a.map, &b.map))));
            ui.end_row();
        }
    });
}

fn value(scores: Option<MapScores>, column: usize) -> Option<f64> {
    let scores = scores?;
    [scores.correlation, scores.l1, scores.deletion, scores.insertion][column]
}
