//! Sweep pane: plans and results folders as a user opens them, its images, and rows opened in the lab.

use crate::snapshots;
use std::path::{Path, PathBuf};

use crate::snapshots::{compare, rgb};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use spikescope::experiment::Settings;
use spikescope::lab::{Lab, Message};
use spikescope::sweep::Plan;
use spikescope::sweep::address::SourceDigests;
use spikescope::sweep::figures::{Figure, Figures};
use spikescope::sweep::folder::row_path;
use spikescope::sweep::row_file::{Environment, RowFile};
use spikescope::sweep::runner::addresses;
use spikescope::ui::export::OffscreenPane;
use spikescope::ui::panes;
use spikescope::ui::types::pane::Pane;

const SIZE: egui::Vec2 = egui::vec2(620.0, 400.0);
const PLAN: &str = r#"
name = "thresholds"
[base]
model = "builtin:digits-mlp"
data = "builtin:digits"
samples = "256..266"
[grid]
threshold = ["max", "percentile:99.9", "mse"]
correction = ["none", "srp:4"]
calibrate = ["0..20", "20..40", "40..60"]
steps = [1, 2, 4, 8, 16, 32]
"#;

/// A plan with made-up results for most of its rows, and files that are no rows.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.toml");
    std::fs::write(&path, PLAN).unwrap();
    let (plan, out) = (Plan::open(&path).unwrap(), folder.path().join("plan-results"));
    let addresses = addresses(&plan, &SourceDigests::default()).unwrap();
    for (number, address) in addresses.into_iter().flatten().enumerate().filter(|(number, _)| number % 17 != 3) {
        let settings = plan.row(number).unwrap().resolve().unwrap().settings;
        let steps = settings.recipe.steps as f64;
        let [rule, correction, draw] = [number / 36, number / 18 % 2, number / 6 % 3].map(|part| part as f64);
        let accuracy =
            0.97 - 0.5 / (1.0 + steps * (0.3 + 0.25 * rule + 0.4 * correction)) - 0.012 * draw / steps.sqrt();
        let synops = 1500.0 * steps * (1.0 + 0.2 * rule) + 4000.0 * correction;
        let value = |name: &str, value: f64| (name.to_owned(), Figure::Value(value));
        let figures = [value("energy", 77e-15 * synops), value("mismatch", 0.8 / steps), value("synops", synops)];
        let curve = (1..=settings.recipe.steps).map(|t| accuracy * t as f64 / steps).collect();
        let figures = figures.into_iter().chain([("snn_accuracy".to_owned(), Figure::Steps(curve))]);
        let file = row_path(&out, &address);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let environment = Environment::of_this_process(0.1);
        RowFile::new(address, settings, Figures(figures.collect()), environment).write(&file).unwrap();
    }
    let files = || {
        let folders = std::fs::read_dir(out.join("rows")).unwrap().map(|folder| folder.unwrap().path());
        let mut files: Vec<PathBuf> =
            folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path())).collect();
        files.sort();
        files
    };
    let of = files();
    let text = std::fs::read_to_string(&of[5]).unwrap();
    std::fs::write(&of[5], &text[..300]).unwrap();
    std::fs::write(&of[9], text.replace("\"format\": 1", "\"format\": 99")).unwrap();
    std::fs::write(of[0].with_file_name("notes.txt"), "x").unwrap();
    (folder, path)
}

fn lab(dark: bool) -> Lab {
    let mut settings =
        Settings { samples: 256..260, calibrate: 0..20, model: "builtin:digits-mlp".into(), ..Settings::default() };
    settings.recipe.steps = 4;
    let mut lab = Lab::open(settings).unwrap();
    lab.update([Message::SetDark(dark)]);
    lab
}

/// The pane alone.
fn harness(lab: Lab) -> Harness<'static, Lab> {
    let draw = |ui: &mut egui::Ui, lab: &mut Lab| {
        let mut messages = Vec::new();
        panes::show(ui, Pane::Sweep, lab, &mut messages);
        lab.update(messages);
        lab.wait_until_idle();
    };
    let mut harness = Harness::builder().with_size(SIZE).build_ui_state(draw, lab);
    harness.run_ok();
    harness
}

fn picture(harness: &Harness<'static, Lab>, name: &str) -> Option<String> {
    let ctx = &harness.ctx;
    ctx.data_mut(|data| data.insert_temp(egui::Id::unique(("size of pane", Pane::Sweep)), SIZE));
    let image = OffscreenPane::of_window(ctx, Pane::Sweep).with_controls().image(harness.state());
    compare(name, &rgb(&image)).err()
}

#[test]
fn views_match_their_snapshots_and_clicks_open_rows() {
    let (folder, plan) = folder();
    let mut wrong = Vec::new();
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        let mut lab = lab(dark);
        lab.update([Message::OpenSweepPlan(plan.clone())]);
        lab.wait_for_sweep();
        let board = lab.sweep.as_ref().unwrap().board.clone().unwrap();
        assert_eq!((board.planned, board.axes.len(), board.others.len()), (Some(108), 4, 3), "{:?}", board.others);
        let mut harness = harness(lab);
        wrong.extend(picture(&harness, &format!("sweep-map-{theme}")));
        for (tab, name) in [("Pareto front", "front"), ("Spread", "spread"), ("Files (3)", "files")] {
            harness.get_by_label(tab).click();
            harness.run_ok();
            wrong.extend(picture(&harness, &format!("sweep-{name}-{theme}")));
        }
        if !dark {
            continue;
        }
        harness.get_by_label("Heat map").click();
        harness.run_ok();
        harness.get_by_label_contains("threshold = mse, steps = 8:").click();
        harness.run_ok();
        let settings = harness.state().settings.clone();
        assert_eq!((settings.recipe.threshold.to_string().as_str(), settings.recipe.steps), ("mse", 8));
        assert_eq!(settings.recipe.correction.to_string(), "srp:4", "the best of the cell");
        assert_eq!(settings.model, "builtin:digits-mlp");
        harness.get_by_label("Pareto front").click();
        harness.run_ok();
        harness.get_by_label_contains("at T = 1:").click();
        harness.run_ok();
        assert_eq!(harness.state().settings.recipe.steps, 1);
    }
    drop(folder);
    assert!(wrong.is_empty(), "{}\nIs it meant? Then set {}=1.", wrong.join("\n"), snapshots::UPDATE);
}

#[test]
fn a_folder_without_a_plan_shows_what_its_settings_differ_in_and_grows() {
    let (folder, _) = folder();
    let mut lab = lab(true);
    let out = folder.path().join("plan-results");
    lab.update([Message::OpenSweepResults(out.clone())]);
    lab.wait_for_sweep();
    let board = lab.sweep.as_ref().unwrap().board.clone().unwrap();
    let keys: Vec<&str> = board.axes.iter().map(|axis| axis.key.as_str()).collect();
    assert!(["threshold", "correction", "steps"].iter().all(|key| keys.contains(key)), "{keys:?}");
    let steps = board.axes.iter().find(|axis| axis.key == "steps").unwrap();
    assert_eq!(steps.values, ["1", "2", "4", "8", "16", "32"], "by size");
    assert_eq!(board.planned, None);
    // A file that arrives is read at the next look.
    let first = std::fs::read_dir(out.join("rows")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(first.join("more.txt"), "x").unwrap();
    let before = board.others.len();
    lab.wait_for_sweep();
    assert_eq!(lab.sweep.as_ref().unwrap().board.as_ref().unwrap().others.len(), before + 1);
    lab.update([Message::CloseSweep]);
    assert!(lab.sweep.is_none());
}

#[test]
fn a_plan_of_the_window_is_written_run_stopped_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let mut lab = lab(true);
    lab.update([Message::SaveSweepPlan { path: path.clone(), race: false }]);
    lab.update([Message::RunSweep, Message::StopSweep]);
    lab.wait_for_sweep();
    assert!(lab.sweep.as_ref().unwrap().running.is_none());
    lab.update([Message::RunSweep]);
    lab.wait_for_sweep();
    let sweep = lab.sweep.as_ref().unwrap();
    let board = sweep.board.as_ref().unwrap();
    assert_eq!((board.rows.len(), board.planned), (3, Some(3)), "{:?} {:?}", sweep.ended, sweep.error);
    assert_eq!(sweep.ended.as_deref(), Some("All 3 rows are finished."));
    // A plan that is dropped on the window is one; a recipe is not.
    lab.update([Message::CloseSweep, Message::OpenPath(path.clone())]);
    assert_eq!(lab.sweep.as_ref().unwrap().plan.as_deref(), Some(Path::new(&path)));
    // An unreadable plan is a sentence in the pane.
    std::fs::write(&path, "[grid]\nsteps = 3\n").unwrap();
    lab.update([Message::OpenSweepPlan(path)]);
    lab.wait_for_sweep();
    assert!(lab.sweep.as_ref().unwrap().error.as_ref().unwrap().contains("line 2"));
}
