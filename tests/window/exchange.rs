//! Exchange with other programs in the window: NIR files, their time step, exports and figures.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Key, OutputCommand};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use spikescope::convert::NeuronModel;
use spikescope::experiment::Snapshot;
use spikescope::export::nir::NirReader;
use spikescope::lab::Message;
use spikescope::network::Weights;
use spikescope::network::left_open::StepSource;
use spikescope::network::nir::{NirGraph, NirNode, NirOp, write};
use spikescope::progress::JobControl;
use spikescope::ui::types::export_format::FigureTheme;
use spikescope::ui::types::file_request::FileRequest;

use crate::desk::{Desk, click, desk};

/// Opens menus by name, one in the other.
fn open_menus(harness: &mut Harness<'static, Desk>, names: &[&str]) {
    for name in names {
        click(harness, name);
        harness.run_steps(4);
    }
}

/// The text that was copied last.
fn copied(harness: &Harness<'static, Desk>) -> Option<String> {
    harness.output().platform_output.commands.iter().find_map(|command| match command {
        OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    })
}

/// A network of digits with IF neurons of `r`, as a NIR file.
fn nir_file(path: &std::path::Path, r: f32) {
    let weights = |shape: &[usize]| {
        let count: usize = shape.iter().product();
        Weights::new(shape.to_vec(), (0..count).map(|k| ((k * 37 % 101) as f32 - 50.0) / 400.0).collect())
    };
    let full = |value| Weights::new(vec![12], vec![value; 12]);
    let nodes = [
        ("input", NirOp::Input { shape: vec![1, 28, 28] }),
        ("flat", NirOp::Flatten { input: vec![1, 28, 28], start: -3, end: -1 }),
        ("fc", NirOp::Affine { weight: weights(&[12, 784]), bias: full(0.3) }),
        ("if", NirOp::If { r: full(r), threshold: full(1.0), reset: full(0.0) }),
        ("out", NirOp::Linear { weight: weights(&[10, 12]) }),
        ("output", NirOp::Output { shape: vec![10] }),
    ];
    let edges = nodes.windows(2).map(|pair| (pair[0].0.to_owned(), pair[1].0.to_owned())).collect();
    let node = |(name, kind): (&str, NirOp)| (name.to_owned(), NirNode { kind, metadata: Vec::new() });
    write(&NirGraph { nodes: nodes.map(node).into(), edges, metadata: Vec::new() }, path).unwrap();
}

#[test]
fn guessed_time_step_is_found_and_edited_in_the_network_popup() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.nir");
    nir_file(&path, 1e4);
    let mut harness = desk();
    harness.state_mut().lab.update([Message::OpenModel(path.display().to_string())]);
    harness.run_ok();
    let step = |harness: &Harness<'static, Desk>| {
        harness.state().lab.run.as_ref().and_then(|run| run.network.time_step).map(|step| (step.dt, step.source))
    };
    assert_eq!(step(&harness), Some((1e-4, StepSource::Inverse)), "{:?}", harness.state().lab.notifications);
    let run = harness.state().lab.run.clone().unwrap();
    let found = run.findings.iter().find(|finding| finding.kind == "time step").expect("it is a finding");
    assert!(found.text.contains("convention of SpikingJelly") && found.fix.is_some(), "{found:?}");
    harness.get_by_label_contains("Network:").click();
    harness.run_ok();
    harness.get_by_label_contains("guessed: r = 1/dt");
    let field = harness.get_by_role_and_label(Role::SpinButton, "Time step dt");
    field.click();
    harness.run_ok();
    harness.key_press_modifiers(egui::Modifiers::COMMAND, Key::A);
    harness.event(egui::Event::Text("0.001".into()));
    harness.key_press(Key::Enter);
    harness.run_ok();
    assert_eq!(step(&harness), Some((1e-3, StepSource::User)));
    assert!(harness.state().lab.undo_sentence().is_some_and(|text| text == "time step of the file to 0.001"));
    click(&mut harness, "Reset to the file's");
    assert_eq!(step(&harness), Some((1e-4, StepSource::Inverse)));
    // Another network has a time step of its own.
    harness.state_mut().lab.update([Message::SetTimeStep(Some(0.5)), Message::OpenModel("builtin:digits-mlp".into())]);
    harness.run_ok();
    assert_eq!((step(&harness), harness.state().lab.settings.dt), (None, None));
}

#[test]
fn run_is_exported_for_a_reader_with_python_to_copy() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = desk();
    harness.state_mut().lab.update([Message::OpenModel("builtin:digits-mlp".into())]);
    harness.run_ok();
    open_menus(&mut harness, &["File", "Export", "Export run as NIR for"]);
    click(&mut harness, "Export run as NIR for sinabs…");
    let asked = std::mem::take(&mut harness.state_mut().window.file_requests);
    assert_eq!(asked, [FileRequest::ExportNir(NirReader::Sinabs)]);
    let path = folder.path().join("digits.nir");
    let message = asked[0].message(path.clone()).unwrap();
    harness.state_mut().lab.update([message]);
    while !harness.state().lab.exports.is_empty() {
        harness.state_mut().lab.poll();
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    harness.run_ok();
    assert!(path.exists(), "{:?}", harness.state().lab.notifications);
    harness.get_by_label("Copy Python").click();
    let python = (0..10).find_map(|_| {
        harness.step();
        copied(&harness)
    });
    let python = python.expect("it is copied");
    let lines: Vec<&str> = python.lines().collect();
    assert!(lines[0].starts_with("import nir") && lines.iter().any(|line| line.contains("digits.nir")), "{python}");
    assert!(lines.last().unwrap().contains("SingleSpike"), "{python}");
}

#[test]
fn numbers_are_copied_of_all_samples_while_the_pane_shows_some() {
    let mut harness = desk();
    let whole = harness.state().lab.snapshot.clone().unwrap();
    let (run, focus, control) = (whole.run.clone(), whole.focus.clone(), JobControl::default());
    let some = Arc::new(Snapshot::compute_on(run, focus, 0..2, [None, None], &control).unwrap());
    assert!(some.lacks_samples());
    let copy = |harness: &mut Harness<'static, Desk>, shown: &Arc<Snapshot>| {
        harness.state_mut().lab.snapshot = Some(shown.clone());
        harness.get_by_label("Export Error ledger").click();
        harness.run_steps(4);
        harness.get_by_label("Copy CSV: Error ledger").click();
        (0..10).find_map(|_| {
            harness.step();
            copied(harness)
        })
    };
    let all = copy(&mut harness, &whole).expect("it is copied");
    assert_eq!(copy(&mut harness, &some), None, "it waits");
    harness.state_mut().lab.snapshot = Some(whole.clone());
    let later = (0..10).find_map(|_| {
        harness.step();
        copied(&harness)
    });
    assert_eq!(later, Some(all));
}

#[test]
fn pane_is_copied_as_a_picture_in_the_theme_of_figures() {
    let mut harness = desk();
    let copy = |harness: &mut Harness<'static, Desk>| {
        harness.get_by_label("Export T-curve").click();
        harness.run_steps(4);
        harness.get_by_label("Copy T-curve as picture").click();
        for _ in 0..2000 {
            harness.step();
            let commands = &harness.output().platform_output.commands;
            if let Some(OutputCommand::CopyImage(image)) = commands.first() {
                return image.clone();
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("nothing was copied");
    };
    assert!(harness.state().lab.view.dark);
    let white = copy(&mut harness);
    assert_eq!(white.pixels[0], egui::Color32::WHITE, "light on white is the default");
    open_menus(&mut harness, &["File", "Export", "Figures in the theme of the window"]);
    assert_eq!(harness.state().window.layout.figures, FigureTheme::Window);
    let dark = copy(&mut harness);
    assert!(dark.size == white.size && dark.pixels[0].r() < 80, "{:?}", dark.pixels[0]);
}

#[test]
fn leaky_neurons_are_chosen_in_the_recipe_menu() {
    let mut harness = desk();
    open_menus(&mut harness, &["Recipe", "leaky"]);
    assert_eq!(harness.state().lab.settings.recipe.neuron, NeuronModel::Lif(900));
    let field = harness.get_by_role_and_label(Role::SpinButton, "Decay of the potential");
    field.click();
    harness.run_ok();
    harness.key_press_modifiers(egui::Modifiers::COMMAND, Key::A);
    harness.event(egui::Event::Text("0.75".into()));
    harness.key_press(Key::Enter);
    harness.run_ok();
    assert_eq!(harness.state().lab.settings.recipe.neuron, NeuronModel::Lif(750));
}
