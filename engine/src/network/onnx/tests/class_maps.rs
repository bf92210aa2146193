//! Graphs whose outputs are indices of the largest scores.

use super::*;

/// A convolution to three channels of 6x6 pixels, called "c", and the nodes behind it.
fn with(nodes: Vec<NodeProto>, outputs: &[&str]) -> ModelProto {
    let mut all = vec![node("Conv", &["x", "w"], "c", vec![])];
    all.extend(nodes);
    let weights = floats("w", &[3, 1, 1, 1], vec![1.0, -1.0, 0.5]);
    let mut model = graph(&[-1, 1, 6, 6], all, vec![weights, ints("one", &[1])]);
    model.graph.as_mut().unwrap().output = outputs.iter().map(|name| value(name, &[])).collect();
    model
}

fn axis(axis: i64) -> Vec<AttributeProto> {
    vec![attr_int("axis", axis)]
}

#[test]
fn the_scores_before_an_arg_max_are_the_output() {
    let says = "ends in an ArgMax (node '/m/ArgMax'), which is left out: the scores before it are converted";
    let keep = |keep: i64| vec![attr_int("axis", 1), attr_int("keepdims", keep)];
    for (nodes, end) in [
        (vec![node("ArgMax", &["c"], "m", keep(0)), node("Identity", &["m"], "y", vec![])], false),
        (vec![node("ArgMax", &["c"], "m", axis(-3)), node("Cast", &["m"], "y", vec![attr_int("to", 1)])], false),
        (
            vec![
                node("Softmax", &["c"], "s", axis(1)),
                node("ArgMax", &["s"], "m", keep(1)),
                node("Squeeze", &["m", "one"], "q", vec![]),
                node("Cast", &["q"], "y", vec![attr_int("to", 2)]),
            ],
            true,
        ),
    ] {
        let file = opened(&with(nodes, &["y"]), None).unwrap();
        let outputs = file.network.outputs();
        assert_eq!((outputs.len(), outputs[0].shape.as_slice()), (1, [3, 6, 6].as_slice()));
        assert_eq!(file.network.output_functions().len(), usize::from(end), "a softmax before it is at the end");
        assert!(
            file.notes.iter().any(|note| note.starts_with("Output 'y' ") && note.contains(says)),
            "{:?}",
            file.notes
        );
    }
    let last = vec![attr_int("axis", 1), attr_int("select_last_index", 1)];
    let file = opened(&with(vec![node("ArgMax", &["c"], "m", last)], &["m"]), None).unwrap();
    assert!(file.notes[0].contains("of equal ones the first (in the file the last)"), "{:?}", file.notes);
}

#[test]
fn an_arg_max_beside_scores_or_inside_is_not_cut() {
    let scores = node("Relu", &["c"], "r", vec![]);
    let file = opened(&with(vec![scores.clone(), node("ArgMax", &["c"], "m", axis(1))], &["r", "m"]), None).unwrap();
    assert!(file.notes.iter().any(|note| note.starts_with("Output 'm' is ignored")), "{:?}", file.notes);
    assert!(refused(&with(vec![node("ArgMax", &["c"], "m", axis(0))], &["m"])).contains("ArgMax is not supported"));
    assert!(refused(&with(vec![node("ArgMax", &["c"], "m", axis(2))], &["m"])).contains("ArgMax is not supported"));
    let of_input = graph(&[-1, 1, 6, 6], vec![node("ArgMax", &["x"], "y", axis(1))], vec![]);
    assert!(refused(&of_input).contains("ArgMax is not supported"));
    let inside = vec![node("ArgMax", &["c"], "m", axis(1)), node("Relu", &["m"], "y", vec![])];
    assert!(refused(&with(inside, &["y"])).contains("ArgMax is not supported"));
    // Two maps of classes, of two heads.
    let two = vec![scores, node("ArgMax", &["c"], "m", axis(1)), node("ArgMax", &["r"], "n", axis(1))];
    let names: Vec<String> =
        read(&with(two, &["m", "n"])).unwrap().outputs().into_iter().map(|output| output.name).collect();
    assert_eq!(names, ["m", "n"]);
}

#[test]
fn values_joined_with_those_of_a_sigmoid_become_outputs() {
    let join = |inputs: &[&str], output: &str| node("Concat", inputs, output, axis(1));
    let flat = |input: &str, output: &str| node("Reshape", &[input, "flat"], output, vec![]);
    let with_flat = |nodes: Vec<NodeProto>| {
        let mut model = with(nodes, &["y"]);
        model.graph.as_mut().unwrap().initializer.push(ints("flat", &[0, 3, -1]));
        model
    };
    let scores = || vec![node("Relu", &["c"], "r", vec![]), node("Sigmoid", &["r"], "s", vec![])];
    // Boxes and the sigmoid of scores, and the same of two levels, turned.
    let plain = [scores(), vec![flat("c", "b"), flat("s", "t"), join(&["b", "t"], "y")]].concat();
    let nested = [
        scores(),
        vec![
            join(&["c", "s"], "one"),
            join(&["r", "s"], "two"),
            node("Concat", &["one", "two"], "both", axis(2)),
            node("Transpose", &["both"], "y", vec![attr_ints("perm", &[0, 2, 3, 1])]),
        ],
    ]
    .concat();
    for (nodes, sigmoids, shape) in
        [(plain, vec![false, true], vec![3, 36]), (nested, vec![false, true, false, true], vec![3, 6, 6])]
    {
        let file = opened(&with_flat(nodes), None).unwrap();
        let outputs = file.network.outputs();
        let names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
        assert_eq!(names, &["y.0", "y.1", "y.2", "y.3"][..sigmoids.len()]);
        assert_eq!(outputs.iter().map(|output| output.end.is_some()).collect::<Vec<_>>(), sigmoids);
        assert!(outputs.iter().all(|output| output.shape == shape), "{outputs:?}");
        assert!(!file.notes.iter().any(|note| note.contains("ignored")), "{:?}", file.notes);
        let says = format!("Output 'y' joins {} values", sigmoids.len());
        assert!(file.notes.iter().any(|note| note.starts_with(&says)), "{:?}", file.notes);
    }
    // A sigmoid that a layer reads, and a part that is refused, are refused as before.
    let gated = [scores(), vec![node("Conv", &["s", "v"], "g", vec![]), join(&["c", "g"], "y")]].concat();
    let mut model = with(gated, &["y"]);
    model.graph.as_mut().unwrap().initializer.push(floats("v", &[3, 3, 1, 1], vec![0.5; 9]));
    assert!(refused(&model).contains("sigmoid inside the network"));
    let bent = [scores(), vec![node("Tanh", &["c"], "g", vec![]), join(&["g", "s"], "y")]].concat();
    assert!(refused(&with(bent, &["y"])).contains("Tanh activations"));
}
