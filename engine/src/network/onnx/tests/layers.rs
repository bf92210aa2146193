//! Tests of lowered layers: joins with constants, selections, repeats, softmax, and local functions.

use super::*;

fn shapes(network: &Network) -> Vec<(&'static str, Vec<usize>)> {
    network.nodes.iter().map(|n| (n.kind_name(), n.shape.clone())).collect()
}

#[test]
fn zeros_that_are_joined_become_padding() {
    let join = |fill: f32| {
        let mut file = model(
            vec![
                node("Relu", &["c"], "r", vec![]),
                node("Concat", &["zeros", "r"], "j", vec![attr_int("axis", 1)]),
                node("Slice", &["j", "one", "three", "one"], "a", vec![]),
            ],
            vec![floats("zeros", &[1, 2, 6, 6], vec![fill; 72]), ints("one", &[1]), ints("three", &[3])],
        );
        file.graph.as_mut().unwrap().input[0] = value("x", &[1, 1, 6, 6]);
        read(&file).unwrap()
    };
    let network = join(0.0);
    assert!(matches!(&network.nodes[3].op, Op::Pad { before, after } if *before == [2, 0, 0] && *after == [0, 0, 0]));
    // Other numbers are added to the padding, one per channel.
    let network = join(1.5);
    assert!(matches!(&network.nodes[4].op, Op::Affine { shift, .. } if *shift == [1.5, 1.5, 0.0, 0.0]));
}

#[test]
fn one_joined_layer_is_itself() {
    let file =
        model(vec![node("Relu", &["c"], "r", vec![]), node("Concat", &["r"], "a", vec![attr_int("axis", 1)])], vec![]);
    assert_eq!(read(&file).unwrap().nodes.len(), read(&relu()).unwrap().nodes.len());
}

#[test]
fn backward_slices_and_repeats_are_selections() {
    let file = model(
        vec![
            node("Relu", &["c"], "r", vec![]),
            node("Slice", &["r", "last", "begin", "axis", "back"], "s", vec![]),
            node("Tile", &["s", "twice"], "t", vec![]),
            node("Gather", &["t", "even"], "a", vec![attr_int("axis", 3)]),
        ],
        vec![
            ints("last", &[-1]),
            ints("begin", &[i64::MIN]),
            ints("axis", &[2]),
            ints("back", &[-1]),
            ints("twice", &[1, 1, 1, 2]),
            ints("even", &[0, 2, 4, 6, 8, 10]),
        ],
    );
    let network = read(&file).unwrap();
    let slices = network.nodes.iter().filter(|n| matches!(n.op, Op::Slice { .. })).count();
    assert!(slices == 7 && network.nodes.iter().any(|n| n.shape == [2, 6, 12]), "{:?}", shapes(&network));
}

#[test]
fn pixels_move_between_channels_and_positions() {
    for mode in ["DCR", "CRD"] {
        let nodes = vec![node("DepthToSpace", &["x"], "y", vec![attr_int("blocksize", 2), attr_text("mode", mode)])];
        let network = read(&graph(&[-1, 8, 3, 5], nodes, vec![])).unwrap();
        assert!(network.nodes.iter().any(|n| n.shape == [2, 6, 10]), "{:?}", shapes(&network));
        assert!(network.nodes.iter().all(|n| !matches!(&n.op, Op::Transpose { perm } if perm.len() > 4)));
    }
}

#[test]
fn pools_with_ceil_mode_count_padding_but_not_beyond() {
    let pool = |side: i64, kernel: i64, more: &[AttributeProto]| {
        let mut attributes = vec![
            attr_ints("kernel_shape", &[kernel, kernel]),
            attr_ints("strides", &[2, 2]),
            attr_int("ceil_mode", 1),
            attr_int("count_include_pad", 1),
        ];
        attributes.extend(more.iter().cloned());
        read(&graph(&[-1, 1, side, side], vec![node("AveragePool", &["x"], "y", attributes)], vec![])).unwrap()
    };
    let counted = pool(7, 2, &[]);
    assert!(matches!(counted.nodes[1].op, Op::AvgPool2d { padding: [0, 0, 1, 1], count_include_pad: false, .. }));
    let padded = pool(6, 3, &[attr_ints("pads", &[1, 1, 1, 1])]);
    assert!(matches!(&padded.nodes[1].op, Op::Pad { before, after } if *before == [0, 1, 1] && *after == [0, 1, 1]));
    assert!(matches!(padded.nodes[2].op, Op::AvgPool2d { padding: [0, 0, 1, 1], count_include_pad: false, .. }));
}

#[test]
fn softmax_over_channels_is_an_output_function() {
    let soft = |opset: i64, dims: &[i64]| {
        let nodes = vec![node("Relu", &["x"], "r", vec![]), node("Softmax", &["r"], "y", vec![attr_int("axis", 1)])];
        let mut file = graph(dims, nodes, vec![]);
        file.opset_import[0].version = opset;
        read(&file).unwrap()
    };
    for network in [soft(11, &[-1, 10, 1, 1]), soft(13, &[-1, 10, 1, 1]), soft(13, &[-1, 10, 4, 5])] {
        assert_eq!(network.output_functions().len(), 1, "{:?}", shapes(&network));
        assert!(network.inner_output_function().is_none());
    }
    assert!(soft(11, &[-1, 10, 1, 1]).is_classifier());
}

#[test]
fn rows_share_the_weights_of_a_product() {
    let nodes = vec![node("MatMul", &["x", "w"], "m", vec![]), node("Add", &["m", "b"], "y", vec![])];
    let constants = vec![floats("w", &[5, 3], vec![0.1; 15]), floats("b", &[3], vec![1.0, 2.0, 3.0])];
    let network = read(&graph(&[-1, 4, 5], nodes, constants)).unwrap();
    assert!(network.nodes.iter().any(|n| matches!(n.op, Op::Conv2d { .. }) && n.shape == [3, 1, 4]));
    assert_eq!(network.classes(), 12);
}

#[test]
fn calls_of_functions_are_replaced() {
    let mut file = relu();
    file.functions.push(FunctionProto {
        name: "act".into(),
        domain: "mine".into(),
        input: vec!["in".into()],
        output: vec!["out".into()],
        node: vec![node("Constant", &[], "low", vec![]), node("Max", &["in", "low"], "out", vec![])],
        attribute_proto: vec![AttributeProto { name: "limit".into(), f: 0.0, ..AttributeProto::default() }],
        ..FunctionProto::default()
    });
    file.functions[0].node[0].attribute =
        vec![AttributeProto { name: "value_float".into(), ref_attr_name: "limit".into(), ..AttributeProto::default() }];
    let call = &mut file.graph.as_mut().unwrap().node[1];
    (call.op_type, call.domain) = ("act".into(), "mine".into());
    let network = read(&file).unwrap();
    assert_eq!(network.activation_nodes().map(|(_, a)| a).collect::<Vec<_>>(), [Activation::Relu]);
    // A function that calls itself.
    file.functions[0].node[1] = NodeProto { domain: "mine".into(), ..node("act", &["in"], "out", vec![]) };
    assert!(refused(&file).contains("calls itself"));
}

#[test]
fn branches_with_constant_conditions_are_read() {
    let branch = |op: &str| GraphProto {
        node: vec![node(op, &["c"], op, vec![])],
        output: vec![value(op, &[])],
        ..GraphProto::default()
    };
    let attribute = |name: &str, op: &str| AttributeProto {
        name: name.into(),
        g: Some(Box::new(branch(op))),
        ..AttributeProto::default()
    };
    let mut file = model(
        vec![node("If", &["yes"], "a", vec![attribute("then_branch", "Relu"), attribute("else_branch", "Exp")])],
        vec![],
    );
    let yes = TensorProto { dims: vec![], data_type: 9, int32_data: vec![1], name: "yes".into(), ..Default::default() };
    file.graph.as_mut().unwrap().initializer.push(yes);
    assert_eq!(read(&file).unwrap().activation_nodes().count(), 1);
    file.graph.as_mut().unwrap().initializer.last_mut().unwrap().int32_data = vec![0];
    assert!(refused(&file).contains("Exp"));
}

#[test]
fn minimum_and_maximum_with_equal_numbers_for_all_channels_are_activations() {
    let channels = |value: f32| floats("k", &[1, 2, 1, 1], vec![value; 2]);
    let network = read(&model(vec![node("Max", &["c", "k"], "a", vec![])], vec![channels(0.0)])).unwrap();
    assert_eq!(network.activation_nodes().next().unwrap().1, Activation::Relu);
    let middle = vec![node("Relu", &["c"], "r", vec![]), node("Min", &["r", "k"], "a", vec![])];
    let network = read(&model(middle.clone(), vec![channels(6.0)])).unwrap();
    assert_eq!(network.activation_nodes().next().unwrap().1, Activation::Clip { lambda: 6.0 });
    let uneven = floats("k", &[1, 2, 1, 1], vec![1.0, 2.0]);
    assert!(refused(&model(middle, vec![uneven])).contains("another number for each channel"));
    let zero = AttributeProto { name: "alpha".into(), f: 0.0, ..AttributeProto::default() };
    let network = read(&model(vec![node("LeakyRelu", &["c"], "a", vec![zero])], vec![])).unwrap();
    assert_eq!(network.activation_nodes().next().unwrap().1, Activation::Relu);
}

#[test]
fn relu_written_by_comparison_or_with_a_slope_of_0_is_relu() {
    let number = |name: &str, v: f32| floats(name, &[], vec![v]);
    let constants = || vec![number("zero", 0.0), number("six", 6.0), floats("zeros", &[1, 2, 1, 1], vec![0.0; 2])];
    let activation = |nodes: Vec<NodeProto>| {
        let network = read(&model(nodes, constants())).unwrap();
        let all: Vec<Activation> = network.activation_nodes().map(|(_, activation)| activation).collect();
        (all.len() == 1).then(|| all[0])
    };
    let cast = |input: &str, output: &str| node("Cast", &[input], output, vec![attr_int("to", 1)]);
    let alpha = AttributeProto { name: "alpha".into(), f: 0.0, ..AttributeProto::default() };
    for nodes in [
        vec![node("Greater", &["c", "zero"], "g", vec![]), node("Where", &["g", "c", "zero"], "a", vec![])],
        vec![node("Less", &["c", "zero"], "g", vec![]), node("Where", &["g", "zeros", "c"], "a", vec![])],
        vec![
            node("GreaterOrEqual", &["c", "zeros"], "g", vec![]),
            cast("g", "m"),
            node("Mul", &["m", "c"], "a", vec![]),
        ],
        vec![
            node("LessOrEqual", &["c", "zero"], "g", vec![]),
            node("Not", &["g"], "n", vec![]),
            cast("n", "m"),
            node("Mul", &["c", "m"], "a", vec![]),
        ],
        vec![
            node("Less", &["c", "zero"], "g", vec![]),
            node("Cast", &["g"], "t", vec![attr_int("to", 9)]),
            node("Where", &["t", "zero", "c"], "a", vec![]),
        ],
        vec![
            node("Greater", &["c", "zero"], "g", vec![]),
            node("Cast", &["g"], "i", vec![attr_int("to", 6)]),
            cast("i", "m"),
            node("Mul", &["m", "c"], "a", vec![]),
        ],
        vec![node("PRelu", &["c", "zeros"], "a", vec![])],
        vec![node("ThresholdedRelu", &["c"], "a", vec![alpha])],
    ] {
        let name = nodes[0].op_type.clone();
        assert_eq!(activation(nodes), Some(Activation::Relu), "{name}");
    }
    let clip = vec![
        node("Greater", &["c", "zero"], "g", vec![]),
        node("Where", &["g", "c", "zero"], "r", vec![]),
        node("Less", &["r", "six"], "l", vec![]),
        node("Where", &["l", "r", "six"], "a", vec![]),
    ];
    assert_eq!(activation(clip), Some(Activation::Clip { lambda: 6.0 }));
    // A jump at 6 is no activation of these neurons.
    let jump = vec![node("Greater", &["c", "six"], "g", vec![]), node("Where", &["g", "c", "zero"], "a", vec![])];
    assert!(refused(&model(jump, constants())).contains("it has 2 straight pieces, with a jump at 6"));
    let uneven = floats("slopes", &[1, 2, 1, 1], vec![0.0, 0.5]);
    assert!(refused(&model(vec![node("PRelu", &["c", "slopes"], "a", vec![])], vec![uneven])).contains("PRelu"));
}

#[test]
fn a_ceil_quantizer_is_refused_with_the_reason_for_all_of_it() {
    let middle = vec![
        node("Mul", &["c", "four"], "u", vec![]),
        node("Ceil", &["u"], "v", vec![]),
        node("Div", &["v", "four"], "w", vec![]),
        node("Clip", &["w", "zero", "one"], "a", vec![]),
    ];
    let number = |name: &str, v: f32| floats(name, &[], vec![v]);
    let text = refused(&model(middle, vec![number("four", 4.0), number("zero", 0.0), number("one", 1.0)]));
    assert!(text.contains("at 0 itself its value is 0"), "{text}");
}

#[test]
fn a_long_chain_that_is_no_activation_is_refused_at_once() {
    let mut middle = Vec::new();
    let mut before = "c".to_owned();
    for k in 0..900 {
        let (sum, next) = (format!("s{k}"), if k == 899 { "a".to_owned() } else { format!("b{k}") });
        middle.push(node("Add", &[&before, "half"], &sum, vec![]));
        middle.push(node("Abs", &[&sum], &next, vec![]));
        before = next;
    }
    let start = std::time::Instant::now();
    refused(&model(middle, vec![floats("half", &[], vec![-0.5])]));
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
