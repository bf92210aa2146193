//! Architecture files: the examples of the manual, their errors, and templates for unknown weights.

use super::*;

/// The examples of the manual, in order.
fn examples() -> Vec<String> {
    let text = include_str!("../../../../../docs/architecture-files.md");
    text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn examples_of_the_manual_are_read() {
    let [changes, cnn, sequential, residual] = &examples()[..] else { panic!("other examples than here") };
    let (network, _) = qcfs_resnet(&[1, 1], "up", "relu.up").build_as(changes).unwrap();
    assert_eq!(network.input_shape(), [3, 64, 64]);
    let mut keys = Keys::default();
    keys.conv("conv1", 8, 1, 3, true);
    keys.conv("conv2", 8, 8, 3, true);
    keys.conv("conv3", 8, 8, 3, true);
    keys.norm("norm1", 8);
    keys.linear("fc1", 12, 8 * 22 * 22);
    keys.linear("fc2", 10, 12);
    keys.norm("norm2", 10);
    assert_eq!(keys.build_as(cnn).unwrap().0.activation_nodes().count(), 4);
    let mut keys = Keys::default();
    for (at, out, inputs, kernel) in [(0, 4, 1, 5), (3, 4, 4, 5), (6, 6, 4, 3)] {
        keys.conv(&at.to_string(), out, inputs, kernel, false);
    }
    keys.add("10.weight".into(), &[20, 6]);
    keys.add("12.weight".into(), &[10, 20]);
    assert_eq!(keys.build_as(sequential).unwrap().0.classes(), 10);
    let mut keys = Keys::default();
    keys.conv("stem", 8, 3, 3, true);
    keys.add("act0.thresh".into(), &[1]);
    keys.conv("block.conv", 8, 8, 3, false);
    keys.norm("block.bn", 8);
    keys.add("act1.thresh".into(), &[1]);
    keys.linear("fc", 10, 8);
    let (network, notes) = keys.build_as(residual).unwrap();
    assert!(notes.is_empty());
    assert!(network.activation_nodes().all(|(_, a)| matches!(a, Activation::Qcfs { levels: 4, .. })));
    let add = network.nodes.iter().find(|node| node.op == Op::Add).unwrap();
    assert_eq!(
        add.inputs.iter().map(|&id| network.nodes[id].name.as_str()).collect::<Vec<_>>(),
        ["block.main", "stem.act"]
    );
}

#[test]
fn errors_of_architecture_files_name_line_and_layer() {
    let keys = || {
        let mut keys = Keys::default();
        keys.conv("c", 4, 1, 3, true);
        keys.linear("fc", 10, 4 * 26 * 26);
        keys
    };
    let with = |layers: &str| format!("input = [1, 28, 28]\nlayers = [{layers}]");
    let conv = "{ op = \"conv\", key = \"c\" }";
    let fc = "{ op = \"linear\", key = \"fc\" }";
    assert!(keys().build_as(&with(&format!("{conv}, \"relu\", \"flatten\", {fc}"))).is_ok());
    for (text, words) in [
        ("layers = [\"relu\"]".to_owned(), &["input", "is missing"][..]),
        ("inputs = [1]".to_owned(), &["net.arch.toml: line 1", "inputs"]),
        ("input = [1,".to_owned(), &["net.arch.toml: line 1"]),
        ("levels = 0".to_owned(), &["levels", "1 to 1024"]),
        ("scaling = \"half\"".to_owned(), &["scaling", "half"]),
        (with("\"gelu\""), &["layer 1", "gelu"]),
        (with("3"), &["layer 1", "is 3"]),
        (with("{ op = \"conv\" }"), &["layer 1", "key"]),
        (with("{ op = \"conv\", key = \"c\", pad = 1 }"), &["layer 1", "pad"]),
        (with("{ op = \"add\", from = [\"a\"] }"), &["layer 1", "two or more"]),
        (with(&format!("{conv}, {{ op = \"relu\", from = \"x\" }}")), &["layer 2", "reads 'x'"]),
        (with(&format!("{conv}, {{ op = \"relu\", name = \"c\" }}")), &["layer 2", "'c' is used twice"]),
        (with("{ op = \"conv\", key = \"d\" }"), &["net.pth", "key 'd.weight'", "missing"]),
        (with(&format!("{conv}, {fc}")), &["keys 'fc.…'", "flat input"]),
        (with(&format!("{conv}, \"flatten\"")), &["surplus keys", "'fc.weight'"]),
        (with(&format!("{conv}, \"softmax\", \"flatten\", {fc}")), &["softmax inside"]),
        (with("{ op = \"max-pool\", kernel = 40 }"), &["layer 'max-pool1'", "does not fit"]),
        (with("{ op = \"conv\", key = \"c\", stride = 0 }"), &["stride"]),
        ("input = [1, 28]\nlayers = [\"relu\"]".to_owned(), &["input", "neither"]),
        (
            format!("{}\nclass-names = [\"a\"]", with(&format!("{conv}, \"relu\", \"flatten\", {fc}"))),
            &["net.arch.toml: class-names", "1 names for 10"],
        ),
        ("input = [0]\nlayers = [\"relu\"]".to_owned(), &["input"]),
    ] {
        keys().refused(&text, words);
    }
}

/// The keys of a small CNN whose norms are defined last, as in Burn's MNIST example.
fn unknown_cnn() -> Keys {
    let mut keys = Keys::default();
    keys.conv("conv1", 8, 1, 3, true);
    keys.conv("conv2", 16, 8, 3, true);
    keys.conv("conv3", 24, 16, 3, true);
    keys.linear("fc1", 32, 24 * 22 * 22);
    keys.linear("fc2", 10, 32);
    keys.norm("norm1", 24);
    keys.norm("norm2", 10);
    keys
}

#[test]
fn neurons_have_the_names_of_the_file() {
    let keys = || {
        let mut keys = Keys::default();
        keys.conv("stem", 2, 1, 3, false);
        keys.conv("block.conv", 2, 2, 3, false);
        keys.linear("head", 3, 2 * 8 * 8);
        keys
    };
    let file = |second: &str| {
        format!(
            "input = [1, 8, 8]\nlayers = [{{ op = \"conv\", key = \"stem\", padding = 1 }}, \"relu\", {{ op = \"conv\", \
             key = \"block.conv\", padding = 1 }}, {{ op = \"add\", from = [\"block.conv\", \"{second}\"] }}, \"relu\", \
             \"flatten\", {{ op = \"linear\", key = \"head\" }}]"
        )
    };
    // By their layer, and by the number that they had in earlier versions.
    for second in ["stem.act", "relu2"] {
        let (network, _) = keys().build_as(&file(second)).unwrap_or_else(|e| panic!("{e}"));
        let names: Vec<&str> = network.activation_nodes().map(|(id, _)| network.nodes[id].name.as_str()).collect();
        assert_eq!(names, ["stem.act", "block.conv.act"], "{second}");
    }
    assert!(keys().build_as(&file("relu3")).is_err());
}

#[test]
fn unknown_weights_get_a_template() {
    let text = super::super::architecture_template(StateDict::new(unknown_cnn().0)).unwrap();
    let order = ["conv1", "conv2", "conv3", "norm1", "flatten", "fc1", "fc2", "norm2"];
    let places: Vec<usize> = order.iter().map(|name| text.find(&format!("\"{name}\"")).expect(name)).collect();
    assert!(places.is_sorted(), "{text}");
    assert!(text.contains("# 24x16x3x3") && text.contains("input = [1, 28, 28]") && !text.contains("-pool"), "{text}");
    // The template opens unchanged: without padding and pools, 28 pixels become the 22 that the first matrix reads.
    let (network, _) = unknown_cnn().build_as(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!((network.classes(), network.activation_nodes().count()), (10, 4));
    // Pools are added if the matrix fits only with them; nothing is added if no guess fits.
    let pooled = |features: usize| {
        let mut keys = Keys::default();
        keys.conv("0", 20, 1, 5, false);
        keys.conv("3", 32, 20, 5, false);
        keys.conv("6", 128, 32, 3, false);
        keys.linear("10", 10, features);
        keys
    };
    let text = super::super::architecture_template(StateDict::new(pooled(128).0)).unwrap();
    assert_eq!(text.matches("max-pool").count(), 3, "{text}");
    assert!(pooled(128).build_as(&text).is_ok(), "{text}");
    let text = super::super::architecture_template(StateDict::new(pooled(77).0)).unwrap();
    assert!(text.contains("77 values are read next") && !text.contains("pool\""), "{text}");
    // Keys without a position are listed; known families need no file.
    let mut keys = pooled(128);
    keys.add("temperature".into(), &[1]);
    assert!(
        super::super::architecture_template(StateDict::new(keys.0)).unwrap().contains("Not used yet: temperature 1")
    );
    let mut keys = Keys::default();
    keys.linear("a", 10, 784);
    assert_eq!(super::super::architecture_template(StateDict::new(keys.0)), None);
}
