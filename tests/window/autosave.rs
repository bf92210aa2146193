//! Autosave tests: sessions survive a kill, moved files are located, session texts open.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::desk::{click, desk};
use egui_kittest::kittest::Queryable;
use spikescope::experiment::Settings;
use spikescope::lab::storage::missing_files::PendingSession;
use spikescope::lab::storage::store::{PreviousSession, SESSION, Store};
use spikescope::lab::storage::{session_text, store};
use spikescope::lab::{Lab, Message, Session};
use spikescope::ui::autosave;
use spikescope::ui::types::file_request::FileRequest;

/// Set for the process that will be killed: output path and first number.
const WRITER: &str = "SPIKESCOPE_TEST_WRITER";
const FROM: &str = "SPIKESCOPE_TEST_FROM";

fn session(steps: usize) -> Session {
    let mut session = Lab::default().session();
    session.settings.recipe.steps = steps;
    // Long enough that a kill could interrupt a plain write.
    session.layout = serde_json::json!(vec![steps; 20_000]);
    session
}

/// Not a test of its own: the process that writes in a loop until it is killed.
#[test]
fn writer() {
    let Some(folder) = std::env::var_os(WRITER) else { return };
    let store = Store::open(PathBuf::from(folder)).unwrap();
    let from: usize = std::env::var(FROM).unwrap().parse().unwrap();
    for steps in from.. {
        store.write(SESSION, &session(steps));
        std::thread::sleep(Duration::from_micros(300));
    }
}

#[test]
fn kill_at_any_moment_leaves_a_complete_session() {
    let folder = tempfile::tempdir().unwrap();
    let mut left = 0;
    for round in 1..=8 {
        let from = round * 1_000_000;
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "autosave::writer"]).env(WRITER, folder.path()).env(FROM, from.to_string());
        let mut writer = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Kills the process during its writes: after some of them, a different number in each round.
        while left < from + round {
            assert!(writer.try_wait().unwrap().is_none(), "the writer writes until it is killed");
            std::thread::sleep(Duration::from_millis(1));
            left = match Session::load(&folder.path().join(SESSION)) {
                Ok(whole) => whole.settings.recipe.steps,
                Err(spikescope::Error::Io { .. }) => 0,
                Err(error) => panic!("round {round}: half a session: {error}"),
            };
        }
        // SIGKILL, on systems with signals.
        writer.kill().unwrap();
        writer.wait().unwrap();
        let PreviousSession::Session(whole) = store::previous_session(folder.path()) else {
            panic!("round {round} left no whole session")
        };
        assert_eq!(*whole, session(whole.settings.recipe.steps), "it is one that was written");
    }
}

#[test]
fn next_start_restores_the_session_unless_fresh() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::open(Settings { samples: 0..8, calibrate: 0..32, ..Settings::demo() }).unwrap();
    lab.update([Message::SetSteps(6), Message::EndGesture, Message::SetDark(false), Message::FocusSample(3)]);
    lab.wait_until_idle();
    lab.session().save(&folder.path().join(SESSION)).unwrap();
    let (mut again, notification) = autosave::restore(folder.path(), false);
    assert!(notification.is_none());
    again.wait_until_idle();
    assert_eq!(again.session(), lab.session());
    let (fresh, _) = autosave::restore(folder.path(), true);
    assert_eq!(fresh.settings, Settings::demo());
    assert_eq!(Session::load(&folder.path().join(store::PREVIOUS)).unwrap(), lab.session(), "it is not lost");
    std::fs::write(folder.path().join(SESSION), "{\"version\": 99}").unwrap();
    let (fresh, notification) = autosave::restore(folder.path(), false);
    assert_eq!(fresh.settings, Settings::demo());
    assert!(matches!(notification, Some(Message::Notify(notice)) if notice.text.contains("newer version")));
}

#[test]
fn session_with_missing_files_asks_for_them() {
    let mut harness = desk();
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.safetensors"), folder.path().join("new.safetensors"));
    let network = spikescope::network::open::open("builtin:digits-mlp").unwrap();
    spikescope::network::safetensors::save(&network, &new).unwrap();
    let mut session = harness.state().lab.session();
    session.settings.model = old.display().to_string();
    session.settings.recipe.steps = 5;
    let before = harness.state().lab.settings.clone();
    let file = folder.path().join("session.json");
    session.save(&file).unwrap();
    harness.state_mut().lab.update([Message::OpenSession(file.clone())]);
    harness.run_ok();
    assert_eq!(harness.state().lab.settings, before, "nothing happens before the person has spoken");
    click(&mut harness, "Locate the network");
    assert_eq!(harness.state_mut().window.file_requests.pop(), Some(FileRequest::FindFile(0)));
    harness.state_mut().lab.update(FileRequest::FindFile(0).message(new.clone()));
    harness.run_ok();
    let run = harness.state().lab.run.clone().unwrap();
    assert_eq!((run.settings.model.clone(), run.steps()), (new.display().to_string(), 5));
    assert!(harness.query_by_label("Locate the network").is_none());
    // And it opens again from the list of recent items.
    harness.state_mut().lab.update([Message::Undo]);
    harness.run_ok();
    assert_eq!(harness.state().lab.recent.len(), 2, "the session and the network");
    harness.state_mut().lab.update([Message::OpenRecent(0)]);
    harness.run_ok();
    assert_eq!(harness.state().lab.run.as_ref().unwrap().settings.model, new.display().to_string());
}

#[test]
fn missing_files_can_be_skipped_or_the_session_dismissed() {
    let mut harness = desk();
    let mut session = harness.state().lab.session();
    session.settings.model = "/nowhere/at/all.onnx".into();
    session.settings.recipe.steps = 5;
    let waiting = PendingSession::new(session).unwrap();
    harness.state_mut().lab.waiting = Some(waiting.clone());
    harness.run_ok();
    click(&mut harness, "Do not open");
    assert_eq!(harness.state().lab.settings.recipe.steps, 16);
    harness.state_mut().lab.waiting = Some(waiting);
    harness.run_ok();
    click(&mut harness, "Open without them");
    let run = harness.state().lab.run.clone().unwrap();
    assert_eq!((run.settings.model.as_str(), run.steps()), ("builtin:digits-resnet", 5));
}

#[test]
fn pasted_session_text_opens_anywhere() {
    let mut harness = desk();
    let mut session = harness.state().lab.session();
    session.settings.recipe.steps = 3;
    let line = session_text::to_text(&session).unwrap();
    harness.event(egui::Event::Paste(line));
    harness.run_ok();
    assert_eq!(harness.state().lab.run.as_ref().unwrap().steps(), 3);
    harness.state_mut().window.paste = Some("spikescope:AAAA".into());
    harness.run_ok();
    harness.get_by_label("Session text");
    assert!(harness.query_all_by_label_contains("is missing or changed").next().is_some());
    click(&mut harness, "Cancel");
    assert!(harness.state().window.paste.is_none());
}
