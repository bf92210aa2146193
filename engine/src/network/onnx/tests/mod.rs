//! Tests with small handmade graphs: the forms that exporters write, and damaged files.

mod class_maps;
mod files;
mod inputs;
mod layers;
mod random_graphs;
mod refusals;

use std::path::Path;

use proptest::prelude::*;
use prost::Message;

use super::inputs::open_sizes;
use super::proto::*;
use super::{from_bytes, model};
use crate::network::{Activation, Network, Op, OpenedNetwork};

fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = |&d: &i64| DimensionProto { dim_value: (d > 0).then_some(d), dim_param: (d <= 0).then(|| "N".into()) };
    let shape = Some(TensorShapeProto { dim: dims.iter().map(dim).collect() });
    let tensor_type = Some(TensorTypeProto { elem_type: 1, shape });
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type }) }
}

fn floats(name: &str, dims: &[i64], values: Vec<f32>) -> TensorProto {
    TensorProto { name: name.into(), dims: dims.to_vec(), data_type: 1, float_data: values, ..TensorProto::default() }
}

fn ints(name: &str, values: &[i64]) -> TensorProto {
    let dims = vec![values.len() as i64];
    TensorProto { name: name.into(), dims, data_type: 7, int64_data: values.to_vec(), ..TensorProto::default() }
}

fn node(op: &str, inputs: &[&str], output: &str, attribute: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        op_type: op.into(),
        name: format!("/{output}/{op}"),
        input: inputs.iter().map(|s| (*s).into()).collect(),
        output: vec![output.into()],
        attribute,
        ..NodeProto::default()
    }
}

fn attr_int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.into(), i, ..AttributeProto::default() }
}

fn attr_ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto { name: name.into(), ints: ints.to_vec(), ..AttributeProto::default() }
}

fn attr_text(name: &str, text: &str) -> AttributeProto {
    AttributeProto { name: name.into(), s: text.as_bytes().to_vec(), ..AttributeProto::default() }
}

/// Image `[N, 1, 6, 6]` → conv 2 → `middle` (from "c" to "a") → flatten → linear 3.
fn model(middle: Vec<NodeProto>, constants: Vec<TensorProto>) -> ModelProto {
    let mut nodes = vec![node("Conv", &["x", "features.0.weight"], "c", vec![attr_ints("pads", &[1, 1, 1, 1])])];
    nodes.extend(middle);
    nodes.push(node("Flatten", &["a"], "f", vec![]));
    nodes.push(node("Gemm", &["f", "fc.weight", "fc.bias"], "y", vec![attr_int("transB", 1)]));
    let mut initializer = vec![
        floats("features.0.weight", &[2, 1, 3, 3], (0..18).map(|i| i as f32 / 9.0 - 1.0).collect()),
        floats("fc.weight", &[3, 72], (0..216).map(|i| (i % 7) as f32 / 7.0).collect()),
        floats("fc.bias", &[3], vec![0.0; 3]),
    ];
    initializer.extend(constants);
    let graph = GraphProto {
        node: nodes,
        name: "g".into(),
        initializer,
        input: vec![value("x", &[-1, 1, 6, 6])],
        output: vec![value("y", &[-1, 3])],
        ..GraphProto::default()
    };
    of_graph(graph)
}

fn of_graph(graph: GraphProto) -> ModelProto {
    let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: 17 }];
    ModelProto { ir_version: 8, graph: Some(graph), opset_import, ..ModelProto::default() }
}

/// A network of `nodes` from input `x` of `dims` to output `y`.
fn graph(dims: &[i64], nodes: Vec<NodeProto>, initializer: Vec<TensorProto>) -> ModelProto {
    let (input, output) = (vec![value("x", dims)], vec![value("y", &[])]);
    of_graph(GraphProto { node: nodes, name: "g".into(), initializer, input, output, ..GraphProto::default() })
}

fn relu() -> ModelProto {
    model(vec![node("Relu", &["c"], "a", vec![])], vec![])
}

fn read(model: &ModelProto) -> crate::Result<Network> {
    from_bytes(&model.encode_to_vec(), Path::new("net.onnx"))
}

/// The network and its notes, with `input` for open sizes.
fn opened(model: &ModelProto, input: Option<&[usize]>) -> crate::Result<OpenedNetwork> {
    model::open(model.encode_to_vec().into(), Path::new("net.onnx"), input)
}

fn refused(model: &ModelProto) -> String {
    let text = read(model).err().map(|e| e.to_string()).expect("this should be refused");
    assert!(text.starts_with("Cannot open net.onnx: "), "{text}");
    text
}

#[test]
fn node_names_are_those_of_the_file() {
    let network = read(&relu()).unwrap();
    let names: Vec<_> = network.nodes.iter().map(|n| n.name.as_str()).collect();
    assert_eq!(names, ["x", "features.0", "a", "f", "fc"]);
    assert_eq!(network.nodes[1].shape, [2, 6, 6]);
}

#[test]
fn staircase_with_straight_through_floor_is_qcfs() {
    let middle = vec![
        node("Div", &["c", "lambda"], "u", vec![]),
        node("Clip", &["u", "zero", "one"], "v", vec![]),
        node("Mul", &["v", "levels"], "w", vec![]),
        node("Add", &["w", "half"], "p", vec![]),
        node("Floor", &["p"], "q", vec![]),
        node("Sub", &["q", "p"], "d", vec![]),
        node("Add", &["d", "p"], "e", vec![]),
        node("Div", &["e", "levels"], "r", vec![]),
        node("Mul", &["r", "lambda"], "a", vec![]),
    ];
    let number = |name: &str, v: f32| floats(name, &[1], vec![v]);
    let constants = vec![
        number("lambda", 2.5),
        number("zero", 0.0),
        number("one", 1.0),
        number("levels", 8.0),
        number("half", 0.5),
    ];
    let network = read(&model(middle, constants)).unwrap();
    let activation = network.activation_nodes().next().unwrap().1;
    assert_eq!(activation, Activation::Qcfs { lambda: 2.5, levels: 8, shift: 0.5 });
    assert_eq!(network.nodes.len(), 5);
}

#[test]
fn shape_arithmetic_is_folded() {
    let mut file = relu();
    let graph = file.graph.as_mut().unwrap();
    graph.node.retain(|n| n.op_type != "Flatten");
    graph.node.extend([
        node("Shape", &["a"], "s", vec![]),
        node("Gather", &["s", "zero"], "b", vec![attr_int("axis", 0)]),
        node("Unsqueeze", &["b", "axis0"], "b1", vec![]),
        node("Concat", &["b1", "rest"], "target", vec![attr_int("axis", 0)]),
        node("Reshape", &["a", "target"], "f", vec![]),
    ]);
    let scalar = TensorProto { dims: vec![], ..ints("zero", &[0]) };
    graph.initializer.extend([scalar, ints("axis0", &[0]), ints("rest", &[-1])]);
    assert_eq!(read(&file).unwrap().nodes[3].shape, [72]);
    // A fixed batch in the reshape target also becomes a shape per sample.
    let graph = file.graph.as_mut().unwrap();
    graph.input[0] = value("x", &[10, 1, 6, 6]);
    graph.initializer.push(ints("fixed", &[10, 72]));
    graph.node.iter_mut().find(|n| n.op_type == "Reshape").unwrap().input[1] = "fixed".into();
    assert_eq!(read(&file).unwrap().nodes[3].shape, [72]);
}

#[test]
fn old_and_new_operator_sets_give_the_same_graph() {
    let new = model(
        vec![
            node("Relu", &["c"], "r", vec![]),
            node("Pad", &["r", "pads"], "p", vec![]),
            node("Slice", &["p", "starts", "ends", "axes"], "a", vec![]),
        ],
        vec![
            ints("pads", &[0, 0, 1, 1, 0, 0, 1, 1]),
            ints("starts", &[1, 1]),
            ints("ends", &[-1, 7]),
            ints("axes", &[2, 3]),
        ],
    );
    let old = model(
        vec![
            node("Relu", &["c"], "r", vec![]),
            node("Pad", &["r"], "p", vec![attr_ints("pads", &[0, 0, 1, 1, 0, 0, 1, 1]), attr_text("mode", "constant")]),
            node(
                "Slice",
                &["p"],
                "a",
                vec![attr_ints("starts", &[1, 1]), attr_ints("ends", &[-1, 7]), attr_ints("axes", &[2, 3])],
            ),
        ],
        vec![],
    );
    let ops = |m: &ModelProto| read(m).unwrap().nodes.iter().map(|n| n.op.clone()).collect::<Vec<_>>();
    assert_eq!(ops(&new), ops(&old));
}

#[test]
fn auto_padding_and_pools_follow_the_onnx_standard() {
    let middle = vec![
        node("Relu", &["c"], "r", vec![]),
        node("MaxPool", &["r"], "a", vec![attr_ints("kernel_shape", &[3, 3]), attr_text("auto_pad", "SAME_UPPER")]),
    ];
    let network = read(&model(middle, vec![])).unwrap();
    assert!(matches!(network.nodes[3].op, Op::MaxPool2d { padding: [1, 1, 1, 1], .. }));
    let middle = vec![
        node("Relu", &["c"], "r", vec![]),
        node(
            "AveragePool",
            &["r"],
            "b",
            vec![attr_ints("kernel_shape", &[4, 4]), attr_ints("strides", &[4, 4]), attr_int("ceil_mode", 1)],
        ),
        node("Concat", &["b", "b", "b", "b", "b", "b", "b", "b", "b"], "a", vec![attr_int("axis", 1)]),
    ];
    assert_eq!(read(&model(middle, vec![])).unwrap().nodes[3].shape, [2, 2, 2]);
}

#[test]
fn batch_norm_becomes_scale_and_shift() {
    let middle = vec![
        node("BatchNormalization", &["c", "bn.weight", "bn.bias", "bn.mean", "bn.var"], "n", vec![]),
        node("Relu", &["n"], "a", vec![]),
    ];
    let part = |name: &str, values: [f32; 2]| floats(name, &[2], values.to_vec());
    let constants = vec![
        part("bn.weight", [2.0, 1.0]),
        part("bn.bias", [0.5, 0.0]),
        part("bn.mean", [1.0, 0.0]),
        part("bn.var", [4.0, 1.0]),
    ];
    let network = read(&model(middle, constants)).unwrap();
    let Op::Affine { scale, shift } = &network.nodes[2].op else { panic!() };
    assert!((scale[0] - 1.0).abs() < 1e-4 && (shift[0] + 0.5).abs() < 1e-4);
    assert_eq!(network.nodes[2].name, "bn");
}

#[test]
fn unsupported_operators_are_refused_by_name() {
    for op in ["LeakyRelu", "Tanh", "Gelu", "HardSwish"] {
        let text = refused(&model(vec![node(op, &["c"], "a", vec![])], vec![]));
        assert!(text.contains(op) && text.contains("'/a/") && text.contains("ReLU"), "{text}");
    }
    let text = refused(&model(vec![node("Abs", &["c"], "a", vec![])], vec![]));
    assert!(text.contains("'a'") && text.contains("neither ReLU"), "{text}");
    for op in ["Softmax", "Sigmoid"] {
        let inside = vec![node(op, &["c"], "s", vec![]), node("Relu", &["s"], "a", vec![])];
        let text = refused(&model(inside, vec![]));
        assert!(text.contains(&op.to_lowercase()) && text.contains("'s'"), "{text}");
    }
    assert!(refused(&model(vec![node("NonMaxSuppression", &["c"], "a", vec![])], vec![])).contains("not supported"));
}

#[test]
fn damaged_graphs_are_refused_with_the_position() {
    type Damage = (&'static str, fn(&mut GraphProto));
    let cases: &[Damage] = &[
        ("cycle", |g| g.node[0].input[0] = "a".into()),
        ("no node produces", |g| g.node[1].input[0] = "nowhere".into()),
        ("produced by two", |g| g.node[1].output[0] = "c".into()),
        ("NaN", |g| g.initializer[0].float_data[3] = f32::NAN),
        ("not a finite", |g| g.initializer[0].float_data[3] = f32::INFINITY),
        ("announces", |g| g.initializer[1].dims = vec![50_000, 50_000]),
        ("are invalid", |g| g.initializer[1].dims = vec![-3, 72]),
        ("are invalid", |g| g.initializer[1].dims = vec![i64::MAX, i64::MAX]),
        ("biases", |g| g.initializer[1].dims = vec![72, 3]),
        ("strides", |g| g.node[0].attribute.push(attr_ints("strides", &[0, 1]))),
        ("dilations", |g| g.node[0].attribute.push(attr_ints("dilations", &[-1, 1]))),
        ("pads", |g| g.node[0].attribute[0].ints = vec![-1, 0, 0, 0]),
        ("does not fit", |g| g.node[0].attribute.push(attr_ints("dilations", &[100, 100]))),
        ("larger than the largest", |g| g.input[0] = value("x", &[1, 1, 2_000_000_000, 2_000_000_000])),
        ("1x1x?x?", |g| g.input[0] = value("x", &[1, 1, -1, -1])),
        ("2 inputs", |g| {
            g.input.push(value("z", &[1, 3]));
            g.output.push(value("z", &[1, 3]));
        }),
        ("no output", |g| g.output.clear()),
        ("group", |g| g.node[0].attribute.push(attr_int("group", 0))),
        ("contains no network", |g| g.node.clear()),
        ("must be constant", |g| g.node[0].input.truncate(1)),
    ];
    for (word, damage) in cases {
        let mut file = relu();
        damage(file.graph.as_mut().unwrap());
        let text = refused(&file);
        assert!(text.contains(word), "expected '{word}' in: {text}");
    }
}

#[test]
fn files_of_other_formats_are_refused() {
    let whole = relu().encode_to_vec();
    for bytes in [&b""[..], b"hello, this is a text file\n", &whole[..whole.len() / 2], &[0xff; 64]] {
        assert!(from_bytes(bytes, Path::new("net.onnx")).is_err());
    }
    assert!(super::read(Path::new("/")).is_err());
    assert!(super::read(Path::new("no such file.onnx")).unwrap_err().to_string().contains("no such file.onnx"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    /// Any change of bytes gives a network or an error.
    #[test]
    fn damaged_files_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in 0usize..40) {
        let mut bytes = relu().encode_to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len() - cut);
        let _ = from_bytes(&bytes, Path::new("net.onnx"));
        let _ = open_sizes::of_file(std::io::Cursor::new(&bytes), Path::new("net.onnx"));
    }
}
