//! Tests of commands from palette, menus and keys, driven by accessible names.
//!
//! Also tests of the features behind them: help, past runs, first-start hints, exports, spike clicks.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use crate::desk::{Desk, click, desk};
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use spikescope::lab::{Message, Workspace};
use spikescope::ui::export::OffscreenPane;
use spikescope::ui::sound::{AudioOutput, Sound};
use spikescope::ui::state::pane_export::PaneExport;
use spikescope::ui::state::window::WindowState;
use spikescope::ui::types::command::Command;
use spikescope::ui::types::export_format::{ExportFormat, FigureTheme};
use spikescope::ui::types::file_request::FileRequest;
use spikescope::ui::types::pane::Pane;

fn palette(harness: &mut Harness<'static, Desk>, typed: &str) {
    harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::P);
    harness.run_ok();
    harness.get_by_label("Find a command").type_text(typed);
    harness.run_ok();
}

fn press(harness: &mut Harness<'static, Desk>, key: Key) {
    harness.key_press(key);
    harness.run_ok();
}

#[test]
fn palette_finds_command_by_letters_and_enter_executes_it() {
    let mut harness = desk();
    palette(&mut harness, "worktu");
    press(&mut harness, Key::Enter);
    assert_eq!(harness.state().lab.view.workspace, Workspace::Tune);
    assert!(harness.state().window.palette.is_none(), "the palette is gone");
    // A used command comes first the next time.
    palette(&mut harness, "");
    harness.get_by_label("Workspace: Tune");
    press(&mut harness, Key::Escape);
    assert!(harness.state().window.palette.is_none());
}

#[test]
fn arrows_choose_and_disabled_commands_show_a_reason() {
    let mut harness = desk();
    palette(&mut harness, "undo");
    harness.get_by_label("Undo (unavailable: nothing to undo)");
    press(&mut harness, Key::Enter);
    assert!(harness.state().window.palette.is_some(), "a grayed command does nothing");
    press(&mut harness, Key::Escape);
    palette(&mut harness, "workspace");
    press(&mut harness, Key::ArrowDown);
    press(&mut harness, Key::Enter);
    assert_eq!(harness.state().lab.view.workspace, Workspace::Teach);
}

#[test]
fn every_command_can_be_executed() {
    let harness = desk();
    let (lab, mut window) = (&harness.state().lab, WindowState::default());
    window.responsive.measure(egui::vec2(1280.0, 800.0), false);
    for command in Command::all(lab, &window) {
        let mut out = Vec::new();
        let asked = window.file_requests.len();
        let switches = |window: &WindowState| {
            (
                window.saved_layout(),
                [window.debug, window.glossary_open, window.clicks, window.about_open, window.keys_open],
                window.paste.clone(),
                window.hints.clone(),
            )
        };
        let before = switches(&window);
        command.execute(&harness.ctx, lab, &mut window, &mut out);
        let did = !out.is_empty()
            || window.file_requests.len() > asked
            || before != switches(&window)
            || matches!(
                command,
                Command::Quit
                    | Command::ResetPaneLayout
                    | Command::Findings
                    | Command::FullScreen
                    | Command::NextRegion
                    | Command::CopyPicture(_)
                    | Command::FigureTheme(_)
                    | Command::TextLarger
                    | Command::TextSmaller
                    | Command::TextNormal
            );
        assert_eq!(did, command.disabled_reason(lab).is_none(), "{command:?} {out:?}");
    }
}

#[test]
fn undo_restores_the_finished_run_and_names_the_change() {
    let mut harness = desk();
    let before = harness.state().lab.run.clone().unwrap();
    harness.state_mut().lab.update([Message::SetSteps(8), Message::EndGesture]);
    harness.run_ok();
    palette(&mut harness, "undo");
    click(&mut harness, "Undo: T 16 to 8");
    assert!(Arc::ptr_eq(harness.state().lab.run.as_ref().unwrap(), &before), "nothing was computed again");
    harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    harness.run_ok();
    assert_eq!(harness.state().lab.run.as_ref().unwrap().steps(), 8);
}

#[test]
fn focused_text_field_receives_its_own_keys() {
    let mut harness = desk();
    harness.state_mut().lab.update([Message::SetSteps(8), Message::EndGesture]);
    harness.run_ok();
    palette(&mut harness, "x");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    harness.run_ok();
    assert_eq!(harness.state().lab.settings.recipe.steps, 8, "the lab is not undone while one types");
}

#[test]
fn every_pane_has_help_with_formula_and_source() {
    let mut harness = desk();
    click(&mut harness, "Explain: Error ledger");
    harness.get_by_label("propagated = A(z_pool) − A(z)");
    harness.get_by_label("after Bu et al., ICLR 2022, section 3");
    // A glossary term is a widget of its own with a tooltip.
    assert!(
        harness.query_all_by_label("threshold").next().is_some() || harness.query_all_by_label("clipping").count() > 1
    );
    press(&mut harness, Key::Escape);
    press(&mut harness, Key::F1);
    harness.get_by_label("rate coding");
}

#[test]
fn past_runs_can_be_restored_and_compared() {
    let mut harness = desk();
    harness.state_mut().lab.update([Message::SetSteps(6), Message::EndGesture]);
    harness.run_ok();
    let first = harness.state().lab.history.past()[0].clone();
    click(&mut harness, "Runs");
    click(&mut harness, "Compare with run 1");
    harness.get_by_label("Run 2 against run 1: T 6 instead of 16");
    click(&mut harness, "Restore run 1");
    let lab = &harness.state().lab;
    assert_eq!((lab.run.as_ref().unwrap().settings.clone(), lab.history.past().len()), (first.settings, 2));
    // And from the palette.
    palette(&mut harness, "restore run 2");
    press(&mut harness, Key::Enter);
    assert_eq!(harness.state().lab.run.as_ref().unwrap().steps(), 6);
}

#[test]
fn first_start_hints_advance_by_actions_and_disappear() {
    let mut harness = desk();
    assert!(
        harness.query_by_label("A network is running").is_none(),
        "nothing is in the way unless it is the first start"
    );
    harness.state_mut().window.hints = Some(Default::default());
    harness.run_ok();
    harness.get_by_label("A network is running");
    harness.state_mut().lab.update([Message::SetSteps(6), Message::EndGesture]);
    harness.run_ok();
    harness.get_by_label("Find the error");
    let other = (harness.state().lab.view.layer + 1) % 3;
    harness.state_mut().lab.update([Message::FocusLayer(other)]);
    harness.run_ok();
    harness.get_by_label("Get help");
    palette(&mut harness, "");
    assert!(harness.state().window.hints.is_none());
    press(&mut harness, Key::Escape);
    palette(&mut harness, "getting started");
    press(&mut harness, Key::Enter);
    click(&mut harness, "Close hints");
    assert!(harness.state().window.hints.is_none());
}

#[test]
fn pane_export_opens_a_file_dialog() {
    let mut harness = desk();
    click(&mut harness, "Export T-curve");
    click(&mut harness, "Export as SVG drawing…");
    let asked = FileRequest::Export(Pane::TCurve, ExportFormat::Svg);
    assert_eq!(harness.state_mut().window.file_requests.pop(), Some(asked));
    palette(&mut harness, "Export Error ledger as CSV");
    press(&mut harness, Key::Enter);
    assert_eq!(
        harness.state_mut().window.file_requests.pop(),
        Some(FileRequest::Export(Pane::Ledger, ExportFormat::Csv))
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.csv");
    let desk = harness.state_mut();
    let ctx = egui::Context::default();
    desk.window.exports.push(PaneExport::begin(
        &ctx,
        &desk.lab,
        Pane::Ledger,
        FigureTheme::Window,
        ExportFormat::Csv,
        &path,
    ));
    for _ in 0..200 {
        harness.step();
        if harness.state().window.exports.is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(std::fs::read_to_string(&path).unwrap().lines().count() > 3);
    assert!(harness.state().lab.notifications.last().unwrap().text.contains("ledger.csv"), "it says where it is");
}

/// An audio output that forwards the clicks to the test.
struct ClickCounter(Mutex<Sender<usize>>);

impl AudioOutput for ClickCounter {
    fn play(&self, wanted: &Receiver<usize>) -> Result<(), String> {
        let sender = self.0.lock().unwrap();
        wanted.iter().for_each(|count| _ = sender.send(count));
        Ok(())
    }
}

/// A system without sound.
struct NoSound;

impl AudioOutput for NoSound {
    fn play(&self, _wanted: &Receiver<usize>) -> Result<(), String> {
        Err("no sound server found".into())
    }
}

/// Plays the whole run, one step per frame.
fn play_through(harness: &mut Harness<'static, Desk>) {
    click(harness, "Play");
    while harness.state().lab.view.playing {
        harness.state_mut().lab.advance(0.125);
        harness.run_ok();
    }
}

#[test]
fn playing_time_clicks_once_per_spike() {
    let mut harness = desk();
    let (sender, heard) = channel();
    harness.state_mut().window.sound = Sound::with_output(ClickCounter(Mutex::new(sender)));
    play_through(&mut harness);
    click(&mut harness, "View");
    click(&mut harness, "Spike clicks");
    press(&mut harness, Key::Escape);
    assert!(harness.state().window.clicks);
    play_through(&mut harness);
    let sent: i32 = harness.state().lab.snapshot.as_ref().unwrap().trace.sent.iter().sum();
    assert!(sent > 1, "the neuron in focus fires");
    // In the Teach workspace, the spikes are those of the bench: 4 spikes in its 5 steps.
    click(&mut harness, "Teach");
    play_through(&mut harness);
    palette(&mut harness, "spike clicks");
    press(&mut harness, Key::Enter);
    assert!(!harness.state().window.clicks);
    // The thread ends and closes the channel. No clicks were played before the sound was turned on.
    harness.state_mut().window.sound = Sound::with_output(NoSound);
    assert_eq!(heard.iter().sum::<usize>(), sent as usize + 4);
}

#[test]
fn missing_sound_reports_the_reason_and_turns_clicks_off() {
    let mut harness = desk();
    harness.state_mut().window.sound = Sound::with_output(NoSound);
    harness.state_mut().window.clicks = true;
    while harness.state().window.clicks {
        harness.run_ok();
    }
    let notices = &harness.state().lab.notifications;
    assert!(notices.iter().any(|n| n.text == "Cannot play spike clicks: no sound server found."), "{notices:?}");
}

#[test]
fn exported_figure_has_no_buttons_and_keeps_its_numbers() {
    let lab = &desk().state().lab.offscreen_copy();
    for pane in Pane::ALL {
        let figure = OffscreenPane::new(Some(pane), egui::vec2(560.0, 380.0), 1.0).svg(lab);
        for button in ["?", "CSV", "Pin", "Clear", "Take", "Earlier", "relative"] {
            assert!(!figure.contains(&format!(">{button}</text>")), "{button} in {}", pane.title());
        }
    }
    let bench = OffscreenPane::new(Some(Pane::Bench), egui::vec2(560.0, 380.0), 1.0).svg(lab);
    assert!(bench.contains(">weight</text>"), "what is set stands in words");
    let pane = OffscreenPane::new(Some(Pane::Membrane), egui::vec2(560.0, 380.0), 1.0).with_controls().svg(lab);
    assert!(pane.contains(">Pin</text>"));
}

#[test]
fn escape_closes_the_glossary() {
    let mut harness = desk();
    press(&mut harness, Key::F1);
    assert!(harness.state().window.glossary_open);
    press(&mut harness, Key::Escape);
    assert!(!harness.state().window.glossary_open);
}
