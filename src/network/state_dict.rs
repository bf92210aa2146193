//! Named weights without a graph: what PyTorch calls a state dict. Readers of weight files make one,
//! [`architecture`](super::architecture) turns it into a network.

use std::collections::HashMap;

use super::Weights;

/// What wrappers put before every key: DataParallel and DistributedDataParallel, `torch.compile`.
const WRAPPERS: [&str; 2] = ["module.", "_orig_mod."];
/// Names under which programs keep the network inside a larger module, so that all keys begin with them.
const HOLDERS: [&str; 4] = ["model.", "net.", "network.", "backbone."];

/// The floating-point tensors of a weight file, as f32, in the order of the file where the file has one.
#[derive(Clone, Debug, Default)]
pub struct StateDict {
    entries: Vec<(String, Weights)>,
    index: HashMap<String, usize>,
}

impl StateDict {
    /// From keys and weights in file order. A key that comes twice keeps its first place and last value, as in Python.
    pub fn new(entries: impl IntoIterator<Item = (String, Weights)>) -> Self {
        let mut state = Self::default();
        for (key, weights) in entries {
            match state.index.get(&key) {
                Some(&at) => state.entries[at].1 = weights,
                None => {
                    state.index.insert(key.clone(), state.entries.len());
                    state.entries.push((key, weights));
                }
            }
        }
        state
    }

    /// The same weights without what wrappers like DataParallel put before every key.
    pub fn without_wrapper_prefix(self) -> Self {
        self.without(&WRAPPERS)
    }

    /// The same weights without a name like `model.` or `net.` before every key.
    pub fn without_module_prefix(self) -> Self {
        self.without(&HOLDERS)
    }

    fn without(mut self, prefixes: &[&str]) -> Self {
        while let Some(prefix) = prefixes.iter().find(|prefix| self.all_begin_with(prefix)) {
            self = Self::new(self.entries.into_iter().map(|(key, weights)| (key[prefix.len()..].to_owned(), weights)));
        }
        self
    }

    fn all_begin_with(&self, prefix: &str) -> bool {
        !self.entries.is_empty()
            && self.entries.iter().all(|(key, _)| key.len() > prefix.len() && key.starts_with(prefix))
    }

    /// The weights called `key`.
    pub fn get(&self, key: &str) -> Option<&Weights> {
        self.index.get(key).map(|&at| &self.entries[at].1)
    }

    /// Whether there are weights called `key`.
    pub fn has(&self, key: &str) -> bool {
        self.index.contains_key(key)
    }

    /// Whether `key` exists and has `rank` dimensions.
    pub fn has_rank(&self, key: &str, rank: usize) -> bool {
        self.get(key).is_some_and(|weights| weights.shape.len() == rank)
    }

    /// Keys and weights in file order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Weights)> {
        self.entries.iter().map(|(key, weights)| (key.as_str(), weights))
    }

    /// Number of tensors.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True without any tensor.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The key under which a learned threshold λ of the activation `prefix` lies: `thresh`, or `up` in older checkpoints
    /// (Bu et al., ICLR 2022, and the programs built on theirs).
    pub fn threshold_key(&self, prefix: &str) -> Option<String> {
        ["thresh", "up"].iter().map(|part| format!("{prefix}.{part}")).find(|key| self.has(key))
    }

    /// The numbers `N` of the keys `{prefix}.N.{rest}`, ascending.
    pub fn sequence_indices(&self, prefix: &str) -> Vec<usize> {
        let number = |key: &str| match prefix {
            "" => key.split('.').next()?.parse().ok(),
            _ => key.strip_prefix(prefix)?.strip_prefix('.')?.split('.').next()?.parse().ok(),
        };
        let mut numbers: Vec<usize> = self.iter().filter_map(|(key, _)| number(key)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(keys: &[&str]) -> StateDict {
        StateDict::new(keys.iter().map(|key| ((*key).to_owned(), Weights::new(vec![1], vec![0.0]))))
    }

    #[test]
    fn wrappers_go_and_names_stay() {
        let keys = |state: &StateDict| state.iter().map(|(key, _)| key.to_owned()).collect::<Vec<_>>();
        let wrapped = state(&["module._orig_mod.net.0.weight", "module._orig_mod.net.0.bias"]).without_wrapper_prefix();
        assert_eq!(keys(&wrapped), ["net.0.weight", "net.0.bias"]);
        assert_eq!(keys(&wrapped.without_module_prefix()), ["0.weight", "0.bias"]);
        // A network with a part called "module" is not wrapped.
        let own = ["module.weight", "fc.weight"];
        assert_eq!(keys(&state(&own).without_wrapper_prefix()), own);
        assert!(state(&[]).without_wrapper_prefix().is_empty());
    }

    #[test]
    fn numbers_of_a_sequence_are_in_order() {
        let state = state(&["features.10.weight", "features.2.weight", "features.2.bias", "features.x", "3.weight"]);
        assert_eq!(state.sequence_indices("features"), [2, 10]);
        assert_eq!(state.sequence_indices(""), [3]);
    }
}
