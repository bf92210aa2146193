//! Lab tests: refused changes, pending opens, undo, races, sessions and partial results.
//!
//! They drive the lab by messages, without a window.

mod lessons;
mod live;
mod opening;
mod runs;

use std::path::Path;

use spikescope::experiment::Settings;
use spikescope::lab::{Lab, Message};
use spikescope::network::safetensors;
use spikescope::network::zoo::{ZooArchitecture, parse_activation};

fn lab() -> Lab {
    let mut settings =
        Settings { model: "builtin:digits-mlp".into(), samples: 0..20, calibrate: 20..60, ..Settings::default() };
    settings.recipe.steps = 6;
    Lab::open(settings).unwrap()
}

fn send(lab: &mut Lab, message: Message) {
    lab.update([message]);
    lab.wait_until_idle();
}

/// A color network and forty matching records in CIFAR-10's binary form.
fn color_pair(folder: &Path) -> (String, String) {
    let network = ZooArchitecture::Cnn.build(&[3, 32, 32], 10, parse_activation("relu").unwrap(), 1).unwrap();
    let model = folder.join("color.safetensors");
    safetensors::save(&network, &model).unwrap();
    let records: Vec<u8> = (0..40u32)
        .flat_map(|i| std::iter::once((i % 10) as u8).chain((0..3072u32).map(move |k| ((i * 131 + k * 7) % 251) as u8)))
        .collect();
    let data = folder.join("forty.bin");
    std::fs::write(&data, records).unwrap();
    (model.display().to_string(), format!("cifar10:{}", data.display()))
}
