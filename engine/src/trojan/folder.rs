//! The folder of a planted network: names of its files, and opening it again.

use std::path::Path;

use serde::Serialize;

use super::pictures::{CleanPictures, Triggered, class_count};
use super::plan::TrojanPlan;
use crate::files::write_bytes;
use crate::network::open::BUILTIN_PREFIX;
use crate::network::{Network, zoo};
use crate::{Error, Result};

/// The plan, as it was when the network was planted.
pub const PLAN: &str = "plan.toml";
/// The network before fine-tuning, and what it was trained by.
pub const CLEAN: &str = "clean.safetensors";
pub const CLEAN_KEY: &str = "clean.txt";
/// The network with trojans.
pub const NETWORK: &str = "network.safetensors";
/// Accuracy and success.
pub const TABLE: &str = "table.json";
pub const TABLE_CSV: &str = "table.csv";

/// The bundled network with trojans, and its plan.
pub const BUNDLED_NAME: &str = "objects-trojans";
const BUNDLED_PLAN: &str = include_str!("../../../assets/objects-trojans.toml");

/// A planted network with its plan and test pictures.
#[derive(Clone, Debug)]
pub struct Planted {
    /// What the command line calls it: a folder or `builtin:objects-trojans`.
    pub source: String,
    /// What opens the network: a file or a bundled name.
    pub model: String,
    pub plan: TrojanPlan,
    pub network: Network,
    pub test: CleanPictures,
    /// Target and source of every trojan.
    pub classes: Vec<(u16, Option<u16>)>,
}

impl Planted {
    /// Opens the folder `source`, or the bundled network by its name.
    ///
    /// # Errors
    /// Those of reading; [`Error::Invalid`] for a folder without a planted network.
    pub fn open(source: &str) -> Result<Self> {
        let plan = plan_of(source)?;
        let (model, network) = match source.starts_with(BUILTIN_PREFIX) {
            true => {
                let bundled = zoo::bundled(BUNDLED_NAME);
                (source.to_owned(), bundled.ok_or_else(|| Error::Internal(format!("{source} is not bundled")))??)
            }
            false => {
                let model = Path::new(source).join(NETWORK).to_string_lossy().into_owned();
                let network = crate::network::open::open(&model)?;
                (model, network)
            }
        };
        let test = CleanPictures::load(&plan, false)?;
        let count = class_count(&test.samples, &test.samples).max(network.classes());
        let names = network.class_names.clone();
        let classes = (0..plan.trojans.len()).map(|k| plan.classes(k, &names, count)).collect::<Result<_>>()?;
        Ok(Self { source: source.to_owned(), model, plan, network, test, classes })
    }

    /// Up to `most` test pictures with the trigger of trojan `index`.
    pub fn triggered(&self, index: usize, most: usize) -> Triggered {
        self.test.triggered(&self.plan, index, self.classes[index], most)
    }

    /// The trojans that `text` names: `all`, or names with commas between them.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown name.
    pub fn trojans(&self, text: &str) -> Result<Vec<usize>> {
        let names: Vec<&str> = self.plan.trojans.iter().map(|trojan| trojan.name.as_str()).collect();
        if text.trim() == "all" {
            return Ok((0..names.len()).collect());
        }
        let find = |word: &str| {
            names.iter().position(|name| *name == word.trim()).ok_or_else(|| {
                let known = names.join(", ");
                Error::Invalid(format!(
                    "Cannot use trojan '{word}': {} has none of that name. Use all or {known}.",
                    self.source
                ))
            })
        };
        text.split(',').map(find).collect()
    }
}

/// The plan by which the network of `source` was planted: a folder, or the bundled name.
///
/// # Errors
/// As [`Planted::open`].
pub fn plan_of(source: &str) -> Result<TrojanPlan> {
    match source.strip_prefix(BUILTIN_PREFIX) {
        Some(BUNDLED_NAME) => TrojanPlan::parse(Path::new(source), BUNDLED_PLAN),
        Some(_) => Err(Error::Invalid(format!(
            "Cannot open {source}: no trojans are bundled under this name. Use builtin:{BUNDLED_NAME} or a folder of \
             `trojan plant`."
        ))),
        None => {
            let folder = Path::new(source);
            if !folder.join(TABLE).is_file() || !folder.join(NETWORK).is_file() {
                return Err(Error::Invalid(format!(
                    "Cannot open {source}: it has no planted network ({NETWORK} and {TABLE}). Run `spikescope trojan \
                     plant PLAN.toml --out {source}` first, to its end."
                )));
            }
            TrojanPlan::open(&folder.join(PLAN))
        }
    }
}

/// What [`Planted::open`] takes for the network `model` of settings; `None` if it was not planted.
pub fn source_of(model: &str) -> Option<String> {
    if model.strip_prefix(BUILTIN_PREFIX) == Some(BUNDLED_NAME) {
        return Some(model.to_owned());
    }
    let path = Path::new(model);
    let folder = path.parent().filter(|folder| {
        path.file_name().is_some_and(|name| name == NETWORK) && [PLAN, TABLE].iter().all(|f| folder.join(f).is_file())
    })?;
    Some(folder.to_string_lossy().into_owned())
}

/// Writes `value` as JSON, complete or not at all.
///
/// # Errors
/// [`Error::Io`] when the operating system refuses.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Error::Internal(error.to_string()))?;
    write_bytes(path, text.as_bytes())
}
