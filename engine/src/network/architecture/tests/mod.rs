//! Tests of every family with the keys and shapes its programs write, and of errors.

mod families;
mod files;

use std::path::Path;

use super::{ArchitectureFile, build};
use crate::network::state_dict::StateDict;
use crate::network::{Activation, Network, Op, Weights};

/// A made-up state dict; every number is 0.01.
#[derive(Clone, Default)]
struct Keys(Vec<(String, Weights)>);

impl Keys {
    fn add(&mut self, key: String, shape: &[usize]) {
        self.0.push((key, Weights::new(shape.to_vec(), vec![0.01; shape.iter().product()])));
    }
    fn conv(&mut self, name: &str, out: usize, inputs: usize, kernel: usize, bias: bool) {
        self.add(format!("{name}.weight"), &[out, inputs, kernel, kernel]);
        if bias {
            self.add(format!("{name}.bias"), &[out]);
        }
    }
    fn norm(&mut self, name: &str, channels: usize) {
        for part in ["weight", "bias", "running_mean", "running_var"] {
            self.add(format!("{name}.{part}"), &[channels]);
        }
        self.add(format!("{name}.num_batches_tracked"), &[]);
    }
    fn linear(&mut self, name: &str, out: usize, inputs: usize) {
        self.add(format!("{name}.weight"), &[out, inputs]);
        self.add(format!("{name}.bias"), &[out]);
    }
    fn without_key(mut self, key: &str) -> Self {
        self.0.retain(|(k, _)| k != key);
        self
    }
    fn build(self) -> crate::Result<(Network, Vec<String>)> {
        self.build_as("")
    }
    /// Builds the network for images of shape `image`.
    #[track_caller]
    fn network_for(self, image: &[usize]) -> Network {
        let state = StateDict::new(self.0);
        build(state, Path::new("net.pth"), None, Some(image)).unwrap_or_else(|e| panic!("{e}")).0
    }
    /// Builds the network with an architecture file.
    fn build_as(self, text: &str) -> crate::Result<(Network, Vec<String>)> {
        let described = (!text.is_empty()).then(|| ArchitectureFile::parse(text, Path::new("net.arch.toml")));
        let described = described.transpose()?;
        build(StateDict::new(self.0), Path::new("net.pth"), described.as_ref(), None)
    }
    #[track_caller]
    fn network(self) -> Network {
        self.build().unwrap_or_else(|e| panic!("{e}")).0
    }
    #[track_caller]
    fn refused(self, text: &str, words: &[&str]) {
        let error = self.build_as(text).expect_err("this should be refused").to_string();
        words.iter().for_each(|word| assert!(error.contains(word), "'{error}' does not say '{word}'"));
    }
}

/// VGG of the QCFS authors with `stages` convolutions per stage; `act` is `up` or `thresh`.
fn qcfs_vgg(stages: &[usize], act: &str, side: usize) -> Keys {
    let mut keys = Keys::default();
    let mut channels = 3;
    for (stage, &count) in stages.iter().enumerate() {
        for k in 0..count {
            let part = |at: usize| format!("layer{}.{}", stage + 1, 4 * k + at);
            keys.conv(&part(0), 4 << stage, channels, 3, true);
            channels = 4 << stage;
            keys.norm(&part(1), channels);
            keys.add(format!("{}.{act}", part(2)), &[1]);
        }
    }
    for (at, out, inputs) in [(1, 40, channels * side * side), (4, 40, 40), (7, 10, 40)] {
        keys.linear(&format!("classifier.{at}"), out, inputs);
        if at < 7 {
            keys.add(format!("classifier.{}.{act}", at + 1), &[1]);
        }
    }
    keys
}

/// ResNet of the QCFS authors; `last` is the key of the activation after the sum.
fn qcfs_resnet(stages: &[usize], act: &str, last: &str) -> Keys {
    let mut keys = Keys::default();
    keys.conv("conv1.0", 8, 3, 3, false);
    keys.norm("conv1.1", 8);
    keys.add(format!("conv1.2.{act}"), &[1]);
    let mut channels = 8;
    for (stage, &count) in stages.iter().enumerate() {
        let width = 8 << stage;
        for block in 0..count {
            let name = format!("conv{}_x.{block}", stage + 2);
            for (at, inputs) in [(0, channels), (3, width)] {
                keys.conv(&format!("{name}.residual_function.{at}"), width, inputs, 3, false);
                keys.norm(&format!("{name}.residual_function.{}", at + 1), width);
            }
            keys.add(format!("{name}.residual_function.2.{act}"), &[1]);
            if channels != width {
                keys.conv(&format!("{name}.shortcut.0"), width, channels, 1, false);
                keys.norm(&format!("{name}.shortcut.1"), width);
            }
            keys.add(format!("{name}.{last}"), &[1]);
            channels = width;
        }
    }
    keys.linear("fc", 10, channels);
    keys
}

/// ResNet in torchvision's naming: `convs` convolutions per block, a stem of `stem` by `stem`, projections called
/// `shortcut` or none.
fn resnet(stages: &[usize], stem: usize, convs: usize, shortcut: Option<&str>, head: &str) -> Keys {
    let mut keys = Keys::default();
    keys.conv("conv1", 8, 3, stem, false);
    keys.norm("bn1", 8);
    let (mut channels, expansion) = (8, if convs == 3 { 4 } else { 1 });
    for (stage, &count) in stages.iter().enumerate() {
        let (width, out) = (8 << stage, (8 << stage) * expansion);
        for block in 0..count {
            let name = format!("layer{}.{block}", stage + 1);
            for k in 1..=convs {
                let kernel = if convs == 3 && k != 2 { 1 } else { 3 };
                let inputs = if k == 1 { channels } else { width };
                keys.conv(&format!("{name}.conv{k}"), if k == convs { out } else { width }, inputs, kernel, false);
                keys.norm(&format!("{name}.bn{k}"), if k == convs { out } else { width });
            }
            if let Some(shortcut) = shortcut.filter(|_| channels != out) {
                keys.conv(&format!("{name}.{shortcut}.0"), out, channels, 1, false);
                keys.norm(&format!("{name}.{shortcut}.1"), out);
            }
            channels = out;
        }
    }
    keys.linear(head, 10, channels);
    keys
}

/// VGG in torchvision's naming.
fn vgg(stages: &[usize], normed: bool, side: usize) -> Keys {
    let mut keys = Keys::default();
    let (mut channels, mut at) = (3, 0);
    for (stage, &count) in stages.iter().enumerate() {
        for _ in 0..count {
            keys.conv(&format!("features.{at}"), 4 << stage, channels, 3, true);
            channels = 4 << stage;
            if normed {
                keys.norm(&format!("features.{}", at + 1), channels);
            }
            at += 2 + usize::from(normed);
        }
        at += 1;
    }
    for (at, out, inputs) in [(0, 40, channels * side * side), (3, 40, 40), (6, 10, 40)] {
        keys.linear(&format!("classifier.{at}"), out, inputs);
    }
    keys
}

fn count(network: &Network, what: fn(&Op) -> bool) -> usize {
    network.nodes.iter().filter(|node| what(&node.op)).count()
}
