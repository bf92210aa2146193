//! Panes as pictures, drawings, tables and animations.

use std::path::Path;

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use image::AnimationDecoder;
use spikescope::Error;
use spikescope::lab::{Lab, Message, Settings};
use spikescope::ui::export::work::Progress;
use spikescope::ui::export::{Format, Still, note_size};
use spikescope::ui::panes::{self, Pane};

fn lab() -> Lab {
    let mut settings = Settings { samples: 0..6, calibrate: 0..32, ..Settings::first_start() };
    settings.recipe.steps = 6;
    let mut lab = Lab::open(settings).unwrap();
    // Something in every pane: a race, two runs.
    let lanes = spikescope::convert::Recipe::methods(&lab.settings.recipe, 4).into_iter().take(2).collect();
    lab.update([Message::SetLanes(lanes), Message::SetVInit(0.4), Message::EndGesture]);
    lab.settle();
    lab
}

fn still(pane: Pane) -> Still {
    Still::new(Some(pane), egui::vec2(520.0, 340.0), 1.0)
}

#[test]
fn every_pane_is_a_drawing_with_its_text_as_text() {
    let lab = lab();
    for pane in Pane::ALL {
        let svg = still(pane).svg(&lab);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{}", pane.title());
        // A network without boxes has a sentence about them.
        let fewest = if pane == Pane::Boxes { 1 } else { 4 };
        assert!(svg.matches("<text ").count() >= fewest, "{}", pane.title());
        for (open, close) in [("<g ", "</g>"), ("<text ", "</text>")] {
            assert_eq!(svg.matches(open).count(), svg.matches(close).count(), "{}", pane.title());
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", pane.title());
    }
}

#[test]
fn every_pane_has_its_numbers_as_a_table() {
    let lab = lab();
    let boxes = still(Pane::Boxes).csv(&lab).unwrap_err().to_string();
    assert!(boxes.contains("no numbers"), "a network without boxes: {boxes}");
    for pane in Pane::ALL.into_iter().filter(|pane| *pane != Pane::Boxes) {
        let table = still(pane).csv(&lab).unwrap_or_else(|error| panic!("{}: {error}", pane.title()));
        assert!(table.lines().count() > 1 && table.contains(','), "{}: {table}", pane.title());
    }
    let curve = still(Pane::TCurve).csv(&lab).unwrap();
    assert_eq!(curve.lines().count(), 1 + lab.steps(), "a row for each step");
    assert!(Still::new(None, egui::vec2(640.0, 400.0), 1.0).csv(&lab).unwrap_err().to_string().contains("--pane"));
}

#[test]
fn the_run_of_time_is_a_picture_for_each_step() {
    let (mut lab, folder) = (lab(), tempfile::tempdir().unwrap());
    let path = folder.path().join("a.gif");
    still(Pane::Membrane).write(&mut lab, Format::Gif, &path, &Progress::default()).unwrap();
    let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
    let frames = image::codecs::gif::GifDecoder::new(file).unwrap().into_frames().collect_frames().unwrap();
    assert_eq!(frames.len(), lab.steps());
    assert_ne!(frames[0].buffer(), frames[3].buffer(), "the time cursor moves");
    let many = folder.path().join("many");
    still(Pane::Ledger).write(&mut lab, Format::Frames, &many, &Progress::default()).unwrap();
    assert_eq!(std::fs::read_dir(&many).unwrap().count(), lab.steps());
    assert!(many.join("ledger-0006.png").exists());
}

#[test]
fn a_stop_leaves_no_half_animation() {
    let (mut lab, folder) = (lab(), tempfile::tempdir().unwrap());
    let progress = Progress::default();
    progress.control().cancel();
    let path = folder.path().join("a.gif");
    let stopped = still(Pane::Membrane).write(&mut lab, Format::Gif, &path, &progress);
    assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let refused =
        still(Pane::Ledger).write(&mut lab, Format::Png, Path::new("/nowhere/at/all.png"), &Progress::default());
    assert!(refused.unwrap_err().to_string().contains("/nowhere/at/all.png"));
}

#[test]
fn what_is_chosen_in_the_pane_is_taken_along() {
    let lab = lab();
    let draw = move |ui: &mut egui::Ui| {
        note_size(ui, Pane::Ledger);
        panes::show(ui, Pane::Ledger, &lab, &mut Vec::new());
    };
    let mut harness = Harness::builder().with_size(egui::vec2(1200.0, 360.0)).build_ui(draw);
    harness.run_ok();
    let lab = self::lab();
    let before = Still::of_window(&harness.ctx, Pane::Ledger).svg(&lab);
    harness.get_by_role_and_label(Role::CheckBox, "relative").click();
    harness.run_ok();
    let after = Still::of_window(&harness.ctx, Pane::Ledger).svg(&lab);
    assert!(before.contains("share of the mean activation") && after.contains("units of activation"), "{after}");
}
