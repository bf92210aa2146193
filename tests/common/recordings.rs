//! Settings of a run on a few generated event recordings, written to files, and a network of drawn weights.

use std::path::Path;

use spikescope::convert::{Recipe, ThresholdRule};
use spikescope::data::events::generator::{EventSplit, recording};
use spikescope::experiment::Settings;
use spikescope::network::safetensors;
use spikescope::network::zoo::{ZooArchitecture, parse_activation};

/// Writes `count` recordings and a network to `folder`: eight frames a recording, eight time steps.
pub fn settings(folder: &Path, count: usize) -> Settings {
    let model = folder.join("net.safetensors");
    let network = ZooArchitecture::Cnn.build(&[2, 34, 34], 10, parse_activation("relu").unwrap(), 3).unwrap();
    safetensors::save(&network, &model).unwrap();
    for index in 0..count {
        let (events, _) = recording(EventSplit::Test, 0, index);
        let fields = "[('x', '<i2'), ('y', '<i2'), ('t', '<i8'), ('p', '|b1')]";
        let text = format!("{{'descr': {fields}, 'fortran_order': False, 'shape': ({},), }}\n", events.len());
        let mut out = b"\x93NUMPY\x01\x00".to_vec();
        out.extend((text.len() as u16).to_le_bytes());
        out.extend(text.as_bytes());
        for event in events {
            let t = (event.t / 1000) as i64;
            out.extend([&event.x.to_le_bytes()[..], &event.y.to_le_bytes(), &t.to_le_bytes(), &[event.p]].concat());
        }
        std::fs::write(folder.join(format!("digit{index}.npy")), out).unwrap();
    }
    let data = format!("events:{},frames=8", folder.display());
    let mut settings = Settings {
        model: model.display().to_string(),
        data,
        samples: 0..count,
        calibrate: 0..count,
        ..Settings::default()
    };
    settings.recipe = Recipe { steps: 8, threshold: ThresholdRule::Max, ..Recipe::default() };
    settings
}
