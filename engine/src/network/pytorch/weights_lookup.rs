//! Finds the state dict in a checkpoint, whatever else is saved with it.
//!
//! Dictionaries with tensors are collected in file order. The first of the usual names is read; the others are named in a
//! note. Optimizers and generators, whose dictionaries also have tensors, are not weights.

use crate::pickle::value::{PickleValue, Tables};

/// Keys under which training programs store the state dict in a checkpoint, in the order in which they are preferred.
const CHECKPOINT_KEYS: [&str; 11] = [
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "network",
    "net_state_dict",
    "weights",
    "module",
    "params",
    "parameters",
];
/// How many of them are never names of layers, so that tensors beside them are no weights.
const NEVER_LAYERS: usize = 4;
/// Starts of keys whose tensors are not weights.
const OTHER_STATES: [&str; 9] =
    ["optim", "lr_sched", "sched", "scaler", "grad_scaler", "rng", "cuda_rng", "callbacks", "loops"];
/// Maximum number of containers around a state dict.
const MAX_DEPTH: usize = 16;
/// Maximum number of entries that are searched; shared containers count every time.
const MAX_SEARCHED: usize = 4_000_000;

/// Tensors of a state dict, and how they were found.
#[derive(Debug, Default)]
pub(super) struct FoundWeights<'a> {
    pub tensors: Vec<(String, PickleValue<'a>)>,
    /// Path and class name of the modules of a whole model.
    pub modules: Vec<(String, String)>,
    pub notes: Vec<String>,
}

/// A value with weights in it.
struct Candidate<'a> {
    /// Its key in the container around it.
    name: String,
    value: PickleValue<'a>,
    form: Form,
    children: Vec<Self>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    /// A dictionary of tensors.
    Dict,
    /// A list of names and tensors.
    Pairs,
    /// A whole model.
    Module,
    /// A container of others.
    Container,
}

/// The state dict in the pickle with root `root`; `None` if there is none.
///
/// # Errors
/// The reason if a model in it cannot be read.
pub(super) fn find<'a>(tables: &Tables<'a>, root: PickleValue<'a>) -> Result<Option<FoundWeights<'a>>, String> {
    let mut search = Search { tables, left: MAX_SEARCHED };
    let Some(tree) = search.candidate(String::new(), root, 0) else { return Ok(None) };
    let mut found = FoundWeights::default();
    let (mut others, mut path) = (Vec::new(), Vec::new());
    let chosen = choose(tables, &tree, &mut path, &mut others);
    collect(tables, chosen, "", &mut found)?;
    if !others.is_empty() {
        let read =
            if path.is_empty() { "the outermost dictionary".to_owned() } else { format!("'{}'", path.join(".")) };
        others.truncate(6);
        found.notes.push(format!(
            "the checkpoint has several sets of weights. Those of {read} are read; left out: {}. The first of {}, … is \
             taken, else the first in the file",
            others.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", "),
            CHECKPOINT_KEYS[..6].join(", ")
        ));
    }
    if !found.modules.is_empty() {
        let class = found.modules.first().map_or("", |(_, class)| class.as_str()).to_owned();
        found.notes.push(format!(
            "the file holds a whole model ('{class}'). Its parameters and buffers are read as a state dict; its code is not \
             executed"
        ));
    }
    Ok(Some(found))
}

struct Search<'t, 'a> {
    tables: &'t Tables<'a>,
    left: usize,
}

impl<'a> Search<'_, 'a> {
    /// `value` as a candidate; `None` if there are no weights in it.
    fn candidate(&mut self, name: String, value: PickleValue<'a>, depth: usize) -> Option<Candidate<'a>> {
        let tables = self.tables;
        self.left = self.left.checked_sub(1 + tables.items(value).len() + tables.entries(value).len())?;
        if depth > MAX_DEPTH {
            return None;
        }
        if tables.is_module(value) {
            return Some(Candidate { name, value, form: Form::Module, children: Vec::new() });
        }
        let (form, inner): (Form, Vec<(String, PickleValue<'a>)>) = match value {
            PickleValue::Dict(_) => self.dictionary(value)?,
            PickleValue::Object(_) if tables.tensor_rank(value).is_some() => return None,
            PickleValue::Object(_) => {
                let (form, mut inner) = self.dictionary(value)?;
                for dict in tables.attributes(value) {
                    inner.extend(self.dictionary(dict)?.1);
                }
                (form, inner)
            }
            PickleValue::List(_) | PickleValue::Tuple(_) => {
                let items = tables.items(value);
                let is_pair = |item: &PickleValue<'a>| matches!(tables.items(*item), [PickleValue::Text(_), tensor] if tables.tensor_rank(*tensor).is_some());
                let form = if items.iter().any(is_pair) { Form::Pairs } else { Form::Container };
                let inner = items.iter().take(64).enumerate().map(|(at, &item)| (at.to_string(), item));
                (form, if form == Form::Pairs { Vec::new() } else { inner.collect() })
            }
            _ => return None,
        };
        let mut children = Vec::new();
        for (name, value) in inner {
            let is_container = matches!(
                value,
                PickleValue::Dict(_) | PickleValue::List(_) | PickleValue::Tuple(_) | PickleValue::Object(_)
            );
            if is_container {
                children.extend(self.candidate(name, value, depth + 1));
            }
        }
        // Tensors beside sets of weights are measures and states of generators unless their keys are those of weights.
        let is_beside = form == Form::Dict && !children.is_empty() && !self.has_parameter_keys(value);
        let form = if is_beside { Form::Container } else { form };
        (form != Form::Container || !children.is_empty()).then_some(Candidate { name, value, form, children })
    }

    /// Whether a key of the dictionary `value` is that of a parameter: `conv1.weight`, `bias`.
    fn has_parameter_keys(&self, value: PickleValue<'a>) -> bool {
        self.tables.entries(value).iter().any(|&(key, tensor)| {
            let key = self.tables.key(key).unwrap_or_default();
            let is_parameter = key.contains('.') || ["weight", "bias", "kernel"].iter().any(|part| key.contains(part));
            is_parameter && self.tables.tensor_rank(tensor).is_some()
        })
    }

    /// Form and containers of a dictionary; `None` for the state of an optimizer.
    fn dictionary(&mut self, value: PickleValue<'a>) -> Option<(Form, Vec<(String, PickleValue<'a>)>)> {
        let tables = self.tables;
        let entries = tables.entries(value);
        if tables.entry(value, "param_groups").is_some() {
            return None;
        }
        let is_named = |key: PickleValue<'a>| matches!(key, PickleValue::Text(_) | PickleValue::Bytes(_));
        let has_weights =
            entries.iter().any(|&(key, value)| is_named(key) && tables.tensor_rank(value).is_some_and(|rank| rank > 0));
        let mut inner = Vec::new();
        for &(key, value) in entries {
            let name = tables.key(key).unwrap_or_default();
            if !OTHER_STATES.iter().any(|start| name.starts_with(start)) {
                inner.push((name, value));
            }
        }
        Some((if has_weights { Form::Dict } else { Form::Container }, inner))
    }
}

/// The candidate in `tree` to be read; its path, and the names of the others.
fn choose<'c, 'a>(
    tables: &Tables<'a>,
    tree: &'c Candidate<'a>,
    path: &mut Vec<String>,
    others: &mut Vec<String>,
) -> &'c Candidate<'a> {
    let names = if tree.form == Form::Dict { &CHECKPOINT_KEYS[..NEVER_LAYERS] } else { &CHECKPOINT_KEYS[..] };
    let preferred = names.iter().find_map(|name| tree.children.iter().position(|child| child.name == *name));
    let at = match (preferred, tree.form) {
        (Some(at), Form::Dict | Form::Container) => at,
        (None, Form::Container) if is_single_set(tables, &tree.children) => 0,
        _ => {
            others.extend(tree.children.iter().filter(|_| tree.form == Form::Dict).map(|child| child.name.clone()));
            return tree;
        }
    };
    others.extend(tree.children.iter().enumerate().filter(|(k, _)| *k != at).map(|(_, child)| child.name.clone()));
    path.push(tree.children[at].name.clone());
    choose(tables, &tree.children[at], path, others)
}

/// Whether one of `children` is the network: there is one, or they are entries of a list, or all have the same keys.
fn is_single_set<'a>(tables: &Tables<'a>, children: &[Candidate<'a>]) -> bool {
    let keys = |child: &Candidate<'a>| {
        let mut found = FoundWeights::default();
        let keys = collect(tables, child, "", &mut found).map(|()| found.tensors.into_iter().map(|(key, _)| key));
        keys.map(Iterator::collect::<Vec<_>>).unwrap_or_default()
    };
    match children {
        [] => false,
        [_] => true,
        [first, ..] if first.name.parse::<usize>().is_ok() => true,
        [first, rest @ ..] => {
            let first = keys(first);
            rest.iter().all(|child| keys(child) == first)
        }
    }
}

/// Adds the tensors of `candidate` to `found`, with `prefix` before their keys.
fn collect<'a>(
    tables: &Tables<'a>,
    candidate: &Candidate<'a>,
    prefix: &str,
    found: &mut FoundWeights<'a>,
) -> Result<(), String> {
    match candidate.form {
        Form::Module => {
            let state = tables.module_state(candidate.value)?;
            found.tensors.extend(state.tensors.into_iter().map(|(key, tensor)| (format!("{prefix}{key}"), tensor)));
            found.modules.extend(state.modules.into_iter().map(|(path, class)| (format!("{prefix}{path}"), class)));
        }
        Form::Dict => {
            for &(key, tensor) in tables.entries(candidate.value) {
                if let (Some(key), Some(_)) = (tables.key(key), tables.tensor_rank(tensor)) {
                    found.tensors.push((format!("{prefix}{key}"), tensor));
                }
            }
        }
        Form::Pairs => {
            for &pair in tables.items(candidate.value) {
                if let &[PickleValue::Text(key), tensor] = tables.items(pair)
                    && tables.tensor_rank(tensor).is_some()
                {
                    found.tensors.push((format!("{prefix}{key}"), tensor));
                }
            }
        }
        Form::Container => {
            for child in &candidate.children {
                collect(tables, child, &format!("{prefix}{}.", child.name), found)?;
            }
        }
    }
    Ok(())
}
