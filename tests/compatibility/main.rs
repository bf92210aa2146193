//! Files written by version 0.1.0 open unchanged: sessions, recipes, run lists, messages and lessons; and the names of
//! `summary.json`, CSV columns and panes are those of that version.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use spikescope::convert::{Granularity, NamedRecipe, Readout, ThresholdRule};
use spikescope::lab::history::run_history_file;
use spikescope::lab::storage::recent_files::RecentFiles;
use spikescope::lab::{Lab, Message, Session, Workspace};
use spikescope::lesson::Lesson;
use spikescope::ui::export::OffscreenPane;
use spikescope::ui::state::window::WindowLayout;
use spikescope::ui::types::pane::Pane;

/// Panes that version 0.1.0 did not have.
const LATER: [Pane; 8] = [
    Pane::Findings,
    Pane::Scenes,
    Pane::Robustness,
    Pane::Attribution,
    Pane::Trojans,
    Pane::Recording,
    Pane::Sweep,
    Pane::Train,
];

fn old(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compatibility").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(old(name)).unwrap()
}

/// What `T` writes of the old file, and the file.
fn rewritten<T: DeserializeOwned + Serialize>(name: &str) -> (Value, Value) {
    let text = text(name);
    let read: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let written = serde_json::to_string(&read).unwrap();
    (serde_json::from_str(&written).unwrap(), serde_json::from_str(&text).unwrap())
}

#[test]
fn a_session_opens_and_is_written_with_the_same_names() {
    let session = Session::load(&old("session.json")).unwrap();
    assert_eq!((session.settings.recipe.steps, session.view.cursor), (8, Some(3)));
    assert_eq!(session.view.workspace, Workspace::Tune);
    assert_eq!(session.settings.recipe.manual_thresholds["stem.act"], 0.9);
    assert_eq!(session.race.len(), 1);
    let layout: WindowLayout = serde_json::from_value(session.layout.clone()).unwrap();
    for workspace in [Workspace::Explore, Workspace::Teach, Workspace::Tune] {
        let known = Pane::ALL.into_iter().filter(|pane| !LATER.contains(pane));
        known.for_each(|pane| assert!(layout.docks.contains(workspace, pane), "{workspace:?} {pane:?}"));
    }
    assert!(layout.disagreements_only && !layout.inspector);
    let (now, then) = rewritten::<Session>("session.json");
    assert_eq!(now, then);
    let now = serde_json::to_value(&layout).unwrap();
    // The shares of a split went through f64 in the old file.
    assert_eq!(without_numbers(now), without_numbers(then["layout"].clone()), "the window layout");
    let mut lab = Lab::from_session(session);
    lab.wait_until_idle();
    assert!(lab.run.is_some(), "{:?}", lab.notifications);
}

#[test]
fn a_recipe_opens() {
    let recipe = NamedRecipe::load(&old("recipe.toml")).unwrap().recipe;
    assert_eq!((recipe.steps, recipe.granularity, recipe.v_init), (12, Granularity::Channel, 0.25));
    assert!(matches!(recipe.threshold, ThresholdRule::Balance(_)));
    assert_eq!(recipe.readout, Readout::EarlyExit(0.8));
    assert_eq!(recipe.manual_thresholds["relu1"], 1.5);
    let folder = tempfile::tempdir().unwrap();
    let again = folder.path().join("recipe.toml");
    NamedRecipe::load(&old("recipe.toml")).unwrap().save(&again).unwrap();
    assert_eq!(std::fs::read_to_string(again).unwrap(), text("recipe.toml"));
}

#[test]
fn messages_run_lists_and_recent_files_keep_their_names() {
    let (now, then) = rewritten::<Vec<Message>>("messages.json");
    for (now, then) in now.as_array().unwrap().iter().zip(then.as_array().unwrap()) {
        assert_eq!(now, then);
    }
    let (now, then) = rewritten::<RecentFiles>("recent.json");
    assert_eq!(now, then);
    let (runs, _) = run_history_file::read(&old("runs.json"), text("runs.json").as_bytes()).unwrap();
    assert_eq!(runs.len(), 1);
}

#[test]
fn every_lesson_opens() {
    let panes = Pane::ALL.map(Pane::name);
    let files: Vec<PathBuf> = std::fs::read_dir(old("lessons")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 11);
    for file in files {
        let lesson = Lesson::parse(&file, &std::fs::read_to_string(&file).unwrap(), &panes);
        assert!(lesson.is_ok_and(|lesson| !lesson.steps.is_empty()), "{}", file.display());
    }
}

/// `value` with every number replaced by null.
fn without_numbers(value: Value) -> Value {
    match value {
        Value::Number(_) => Value::Null,
        Value::Array(values) => values.into_iter().map(without_numbers).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, without_numbers(value))).collect(),
        other => other,
    }
}

/// The paths of all values in `value`, entries of arrays under one name.
fn paths(value: &Value, at: &str, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| paths(value, &format!("{at}/{name}"), out)),
        Value::Array(values) if values.is_empty() => drop(out.insert(format!("{at}/[]"))),
        Value::Array(values) => values.iter().for_each(|value| paths(value, &format!("{at}/[]"), out)),
        _ => drop(out.insert(at.to_owned())),
    }
}

#[test]
fn summary_json_has_every_name_it_had() {
    let folder = tempfile::tempdir().unwrap();
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_spikescope"))
        .args(["run", "--model", "builtin:digits-cnn", "--data", "builtin:digits", "--samples", "256..266"])
        .args(["--calibrate", "0..32", "--steps", "4", "--out"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let summary = std::fs::read_to_string(folder.path().join("summary.json")).unwrap();
    let mut found = BTreeSet::new();
    paths(&serde_json::from_str(&summary).unwrap(), "", &mut found);
    let names = text("summary.txt");
    let missing: Vec<&str> = names.lines().filter(|path| !found.contains(*path)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn panes_and_their_csv_columns_keep_their_names() {
    let session = Session::load(&old("session.json")).unwrap();
    let mut lab =
        Lab::open(spikescope::experiment::Settings { recipe: Default::default(), ..session.settings }).unwrap();
    for line in text("csv_columns.txt").lines() {
        let (name, columns) = line.split_once('|').unwrap();
        let pane = Pane::ALL.into_iter().find(|pane| pane.name() == name).unwrap_or_else(|| panic!("no pane {name}"));
        lab.update([Message::SetSnapshotParts(pane.part().into_iter().collect())]);
        lab.wait_until_idle();
        let table = OffscreenPane::new(Some(pane), egui::vec2(520.0, 340.0), 1.0).csv(&lab).unwrap();
        // New columns come after those that were there.
        let now = table.lines().next().unwrap_or_default();
        assert!(now == columns || now.starts_with(&format!("{columns},")), "{name}: {now}");
    }
}
