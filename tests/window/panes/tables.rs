//! Rows of the panes: ledger, race, runs, sample strip.

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use spikescope::convert::{Recipe, ThresholdRule};
use spikescope::experiment::Settings;
use spikescope::lab::{Lab, Message, Workspace};
use spikescope::measure::LayerReport;
use spikescope::ui::export::OffscreenPane;
use spikescope::ui::state::window::MaximizedPane;
use spikescope::ui::types::pane::Pane;

use super::front;
use crate::desk::{Desk, click, desk, desk_of, desk_on};
use crate::segmenter;

#[test]
fn ledger_names_the_worst_layer_sorts_and_shares_its_unit_with_the_strip() {
    let mut harness = desk();
    let order = |harness: &Harness<'static, Desk>| {
        let mut rows: Vec<(f32, String)> = harness
            .get_all_by_label_contains(": total error")
            .map(|node| (node.rect().top(), node.accesskit_node().label().unwrap_or_default()))
            .collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        rows.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    let network = order(&harness);
    harness.get_by_label("Worst: ");
    click(&mut harness, "sort by error");
    let sorted = order(&harness);
    assert_ne!(network, sorted);
    let report = harness.state().lab.snapshot.as_ref().unwrap().report.clone();
    let reference = harness.state().lab.view.reference;
    let size = |layer: &LayerReport| layer.ledger_against(reference).total.abs() / layer.mean_activation.max(1e-12);
    let worst = report.layers.iter().max_by(|a, b| size(a).total_cmp(&size(b))).unwrap();
    assert!(sorted[0].starts_with(&format!("{}: ", worst.name)), "{sorted:?}");
    let name = format!("Layer {}", report.layers[1].name);
    harness.ctx.all_styles_mut(|style| {
        style.interaction.tooltip_delay = 0.0;
        style.interaction.show_tooltips_only_when_still = false;
    });
    let unit = |harness: &mut Harness<'static, Desk>| {
        harness.get_by_label(&name).hover();
        (0..4).for_each(|_| harness.step());
        harness.query_all_by_label_contains("Means over neurons").next().unwrap().accesskit_node().value().unwrap()
    };
    assert!(unit(&mut harness).contains("mean activation"));
    click(&mut harness, "relative");
    assert!(unit(&mut harness).contains("activation units"));
}

#[test]
fn race_sorts_hides_lanes_and_shows_the_difference_to_the_current_recipe() {
    let mut harness = desk_of(egui::vec2(1800.0, 1100.0));
    click(&mut harness, "Race");
    click(&mut harness, "Add corrections");
    let names = |harness: &Harness<'static, Desk>| {
        let mut rows: Vec<(f32, String)> = harness
            .get_all_by_label_contains("Use recipe ")
            .map(|node| (node.rect().top(), node.accesskit_node().label().unwrap_or_default()))
            .collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        rows.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    let first = names(&harness);
    click(&mut harness, "Sort by mismatch");
    let falling = names(&harness);
    click(&mut harness, "Sort by mismatch");
    let rising = names(&harness);
    assert_ne!(falling, rising);
    assert_eq!(rising.iter().rev().collect::<Vec<_>>(), falling.iter().collect::<Vec<_>>());
    click(&mut harness, "Sort by mismatch");
    assert_eq!(names(&harness), first, "the order of the race again");
    assert!(harness.query_all_by_label_contains("+").next().is_some(), "differences");
    let histogram = "Offset spikes of COS";
    assert!(harness.query_by_label(histogram).is_some());
    click(&mut harness, "Draw recipe COS");
    assert!(harness.query_by_label(histogram).is_none(), "it is left out");
}

#[test]
fn runs_are_named_starred_filtered_and_removed() {
    let mut harness = desk_of(egui::vec2(1800.0, 1100.0));
    harness.state_mut().lab.update([Message::SetSteps(8), Message::EndGesture]);
    harness.run_ok();
    click(&mut harness, "Runs");
    let first = harness.state().lab.history.past()[0].number;
    click(&mut harness, &format!("Name, star or remove run {first}"));
    harness.get_by_label(&format!("Name of run {first}")).focus();
    harness.run_ok();
    harness.get_by_label(&format!("Name of run {first}")).type_text("base");
    harness.run_ok();
    click(&mut harness, "Star");
    let past = harness.state().lab.history.get(first).unwrap();
    assert_eq!((past.name.as_str(), past.starred), ("base", true));
    harness.key_press(egui::Key::Escape);
    harness.run_ok();
    let rows = |harness: &Harness<'static, Desk>| harness.query_all_by_label_contains("Restore run ").count();
    let all = rows(&harness);
    click(&mut harness, "starred");
    assert!(rows(&harness) == 1 && all > 1, "{all}");
    click(&mut harness, "starred");
    click(&mut harness, &format!("Name, star or remove run {first}"));
    click(&mut harness, "Remove from the list");
    harness.run_ok();
    assert_eq!(rows(&harness), all - 1);
    assert!(harness.state().lab.history.get(first).is_none());
}

#[test]
fn maps_are_graded_in_the_sample_strip_and_the_worst_come_first() {
    let folder = tempfile::tempdir().unwrap();
    let settings = segmenter(folder.path(), 4);
    let lab = Lab::open(settings).unwrap();
    let mut harness = desk_on(Desk { lab, window: Default::default() }, egui::vec2(1280.0, 800.0));
    assert!(harness.query_by_label_contains("disagree at").is_none(), "maps are more or less alike");
    // The strip and the headline use the same words for the same figure.
    assert!(harness.query_all_by_label_contains("output similarity").count() >= 2);
    assert!(harness.query_by_label_contains("alike ").is_none());
    click(&mut harness, "worst first");
    let run = harness.state().lab.run.clone().unwrap();
    let alike = |sample: usize| run.likeness(4, sample).unwrap();
    let left = |sample: usize| harness.get_by_label_contains(&format!("Sample {sample}:")).rect().left();
    for (one, other) in [(0, 1), (1, 2), (2, 3)] {
        assert_eq!(alike(one) < alike(other), left(one) < left(other), "{} {}", alike(one), alike(other));
    }
    // The headline has the score of the maps.
    harness.get_by_label("mIoU");
}

/// Texts that are cut, in a frame.
fn cut_texts(harness: &Harness<'static, Desk>) -> Vec<String> {
    let shapes = harness.output().shapes.iter();
    let cut = shapes.filter_map(|clipped| match &clipped.shape {
        egui::Shape::Text(text) if text.galley.elided => Some(text.galley.job.text.clone()),
        _ => None,
    });
    cut.collect()
}

#[test]
fn columns_of_changes_are_cut_only_without_room() {
    for (width, has_room) in [(1920.0, true), (960.0, false)] {
        let mut harness = desk_of(egui::vec2(width, 1000.0));
        for change in [Message::SetSteps(8), Message::SetThreshold(ThresholdRule::Percentile(99.0))] {
            harness.state_mut().lab.update([change, Message::SetVInit(0.3), Message::EndGesture]);
            harness.run_ok();
        }
        for pane in [Pane::Runs, Pane::Race] {
            front(&mut harness, pane);
            if pane == Pane::Race {
                click(&mut harness, "Add corrections");
            }
            let window = &mut harness.state_mut().window;
            let among = window.layout.docks.visible_panes(Workspace::Explore);
            window.maximized = Some(MaximizedPane { pane, workspace: Workspace::Explore, among });
            harness.run_ok();
            let cut = cut_texts(&harness);
            assert!(!has_room || cut.is_empty(), "{pane:?} at {width}: {cut:?}");
            click(&mut harness, "Restore");
        }
    }
}

#[test]
fn figures_of_the_race_do_not_depend_on_the_order_of_its_lanes() {
    let settings = Settings { samples: 0..12, calibrate: 0..64, ..Settings::demo() };
    let methods: Vec<_> = Recipe::published_methods(&settings.recipe, 4).into_iter().take(3).collect();
    let rows = |lanes: Vec<spikescope::convert::NamedRecipe>| {
        let mut lab = Lab::open(settings.clone()).unwrap();
        lab.update([Message::SetLanes(lanes)]);
        lab.wait_until_idle();
        let csv = OffscreenPane::new(Some(Pane::Race), egui::vec2(900.0, 500.0), 1.0).csv(&lab).unwrap();
        // All but the seconds, which the table does not show: whoever comes first also fills the cache.
        let mut rows: Vec<String> = csv.lines().skip(1).map(|row| row.rsplit_once(',').unwrap().0.to_owned()).collect();
        rows.sort();
        rows
    };
    let forward = rows(methods.clone());
    assert_eq!(forward.len(), 4);
    assert_eq!(forward, rows(methods.into_iter().rev().collect()));
    let mut harness = desk_of(egui::vec2(1800.0, 1100.0));
    front(&mut harness, Pane::Race);
    click(&mut harness, "Add corrections");
    harness.get_by_label("Sort by memory");
    assert!(harness.query_by_label("Sort by time").is_none());
}

#[test]
fn balanced_thresholds_of_toolbar_and_race_are_the_same() {
    let mut harness = desk();
    let of_race: Vec<_> = Recipe::published_methods(&harness.state().lab.settings.recipe, 4)
        .into_iter()
        .map(|method| method.recipe.threshold)
        .filter(|rule| matches!(rule, ThresholdRule::Balance(_)))
        .collect();
    assert!(!of_race.is_empty());
    click(&mut harness, "Threshold rule");
    click(&mut harness, "balance");
    let chosen = &harness.state().lab.settings.recipe.threshold;
    assert!(of_race.iter().all(|rule| rule == chosen), "{chosen:?} and {of_race:?}");
}
