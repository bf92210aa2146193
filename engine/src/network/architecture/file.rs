//! Architecture files: TOML files that describe the network of a weight file.
//!
//! Their manual is `docs/architecture-files.md`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::DEFAULT_LEVELS;
use super::assembler::{Assumptions, NetworkAssembler};
use super::layer::LayerEntry;
use super::outline::{OutlineLayer, outline};
use crate::data::Scaling;
use crate::network::Network;
use crate::network::state_dict::StateDict;
use crate::{Error, Result};

/// Content of an architecture file; every part is optional.
#[derive(Clone, Debug, Default)]
pub struct ArchitectureFile {
    /// Shape of one input sample, `[C, H, W]` or `[F]`.
    pub input: Option<Vec<usize>>,
    /// Input scaling.
    pub scaling: Option<Scaling>,
    /// Names of the classes.
    pub class_names: Vec<String>,
    /// Levels L of QCFS activations.
    pub levels: Option<u32>,
    clip: bool,
    max_pool: Option<bool>,
    /// Keys with one of these prefixes are not part of the network.
    pub ignore: Vec<String>,
    /// The layers; if empty, the keys must be those of a known family.
    pub(super) layers: Vec<LayerEntry>,
    /// Path of the architecture file, for messages.
    pub(super) path: PathBuf,
    is_empty: bool,
}

/// The file as serialized.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct FileText {
    input: Option<Vec<usize>>,
    scaling: Option<String>,
    class_names: Vec<String>,
    levels: Option<u32>,
    activation: Option<ActivationKind>,
    pooling: Option<Pooling>,
    ignore: Vec<String>,
    layers: Vec<toml::Value>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum ActivationKind {
    Qcfs,
    Clip,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Pooling {
    Avg,
    Max,
}

/// The line on which layer `number`, counted from 1, of the architecture file `text` begins.
pub fn line_of_layer(text: &str, number: usize) -> Option<usize> {
    #[derive(Deserialize)]
    struct Layers {
        layers: Vec<toml::Spanned<toml::Value>>,
    }
    let layers = toml::from_str::<Layers>(text).ok()?.layers;
    let start = layers.get(number.checked_sub(1)?)?.span().start;
    Some(text.get(..start)?.matches('\n').count() + 1)
}

impl ArchitectureFile {
    /// Reads the architecture file at `path`.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read; [`Error::File`] with the line or the layer when it is invalid.
    pub fn load(path: &Path) -> Result<Self> {
        Self::parse(&std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?, path)
    }

    /// Parses the text of an architecture file; `path` is its name in errors.
    ///
    /// # Errors
    /// [`Error::File`] with the line or the layer when it is invalid.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let fail = |place: String, reason: String| Error::file(path, place, reason);
        let file: FileText = toml::from_str(text).map_err(|e| Error::toml(path, text, &e))?;
        if file.levels.is_some_and(|levels| !(1..=1024).contains(&levels)) {
            return Err(fail("levels".into(), "QCFS activations have 1 to 1024 levels".into()));
        }
        if !file.layers.is_empty() && file.input.is_none() {
            return Err(fail(
                "input".into(),
                "is missing. Write input = [channels, height, width] or [features].".into(),
            ));
        }
        let scaling = file.scaling.map(|text| Scaling::parse(&text)).transpose();
        let layers = file.layers.into_iter().enumerate().map(|(index, value)| {
            LayerEntry::parse(value).map_err(|reason| fail(format!("layer {}", index + 1), reason))
        });
        Ok(Self {
            input: file.input,
            scaling: scaling.map_err(|e| fail("scaling".into(), e.to_string()))?,
            class_names: file.class_names,
            levels: file.levels,
            clip: file.activation == Some(ActivationKind::Clip),
            max_pool: file.pooling.map(|pooling| pooling == Pooling::Max),
            ignore: file.ignore,
            layers: layers.collect::<Result<_>>()?,
            path: path.to_owned(),
            is_empty: text.parse::<toml::Table>().is_ok_and(|table| table.is_empty()),
        })
    }

    /// Loads the architecture file in the folder of the weights: `NAME.arch.toml`, or a `NAME.toml` with its keys.
    ///
    /// A file without entries counts as none: `> NAME.arch.toml` creates one before anything is written to it.
    ///
    /// # Errors
    /// As [`load`](Self::load), if there is one.
    pub fn beside(weights: &Path) -> Result<Option<Self>> {
        let names = [weights.with_extension("arch.toml"), super::file_name::architecture_file(weights)];
        for named in names.iter().filter(|named| named.is_file()) {
            let file = Self::load(named)?;
            if !file.is_empty() {
                return Ok(Some(file));
            }
        }
        Self::plainly_named(weights).map(|(path, text)| Self::parse(&text, &path)).transpose()
    }

    /// `NAME.toml` beside the weights and its text. A recipe or a run may have the same name; an architecture file is
    /// recognized by its keys.
    fn plainly_named(weights: &Path) -> Option<(PathBuf, String)> {
        let path = weights.with_extension("toml");
        let text = if path.is_file() { std::fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
        let table: toml::Table = text.parse().unwrap_or_default();
        ["layers", "input", "levels"].iter().any(|key| table.contains_key(*key)).then_some((path, text))
    }

    /// The files that [`beside`](Self::beside) may read.
    pub fn paths_beside(weights: &Path) -> Vec<PathBuf> {
        let named = [weights.with_extension("arch.toml"), super::file_name::architecture_file(weights)];
        named.into_iter().chain(Self::plainly_named(weights).map(|(path, _)| path)).collect()
    }

    pub(super) fn assumed(&self) -> Assumptions {
        Assumptions { levels: self.levels.unwrap_or(DEFAULT_LEVELS), clip: self.clip, max_pool: self.max_pool }
    }

    /// Whether it has no entry.
    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Builds the network of the listed layers with the weights `state` of the file `weights`.
    pub(super) fn assemble(&self, state: &StateDict, weights: &Path, name: String) -> Result<Network> {
        let mut net = self.assembler(state, weights)?;
        self.place_layers(&mut net)?;
        net.finish(name)
    }

    /// The listed layers with their shapes, up to the first that does not fit, and why it does not.
    pub fn place(&self, state: &StateDict, weights: &Path) -> (Vec<OutlineLayer>, Option<Error>) {
        if self.layers.is_empty() {
            return (Vec::new(), None);
        }
        match self.assembler(state, weights) {
            Ok(mut net) => {
                let error = self.place_layers(&mut net).err();
                (outline(net.nodes()), error)
            }
            Err(error) => (Vec::new(), Some(error)),
        }
    }

    fn assembler<'a>(&self, state: &'a StateDict, weights: &'a Path) -> Result<NetworkAssembler<'a>> {
        let input = self.input.clone().unwrap_or_default();
        let mut net = NetworkAssembler::new(weights, "the architecture file", state, &input, self.assumed())?;
        self.ignore.iter().for_each(|prefix| net.ignore(prefix));
        Ok(net)
    }

    fn place_layers(&self, net: &mut NetworkAssembler<'_>) -> Result<()> {
        let mut last = 0;
        for (index, layer) in self.layers.iter().enumerate() {
            last = layer.place(net, last, &self.path, index + 1)?;
        }
        Ok(())
    }
}
