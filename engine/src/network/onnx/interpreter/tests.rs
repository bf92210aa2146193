//! Rules of the interpreter that are easily missed.

use std::path::Path;

use super::super::proto::*;
use super::index::count;
use super::{Interpreter, Unknown};

pub(super) fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    let (name, float_data) = (name.into(), values.to_vec());
    TensorProto { name, dims: dims.to_vec(), data_type: 1, float_data, ..TensorProto::default() }
}

pub(super) fn ints(name: &str, values: &[i64]) -> TensorProto {
    let (name, dims) = (name.into(), vec![values.len() as i64]);
    TensorProto { name, dims, data_type: 7, int64_data: values.to_vec(), ..TensorProto::default() }
}

pub(super) fn node(op: &str, inputs: &[&str], output: &str, attribute: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        op_type: op.into(),
        name: format!("{output}_{op}"),
        input: inputs.iter().map(|s| (*s).into()).collect(),
        output: vec![output.into()],
        attribute,
        ..NodeProto::default()
    }
}

pub(super) fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.into(), i, ..AttributeProto::default() }
}

pub(super) fn list(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto { name: name.into(), ints: ints.to_vec(), ..AttributeProto::default() }
}

fn text(name: &str, text: &str) -> AttributeProto {
    AttributeProto { name: name.into(), s: text.as_bytes().to_vec(), ..AttributeProto::default() }
}

/// A graph with input "x"; the nodes are in topological order.
pub(super) fn graph(node: Vec<NodeProto>, initializer: Vec<TensorProto>) -> GraphProto {
    let input = vec![ValueInfoProto { name: "x".into(), r#type: None }];
    GraphProto { node, initializer, input, ..GraphProto::default() }
}

/// All elements of "y" for the input `x` of shape `shape`, and the shape of "y".
fn run(graph: &GraphProto, opset: i64, shape: &[usize], x: &[f32]) -> Result<(Vec<usize>, Vec<f64>), Unknown> {
    let order: Vec<usize> = (0..graph.node.len()).collect();
    let inputs: Vec<_> = graph.input.iter().take(1).map(|input| (input.name.as_str(), shape.to_vec())).collect();
    let interpreter = Interpreter::with_inputs(graph, &order, opset, Path::new("net.onnx"), &inputs, &|_| None);
    let shape = interpreter.shape("y")?.to_vec();
    let indices: Vec<usize> = (0..count(&shape)).collect();
    let numbers = interpreter.elements("y", &indices, &|name, index| (name == "x").then(|| x[index]))?;
    Ok((shape, numbers))
}

/// The output of one node that reads "x" and constants.
fn one(
    op: &str,
    opset: i64,
    attributes: Vec<AttributeProto>,
    constants: Vec<TensorProto>,
    x: (&[usize], &[f32]),
) -> Vec<f64> {
    let inputs: Vec<&str> = std::iter::once("x").chain(constants.iter().map(|t| t.name.as_str())).collect();
    let graph = graph(vec![node(op, &inputs, "y", attributes)], constants.clone());
    run(&graph, opset, x.0, x.1).unwrap_or_else(|unknown| panic!("{unknown}")).1
}

#[test]
fn nearest_coordinates_are_those_of_32_bits() {
    let x: Vec<f32> = (0..10).map(|k| k as f32).collect();
    let scales = || floats("scales", &[4], &[1.0, 1.0, 1.0, 1.2]);
    // In 64 bits 6 / 1.2 is just below 5.
    let expected = [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 6.0, 7.0, 8.0, 9.0];
    assert_eq!(one("Upsample", 9, vec![], vec![scales()], (&[1, 1, 1, 10], &x)), expected);
    let attributes = vec![text("coordinate_transformation_mode", "asymmetric"), text("nearest_mode", "floor")];
    let none = TensorProto { dims: vec![0], ..floats("roi", &[0], &[]) };
    assert_eq!(one("Resize", 13, attributes, vec![none, scales()], (&[1, 1, 1, 10], &x)), expected);
}

#[test]
fn pools_drop_a_last_window_in_the_padding_and_count_no_position_beyond_it() {
    let one_wide = |kernel| vec![list("kernel_shape", &[kernel]), list("strides", &[2]), int("ceil_mode", 1)];
    assert_eq!(one("MaxPool", 12, one_wide(1), vec![], (&[1, 1, 2], &[3.0, 4.0])), [3.0]);
    let mut attributes = one_wide(3);
    attributes.push(list("pads", &[1, 1]));
    let ones: (&[usize], &[f32]) = (&[1, 1, 4], &[1.0; 4]);
    assert_eq!(one("AveragePool", 19, attributes.clone(), vec![], ones), [1.0; 3]);
    attributes.push(int("count_include_pad", 1));
    let third = f64::from(2.0f32 / 3.0);
    assert_eq!(one("AveragePool", 19, attributes, vec![], ones), [third, 1.0, 0.5]);
}

#[test]
fn rules_follow_the_operator_set() {
    let x: (&[usize], &[f32]) = (&[1, 2, 2], &[0.0; 4]);
    assert_eq!(one("Softmax", 11, vec![], vec![], x), [0.25; 4]);
    assert_eq!(one("Softmax", 13, vec![], vec![], x), [0.5; 4]);
    let limits = vec![AttributeProto { name: "max".into(), f: 6.0, ..AttributeProto::default() }];
    assert_eq!(one("Clip", 6, limits, vec![], (&[1, 2], &[-9.0, 9.0])), [-9.0, 6.0]);
    let clip = graph(vec![node("Clip", &["x", "", "six"], "y", vec![])], vec![floats("six", &[], &[6.0])]);
    assert_eq!(run(&clip, 13, &[1, 2], &[-9.0, 9.0]).unwrap().1, [-9.0, 6.0]);
    let reverse = [ints("starts", &[-1]), ints("ends", &[i64::MIN]), ints("axes", &[1]), ints("steps", &[-2])];
    assert_eq!(one("Slice", 13, vec![], reverse.to_vec(), (&[1, 4], &[0.0, 1.0, 2.0, 3.0])), [3.0, 1.0]);
    let noop = vec![int("noop_with_empty_axes", 1)];
    assert_eq!(one("ReduceSumSquare", 18, noop, vec![], (&[1, 2], &[2.0, -3.0])), [4.0, 9.0]);
}

#[test]
fn numbers_have_the_type_of_their_value() {
    let cast = |to| one("Cast", 13, vec![int("to", to)], vec![], (&[1, 4], &[2.7, -2.7, 300.0, 0.1]));
    assert_eq!(cast(7), [2.0, -2.0, 300.0, 0.0]);
    assert_eq!(cast(9), [1.0; 4]);
    assert_eq!(cast(10)[3], 0.099_975_585_937_5);
    assert_eq!(one("Round", 13, vec![], vec![], (&[1, 4], &[0.5, 1.5, -2.5, 2.6])), [0.0, 2.0, -2.0, 3.0]);
    let sum = one("Add", 13, vec![], vec![floats("b", &[], &[1e-9])], (&[1, 1], &[1.0]));
    assert_eq!(sum, [1.0], "the sum is rounded to 32 bits");
    let divided = graph(
        vec![
            node("Cast", &["x"], "i", vec![int("to", 6)]),
            node("Div", &["i", "i2"], "d", vec![]),
            node("Mod", &["d", "i2"], "y", vec![]),
        ],
        vec![TensorProto { name: "i2".into(), data_type: 6, int32_data: vec![2], ..TensorProto::default() }],
    );
    assert_eq!(run(&divided, 13, &[1, 2], &[-7.0, 7.0]).unwrap().1, [1.0, 1.0]);
}

#[test]
fn shape_computations_are_constants_and_evaluation_stops_where_numbers_are_given() {
    let file = graph(
        vec![
            node("Shape", &["x"], "shape", vec![]),
            node("Gather", &["shape", "zero"], "batch", vec![]),
            node("Concat", &["batch", "rest"], "target", vec![int("axis", 0)]),
            node("Relu", &["x"], "r", vec![]),
            node("Reshape", &["r", "target"], "f", vec![]),
            node("Transpose", &["w"], "wt", vec![]),
            node("MatMul", &["f", "wt"], "y", vec![]),
        ],
        vec![ints("zero", &[0]), ints("rest", &[-1]), floats("w", &[1, 4], &[1.0, 2.0, 3.0, 4.0])],
    );
    let x = [1.0, -1.0, 1.0, -1.0, 0.0, 1.0, 0.0, 0.0];
    assert_eq!(run(&file, 13, &[2, 2, 2], &x).unwrap(), (vec![2, 1], vec![4.0, 2.0]));
    let order: Vec<usize> = (0..file.node.len()).collect();
    let interpreter = Interpreter::new(&file, &order, 13, Path::new("net.onnx"), &[2, 2, 2], &|_| None);
    let asked = std::cell::RefCell::new(Vec::new());
    let given = |name: &str, index: usize| {
        asked.borrow_mut().push((name.to_owned(), index));
        (name == "r" || name == "y").then_some(1.0)
    };
    assert_eq!(interpreter.elements("y", &[1], &given).unwrap(), [10.0]);
    let asked = asked.borrow().clone();
    assert!(asked.contains(&("r".into(), 7)) && !asked.iter().any(|(name, i)| name == "x" || name == "y" || *i < 4));
    let error = interpreter.elements("y", &[0], &|_, _| None).unwrap_err();
    assert_eq!((error.node.as_str(), error.reason.contains("missing")), ("x", true));
    assert!(interpreter.elements("y", &[2], &given).is_err() && interpreter.shape("z").is_err());
}

#[test]
fn nodes_that_are_not_understood_are_named() {
    let unknown = |nodes: Vec<NodeProto>| run(&graph(nodes, vec![]), 13, &[1, 4], &[0.0; 4]).unwrap_err();
    let other = NodeProto { domain: "com.vendor".into(), ..node("Relu", &["x"], "y", vec![]) };
    for (first, word) in [
        (node("Relu", &["x"], "y", vec![int("sharpness", 1)]), "attribute 'sharpness'"),
        (node("Gelu", &["x"], "y", vec![text("approximate", "cube")]), "approximate 'cube'"),
        (node("Sharpen", &["x"], "y", vec![]), "operator 'Sharpen'"),
        (other, "domain 'com.vendor'"),
        (node("Gather", &["x", "x"], "y", vec![]), "depends on the network's input"),
        (node("Add", &["x"], "y", vec![]), "1 inputs"),
    ] {
        let mut first = first;
        first.output = vec!["a".into()];
        let found = unknown(vec![first.clone(), node("Relu", &["a"], "y", vec![])]);
        assert_eq!(found.node, first.name);
        assert!(found.reason.contains(word), "expected '{word}' in: {found}");
    }
}
