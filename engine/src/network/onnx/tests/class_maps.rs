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
    let inside = vec![node("ArgMax", &["c"], "m", axis(1)), node("Relu", &["m"], "y", vec![])];
    assert!(refused(&with(inside, &["y"])).contains("ArgMax is not supported"));
    // Two maps of classes, of two heads.
    let two = vec![scores, node("ArgMax", &["c"], "m", axis(1)), node("ArgMax", &["r"], "n", axis(1))];
    let names: Vec<String> =
        read(&with(two, &["m", "n"])).unwrap().outputs().into_iter().map(|output| output.name).collect();
    assert_eq!(names, ["m", "n"]);
}
