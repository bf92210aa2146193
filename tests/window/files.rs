//! Files in the window: drafts of architecture files, pictures, dialogs, exports, names of past runs.

use crate::desk;
use egui_kittest::kittest::Queryable;
use spikescope::lab::{Message, Notification, NotificationLevel, Workspace};
use spikescope::ui::state::pane_export::PaneExport;
use spikescope::ui::types::command::Command;
use spikescope::ui::types::export_format::{ExportFormat, FigureTheme};
use spikescope::ui::types::pane::Pane;

use crate::desk::{Desk, click, desk};
use crate::weight_files::safetensors;

#[test]
fn weights_without_architecture_get_a_draft_that_is_edited_and_tried() {
    let folder = tempfile::tempdir().unwrap();
    let weights = folder.path().join("mine.safetensors");
    std::fs::write(&weights, safetensors(&[("first.weight", &[4, 1, 3, 3]), ("score.weight", &[10, 144])])).unwrap();
    let mut harness = desk();
    harness.state_mut().lab.update([Message::OpenModel(weights.display().to_string())]);
    harness.run_ok();
    click(&mut harness, "Write a draft…");
    let outline = |harness: &egui_kittest::Harness<'static, desk::Desk>| {
        harness.state().window.draft.as_ref().map(|draft| (draft.file.is_some(), draft.outline.clone()))
    };
    // Weights are read on a thread.
    let wait = |harness: &mut egui_kittest::Harness<'static, desk::Desk>, done: &dyn Fn(&[usize], bool) -> bool| {
        for _ in 0..200 {
            harness.run_ok();
            if let Some((true, outline)) = outline(harness)
                && done(outline.layers.first().map_or(&[], |layer| &layer.2), outline.error.is_some())
            {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("the shapes do not follow the text: {:?}", outline(harness));
    };
    wait(&mut harness, &|input, _| !input.is_empty());
    // 144 = 4x6x6 values come from an image of 8x8 without padding.
    let draft = harness.state_mut().window.draft.as_mut().unwrap();
    let first = draft.text.lines().find(|line| line.starts_with("input")).unwrap().to_owned();
    draft.text = draft.text.replace(&first, "input = [1, 9, 9]");
    draft.edited();
    wait(&mut harness, &|input, failed| input == [1, 9, 9] && failed);
    let draft = harness.state_mut().window.draft.as_mut().unwrap();
    draft.text = draft.text.replace("[1, 9, 9]", "[1, 8, 8]");
    draft.edited();
    wait(&mut harness, &|input, failed| input == [1, 8, 8] && !failed);
    assert!(harness.query_all_by_label("4x6x6").count() > 0, "the shapes stand in the list");
    click(&mut harness, "Save and open");
    assert!(harness.state().window.draft.is_none());
    // The data of the desk have another size: the network waits for data of its own.
    harness.run_ok();
    assert_eq!(harness.state().lab.apart().map(|pending| pending.shape.clone()), Some(vec![1, 8, 8]));
    harness.get_by_label_contains("waits for data of 1x8x8");
    assert!(std::fs::read_to_string(folder.path().join("mine.arch.toml")).unwrap().contains("[1, 8, 8]"));
}

#[test]
fn several_pictures_are_one_data_set() {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..3).rev().map(|k| folder.path().join(format!("{k}.png"))).collect();
    for path in &paths {
        std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/bench-dark.png"), path).unwrap();
    }
    let mut harness = desk();
    harness.state_mut().lab.update([Message::OpenPaths(paths)]);
    harness.run_ok();
    let data = harness.state().lab.settings.data.clone();
    assert!(data.starts_with("images:") && data.matches(".png").count() == 3, "{data}");
    assert!(data.find("0.png") < data.find("2.png"), "{data}");
    assert_eq!(harness.state().lab.run.as_ref().unwrap().samples.len(), 3);
}

#[test]
fn a_run_is_named_by_a_click_into_its_menu() {
    let mut harness = desk();
    harness.state_mut().window.layout.docks.add(Workspace::Explore, Pane::Runs);
    harness.run_ok();
    click(&mut harness, "Name, star or remove run 1");
    click(&mut harness, "Name of run 1");
    let field = harness.get_by_label("Name of run 1");
    field.focus();
    field.type_text("pooled");
    harness.run_ok();
    harness.get_by_label("Name of run 1");
    assert_eq!(harness.state().lab.history.get(1).map(|run| run.name.clone()), Some("pooled".into()));
    harness.key_press(egui::Key::Enter);
    harness.run_ok();
    assert!(harness.query_by_label("Name of run 1").is_none(), "Enter closes the menu");
}

#[test]
fn progress_of_an_export_and_messages_do_not_cover_each_other() {
    let mut harness = desk();
    let folder = tempfile::tempdir().unwrap();
    let lab = &mut harness.state_mut().lab;
    let text = "A message of some length, in the corner of the panes, as an export that was stopped leaves it.";
    lab.update([Message::Notify(Notification { level: NotificationLevel::Note, text: text.into() })]);
    let path = folder.path().join("ledger.gif");
    let ctx = harness.ctx.clone();
    let Desk { lab, window } = harness.state_mut();
    window.exports.push(PaneExport::begin(&ctx, lab, Pane::Ledger, FigureTheme::White, ExportFormat::Gif, &path));
    // The first frame measures a new area.
    harness.step();
    harness.step();
    let stop = harness.get_by_label("Stop export").rect();
    let notice = harness.get_by_label_contains("A message of some length").rect();
    assert!(stop.right() < notice.left() || stop.bottom() < notice.top(), "{stop:?} {notice:?}");
}

#[test]
fn panes_that_a_lesson_hides_are_covered_until_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.md");
    let text = "+++\ntitle = \"Mine\"\n+++\n## Guess\n+++\nhide = [\"t-curve\", \"samples\"]\n\
                reach = { all = [\"T == 7\"], model = [{ set-steps = 7 }], text = \"Run seven steps.\" }\n+++\nHow?\n";
    std::fs::write(&path, text).unwrap();
    let mut harness = desk();
    let ctx = harness.ctx.clone();
    let covered = |harness: &egui_kittest::Harness<'static, desk::Desk>| {
        harness.query_by_label("Covered until you have answered the question.").is_some()
    };
    harness.state_mut().lab.update([Message::OpenLesson(path.display().to_string())]);
    harness.run_ok();
    assert!(covered(&harness));
    // A picture of the pane would show the answer.
    let copy = Command::CopyPicture(Pane::TCurve);
    let Desk { lab, window } = harness.state_mut();
    let mut messages = Vec::new();
    copy.execute(&ctx, lab, window, &mut messages);
    lab.update(messages);
    harness.run_ok();
    harness.get_by_label_contains("Cannot export T-curve");
    harness.get_by_label("Run seven steps.");
    harness.state_mut().lab.update([Message::SetSteps(7), Message::EndGesture]);
    harness.run_ok();
    harness.run_ok();
    assert!(!covered(&harness));
}
