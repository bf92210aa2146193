//! Reasons why operations cannot become layers, with the names users know and what to do.

use std::collections::HashMap;

use crate::network::onnx::proto::{GraphProto, NodeProto};

/// Activations that spiking neurons cannot replace.
const ACTIVATIONS: &[&str] = &[
    "LeakyRelu",
    "PRelu",
    "Elu",
    "Selu",
    "Celu",
    "Tanh",
    "Gelu",
    "HardSwish",
    "Mish",
    "Softplus",
    "Softsign",
    "Swish",
    "SwiGLU",
    "Erf",
    "Exp",
    "ThresholdedRelu",
    "Shrink",
    "Hardmax",
];
/// A product of two layers of which one is a sigmoid.
const GATE: &str = "gate";
/// A layer less its own mean, squared: written out by exporters before operator set 17.
const LAYER_NORMALIZATION: &str = "LayerNormalization";
/// Normalizations by statistics of the sample itself.
const NORMALIZATIONS: &[&str] = &[
    "LayerNormalization",
    "InstanceNormalization",
    "GroupNormalization",
    "RMSNormalization",
    "LpNormalization",
    "MeanVarianceNormalization",
    "LRN",
];
/// Operations of quantized networks.
const QUANTIZED: &[&str] = &[
    "QLinearConv",
    "QLinearMatMul",
    "ConvInteger",
    "MatMulInteger",
    "QuantizeLinear",
    "DequantizeLinear",
    "DynamicQuantizeLinear",
];
/// Beginnings of operations of quantized networks in other domains.
const QUANTIZED_PREFIXES: &[&str] =
    &["QLinear", "QGemm", "QAttention", "QEmbed", "MatMulNBits", "DynamicQuantize", "QMoE"];

/// The reason why `node` cannot become a layer; for operations that are never supported.
pub fn of_layer(node: &NodeProto) -> String {
    let op = node.op_type.as_str();
    match op {
        _ if ACTIVATIONS.contains(&op) => of_activation(op),
        _ if NORMALIZATIONS.contains(&op) => of_normalization(op),
        _ if QUANTIZED.contains(&op) => of_quantized(op),
        "Loop" | "Scan" => "control flow is not supported. Export with fixed shapes.".into(),
        "If" => "its condition depends on the input. Export with fixed shapes.".into(),
        "LSTM" | "GRU" | "RNN" => format!("recurrent layers ({op}) are not supported"),
        "Attention" | "LinearAttention" => format!("{op} multiplies layers with each other, which is not supported"),
        "ArgMax" | "TopK" => {
            format!("{op} is not supported. Remove it: the output before it has the values that it selects from.")
        }
        _ if op.starts_with("Sequence") || op.starts_with("Optional") || op.contains("ToSequence") => {
            format!("operation {op} is not supported: sequences are no tensors. Export with fixed shapes.")
        }
        _ if op.starts_with("String") || op.starts_with("Regex") => {
            format!("operation {op} is not supported: strings are no numbers. Remove the text processing.")
        }
        _ => format!("operation {op} is not supported"),
    }
}

fn of_normalization(name: &str) -> String {
    format!(
        "{name} depends on the statistics of each sample, which layers of spiking neurons do not have. Train the network \
         with batch normalization."
    )
}

/// The reason why the activation (or gate, or normalization) called `name` cannot be converted.
pub fn of_activation(name: &str) -> String {
    if name == LAYER_NORMALIZATION {
        return of_normalization(name);
    }
    if name == GATE {
        return "the product of a layer and a sigmoid (a gate, as in squeeze-and-excitation) cannot be converted to spikes. \
                Use a network without gates."
            .into();
    }
    format!(
        "{name} activations cannot be replaced by integrate-and-fire neurons, whose output is linear and never negative. \
         Train the network with ReLU, clip or QCFS activations."
    )
}

/// The reason why an operation on constants cannot be evaluated.
pub fn of_constants(op: &str) -> String {
    format!(
        "operation {op} on constants is not supported. Save the network with its constants folded (onnxsim, or \
         onnxruntime with basic optimization)."
    )
}

/// The reason why an operation of another domain cannot be read.
pub fn of_domain(node: &NodeProto) -> String {
    let op = node.op_type.as_str();
    if QUANTIZED_PREFIXES.iter().any(|prefix| op.starts_with(prefix)) || QUANTIZED.contains(&op) {
        return of_quantized(op);
    }
    match node.domain.as_str() {
        "com.microsoft" | "com.microsoft.nchwc" => format!(
            "operation {op} of domain '{}' is written by onnxruntime when it optimizes a network. Open the network from \
             before that, or export it again.",
            node.domain
        ),
        "ai.onnx.ml" => format!("operation {op} of domain 'ai.onnx.ml' is not a layer of a neural network"),
        domain => format!(
            "operation {op} of domain '{domain}' is not part of ONNX, and the file does not define it as a function. \
             Export with standard operators."
        ),
    }
}

fn of_quantized(op: &str) -> String {
    format!("{op} belongs to a quantized network. Open the float network from before quantization.")
}

/// Maximum number of nodes beside one that are looked at.
const MAX_READERS: usize = 16;

/// The nodes of a graph by what they produce and read, to find out what an operation is part of.
pub struct Neighbors<'a> {
    producers: HashMap<&'a str, &'a NodeProto>,
    readers: HashMap<&'a str, Vec<&'a NodeProto>>,
}

impl<'a> Neighbors<'a> {
    pub fn of(graph: &'a GraphProto) -> Self {
        let mut neighbors = Self { producers: HashMap::new(), readers: HashMap::new() };
        for node in &graph.node {
            node.output.iter().for_each(|name| {
                neighbors.producers.insert(name, node);
            });
            node.input.iter().for_each(|name| neighbors.readers.entry(name).or_default().push(node));
        }
        neighbors
    }

    /// The name of the activation that `node`, which reads a layer, is part of, if neurons cannot replace it.
    pub fn activation(&self, node: &NodeProto) -> Option<&'static str> {
        match node.op_type.as_str() {
            "Mul" => match node.input.as_slice() {
                [a, b] => self.product(a, b).or_else(|| self.product(b, a)),
                _ => None,
            },
            "Pow" if self.comes_from(node, "Sub", 1) && self.comes_from(node, "ReduceMean", 2) => {
                Some(LAYER_NORMALIZATION)
            }
            "Erf" => Some("GELU"),
            "Softplus" if self.leads_to(node, "Tanh", 1) => Some("Mish"),
            "Pow" if self.leads_to(node, "Tanh", 4) => Some("GELU"),
            "Tanh" if self.comes_from(node, "Softplus", 1) => Some("Mish"),
            "Tanh" if self.comes_from(node, "Pow", 4) => Some("GELU"),
            _ => None,
        }
    }

    /// The activation that multiplies `x` with `factor`.
    fn product(&self, x: &str, factor: &str) -> Option<&'static str> {
        let mut gate = self.producers.get(factor)?;
        // Of a gate only the shape changes on its way to the product.
        let moves = ["Reshape", "Unsqueeze", "Squeeze", "Expand", "Transpose", "Identity"];
        for _ in 0..MAX_READERS {
            match gate.input.first().and_then(|name| self.producers.get(name.as_str())) {
                Some(before) if moves.contains(&gate.op_type.as_str()) => gate = before,
                _ => break,
            }
        }
        let argument = gate.input.first()?;
        // The layer itself, or scaled or shifted.
        let is_affine = |n: &NodeProto| matches!(n.op_type.as_str(), "Add" | "Mul" | "Div");
        let reads = |name: &str| {
            let scaled = |n: &&NodeProto| is_affine(n) && n.input.iter().any(|input| input == x);
            name == x || self.producers.get(name).is_some_and(scaled)
        };
        match gate.op_type.as_str() {
            "Sigmoid" if argument == x => Some("SiLU (swish)"),
            "Sigmoid" if reads(argument) => Some("swish"),
            "HardSigmoid" if argument == x => Some("hard-swish"),
            "Clip" if reads(argument) => Some("hard-swish"),
            "Sigmoid" | "HardSigmoid" => Some(GATE),
            "Tanh" if self.comes_from(gate, "Softplus", 1) => Some("Mish"),
            // Clip(x + 3, 0, 6) / 6
            "Div" | "Mul" => match self.producers.get(argument.as_str()) {
                Some(clip) if clip.op_type == "Clip" && clip.input.first().is_some_and(|a| reads(a)) => {
                    Some("hard-swish")
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn leads_to(&self, node: &NodeProto, op: &str, steps: usize) -> bool {
        let readers = node.output.iter().filter_map(|name| self.readers.get(name.as_str())).flatten();
        steps > 0
            && readers.take(MAX_READERS).any(|reader| reader.op_type == op || self.leads_to(reader, op, steps - 1))
    }

    fn comes_from(&self, node: &NodeProto, op: &str, steps: usize) -> bool {
        let producers = node.input.iter().filter_map(|name| self.producers.get(name.as_str()));
        steps > 0
            && producers.take(MAX_READERS).any(|before| before.op_type == op || self.comes_from(before, op, steps - 1))
    }
}
