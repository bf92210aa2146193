//! The application around the window: file dialogs.

use std::sync::{Arc, Mutex};

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use spikescope::experiment::Settings;
use spikescope::lab::Lab;
use spikescope::ui::app::App;
use spikescope::ui::file_dialog::{FileDialogs, OnChosen};
use spikescope::ui::types::file_request::FileRequest;

/// Dialogs that stay open until the test answers them.
#[derive(Clone, Default)]
struct OpenDialogs(Arc<Mutex<Vec<(FileRequest, OnChosen)>>>);

impl FileDialogs for OpenDialogs {
    fn show(&self, request: FileRequest, on_chosen: OnChosen) {
        self.0.lock().unwrap().push((request, on_chosen));
    }
}

fn app(settings: Settings, dialogs: &OpenDialogs) -> Harness<'static, App> {
    let (lab, dialogs) = (Lab::open(settings).unwrap(), dialogs.clone());
    let builder = Harness::builder().with_size(egui::vec2(1280.0, 800.0));
    let mut harness = builder.build_eframe(|context| App::new(lab, &context.egui_ctx).with_dialogs(dialogs));
    harness.run_ok();
    harness
}

fn click(harness: &mut Harness<'static, App>, name: &str) {
    harness.get_by_label(name).click();
    harness.run_ok();
}

#[test]
fn file_dialogs_open_one_at_a_time_and_carry_the_title_of_the_program() {
    let dialogs = OpenDialogs::default();
    let mut harness = app(Settings { samples: 0..4, calibrate: 0..16, ..Settings::demo() }, &dialogs);
    let ask = |harness: &mut Harness<'static, App>| {
        click(harness, "File");
        click(harness, "Open session…");
    };
    ask(&mut harness);
    assert_eq!(dialogs.0.lock().unwrap().len(), 1);
    ask(&mut harness);
    assert_eq!(dialogs.0.lock().unwrap().len(), 1, "the first is still open");
    harness.get_by_label_contains("A file dialog is open already");
    // Closed without a choice, the next one opens.
    let (request, on_chosen) = dialogs.0.lock().unwrap().pop().unwrap();
    drop(on_chosen);
    ask(&mut harness);
    assert_eq!(dialogs.0.lock().unwrap().len(), 1);
    assert_eq!(request, FileRequest::OpenSession);
    for request in [request, FileRequest::OpenNetwork, FileRequest::OpenPictures, FileRequest::SaveRecipe] {
        assert!(request.title().ends_with(" – Spikescope"), "{}", request.title());
    }
}
