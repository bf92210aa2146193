//! Tests of input shapes: without batch, of one dimension, with open sizes, of integers.

use super::*;

/// Input of `dims` → flatten → linear of `features` → `y`.
fn linear(dims: &[i64], features: i64) -> ModelProto {
    let nodes = vec![node("Flatten", &["x"], "f", vec![]), node("MatMul", &["f", "w"], "y", vec![])];
    graph(dims, nodes, vec![floats("w", &[features, 2], vec![0.5; features as usize * 2])])
}

#[test]
fn tables_are_images_of_one_channel() {
    for dims in [[-1, 4, 5], [1, 4, 5]] {
        let network = read(&linear(&dims, 20)).unwrap();
        assert_eq!((network.input_shape(), network.classes()), (&[1, 4, 5][..], 2));
    }
    assert_eq!(read(&linear(&[-1, 1, 20], 20)).unwrap().input_shape(), [20]);
    let text = refused(&linear(&[-1, 3, 4, 5, 6], 360));
    assert!(text.contains("?x3x4x5x6") && text.contains("volumes"), "{text}");
}

#[test]
fn an_input_without_batch_is_one_sample() {
    let nodes = vec![node("MatMul", &["x", "w"], "y", vec![])];
    let model = graph(&[6], nodes, vec![floats("w", &[6, 2], vec![0.5; 12])]);
    let found = opened(&model, None).unwrap();
    assert_eq!((found.network.input_shape(), found.network.classes()), (&[6][..], 2));
    assert!(found.notes[0].contains("no batch dimension"), "{:?}", found.notes);
    // An image without batch that is flattened as a whole.
    let nodes = vec![node("Reshape", &["x", "shape"], "f", vec![]), node("MatMul", &["f", "w"], "y", vec![])];
    let constants = vec![ints("shape", &[1, 20]), floats("w", &[20, 2], vec![0.5; 40])];
    let found = opened(&graph(&[4, 5], nodes, constants), None).unwrap();
    assert_eq!(found.network.input_shape(), [1, 4, 5]);
    assert!(found.notes[0].contains("4x5"), "{:?}", found.notes);
}

#[test]
fn open_sizes_are_stated() {
    let mut model = relu();
    model.graph.as_mut().unwrap().input[0] = value("x", &[-1, 1, -1, -1]);
    let text = refused(&model);
    assert!(text.contains("?x1x?x?") && text.contains("--input 1x224x224"), "{text}");
    assert_eq!(opened(&model, Some(&[1, 6, 6])).unwrap().network.input_shape(), [1, 6, 6]);
    let text = opened(&model, Some(&[3, 6, 6])).unwrap_err().to_string();
    assert!(text.contains("3x6x6 does not match"), "{text}");
    assert!(opened(&model, Some(&[6, 6])).is_err() && opened(&model, Some(&[1, 0, 6])).is_err());
    // Found without decoding the weights.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("net.onnx");
    std::fs::write(&path, model.encode_to_vec()).unwrap();
    assert_eq!(crate::network::onnx::open_sizes(&path).unwrap(), Some(vec![Some(1), None, None]));
    std::fs::write(&path, relu().encode_to_vec()).unwrap();
    assert_eq!(crate::network::onnx::open_sizes(&path).unwrap(), None);
    for damaged in [&b"not a network"[..], &[0xff; 40], &model.encode_to_vec()[..50]] {
        std::fs::write(&path, damaged).unwrap();
        let _ = crate::network::onnx::open_sizes(&path);
    }
}

#[test]
fn inputs_that_nothing_reads_are_noted() {
    let mut model = relu();
    let graph = model.graph.as_mut().unwrap();
    graph.input.push(value("unused", &[1]));
    // Older files list their weights as inputs too.
    graph.input.push(value("fc.weight", &[3, 72]));
    graph.node.push(node("Exp", &["x"], "dead", vec![]));
    let notes = opened(&model, None).unwrap().notes;
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].contains("'unused'") && notes[1].contains("(Exp)"), "{notes:?}");
}

#[test]
fn integers_of_the_input_are_cast_before_they_are_computed_with() {
    let mut model = relu();
    let graph = model.graph.as_mut().unwrap();
    if let Some(tensor) = graph.input[0].r#type.as_mut().and_then(|t| t.tensor_type.as_mut()) {
        tensor.elem_type = 2;
    }
    assert!(refused(&model).contains("integers"));
    let graph = model.graph.as_mut().unwrap();
    graph.node[0].input[0] = "float".into();
    graph.node.push(node("Cast", &["x"], "float", vec![attr_int("to", 1)]));
    let notes = opened(&model, None).unwrap().notes;
    assert!(notes[0].contains("uint8"), "{notes:?}");
    // Moved before the cast, they are whole numbers still.
    let graph = model.graph.as_mut().unwrap();
    graph.node.last_mut().unwrap().input[0] = "turned".into();
    graph.node.push(node("Transpose", &["x"], "turned", vec![attr_ints("perm", &[0, 1, 3, 2])]));
    assert!(opened(&model, None).unwrap().notes[0].contains("uint8"));
}

#[test]
fn sequences_run_as_images_of_one_row() {
    let nodes = vec![
        node("Conv", &["x", "k"], "c", vec![attr_ints("pads", &[1, 1])]),
        node("Relu", &["c"], "r", vec![]),
        node("MaxPool", &["r"], "p", vec![attr_ints("kernel_shape", &[2]), attr_ints("strides", &[2])]),
        node("GlobalAveragePool", &["p"], "g", vec![]),
        node("Flatten", &["g"], "y", vec![]),
    ];
    let network = read(&graph(&[-1, 2, 8], nodes, vec![floats("k", &[3, 2, 3], vec![0.1; 18])])).unwrap();
    assert_eq!(network.input_shape(), [1, 2, 8]);
    let neurons = network.activation_nodes().next().unwrap().0;
    assert_eq!(network.nodes[neurons].shape, [3, 1, 8]);
    assert_eq!(network.classes(), 3);
}
