//! One layer entry of an architecture file: its parsing, and its node in the network.
//!
//! An entry is a word (`"relu"`) or a table (`{ op = "conv", key = "conv1", padding = 1 }`).

use std::path::Path;

use serde::Deserialize;

use super::assembler::{EPSILON, NetworkAssembler};
use crate::network::{Activation, NodeId, Op};
use crate::{Error, Result};

/// A layer with its name and inputs.
#[derive(Clone, Debug)]
pub(super) struct LayerEntry {
    kind: LayerKind,
    /// Its name, for `from` of later layers; if absent, the key, or the operation with a number.
    name: Option<String>,
    /// Names of its input layers; if empty, the previous layer.
    from: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
enum LayerKind {
    Conv {
        key: String,
        #[serde(default = "one")]
        stride: Pair,
        #[serde(default)]
        padding: Padding,
        #[serde(default = "one")]
        dilation: Pair,
    },
    Linear {
        key: String,
    },
    Norm {
        key: String,
        #[serde(default = "epsilon")]
        epsilon: f64,
    },
    Relu,
    Clip {
        lambda: Lambda,
    },
    Qcfs {
        lambda: Lambda,
        levels: Option<u32>,
    },
    MaxPool {
        kernel: Pair,
        stride: Option<Pair>,
        #[serde(default)]
        padding: Padding,
    },
    AvgPool {
        kernel: Pair,
        stride: Option<Pair>,
        #[serde(default)]
        padding: Padding,
        #[serde(default = "yes")]
        count_include_pad: bool,
    },
    GlobalAvgPool,
    Flatten,
    Add,
    Concat,
    Softmax,
    LogSoftmax,
}

/// One number for both directions, or `[vertical, horizontal]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
enum Pair {
    Both(usize),
    Each([usize; 2]),
}

impl Pair {
    fn get(self) -> [usize; 2] {
        match self {
            Self::Both(n) => [n, n],
            Self::Each(pair) => pair,
        }
    }
}

/// One number, `[vertical, horizontal]` or `[top, left, bottom, right]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
enum Padding {
    All(usize),
    Pair([usize; 2]),
    Each([usize; 4]),
}

impl Default for Padding {
    fn default() -> Self {
        Self::All(0)
    }
}

impl Padding {
    fn get(self) -> [usize; 4] {
        match self {
            Self::All(n) => [n; 4],
            Self::Pair([vertical, horizontal]) => [vertical, horizontal, vertical, horizontal],
            Self::Each(sides) => sides,
        }
    }
}

/// A threshold λ: a number, or the key of a scalar.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Lambda {
    Number(f32),
    Key(String),
}

fn one() -> Pair {
    Pair::Both(1)
}
fn epsilon() -> f64 {
    EPSILON
}
fn yes() -> bool {
    true
}

impl LayerEntry {
    /// Parses one entry of `layers`.
    ///
    /// # Errors
    /// The reason why the entry is invalid.
    pub fn parse(value: toml::Value) -> std::result::Result<Self, String> {
        let mut table = match value {
            toml::Value::String(word) => toml::Table::from_iter([("op".to_owned(), toml::Value::String(word))]),
            toml::Value::Table(table) => table,
            other => return Err(format!("is {other} instead of a word such as \"relu\" or a table with op = …")),
        };
        let name = match table.remove("name") {
            None => None,
            Some(toml::Value::String(name)) if !name.is_empty() => Some(name),
            Some(other) => return Err(format!("its name is {other} instead of a string")),
        };
        let from = match table.remove("from") {
            None => Vec::new(),
            Some(toml::Value::String(from)) => vec![from],
            Some(list) => list.try_into().map_err(|_| "from is neither a name nor a list of names".to_owned())?,
        };
        let kind: LayerKind =
            toml::Value::Table(table).try_into().map_err(|e: toml::de::Error| e.message().to_owned())?;
        if matches!(kind, LayerKind::Add | LayerKind::Concat) && from.len() < 2 {
            return Err("needs two or more inputs. Write from = [\"…\", \"…\"].".into());
        }
        if !matches!(kind, LayerKind::Add | LayerKind::Concat) && from.len() > 1 {
            return Err("takes one input only".into());
        }
        Ok(Self { kind, name, from })
    }

    /// Adds the layer, number `number` of the file `path`, after node `last`.
    ///
    /// # Errors
    /// [`Error::File`] for an unknown input, a repeated name, or weights that do not fit.
    pub fn place(&self, net: &mut NetworkAssembler<'_>, last: NodeId, path: &Path, number: usize) -> Result<NodeId> {
        let find = |from: &String| {
            net.find(from).or_else(|| net.numbered(from)).ok_or_else(|| {
                let reason =
                    format!("reads '{from}', but no earlier layer has this name. Name one with name = \"{from}\".");
                Error::file(path, format!("layer {number}"), reason)
            })
        };
        let inputs =
            if self.from.is_empty() { vec![last] } else { self.from.iter().map(find).collect::<Result<_>>()? };
        let from = inputs[0];
        let layer_name = |word: &str| self.name.clone().unwrap_or_else(|| format!("{word}{number}"));
        // Neurons have the file's own names: that of the layer before them.
        let neurons = |net: &NetworkAssembler<'_>, word: &str| match (&self.name, net.weights_before(from)) {
            (None, Some(before)) => format!("{before}.act"),
            _ => layer_name(word),
        };
        let added = match &self.kind {
            LayerKind::Conv { key, stride, padding, dilation } => {
                net.conv(key, from, stride.get(), padding.get(), dilation.get())?
            }
            LayerKind::Linear { key } => net.linear(key, from)?,
            LayerKind::Norm { key, epsilon } => net.norm(key, from, *epsilon)?,
            LayerKind::Relu => net.push(&neurons(net, "relu"), Op::Activation(Activation::Relu), vec![from], &[])?,
            LayerKind::Clip { lambda } => {
                let lambda = lambda.value(net)?;
                net.push(&neurons(net, "clip"), Op::Activation(Activation::Clip { lambda }), vec![from], &[])?
            }
            LayerKind::Qcfs { lambda, levels } => {
                let (lambda, levels) = (lambda.value(net)?, levels.unwrap_or(net.assumed.levels));
                let activation = Activation::Qcfs { lambda, levels, shift: 0.5 };
                net.push(&neurons(net, "qcfs"), Op::Activation(activation), vec![from], &[])?
            }
            LayerKind::MaxPool { kernel, stride, padding } => {
                let (kernel, stride) = (kernel.get(), stride.unwrap_or(*kernel).get());
                let op = Op::MaxPool2d { kernel, stride, padding: padding.get(), dilation: [1; 2] };
                net.push(&layer_name("max-pool"), op, vec![from], &[])?
            }
            LayerKind::AvgPool { kernel, stride, padding, count_include_pad } => {
                let (kernel, stride) = (kernel.get(), stride.unwrap_or(*kernel).get());
                let op =
                    Op::AvgPool2d { kernel, stride, padding: padding.get(), count_include_pad: *count_include_pad };
                net.push(&layer_name("avg-pool"), op, vec![from], &[])?
            }
            LayerKind::GlobalAvgPool => net.global_mean(&layer_name("global-avg-pool"), from)?,
            LayerKind::Flatten => net.flatten(&layer_name("flatten"), from)?,
            LayerKind::Add => net.push(&layer_name("add"), Op::Add, inputs, &[])?,
            LayerKind::Concat => net.push(&layer_name("concat"), Op::Concat { axis: 0 }, inputs, &[])?,
            LayerKind::Softmax => net.push(&layer_name("softmax"), Op::Softmax { log: false }, vec![from], &[])?,
            LayerKind::LogSoftmax => {
                net.push(&layer_name("log-softmax"), Op::Softmax { log: true }, vec![from], &[])?
            }
        };
        if let Some(name) = &self.name {
            net.rename(added, name, path, number)?;
        }
        if let (None, LayerKind::Relu | LayerKind::Clip { .. } | LayerKind::Qcfs { .. }) = (&self.name, &self.kind) {
            net.number(number, added);
        }
        Ok(added)
    }
}

impl Lambda {
    fn value(&self, net: &mut NetworkAssembler<'_>) -> Result<f32> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Key(key) => net.single(key),
        }
    }
}
