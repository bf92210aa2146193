//! Window tests: what a person sees and does, driven by accessible names, in one binary.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/desk.rs"]
mod desk;
#[path = "../common/lenet.rs"]
mod lenet;
#[path = "../common/recordings.rs"]
mod recordings;
#[path = "../common/scene_network.rs"]
mod scene_network;
#[path = "../common/shown.rs"]
mod shown;
#[path = "../common/snapshots.rs"]
mod snapshots;
#[path = "../common/weight_files.rs"]
mod weight_files;

mod accessible;
mod app;
mod attacked_pane;
mod autosave;
mod basics;
mod commands;
mod details;
mod detector;
mod draw;
mod exchange;
mod files;
mod first_use;
mod offers;
mod outputs;
mod pane_export;
mod panes;
mod small_screen;
mod sweep_pane;
mod teach_workspace;
mod walkthrough;

use std::path::Path;

use spikescope::convert::{Recipe, ThresholdRule};
use spikescope::experiment::Settings;

/// A segmentation network, written to `folder`, on the first `samples` scenes and calibrated on the next two.
fn segmenter(folder: &Path, samples: usize) -> Settings {
    let model = folder.join("segmenter.safetensors");
    spikescope::network::safetensors::save(&scene_network::network(96, 4, &[("y", 6)]), &model).unwrap();
    Settings {
        model: model.display().to_string(),
        data: "builtin:scenes".into(),
        samples: 0..samples,
        calibrate: samples..samples + 2,
        recipe: Recipe { steps: 4, threshold: ThresholdRule::Max, ..Recipe::default() },
        ..Settings::default()
    }
}
