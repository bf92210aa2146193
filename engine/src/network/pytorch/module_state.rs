//! State dict of a whole pickled model, collected from the attributes of its modules.
//!
//! `torch.save(model)` writes the objects themselves. Their attributes `_parameters`, `_buffers` and `_modules` are what
//! `state_dict()` returns. The code of their classes is neither in the file nor executed.

use crate::pickle::value::{PickleValue, Tables};

/// Maximum number of modules around a module.
const MAX_DEPTH: usize = 64;
/// Maximum number of attributes and tensors of a model; shared ones count every time.
const MAX_SEARCHED: usize = 4_000_000;

/// The state dict of a model before its numbers are read.
#[derive(Debug, Default)]
pub(super) struct ModuleState<'a> {
    /// Keys and tensors, in the order of `state_dict()`.
    pub tensors: Vec<(String, PickleValue<'a>)>,
    /// Path and class name of every module.
    pub modules: Vec<(String, String)>,
}

impl<'a> Tables<'a> {
    /// Whether `value` is a pickled `torch.nn.Module`.
    pub fn is_module(&self, value: PickleValue<'a>) -> bool {
        self.attribute(value, "_modules").is_some() && self.attribute(value, "_parameters").is_some()
    }

    /// The attribute `name` of the object `value`.
    pub fn attribute(&self, value: PickleValue<'a>, name: &str) -> Option<PickleValue<'a>> {
        self.attributes(value).into_iter().find_map(|dict| self.entry(dict, name))
    }

    /// The dictionaries with the attributes of the object `value`; empty for other values.
    pub fn attributes(&self, value: PickleValue<'a>) -> Vec<PickleValue<'a>> {
        let PickleValue::Object(id) = value else { return Vec::new() };
        let object = &self.objects[id];
        match object.state {
            dict @ PickleValue::Dict(_) => vec![dict],
            // Attributes in a dictionary and in slots.
            state @ PickleValue::Tuple(_) => {
                self.items(state).iter().copied().filter(|part| matches!(part, PickleValue::Dict(_))).collect()
            }
            // torch.fx: reduce_graph_module(attributes, …).
            _ => {
                let dicts = self.items(object.arguments).iter().copied();
                dicts.filter(|part| matches!(part, PickleValue::Dict(_))).take(1).collect()
            }
        }
    }

    /// The state dict of the module `value`.
    ///
    /// # Errors
    /// The reason if its modules are nested without end.
    pub(super) fn module_state(&self, value: PickleValue<'a>) -> Result<ModuleState<'a>, String> {
        let mut state = ModuleState::default();
        let mut left = MAX_SEARCHED;
        match self.collect(value, "", 0, &mut state, &mut left) {
            Some(()) => Ok(state),
            None => Err("the modules of its model are nested without end".into()),
        }
    }

    /// Adds module `value` and the modules in it to `state`; `None` if there are too many.
    fn collect(
        &self,
        value: PickleValue<'a>,
        prefix: &str,
        depth: usize,
        state: &mut ModuleState<'a>,
        left: &mut usize,
    ) -> Option<()> {
        let PickleValue::Object(id) = value else { return Some(()) };
        let dicts = self.attributes(value);
        *left = left.checked_sub(1 + dicts.iter().map(|&dict| self.entries(dict).len()).sum::<usize>())?;
        if depth > MAX_DEPTH {
            return None;
        }
        state.modules.push((prefix.trim_end_matches('.').to_owned(), self.class(id)));
        let left_out = self.attribute(value, "_non_persistent_buffers_set").map_or(&[][..], |set| self.items(set));
        for part in ["_parameters", "_buffers"] {
            let Some(dict) = self.attribute(value, part) else { continue };
            *left = left.checked_sub(self.entries(dict).len())?;
            for &(key, tensor) in self.entries(dict) {
                let is_left_out = part == "_buffers" && left_out.contains(&key);
                if let (Some(name), Some(_), false) = (self.key(key), self.tensor_rank(tensor), is_left_out) {
                    state.tensors.push((format!("{prefix}{name}"), tensor));
                }
            }
        }
        let Some(children) = self.attribute(value, "_modules") else { return Some(()) };
        for &(key, child) in self.entries(children) {
            if let Some(name) = self.key(key) {
                self.collect(child, &format!("{prefix}{name}."), depth + 1, state, left)?;
            }
        }
        Some(())
    }
}
