//! Export tests of panes and runs: images, SVG, CSV tables, animations, background writing.

use std::path::Path;

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use image::AnimationDecoder;
use spikescope::Error;
use spikescope::experiment::Settings;
use spikescope::lab::{Lab, Message};
use spikescope::ui::export::OffscreenPane;
use spikescope::ui::export::jobs::write;
use spikescope::ui::panes;
use spikescope::ui::state::pane_export::PaneExportProgress;
use spikescope::ui::types::export_format::ExportFormat;
use spikescope::ui::types::pane::Pane;
use spikescope::ui::widgets::pane_frame::remember_size;

fn lab() -> Lab {
    let mut settings = Settings { samples: 0..6, calibrate: 0..32, ..Settings::demo() };
    settings.recipe.steps = 6;
    let mut lab = Lab::open(settings).unwrap();
    // Data in every pane: a race, two runs.
    let lanes = spikescope::convert::Recipe::published_methods(&lab.settings.recipe, 4).into_iter().take(2).collect();
    let maps = spikescope::experiment::explained::AttributionChoice { always: true, ..Default::default() };
    let maps = Message::SetAttribution(Box::new(maps));
    lab.update([Message::SetLanes(lanes), Message::SetVInit(0.4), Message::EndGesture, maps]);
    lab.wait_until_idle();
    lab
}

fn still(pane: Pane) -> OffscreenPane {
    OffscreenPane::new(Some(pane), egui::vec2(520.0, 340.0), 1.0)
}

#[test]
fn every_pane_exports_svg_with_text_as_text() {
    let lab = lab();
    for pane in Pane::ALL {
        let svg = still(pane).svg(&lab);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{}", pane.title());
        // For a network without boxes, or without trojans, the pane shows a sentence.
        let fewest = if matches!(pane, Pane::Boxes | Pane::Scenes | Pane::Trojans | Pane::Recording | Pane::Sweep) {
            1
        } else {
            4
        };
        assert!(svg.matches("<text ").count() >= fewest, "{}", pane.title());
        for (open, close) in [("<g ", "</g>"), ("<text ", "</text>")] {
            assert_eq!(svg.matches(open).count(), svg.matches(close).count(), "{}", pane.title());
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", pane.title());
    }
}

#[test]
fn every_pane_exports_its_numbers_as_csv() {
    let lab = lab();
    let boxes = still(Pane::Boxes).csv(&lab).unwrap_err().to_string();
    assert!(boxes.contains("no data"), "a network without boxes: {boxes}");
    let without = [Pane::Boxes, Pane::Scenes, Pane::Trojans, Pane::Train, Pane::Recording, Pane::Sweep];
    for pane in Pane::ALL.into_iter().filter(|pane| !without.contains(pane)) {
        let table = still(pane).csv(&lab).unwrap_or_else(|error| panic!("{}: {error}", pane.title()));
        assert!(table.lines().count() > 1 && table.contains(','), "{}: {table}", pane.title());
    }
    let curve = still(Pane::TCurve).csv(&lab).unwrap();
    assert_eq!(curve.lines().count(), 1 + lab.steps(), "a row for each step");
    assert!(
        OffscreenPane::new(None, egui::vec2(640.0, 400.0), 1.0).csv(&lab).unwrap_err().to_string().contains("--pane")
    );
}

#[test]
fn animation_has_one_image_per_step() {
    let (mut lab, folder) = (lab(), tempfile::tempdir().unwrap());
    let path = folder.path().join("a.gif");
    write(&mut still(Pane::Membrane), &mut lab, ExportFormat::Gif, &path, &PaneExportProgress::default()).unwrap();
    let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
    let frames = image::codecs::gif::GifDecoder::new(file).unwrap().into_frames().collect_frames().unwrap();
    assert_eq!(frames.len(), lab.steps());
    assert_ne!(frames[0].buffer(), frames[3].buffer(), "the time cursor moves");
    let many = folder.path().join("many");
    write(&mut still(Pane::Ledger), &mut lab, ExportFormat::Frames, &many, &PaneExportProgress::default()).unwrap();
    assert_eq!(std::fs::read_dir(&many).unwrap().count(), lab.steps());
    assert!(many.join("ledger-0006.png").exists());
}

#[test]
fn cancelled_animation_leaves_no_files() {
    let (mut lab, folder) = (lab(), tempfile::tempdir().unwrap());
    let progress = PaneExportProgress::default();
    progress.control().cancel();
    let path = folder.path().join("a.gif");
    let stopped = write(&mut still(Pane::Membrane), &mut lab, ExportFormat::Gif, &path, &progress);
    assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    // The images of single steps appear together or not at all, and an existing folder keeps its contents.
    let (new, old) = (folder.path().join("new"), folder.path().join("old"));
    std::fs::create_dir(&old).unwrap();
    std::fs::write(old.join("mine.txt"), "mine").unwrap();
    for path in [&new, &old] {
        let stopped = write(&mut still(Pane::Ledger), &mut lab, ExportFormat::Frames, path, &progress);
        assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
    }
    assert!(!new.exists() && std::fs::read_dir(&old).unwrap().count() == 1);
    let refused = write(
        &mut still(Pane::Ledger),
        &mut lab,
        ExportFormat::Png,
        Path::new("/nowhere/at/all.png"),
        &PaneExportProgress::default(),
    );
    assert!(refused.unwrap_err().to_string().contains("/nowhere/at/all.png"));
}

#[test]
fn export_keeps_the_options_chosen_in_the_pane() {
    let lab = lab();
    let draw = move |ui: &mut egui::Ui| {
        remember_size(ui, Pane::Ledger);
        panes::show(ui, Pane::Ledger, &lab, &mut Vec::new());
    };
    let mut harness = Harness::builder().with_size(egui::vec2(1200.0, 360.0)).build_ui(draw);
    harness.run_ok();
    let lab = self::lab();
    let before = OffscreenPane::of_window(&harness.ctx, Pane::Ledger).svg(&lab);
    harness.get_by_role_and_label(Role::CheckBox, "relative").click();
    harness.run_ok();
    let after = OffscreenPane::of_window(&harness.ctx, Pane::Ledger).svg(&lab);
    // Every word has its own position, in an element of its own.
    let words = |svg: &str| {
        let texts = svg.split("</text>").filter_map(|part| part.rsplit_once('>').map(|(_, word)| word.to_owned()));
        texts.collect::<Vec<_>>().join(" ")
    };
    let (before, after) = (words(&before), words(&after));
    assert!(before.contains("share of the mean activation") && after.contains("units of activation"), "{after}");
}

#[test]
fn a_figure_of_a_low_pane_has_all_its_layers() {
    let lab = lab();
    let names: Vec<String> =
        lab.snapshot.as_ref().unwrap().report.layers.iter().map(|layer| layer.name.clone()).collect();
    let draw = move |ui: &mut egui::Ui| {
        remember_size(ui, Pane::Ledger);
        panes::show(ui, Pane::Ledger, &lab, &mut Vec::new());
    };
    let mut harness = Harness::builder().with_size(egui::vec2(520.0, 210.0)).build_ui(draw);
    harness.run_ok();
    let mut figure = OffscreenPane::of_window(&harness.ctx, Pane::Ledger);
    let lab = self::lab();
    let svg = figure.svg(&lab);
    for name in &names {
        assert!(svg.contains(&format!(">{name}</text>")), "{name} of {names:?}");
    }
    let height = figure.image(&lab).height();
    assert!(height > 2 * 260 && height == figure.image(&lab).height(), "{height}: it grows once");
}

/// Waits for all exports, polling the lab as a window does.
fn wait(lab: &mut Lab) {
    while !lab.exports.is_empty() {
        lab.poll();
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

#[test]
fn run_export_works_in_the_background_and_reports_its_path() {
    let (mut lab, folder) = (lab(), tempfile::tempdir().unwrap());
    for ending in ["nir", "npz", "nirdata", "html", "csv", "parquet"] {
        let path = folder.path().join(format!("run.{ending}"));
        lab.notifications.clear();
        lab.update([Message::ExportRun(path.clone())]);
        assert_eq!(lab.exports.len(), 1, "{ending}: begun, not done: the window is not kept waiting");
        wait(&mut lab);
        assert!(path.exists() && lab.written.as_ref() == Some(&path), "{ending}");
        let text = &lab.notifications.last().unwrap().text;
        assert!(text.contains(&path.display().to_string()), "{text}");
        assert_eq!(text.contains("approximate"), ending == "nir", "{text}");
    }
    // A refused export has a reason and leaves no file.
    let before = std::fs::read_dir(folder.path()).unwrap().count();
    lab.update([Message::ExportRun(folder.path().join("run.docx"))]);
    wait(&mut lab);
    let notice = lab.notifications.last().unwrap();
    assert!(
        notice.level == spikescope::lab::NotificationLevel::Error && notice.text.contains(".parquet"),
        "{}",
        notice.text
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), before);
}

#[test]
fn cancelled_export_leaves_no_file_and_exit_finishes_a_running_one() {
    let (mut lab, folder) = (lab(), tempfile::tempdir().unwrap());
    let path = folder.path().join("run.npz");
    lab.update([Message::ExportRun(path.clone())]);
    let number = lab.exports[0].number;
    lab.update([Message::StopExport(number)]);
    wait(&mut lab);
    // It may have finished before the cancellation; then the file is complete.
    match lab.written.take() {
        Some(_) => assert!(zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).is_ok()),
        None => {
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
            assert!(lab.notifications.last().unwrap().text.contains("Stopped"), "{:?}", lab.notifications);
        }
    }
    lab.update([Message::ExportRun(path.clone())]);
    drop(lab);
    assert!(zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).is_ok(), "what was asked for is there");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn every_run_writer_can_be_cancelled_at_any_point() {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use spikescope::experiment::run_export::export_run;
    use spikescope::export::nir::PoolExport;
    use spikescope::progress::{JobControl, JobEvent};
    let (lab, folder) = (lab(), tempfile::tempdir().unwrap());
    let run = lab.run.clone().unwrap();
    for ending in ["nir", "npz", "nirdata"] {
        let path = folder.path().join(format!("run.{ending}"));
        let progress_count = std::sync::Arc::new(AtomicUsize::new(0));
        // The control cancels itself at its second progress report, in the middle of the file.
        let slot: std::sync::Arc<std::sync::OnceLock<JobControl>> = Default::default();
        let (own, count) = (slot.clone(), progress_count.clone());
        let control = JobControl::with_listener(move |event| {
            if let JobEvent::Progress { .. } = event
                && count.fetch_add(1, Ordering::Relaxed) == 1
            {
                own.get().unwrap().cancel();
            }
        });
        slot.set(control.clone()).ok().unwrap();
        let stopped = export_run(&run, &path, PoolExport::Average, &control);
        assert!(
            matches!(stopped, Err(Error::Cancelled)) || progress_count.load(Ordering::Relaxed) < 2,
            "{ending}: {stopped:?}"
        );
        assert!(progress_count.load(Ordering::Relaxed) >= 2, "{ending} tells how far it is");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{ending}");
    }
}
