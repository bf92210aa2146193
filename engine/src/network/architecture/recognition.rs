//! Recognizes the family of a state dict, under prefixes and beside weights of the training.

use super::family::Family;
use crate::error::format_shape;
use crate::network::state_dict::StateDict;

const FAMILIES: [Family; 5] = [
    super::qcfs_vgg::FAMILY,
    super::qcfs_resnet::FAMILY,
    super::resnet::FAMILY,
    super::vgg::FAMILY,
    super::mlp::FAMILY,
];

/// First names of keys that belong to the training: losses and measures.
const TRAINING: [&str; 5] = ["criterion", "loss", "metric", "accuracy", "lpips"];
/// First names of keys of a second copy of the network.
const COPIES: [&str; 6] = ["ema", "teacher", "target", "momentum", "swa", "shadow"];

/// A state dict of a known family.
pub(super) struct Recognized {
    pub family: &'static Family,
    /// Its keys without the prefix that all share.
    pub state: StateDict,
    /// A sentence about keys that are left out.
    pub note: Option<String>,
}

/// The family of `state`.
///
/// # Errors
/// The state dict, without the prefix of a module, if it belongs to no known family.
pub(super) fn recognize(state: StateDict) -> Result<Recognized, Box<StateDict>> {
    let state = state.without_module_prefix();
    if let Some((family, state)) = fitting(&state) {
        return Ok(Recognized { family, state, note: None });
    }
    let names: Vec<String> = state.first_names().into_iter().map(|(name, _)| name.to_owned()).collect();
    let (aside, kept): (Vec<String>, Vec<String>) = names.iter().cloned().partition(|name| is_aside(name));
    if !aside.is_empty()
        && !kept.is_empty()
        && let Some((family, rest)) = fitting(&state.clone().with_first_names(&kept))
    {
        let note = format!("the keys under {} belong to the training or to a copy and are left out", listed(&aside));
        return Ok(Recognized { family, state: rest, note: Some(note) });
    }
    // Several copies of the network under names of their own: the first.
    if names.len() > 1 && names.len() <= 4 {
        let groups: Vec<StateDict> =
            names.iter().map(|name| state.clone().without_prefix(&format!("{name}."))).collect();
        let shape = |state: &StateDict| {
            state.iter().map(|(key, weights)| format!("{key} {}", format_shape(&weights.shape))).collect::<Vec<_>>()
        };
        let first = shape(&groups[0]);
        if groups[1..].iter().all(|group| shape(group) == first)
            && let Some((family, rest)) = fitting(&groups[0])
        {
            let note =
                format!("the network of '{}' is read; {} are copies and are left out", names[0], listed(&names[1..]));
            return Ok(Recognized { family, state: rest, note: Some(note) });
        }
    }
    Err(Box::new(state))
}

/// The family of `state` without the first names that all keys share, as many of them as it takes.
fn fitting(state: &StateDict) -> Option<(&'static Family, StateDict)> {
    let mut state = state.clone().without_module_prefix();
    loop {
        if let Some(family) = FAMILIES.iter().find(|family| (family.fits)(&state)) {
            return Some((family, state));
        }
        let shared = match state.first_names()[..] {
            [(name, count)] if count == state.len() => format!("{name}."),
            _ => return None,
        };
        let inner = state.clone().without_prefix(&shared);
        if inner.len() != state.len() {
            return None;
        }
        state = inner;
    }
}

fn is_aside(name: &str) -> bool {
    let name = name.to_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| name.starts_with(word) || name.ends_with(&format!("_{word}")));
    is(&TRAINING) || is(&COPIES)
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Weights;

    /// A fully connected network of three layers under `prefix`.
    fn network(prefix: &str) -> Vec<(String, Weights)> {
        let layer = |(at, shape): (usize, [usize; 2])| {
            (format!("{prefix}{at}.weight"), Weights::new(shape.to_vec(), vec![0.5; shape[0] * shape[1]]))
        };
        [[5, 6], [4, 5], [3, 4]].into_iter().enumerate().map(layer).collect()
    }

    fn keys(entries: Vec<(String, Weights)>) -> (Vec<String>, String) {
        let found = recognize(StateDict::new(entries)).unwrap_or_else(|_| panic!("not recognized"));
        (found.state.iter().map(|(key, _)| key.to_owned()).collect(), found.note.unwrap_or_default())
    }

    #[test]
    fn copies_and_parts_of_the_training_are_left_out_with_a_note() {
        let vector = |key: &str| (key.to_owned(), Weights::new(vec![3], vec![1.0; 3]));
        let (kept, note) = keys([network("model."), network("model_ema."), vec![vector("loss_fn.weight")]].concat());
        assert_eq!(kept, ["0.weight", "1.weight", "2.weight"]);
        assert!(note.contains("'model_ema', 'loss_fn'"), "{note}");
        let (kept, note) = keys([network("online."), network("offline.")].concat());
        assert_eq!(kept.len(), 3);
        assert!(note.contains("'online' is read") && note.contains("'offline'"), "{note}");
        // A part that is not a copy stays, and the network is not recognized.
        let parts = [network("backbone."), vec![("head.scale".to_owned(), Weights::new(vec![2, 2, 2], vec![0.0; 8]))]];
        assert!(recognize(StateDict::new(parts.concat())).is_err());
    }

    #[test]
    fn prefixes_of_any_name_are_removed_if_all_keys_share_them() {
        let image = |key: &str, shape: &[usize]| {
            (key.to_owned(), Weights::new(shape.to_vec(), vec![0.0; shape.iter().product()]))
        };
        let resnet = vec![
            image("encoder.trunk.conv1.weight", &[4, 3, 3, 3]),
            image("encoder.trunk.bn1.running_mean", &[4]),
            image("encoder.trunk.layer1.0.conv1.weight", &[4, 4, 3, 3]),
        ];
        assert_eq!(keys(resnet).0[0], "conv1.weight");
    }
}
