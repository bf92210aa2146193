//! State dict: named weights without a graph, as PyTorch saves them.
//!
//! Readers of weight files return it; [`architecture`](super::architecture) makes a network of it.

use std::collections::HashMap;

use super::Weights;

/// Key prefixes that wrappers add: DataParallel and DistributedDataParallel, `torch.compile`.
const WRAPPER_PREFIXES: [&str; 2] = ["module.", "_orig_mod."];
/// Key prefixes of networks that are a member of a larger module.
const MODULE_PREFIXES: [&str; 4] = ["model.", "net.", "network.", "backbone."];

/// The floating-point tensors of a weight file, as f32, in file order if the format has an order.
#[derive(Clone, Debug, Default)]
pub struct StateDict {
    entries: Vec<(String, Weights)>,
    index: HashMap<String, usize>,
    notes: Vec<String>,
    modules: Vec<(String, String)>,
}

impl StateDict {
    /// Creates a state dict from keys and weights in file order. A repeated key keeps its first position and last value, as
    /// in Python.
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

    /// The same weights with notes about how they were read, in sentences without a final period.
    pub fn with_notes(mut self, notes: Vec<String>) -> Self {
        self.notes = notes;
        self
    }

    /// The same weights with the modules of a whole pickled model: path and class name of each.
    pub fn with_modules(mut self, modules: Vec<(String, String)>) -> Self {
        self.modules = modules;
        self
    }

    /// Notes about how the weights were read.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Path and class name of the modules, if the file is a whole pickled model; else empty.
    pub fn modules(&self) -> &[(String, String)] {
        &self.modules
    }

    /// The same weights without the prefix that wrappers like DataParallel add to every key.
    ///
    /// Part of a network may be wrapped alone, as `features.module.0.weight` in the VGG of PyTorch's ImageNet example.
    pub fn without_wrapper_prefix(self) -> Self {
        let all = self.without_prefixes(&WRAPPER_PREFIXES);
        let wrapped: Vec<String> = all.first_names().iter().map(|(name, _)| format!("{name}.")).collect();
        let is_wrapped = |part: &&String| {
            let own = || all.entries.iter().filter_map(|(key, _)| key.strip_prefix(part.as_str()));
            let is_below = |rest: &str| rest.strip_prefix(WRAPPER_PREFIXES[0]).is_some_and(|rest| rest.contains('.'));
            own().next().is_some() && own().all(is_below)
        };
        let wrapped: Vec<String> = wrapped.iter().filter(is_wrapped).cloned().collect();
        if wrapped.is_empty() {
            return all;
        }
        let unwrap = |(key, weights): (String, Weights)| {
            let part = wrapped.iter().find(|part| key.starts_with(part.as_str()));
            let rest = part.and_then(|part| {
                Some(part.clone() + key.strip_prefix(part.as_str())?.strip_prefix(WRAPPER_PREFIXES[0])?)
            });
            (rest.unwrap_or(key), weights)
        };
        let (notes, modules) = (all.notes.clone(), all.modules.clone());
        Self::new(all.entries.into_iter().map(unwrap)).with_notes(notes).with_modules(modules)
    }

    /// The same weights without a prefix like `model.` or `net.` that all keys share.
    pub fn without_module_prefix(self) -> Self {
        self.without_prefixes(&MODULE_PREFIXES)
    }

    fn without_prefixes(mut self, prefixes: &[&str]) -> Self {
        while let Some(prefix) = prefixes.iter().find(|prefix| self.all_start_with(prefix)) {
            self = self.without_prefix(prefix);
        }
        self
    }

    /// The weights whose keys start with `prefix`, without it; notes and modules stay.
    pub fn without_prefix(self, prefix: &str) -> Self {
        let strip = |(key, weights): (String, Weights)| Some((key.strip_prefix(prefix)?.to_owned(), weights));
        let kept = Self::new(self.entries.into_iter().filter_map(strip));
        kept.with_notes(self.notes).with_modules(self.modules)
    }

    /// The weights whose keys have one of these first names; notes and modules stay.
    pub fn with_first_names(self, names: &[String]) -> Self {
        let is_kept = |key: &str| names.iter().any(|name| key.split('.').next() == Some(name));
        let kept = Self::new(self.entries.into_iter().filter(|(key, _)| is_kept(key)));
        kept.with_notes(self.notes).with_modules(self.modules)
    }

    /// The first names of the keys, up to the first period, in file order, each with its number of tensors.
    pub fn first_names(&self) -> Vec<(&str, usize)> {
        let mut names: Vec<(&str, usize)> = Vec::new();
        for (key, _) in &self.entries {
            let name = key.split('.').next().unwrap_or_default();
            match names.iter_mut().find(|(other, _)| *other == name) {
                Some((_, count)) => *count += 1,
                None => names.push((name, 1)),
            }
        }
        names
    }

    fn all_start_with(&self, prefix: &str) -> bool {
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

    /// Whether there are no tensors.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The key of the learned threshold λ of the activation `prefix`: `thresh`, or `up` in older checkpoints (Bu et al.,
    /// ICLR 2022, and programs based on theirs).
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
    fn wrapper_prefixes_are_removed_and_other_names_stay() {
        let keys = |state: &StateDict| state.iter().map(|(key, _)| key.to_owned()).collect::<Vec<_>>();
        let wrapped = state(&["module._orig_mod.net.0.weight", "module._orig_mod.net.0.bias"]).without_wrapper_prefix();
        assert_eq!(keys(&wrapped), ["net.0.weight", "net.0.bias"]);
        assert_eq!(keys(&wrapped.without_module_prefix()), ["0.weight", "0.bias"]);
        let part = ["features.module.0.weight", "features.module.3.bias", "classifier.0.weight", "bias"];
        let unwrapped = ["features.0.weight", "features.3.bias", "classifier.0.weight", "bias"];
        assert_eq!(keys(&state(&part).without_wrapper_prefix()), unwrapped);
        // A network with a member called "module" is not wrapped.
        let own = ["module.weight", "fc.weight"];
        assert_eq!(keys(&state(&own).without_wrapper_prefix()), own);
        assert!(state(&[]).without_wrapper_prefix().is_empty());
    }

    #[test]
    fn sequence_indices_are_ascending() {
        let state = state(&["features.10.weight", "features.2.weight", "features.2.bias", "features.x", "3.weight"]);
        assert_eq!(state.sequence_indices("features"), [2, 10]);
        assert_eq!(state.sequence_indices(""), [3]);
    }
}
