//! Offers of the window: drafts for weights without a description, and lateral pooling in a race.

use crate::common;
use crate::shown;
use std::process::Command;

use egui_kittest::kittest::Queryable;
use spikescope::compute::backend::Backend;
use spikescope::convert::{MaxPoolRule, Recipe, ThresholdRule};
use spikescope::experiment::cache::Cache;
use spikescope::experiment::{Settings, run_export};
use spikescope::export::nir::NirReader;
use spikescope::lab::{Lab, Message, Workspace};
use spikescope::measure::NeuronRef;
use spikescope::progress::JobControl;
use spikescope::ui::export::OffscreenPane;
use spikescope::ui::state::window::WindowState;
use spikescope::ui::types::pane::Pane;

use crate::desk::{Desk, click, desk, desk_on};
use crate::lenet::lenet;
use crate::weight_files::safetensors;

#[test]
fn an_empty_architecture_file_counts_as_none_and_the_command_writes_a_draft_into_it() {
    let folder = tempfile::tempdir().unwrap();
    let (weights, file) = (folder.path().join("mine.safetensors"), folder.path().join("mine.arch.toml"));
    std::fs::write(&weights, safetensors(&[("first.weight", &[4, 1, 3, 3]), ("score.weight", &[10, 144])])).unwrap();
    std::fs::write(&file, "\n").unwrap();
    let mut harness = desk();
    harness.state_mut().lab.update([Message::OpenModel(weights.display().to_string())]);
    harness.run_ok();
    harness.get_by_label("Write a draft…");
    let check = Command::new(env!("CARGO_BIN_EXE_spikescope"))
        .arg("check")
        .args([&weights, std::path::Path::new("--write-arch"), &file].map(|part| part.as_os_str()))
        .output()
        .unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("(?)") && text.contains("first") && text.contains("score"), "{text}");
    // What someone has written is not replaced.
    std::fs::write(&file, "input = [1, 8, 8]\n").unwrap();
    let again = Command::new(env!("CARGO_BIN_EXE_spikescope"))
        .arg("check")
        .args([&weights, std::path::Path::new("--write-arch"), &file].map(|part| part.as_os_str()))
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(2), "{}", String::from_utf8_lossy(&again.stderr));
}

#[test]
fn corrections_of_a_network_with_max_pools_race_against_lateral_pooling() {
    let mut models = vec![("builtin:digits-mlp".to_owned(), false)];
    models.extend(common::shared("data/models/mnist/lenet5_torch.onnx").map(|file| (file.display().to_string(), true)));
    for (model, has_pools) in models {
        let mut settings = Settings { model, samples: 0..4, calibrate: 0..16, ..Settings::demo() };
        settings.recipe = Recipe { steps: 4, threshold: ThresholdRule::Max, ..Recipe::default() };
        let lab = Lab::open(settings).unwrap();
        let mut harness = desk_on(Desk { lab, window: WindowState::default() }, egui::vec2(1280.0, 800.0));
        harness.state_mut().window.layout.docks.add(Workspace::Explore, Pane::Race);
        harness.run_ok();
        click(&mut harness, "Add corrections");
        let lanes = &harness.state().lab.lanes;
        let lateral = lanes.iter().filter(|lane| lane.entry.recipe.pooling == MaxPoolRule::Lateral).count();
        assert!(lanes.len() >= 3 && (lateral > 0) == has_pools, "{} lanes, {lateral} lateral", lanes.len());
    }
}

#[test]
fn the_layer_strip_names_pooling_among_the_parts_of_the_error() {
    let harness = desk();
    let strip = harness.get_by_label_contains("Layer stem.act").rect();
    let shown = shown::texts(&harness);
    assert!(shown.iter().any(|(text, place)| text == "pooling" && place.right() <= strip.right()), "{shown:?}");
}

#[test]
fn a_figure_says_network_recipe_and_samples() {
    let lab = desk().into_state().lab;
    let figure = OffscreenPane::new(Some(Pane::Ledger), egui::vec2(560.0, 380.0), 1.0).svg(&lab);
    // Every word is a text of its own.
    let texts = figure.split("<text").skip(1).filter_map(|text| text.split(['>', '<']).nth(1));
    let words = texts.collect::<Vec<_>>().join(" ");
    assert!(words.contains("digits-resnet; ") && words.contains("T = 16; 12 samples of digits (0..12)"), "{words}");
}

#[test]
fn inspector_first_divergence_and_report_name_pooling() {
    let Some(settings) = lenet(64, &mut Cache::default()) else { return };
    let mut lab = Lab::open(settings).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("run.html");
    run_export::export_run(lab.run.as_ref().unwrap(), &report, NirReader::Sinabs, &JobControl::default()).unwrap();
    assert!(std::fs::read_to_string(report).unwrap().contains("<th>pooling</th>"));
    // The neuron of the second layer with the largest error, behind the pool.
    lab.update([Message::FocusLayer(1)]);
    lab.wait_until_idle();
    let snapshot = lab.snapshot.clone().unwrap();
    let difference = &snapshot.maps.difference;
    let neuron = (0..difference.len()).max_by(|&a, &b| difference[a].total_cmp(&difference[b])).unwrap();
    lab.update([Message::FocusNeuron(NeuronRef { layer: 1, sample: snapshot.focus.sample, neuron })]);
    let mut harness = desk_on(Desk { lab, window: WindowState::default() }, egui::vec2(1600.0, 1000.0));
    harness.get_by_label_contains("mostly pooling: its max pool takes the largest");
    let lab = &mut harness.state_mut().lab;
    let divergences: Vec<String> = (0..20)
        .filter_map(|sample| {
            lab.update([Message::FocusSample(sample)]);
            lab.wait_until_idle();
            lab.snapshot.as_ref().unwrap().divergence.as_ref().map(ToString::to_string)
        })
        .collect();
    assert!(divergences.iter().any(|text| text.contains(": max pooling, the pool takes")), "{divergences:?}");
}

#[test]
fn lateral_pooling_keeps_layer_channel_and_sample_in_focus() {
    let Some(settings) = lenet(8, &mut Cache::default()) else { return };
    let mut lab = Lab::open(settings).unwrap();
    let per_channel = |lab: &Lab| lab.run.as_ref().unwrap().spiking.layers[1].neurons_per_channel();
    let before = per_channel(&lab);
    let neuron = NeuronRef { layer: 1, sample: 7, neuron: 3 * before + 2 };
    lab.update([Message::FocusNeuron(neuron), Message::SetPooling(MaxPoolRule::Lateral), Message::EndGesture]);
    lab.wait_until_idle();
    let after = per_channel(&lab);
    assert!(after > before, "{after} {before}");
    assert_eq!((lab.view.layer, lab.view.sample, lab.view.neuron), (1, 7, 3 * after));
    lab.update([Message::Undo]);
    lab.wait_until_idle();
    assert_eq!((lab.view.layer, lab.view.sample, lab.view.neuron), (1, 7, 3 * before));
    // Another backend has the same neurons.
    lab.update([Message::FocusNeuron(neuron), Message::SetBackend(Backend::Ndarray), Message::EndGesture]);
    lab.wait_until_idle();
    assert_eq!(lab.run.as_ref().unwrap().settings.backend, Backend::Ndarray);
    assert_eq!((lab.view.layer, lab.view.sample, lab.view.neuron), (1, 7, neuron.neuron));
}
