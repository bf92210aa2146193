//! Tests of what is refused by name, and of what is read with a note.

use super::*;

fn with(op: &str, extra: &[&str], attributes: Vec<AttributeProto>) -> ModelProto {
    let inputs: Vec<&str> = std::iter::once("c").chain(extra.iter().copied()).collect();
    model(vec![node(op, &inputs, "a", attributes)], vec![ints("two", &[2])])
}

#[test]
fn attributes_and_inputs_that_are_not_understood_are_named() {
    let cases: Vec<(ModelProto, &str)> = vec![
        (with("Relu", &[], vec![attr_int("alpha", 2)]), "alpha = 2"),
        (with("Relu", &["two"], vec![]), "'two'"),
        (with("Cast", &[], vec![attr_int("to", 6)]), "truncates a layer to integers (int32)"),
        (with("Cast", &[], vec![attr_int("to", 9)]), "truth"),
        (with("Cast", &[], vec![attr_int("to", 17)]), "float8e4m3fn"),
        (with("Cast", &[], vec![attr_int("to", 8)]), "string"),
        (with("Pad", &["two"], vec![attr_text("mode", "mirror")]), "1 widths for 4 dimensions"),
        (with("QuantizeLinear", &["two"], vec![]), "float network"),
        (with("ArgMax", &[], vec![]), "Remove it"),
        (with("SequenceConstruct", &[], vec![]), "sequences"),
        (with("LayerNormalization", &["two"], vec![]), "statistics of each sample"),
    ];
    for (file, word) in cases {
        let text = refused(&file);
        assert!(text.contains(word), "expected '{word}' in: {text}");
    }
    let mut file = relu();
    let graph = file.graph.as_mut().unwrap();
    graph.node[1] = node("MaxPool", &["c"], "a", vec![attr_ints("kernel_shape", &[1, 1])]);
    graph.node[1].output.push("indices".into());
    assert!(read(&file).is_ok());
    file.graph.as_mut().unwrap().output.push(value("indices", &[]));
    assert!(refused(&file).contains("indices of the maxima"));
}

#[test]
fn activations_are_named_as_users_know_them() {
    let pair = |first: &str, second: NodeProto| model(vec![node(first, &["c"], "s", vec![]), second], vec![]);
    let product = |a: &str| node("Mul", &[a, "s"], "a", vec![]);
    assert!(refused(&pair("Sigmoid", product("c"))).contains("SiLU"));
    assert!(refused(&pair("HardSigmoid", product("c"))).contains("hard-swish"));
    assert!(refused(&pair("Softplus", node("Tanh", &["s"], "a", vec![]))).contains("Mish"));
    assert!(refused(&pair("Erf", node("Relu", &["s"], "a", vec![]))).contains("GELU"));
    let gate = model(
        vec![
            node("Relu", &["c"], "r", vec![]),
            node("Sigmoid", &["r"], "s", vec![]),
            node("Mul", &["c", "s"], "a", vec![]),
        ],
        vec![],
    );
    assert!(refused(&gate).contains("squeeze-and-excitation"));
    let viewed = model(
        vec![
            node("GlobalAveragePool", &["c"], "p", vec![]),
            node("Sigmoid", &["p"], "s", vec![]),
            node("Reshape", &["s", "form"], "v", vec![]),
            node("Mul", &["c", "v"], "a", vec![]),
        ],
        vec![ints("form", &[1, 2, 1, 1])],
    );
    assert!(refused(&viewed).contains("squeeze-and-excitation"));
    let normalization = model(
        vec![
            node("ReduceMean", &["c"], "m", vec![attr_ints("axes", &[1])]),
            node("Sub", &["c", "m"], "d", vec![]),
            node("Pow", &["d", "two"], "a", vec![]),
        ],
        vec![floats("two", &[], vec![2.0])],
    );
    assert!(refused(&normalization).contains("LayerNormalization depends on the statistics of each sample"));
}

#[test]
fn training_mode_is_read_as_inference_with_a_note() {
    let part = |name: &str| floats(name, &[2], vec![1.0, 2.0]);
    let mut file = model(
        vec![
            node("BatchNormalization", &["c", "s", "b", "m", "v"], "n", vec![attr_int("training_mode", 1)]),
            node("Dropout", &["n", "ratio", "mode"], "d", vec![]),
            node("Relu", &["d"], "a", vec![]),
        ],
        vec![part("s"), part("b"), part("m"), part("v"), floats("ratio", &[], vec![0.5])],
    );
    let mode =
        TensorProto { dims: vec![], data_type: 9, int32_data: vec![1], name: "mode".into(), ..Default::default() };
    file.graph.as_mut().unwrap().initializer.push(mode);
    let notes = opened(&file, None).unwrap().notes;
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].contains("BatchNormalization") && notes[1].contains("Dropout"), "{notes:?}");
}

#[test]
fn other_float_widths_are_noted() {
    let file =
        model(vec![node("Cast", &["c"], "h", vec![attr_int("to", 10)]), node("Relu", &["h"], "a", vec![])], vec![]);
    let notes = opened(&file, None).unwrap().notes;
    assert!(notes.len() == 1 && notes[0].contains("float16"), "{notes:?}");
}

#[test]
fn other_domains_are_refused_with_advice() {
    let of_domain = |op: &str, domain: &str| {
        let mut file = with(op, &[], vec![]);
        file.graph.as_mut().unwrap().node[1].domain = domain.into();
        refused(&file)
    };
    assert!(of_domain("FusedConv", "com.microsoft").contains("onnxruntime"));
    assert!(of_domain("QLinearAdd", "com.microsoft").contains("float network"));
    assert!(of_domain("TreeEnsemble", "ai.onnx.ml").contains("not a layer"));
    assert!(of_domain("Mine", "my.ops").contains("my.ops"));
}

#[test]
fn sparse_weights_are_refused_by_name() {
    let mut file = relu();
    let graph = file.graph.as_mut().unwrap();
    graph.initializer.retain(|t| t.name != "fc.weight");
    let values = TensorProto { name: "fc.weight".into(), ..TensorProto::default() };
    graph.sparse_initializer.push(SparseTensorProto { values: Some(values) });
    assert!(refused(&file).contains("sparse"));
}
