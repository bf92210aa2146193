//! Success of every trojan after conversion by each recipe, and the best map, from a folder of a rediscovery.

use egui::{Grid, Label, RichText, Ui};

use crate::lab::Lab;
use crate::trojan::rediscover::Bench;
use crate::trojan::survival::CLEAN_ROW;
use crate::ui::texts::format::format_percent;
use crate::ui::texts::panes::trojans as texts;

/// Draws a table for each recipe, and one of the best scores.
pub fn show(ui: &mut Ui, lab: &Lab) {
    ui.add_space(6.0);
    let Some((path, bench)) = &lab.trojans.bench else {
        ui.add(Label::new(RichText::new(texts::NO_BENCH).small().weak()).wrap());
        return;
    };
    ui.add(Label::new(RichText::new(path.display().to_string()).small().weak()).truncate());
    let mut trojans: Vec<&str> = Vec::new();
    let mut recipes: Vec<&str> = Vec::new();
    let mut steps: Vec<usize> = bench.success.iter().filter_map(|row| row.steps).collect();
    for row in &bench.success {
        if !trojans.contains(&row.trojan.as_str()) {
            trojans.push(&row.trojan);
        }
        if row.steps.is_some() && !recipes.contains(&row.recipe.as_str()) {
            recipes.push(&row.recipe);
        }
    }
    steps.sort_unstable();
    steps.dedup();
    for recipe in recipes {
        ui.label(RichText::new(texts::recipe(recipe)).strong());
        of_recipe(ui, bench, recipe, &trojans, &steps);
    }
    best_maps(ui, bench, &trojans);
}

fn of_recipe(ui: &mut Ui, bench: &Bench, recipe: &str, trojans: &[&str], steps: &[usize]) {
    Grid::new(("trojan success by recipe", recipe)).striped(true).spacing([12.0, 2.0]).show(ui, |ui| {
        ui.small(texts::TROJAN);
        ui.small(texts::ANN);
        steps.iter().for_each(|t| _ = ui.small(texts::steps(*t)));
        ui.small(texts::APPEARS).on_hover_text(texts::APPEARS_HINT);
        ui.end_row();
        for &trojan in trojans {
            ui.small(if trojan == CLEAN_ROW { texts::CLEAN } else { trojan });
            for at in std::iter::once(None).chain(steps.iter().copied().map(Some)) {
                let row = bench
                    .success
                    .iter()
                    .find(|row| row.trojan == trojan && row.steps == at && (at.is_none() || row.recipe == recipe));
                ui.small(row.map_or_else(|| "–".to_owned(), |row| format_percent(row.success)));
            }
            let appears = bench.appears.iter().find(|row| row.trojan == trojan && row.recipe == recipe);
            ui.small(appears.map_or_else(String::new, |row| texts::appears(row.steps)));
            ui.end_row();
        }
    });
}

/// The method with the best median correlation, of every trojan in every network.
fn best_maps(ui: &mut Ui, bench: &Bench, trojans: &[&str]) {
    let mut places: Vec<Option<usize>> = bench.rows.iter().map(|row| row.steps).collect();
    places.sort_unstable();
    places.dedup();
    if places.is_empty() {
        return;
    }
    ui.label(RichText::new(texts::SCORES).strong()).on_hover_text(texts::SCORES_HINT);
    Grid::new("trojan best maps").striped(true).spacing([12.0, 2.0]).show(ui, |ui| {
        ui.small(texts::TROJAN);
        places.iter().for_each(|at| _ = ui.small(at.map_or_else(|| texts::ANN.to_owned(), texts::steps)));
        ui.end_row();
        for &trojan in trojans.iter().filter(|trojan| bench.rows.iter().any(|row| row.trojan == **trojan)) {
            ui.small(trojan);
            for at in &places {
                let own = bench.rows.iter().filter(|row| row.trojan == trojan && row.steps == *at);
                let best = own.max_by(|a, b| a.median_correlation.total_cmp(&b.median_correlation));
                let words = best.map(|row| format!("{:.2} {}", row.median_correlation, row.method));
                ui.small(words.unwrap_or_else(|| "–".to_owned()));
            }
            ui.end_row();
        }
    });
}
