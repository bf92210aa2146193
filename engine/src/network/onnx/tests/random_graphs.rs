//! Random activation chains and small graphs: whatever opens gives the values of the raw graph's interpreter.

use std::path::Path;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use prost::Message;

use super::super::from_bytes;
use super::super::interpreter::Interpreter;
use super::super::proto::*;
use super::super::topological_sort::topological_order;
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
    let interpreter = Interpreter::new(graph, &order, OPSET, path, shape, &|_| None);
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
    let range_of = |x: &[f32]| 1.0 + x.iter().fold(0.0f64, |m, v| m.max(f64::from(v.abs())));
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
            ours.iter()
                .zip(&due)
                .map(|(a, b)| (a.value - b).abs() > 3e-5 * a.magnitude + 1e-5 * b.abs() + 1e-6 * range_of(x))
                .collect()
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

/// Appends one random layer to `b`, whose last value is `v`; `None` if it does not fit the shape of `v`.
fn layer(
    b: &mut Builder,
    v: &str,
    earlier: &str,
    shape: &[usize],
    r: &mut impl FnMut(usize) -> usize,
) -> Option<String> {
    let int = |name: &str, i: i64| AttributeProto { name: name.into(), i, ..AttributeProto::default() };
    let list = |name: &str, ints: Vec<i64>| AttributeProto { name: name.into(), ints, ..AttributeProto::default() };
    let text = |name: &str, s: &str| AttributeProto { name: name.into(), s: s.into(), ..AttributeProto::default() };
    let weights = |n: usize, r: &mut dyn FnMut(usize) -> usize| {
        (0..n).map(|_| r(2000) as f32 / 1000.0 - 1.0).collect::<Vec<f32>>()
    };
    let &[_, c, h, w] = shape else { return None };
    let two = |r: &mut dyn FnMut(usize) -> usize, low: usize, n: usize| vec![(low + r(n)) as i64, (low + r(n)) as i64];
    let four = |r: &mut dyn FnMut(usize) -> usize, n: usize| (0..4).map(|_| r(n) as i64).collect::<Vec<i64>>();
    Some(match r(16) {
        0 | 1 => {
            let groups = if r(3) == 0 { c } else { 1 };
            let out = groups * (1 + r(3));
            let kernel = two(r, 1, 3);
            let count = out * (c / groups) * (kernel[0] * kernel[1]) as usize;
            let k = b.array(&[out as i64, (c / groups) as i64, kernel[0], kernel[1]], weights(count, r));
            let mut attributes =
                vec![int("group", groups as i64), list("strides", two(r, 1, 2)), list("dilations", two(r, 1, 2))];
            attributes.push(match r(3) {
                0 => text("auto_pad", ["SAME_UPPER", "SAME_LOWER", "VALID"][r(3)]),
                _ => list("pads", four(r, 3)),
            });
            b.push("Conv", &[v, &k], attributes)
        }
        2 => {
            let kernel = two(r, 1, 3);
            let k = b.array(&[c as i64, 2, kernel[0], kernel[1]], weights(2 * c * (kernel[0] * kernel[1]) as usize, r));
            b.push("ConvTranspose", &[v, &k], vec![list("strides", two(r, 1, 2)), list("pads", four(r, 2))])
        }
        3 | 4 => {
            let op = if r(2) == 0 { "MaxPool" } else { "AveragePool" };
            let kernel = two(r, 1, 3);
            // Valid pads are smaller than the window.
            let pads: Vec<i64> = (0..4).map(|k| r(kernel[k % 2] as usize) as i64).collect();
            let mut attributes = vec![
                list("kernel_shape", kernel),
                list("strides", two(r, 1, 3)),
                list("pads", pads),
                int("ceil_mode", r(2) as i64),
            ];
            if op == "AveragePool" {
                attributes.push(int("count_include_pad", r(2) as i64));
            } else {
                attributes.push(list("dilations", two(r, 1, 2)));
            }
            b.push(op, &[v], attributes)
        }
        5 => b.push(if r(2) == 0 { "GlobalAveragePool" } else { "GlobalMaxPool" }, &[v], vec![]),
        6 => {
            let parts: Vec<String> = (0..4)
                .map(|k| {
                    let values = weights(c, r);
                    b.array(&[c as i64], if k == 3 { values.iter().map(|v| v.abs() + 0.1).collect() } else { values })
                })
                .collect();
            b.push("BatchNormalization", &[v, &parts[0], &parts[1], &parts[2], &parts[3]], vec![])
        }
        7 => {
            let pads = b.list(&[0, r(2) as i64, r(3) as i64, r(3) as i64, 0, r(2) as i64, r(3) as i64, r(3) as i64]);
            b.push("Pad", &[v, &pads], vec![])
        }
        8 => {
            let axis = 1 + r(3);
            let size = shape[axis];
            let start = r(size);
            let (start, end) = (start as i64, (start + 1 + r(size - start)) as i64);
            let (start, end) = if r(2) == 0 { (start - size as i64, end) } else { (start, end) };
            let (start, end, axis, step) =
                (b.list(&[start]), b.list(&[end]), b.list(&[axis as i64]), b.list(&[1 + r(2) as i64]));
            b.push("Slice", &[v, &start, &end, &axis, &step], vec![])
        }
        9 => b.push(
            "Transpose",
            &[v],
            vec![list("perm", [[0, 1, 3, 2], [0, 2, 3, 1], [0, 3, 1, 2], [0, 2, 1, 3]][r(4)].to_vec())],
        ),
        10 => {
            let scales: Vec<f32> = vec![1.0, 1.0, 0.5 + r(30) as f32 / 10.0, 0.5 + r(30) as f32 / 10.0];
            let scales = b.array(&[4], scales);
            let modes = ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"];
            let nearest = ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"];
            let attributes = vec![
                text("mode", ["nearest", "linear", "cubic"][r(3)]),
                text("coordinate_transformation_mode", modes[r(4)]),
                text("nearest_mode", nearest[r(4)]),
            ];
            b.push("Resize", &[v, "", &scales], attributes)
        }
        11 => b.push("Relu", &[v], vec![]),
        12 => b.push(["Add", "Sub", "Mean"][r(3)], &[v, earlier], vec![]),
        13 => b.push("Concat", &[v, earlier], vec![int("axis", 1 + r(3) as i64)]),
        14 => {
            let axes = b.list(&[2 + r(2) as i64]);
            b.push("ReduceMean", &[v, &axes], vec![int("keepdims", 1)])
        }
        _ => {
            let (k, out) = ((c * h * w) as i64, 1 + r(4));
            let flat = b.push("Flatten", &[v], vec![int("axis", [1, -3][r(2)])]);
            let k = b.array(&[k, out as i64], weights(k as usize * out, r));
            let y = b.push("Gemm", &[&flat, &k], vec![]);
            let target = b.list(&[1, out as i64, 1, 1]);
            b.push("Reshape", &[&y, &target], vec![])
        }
    })
}

const GRAPH_INPUT: [usize; 4] = [1, 3, 6, 5];

/// A random graph of up to `depth` layers.
fn graph(seed: u64, depth: usize) -> ModelProto {
    let mut state = seed;
    let mut r = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n.max(1)
    };
    let dims = GRAPH_INPUT.map(|d| d as i64);
    let mut b = Builder::default();
    let mut values = vec![("x".to_owned(), GRAPH_INPUT.to_vec())];
    for _ in 0..depth {
        let (v, shape) = values.last().cloned().unwrap_or_default();
        // Mostly a value of the same shape, so that sums are valid.
        let same: Vec<&String> = values.iter().filter(|(_, other)| *other == shape).map(|(name, _)| name).collect();
        let earlier = same[r(same.len())].clone();
        let (nodes, constants) = (b.nodes.len(), b.constants.len());
        let Some(next) = layer(&mut b, &v, &earlier, &shape, &mut r) else { break };
        let built = Builder { nodes: b.nodes.clone(), constants: b.constants.clone() }.model(&dims, &next);
        let whole = built.graph.as_ref().expect("a model has a graph");
        let order: Vec<usize> = (0..whole.node.len()).collect();
        let interpreter = Interpreter::new(whole, &order, OPSET, Path::new("net.onnx"), &GRAPH_INPUT, &|_| None);
        match interpreter.shape(&next).map(<[usize]>::to_vec) {
            Ok(shape) if shape.iter().product::<usize>() > 0 => values.push((next, shape)),
            _ => {
                // Not valid, or not understood by the interpreter.
                b.nodes.truncate(nodes);
                b.constants.truncate(constants);
            }
        }
    }
    let output = values.pop().map(|(name, _)| name).unwrap_or_default();
    b.model(&dims, &output)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn activation_chains_equal_the_raw_graph(steps in steps(), seed: u64) {
        agrees(&chain(&steps), &[1, 2, 3, 4], seed)?;
    }

    #[test]
    fn small_graphs_equal_the_raw_graph(seed: u64, depth in 1usize..6) {
        agrees(&graph(seed, depth), &GRAPH_INPUT, seed)?;
    }
}

/// What is refused among many random chains and graphs, by reason: with `--nocapture` as a table.
#[test]
fn most_graphs_and_many_chains_open() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let chains: Vec<ModelProto> = (0..600)
        .map(|_| chain(&steps().new_tree(&mut runner).expect("a strategy without filters").current()))
        .collect();
    let graphs: Vec<ModelProto> = (0..600).map(|k| graph(k * 7919, 1 + k as usize % 5)).collect();
    for (kind, models, least) in [("chains", chains, 200), ("graphs", graphs, 400)] {
        let mut refused = std::collections::BTreeMap::<String, usize>::new();
        let mut opened = 0;
        for model in &models {
            match from_bytes(&model.encode_to_vec(), Path::new("net.onnx")) {
                Ok(_) => opened += 1,
                Err(error) => {
                    let text = error.to_string();
                    if text.contains("converted wrongly") {
                        println!("{text}\n{:?}", model.graph);
                    }
                    let reason = text.rsplit(": ").next().unwrap_or_default();
                    let reason: String =
                        reason.chars().filter(|c| !c.is_ascii_digit() && *c != '.' && *c != '-').collect();
                    *refused.entry(reason).or_default() += 1;
                }
            }
        }
        let wrong = refused.keys().find(|reason| reason.contains("converted wrongly"));
        println!("{opened} of {} random {kind} open; refused:", models.len());
        refused.iter().for_each(|(reason, count)| println!("  {count:4}  {reason}"));
        assert!(wrong.is_none(), "read wrongly: {refused:#?}");
        assert!(opened >= least, "{opened} of {} {kind} open: {refused:#?}", models.len());
    }
}
