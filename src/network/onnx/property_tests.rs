//! Random activation chains and small graphs: whatever opens gives the values of the raw graph's interpreter.

use std::path::Path;

use proptest::prelude::*;
use prost::Message;

use super::from_bytes;
use super::interpreter::Interpreter;
use super::proto::*;
use super::topological_sort::topological_order;
use crate::network::Network;
use crate::network::node_elements::{Element, element};

const OPSET: i64 = 18;

fn constant(name: String, dims: &[i64], values: Vec<f32>) -> TensorProto {
    TensorProto { name, dims: dims.to_vec(), data_type: 1, float_data: values, ..TensorProto::default() }
}

fn ints(name: String, values: &[i64]) -> TensorProto {
    let dims = vec![values.len() as i64];
    TensorProto { name, dims, data_type: 7, int64_data: values.to_vec(), ..TensorProto::default() }
}

/// A graph under construction: from "x" on, every node gets a value of its own.
#[derive(Default)]
struct Builder {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
}

impl Builder {
    fn scalar(&mut self, value: f32) -> String {
        let name = format!("c{}", self.constants.len());
        self.constants.push(constant(name.clone(), &[], vec![value]));
        name
    }
    fn list(&mut self, values: &[i64]) -> String {
        let name = format!("c{}", self.constants.len());
        self.constants.push(ints(name.clone(), values));
        name
    }
    fn array(&mut self, dims: &[i64], values: Vec<f32>) -> String {
        let name = format!("c{}", self.constants.len());
        self.constants.push(constant(name.clone(), dims, values));
        name
    }
    fn push(&mut self, op: &str, inputs: &[&str], attribute: Vec<AttributeProto>) -> String {
        let output = format!("v{}", self.nodes.len());
        self.nodes.push(NodeProto {
            op_type: op.into(),
            name: format!("{op}{}", self.nodes.len()),
            input: inputs.iter().map(|s| (*s).into()).collect(),
            output: vec![output.clone()],
            attribute,
            ..NodeProto::default()
        });
        output
    }
    fn model(self, shape: &[i64], output: &str) -> ModelProto {
        let info = |name: &str, dims: &[i64]| {
            let dim = |&d: &i64| DimensionProto { dim_value: Some(d), ..DimensionProto::default() };
            let shape = Some(TensorShapeProto { dim: dims.iter().map(dim).collect() });
            let tensor_type = Some(TensorTypeProto { elem_type: 1, shape });
            ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type }) }
        };
        let graph = GraphProto {
            node: self.nodes,
            name: "g".into(),
            initializer: self.constants,
            input: vec![info("x", shape)],
            output: vec![ValueInfoProto { name: output.into(), ..ValueInfoProto::default() }],
            ..GraphProto::default()
        };
        let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: OPSET }];
        ModelProto { ir_version: 9, graph: Some(graph), opset_import, ..ModelProto::default() }
    }
}

/// One step of a chain: an operation, a constant, and the number of an earlier value.
type Step = (u8, f32, f32, u8);

fn number(sign: bool, exponent: f32) -> f32 {
    let value = 10f32.powf(exponent);
    if sign { value } else { -value }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let constant = (any::<bool>(), -1.5f32..1.2).prop_map(|(sign, exponent)| number(sign, exponent));
    prop::collection::vec((0u8..19, constant.clone(), constant, any::<u8>()), 1..7)
}

/// The activation chain of `steps`, `[1, 2, 3, 4]` at both ends.
fn chain(steps: &[Step]) -> ModelProto {
    let mut b = Builder::default();
    let mut values = vec!["x".to_owned()];
    for &(op, c, d, earlier) in steps {
        let v = values.last().cloned().unwrap_or_default();
        let other = values[usize::from(earlier) % values.len()].clone();
        let k = b.scalar(c);
        let next = match op {
            0 => b.push("Mul", &[&v, &k], vec![]),
            1 => b.push("Div", &[&v, &k], vec![]),
            2 => b.push("Add", &[&v, &k], vec![]),
            3 => b.push("Sub", &[&v, &k], vec![]),
            4 => b.push("Sub", &[&k, &v], vec![]),
            5 | 6 => b.push("Relu", &[&v], vec![]),
            7 | 8 => {
                let (low, high) = (b.scalar(c.min(d)), b.scalar(c.max(d)));
                b.push("Clip", &[&v, &low, &high], vec![])
            }
            9 => {
                let high = b.scalar(c.abs());
                let low = b.scalar(0.0);
                b.push("Clip", &[&v, &low, &high], vec![])
            }
            10 => b.push("Floor", &[&v], vec![]),
            11 => b.push("Round", &[&v], vec![]),
            12 => b.push("Neg", &[&v], vec![]),
            13 => b.push("Min", &[&v, &k], vec![]),
            14 => b.push("Max", &[&k, &v], vec![]),
            15 => b.push("HardSigmoid", &[&v], vec![]),
            16 => b.push("Add", &[&v, &other], vec![]),
            17 => b.push("Sub", &[&v, &other], vec![]),
            _ => b.push("Sum", &[&v, &k, &other], vec![]),
        };
        values.push(next);
    }
    let output = values.pop().unwrap_or_default();
    b.model(&[1, 2, 3, 4], &output)
}

/// All values of the network for one sample `x`, in plain arithmetic.
fn run(network: &Network, x: &[f32]) -> Vec<Element> {
    let mut values: Vec<Vec<Element>> = vec![x.iter().map(|&v| Element::given(f64::from(v))).collect()];
    for node in &network.nodes[1..] {
        let shapes: Vec<&[usize]> = node.inputs.iter().map(|&i| network.nodes[i].shape.as_slice()).collect();
        let own = (0..node.len()).map(|i| element(node, &shapes, i, &mut |k, i| values[node.inputs[k]][i])).collect();
        values.push(own);
    }
    values.swap_remove(network.output)
}

/// All values of the raw graph's output.
fn raw(model: &ModelProto, shape: &[usize], x: &[f32]) -> Vec<f64> {
    let graph = model.graph.as_ref().unwrap();
    let path = Path::new("net.onnx");
    let order = topological_order(graph, path).unwrap();
    let interpreter = Interpreter::new(graph, &order, OPSET, path, shape);
    let output = &graph.output[0].name;
    let count: usize = interpreter.shape(output).unwrap().iter().product();
    let all: Vec<usize> = (0..count).collect();
    interpreter.elements(output, &all, &|name, i| (name == "x").then(|| x[i])).unwrap()
}

/// Opens `model`; if it opens, every output equals that of the interpreter but for steps within rounding of the input.
fn agrees(model: &ModelProto, shape: &[usize], seed: u64) -> Result<bool, TestCaseError> {
    let opened = from_bytes(&model.encode_to_vec(), Path::new("net.onnx"));
    let network = match opened {
        Ok(network) => network,
        Err(error) => {
            let text = error.to_string();
            prop_assert!(!text.contains("converted wrongly"), "{text}\n{:?}", model.graph);
            return Ok(false);
        }
    };
    let count: usize = shape.iter().product();
    let mut state = seed;
    for range in [0.3f32, 3.0, 40.0] {
        let x: Vec<f32> = (0..count)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ((state >> 40) as f32 / (1u64 << 23) as f32 - 1.0) * range
            })
            .collect();
        let nudged = |factor: f32| x.iter().map(|v| v * factor).collect::<Vec<f32>>();
        let differs = |x: &[f32]| -> Vec<bool> {
            let (ours, due) = (run(&network, x), raw(model, shape, x));
            assert_eq!(ours.len(), due.len());
            ours.iter().zip(&due).map(|(a, b)| (a.value - b).abs() > 3e-5 * a.magnitude + 1e-5 * b.abs() + 1e-6).collect()
        };
        let (at, above, below) = (differs(&x), differs(&nudged(1.0001)), differs(&nudged(0.9999)));
        let wrong = (0..at.len()).find(|&i| at[i] && above[i] && below[i]);
        if let Some(i) = wrong {
            let (ours, due) = (run(&network, &x)[i].value, raw(model, shape, &x)[i]);
            let nodes: Vec<_> = network.nodes.iter().map(|n| (&n.name, &n.op)).collect();
            prop_assert!(false, "output {i} is {ours}, due {due}\n{:?}\nread as {nodes:?}", model.graph);
        }
    }
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn activation_chains_equal_the_raw_graph(steps in steps(), seed: u64) {
        agrees(&chain(&steps), &[1, 2, 3, 4], seed)?;
    }
}
