//! Tests of every family with the keys and shapes its programs write, and of errors.

use std::path::Path;

use super::{ArchitectureFile, build};
use crate::network::state_dict::StateDict;
use crate::network::{Activation, Network, Op, Weights};

/// A made-up state dict; every number is 0.01.
#[derive(Clone, Default)]
struct Keys(Vec<(String, Weights)>);

impl Keys {
    fn add(&mut self, key: String, shape: &[usize]) {
        self.0.push((key, Weights::new(shape.to_vec(), vec![0.01; shape.iter().product()])));
    }
    fn conv(&mut self, name: &str, out: usize, inputs: usize, kernel: usize, bias: bool) {
        self.add(format!("{name}.weight"), &[out, inputs, kernel, kernel]);
        if bias {
            self.add(format!("{name}.bias"), &[out]);
        }
    }
    fn norm(&mut self, name: &str, channels: usize) {
        for part in ["weight", "bias", "running_mean", "running_var"] {
            self.add(format!("{name}.{part}"), &[channels]);
        }
        self.add(format!("{name}.num_batches_tracked"), &[]);
    }
    fn linear(&mut self, name: &str, out: usize, inputs: usize) {
        self.add(format!("{name}.weight"), &[out, inputs]);
        self.add(format!("{name}.bias"), &[out]);
    }
    fn without_key(mut self, key: &str) -> Self {
        self.0.retain(|(k, _)| k != key);
        self
    }
    fn build(self) -> crate::Result<(Network, Vec<String>)> {
        self.build_as("")
    }
    /// Builds the network with an architecture file.
    fn build_as(self, text: &str) -> crate::Result<(Network, Vec<String>)> {
        let described = (!text.is_empty()).then(|| ArchitectureFile::parse(text, Path::new("net.arch.toml")));
        let described = described.transpose()?;
        build(StateDict::new(self.0), Path::new("net.pth"), described.as_ref())
    }
    #[track_caller]
    fn network(self) -> Network {
        self.build().unwrap_or_else(|e| panic!("{e}")).0
    }
    #[track_caller]
    fn refused(self, text: &str, words: &[&str]) {
        let error = self.build_as(text).expect_err("this should be refused").to_string();
        words.iter().for_each(|word| assert!(error.contains(word), "'{error}' does not say '{word}'"));
    }
}

/// VGG of the QCFS authors with `stages` convolutions per stage; `act` is `up` or `thresh`.
fn qcfs_vgg(stages: &[usize], act: &str, side: usize) -> Keys {
    let mut keys = Keys::default();
    let mut channels = 3;
    for (stage, &count) in stages.iter().enumerate() {
        for k in 0..count {
            let part = |at: usize| format!("layer{}.{}", stage + 1, 4 * k + at);
            keys.conv(&part(0), 4 << stage, channels, 3, true);
            channels = 4 << stage;
            keys.norm(&part(1), channels);
            keys.add(format!("{}.{act}", part(2)), &[1]);
        }
    }
    for (at, out, inputs) in [(1, 40, channels * side * side), (4, 40, 40), (7, 10, 40)] {
        keys.linear(&format!("classifier.{at}"), out, inputs);
        if at < 7 {
            keys.add(format!("classifier.{}.{act}", at + 1), &[1]);
        }
    }
    keys
}

/// ResNet of the QCFS authors; `last` is the key of the activation after the sum.
fn qcfs_resnet(stages: &[usize], act: &str, last: &str) -> Keys {
    let mut keys = Keys::default();
    keys.conv("conv1.0", 8, 3, 3, false);
    keys.norm("conv1.1", 8);
    keys.add(format!("conv1.2.{act}"), &[1]);
    let mut channels = 8;
    for (stage, &count) in stages.iter().enumerate() {
        let width = 8 << stage;
        for block in 0..count {
            let name = format!("conv{}_x.{block}", stage + 2);
            for (at, inputs) in [(0, channels), (3, width)] {
                keys.conv(&format!("{name}.residual_function.{at}"), width, inputs, 3, false);
                keys.norm(&format!("{name}.residual_function.{}", at + 1), width);
            }
            keys.add(format!("{name}.residual_function.2.{act}"), &[1]);
            if channels != width {
                keys.conv(&format!("{name}.shortcut.0"), width, channels, 1, false);
                keys.norm(&format!("{name}.shortcut.1"), width);
            }
            keys.add(format!("{name}.{last}"), &[1]);
            channels = width;
        }
    }
    keys.linear("fc", 10, channels);
    keys
}

/// ResNet in torchvision's naming: `convs` convolutions per block, a stem of `stem` by `stem`, projections called
/// `shortcut` or none.
fn resnet(stages: &[usize], stem: usize, convs: usize, shortcut: Option<&str>, head: &str) -> Keys {
    let mut keys = Keys::default();
    keys.conv("conv1", 8, 3, stem, false);
    keys.norm("bn1", 8);
    let (mut channels, expansion) = (8, if convs == 3 { 4 } else { 1 });
    for (stage, &count) in stages.iter().enumerate() {
        let (width, out) = (8 << stage, (8 << stage) * expansion);
        for block in 0..count {
            let name = format!("layer{}.{block}", stage + 1);
            for k in 1..=convs {
                let kernel = if convs == 3 && k != 2 { 1 } else { 3 };
                let inputs = if k == 1 { channels } else { width };
                keys.conv(&format!("{name}.conv{k}"), if k == convs { out } else { width }, inputs, kernel, false);
                keys.norm(&format!("{name}.bn{k}"), if k == convs { out } else { width });
            }
            if let Some(shortcut) = shortcut.filter(|_| channels != out) {
                keys.conv(&format!("{name}.{shortcut}.0"), out, channels, 1, false);
                keys.norm(&format!("{name}.{shortcut}.1"), out);
            }
            channels = out;
        }
    }
    keys.linear(head, 10, channels);
    keys
}

/// VGG in torchvision's naming.
fn vgg(stages: &[usize], normed: bool, side: usize) -> Keys {
    let mut keys = Keys::default();
    let (mut channels, mut at) = (3, 0);
    for (stage, &count) in stages.iter().enumerate() {
        for _ in 0..count {
            keys.conv(&format!("features.{at}"), 4 << stage, channels, 3, true);
            channels = 4 << stage;
            if normed {
                keys.norm(&format!("features.{}", at + 1), channels);
            }
            at += 2 + usize::from(normed);
        }
        at += 1;
    }
    for (at, out, inputs) in [(0, 40, channels * side * side), (3, 40, 40), (6, 10, 40)] {
        keys.linear(&format!("classifier.{at}"), out, inputs);
    }
    keys
}

fn count(network: &Network, what: fn(&Op) -> bool) -> usize {
    network.nodes.iter().filter(|node| what(&node.op)).count()
}

#[test]
fn networks_of_the_qcfs_authors_have_learned_thresholds() {
    let vgg = |act, side| qcfs_vgg(&[2, 2, 3, 3, 3], act, side).network();
    let r = |stages: &[usize], act, last| qcfs_resnet(stages, act, last).network();
    for (network, thresholds, input) in [
        (vgg("up", 1), 15, 32),
        (vgg("thresh", 7), 15, 224),
        (r(&[2, 2, 2, 2], "up", "relu.up"), 17, 32),
        (r(&[2, 2, 2, 2], "thresh", "act.thresh"), 17, 32),
        (r(&[3, 3, 3], "thresh", "act.thresh"), 19, 32),
        (r(&[3, 4, 6, 3], "up", "relu.up"), 33, 32),
    ] {
        let activations: Vec<_> = network.activation_nodes().map(|(_, activation)| activation).collect();
        assert_eq!(activations, vec![Activation::Qcfs { lambda: 0.01, levels: 8, shift: 0.5 }; thresholds]);
        assert_eq!((network.input_shape(), network.classes()), ([3, input, input].as_slice(), 10));
    }
    let network = vgg("thresh", 1);
    assert_eq!(count(&network, |op| matches!(op, Op::AvgPool2d { .. })), 5);
    // Projections only where the shape changes.
    let network = r(&[2, 2, 2, 2], "up", "relu.up");
    assert_eq!(count(&network, |op| matches!(op, Op::Conv2d { .. })), 17 + 3);
    assert_eq!(network.nodes[network.output - 1].shape, [64]);
}

#[test]
fn assumptions_are_reported_and_can_be_changed() {
    let (_, notes) = qcfs_vgg(&[1, 1], "up", 8).build().unwrap();
    assert!(notes.len() == 2 && notes[0].contains("average pools") && notes[0].contains("3x32x32"), "{notes:?}");
    assert!(notes[1].contains("L = 8 is assumed") && notes[1].contains("net.arch.toml"), "{notes:?}");
    let text = "levels = 4\npooling = \"max\"\nscaling = \"0..255\"\nclass-names = [\"0\", \"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\"]";
    let (network, notes) = qcfs_vgg(&[1, 1], "up", 8).build_as(text).unwrap();
    assert_eq!(notes.len(), 1);
    assert!(network.activation_nodes().all(|(_, a)| matches!(a, Activation::Qcfs { levels: 4, .. })));
    assert_eq!(count(&network, |op| matches!(op, Op::MaxPool2d { .. })), 2);
    assert_eq!((network.scaling, network.class_names.len()), (Some(crate::data::Scaling::Bytes), 10));
    let (network, _) =
        qcfs_resnet(&[1], "up", "relu.up").build_as("activation = \"clip\"\ninput = [3, 48, 48]").unwrap();
    assert!(network.activation_nodes().all(|(_, a)| a == Activation::Clip { lambda: 0.01 }));
    assert_eq!(network.input_shape(), [3, 48, 48]);
}

#[test]
fn residual_networks_are_distinguished_by_their_shapes() {
    // CIFAR ResNets with padded shortcuts, as in akamaster's files, and with projections, as in many others.
    let padded = resnet(&[3, 3, 3], 3, 2, None, "linear").network();
    assert_eq!(padded.input_shape(), [3, 32, 32]);
    assert_eq!(count(&padded, |op| matches!(op, Op::Pad { .. })), 2);
    assert_eq!(count(&padded, |op| matches!(op, Op::Conv2d { .. })), 19);
    assert_eq!(padded.activation_nodes().count(), 19);
    let deep = resnet(&[18, 18, 18], 3, 2, None, "linear").network();
    assert_eq!(deep.activation_nodes().count(), 109);
    let projected = resnet(&[2, 2, 2, 2], 3, 2, Some("shortcut"), "linear").network();
    assert_eq!(count(&projected, |op| matches!(op, Op::Conv2d { .. })), 20);
    // torchvision: a stem of stride 2 and a max pool; two and three convolutions per block.
    let r18 = resnet(&[2, 2, 2, 2], 7, 2, Some("downsample"), "fc").network();
    assert_eq!((r18.input_shape(), r18.activation_nodes().count()), ([3, 224, 224].as_slice(), 17));
    let last = |network: &Network| network.nodes[network.output - 2].shape.clone();
    assert_eq!(last(&r18), [64, 7, 7]);
    let r50 = resnet(&[3, 4, 6, 3], 7, 3, Some("downsample"), "fc").network();
    assert_eq!((r50.activation_nodes().count(), last(&r50)), (49, vec![256, 7, 7]));
    let stride = |name: &str| match &r50.nodes.iter().find(|node| node.name == name).unwrap().op {
        Op::Conv2d { stride, .. } => stride[0],
        other => panic!("{other:?}"),
    };
    assert_eq!((stride("layer2.0.conv1"), stride("layer2.0.conv2"), stride("layer2.0.downsample.0")), (1, 2, 2));
}

#[test]
fn vgg_pools_are_at_gaps_in_the_indices() {
    for (stages, activations) in
        [([1, 1, 2, 2, 2], 10), ([2, 2, 2, 2, 2], 12), ([2, 2, 3, 3, 3], 15), ([2, 2, 4, 4, 4], 18)]
    {
        for normed in [false, true] {
            let network = vgg(&stages, normed, 7).network();
            assert_eq!(network.input_shape(), [3, 224, 224]);
            assert_eq!(network.activation_nodes().count(), activations);
            assert_eq!(count(&network, |op| matches!(op, Op::MaxPool2d { .. })), 5);
            assert_eq!(count(&network, |op| matches!(op, Op::Affine { .. })) > 0, normed);
        }
    }
    assert_eq!(vgg(&[1, 1, 2, 2, 2], true, 1).network().input_shape(), [3, 32, 32]);
    // Gaps of none of the four networks are not interpreted.
    vgg(&[1, 2, 2, 2, 2], false, 1).refused("", &["match no known architecture", "features.0 4x3x3x3"]);
}

#[test]
fn fully_connected_networks_are_ordered() {
    let mut keys = Keys::default();
    for (name, out, inputs) in [("net.fc10", 4, 20), ("net.fc9", 20, 30), ("net.fc1", 30, 784)] {
        keys.linear(name, out, inputs);
    }
    let network = keys.network();
    let names: Vec<_> = network.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["input", "fc1", "fc1.act", "fc9", "fc9.act", "fc10"]);
    let mut keys = Keys::default();
    keys.linear("0", 30, 784);
    keys.norm("1", 30);
    keys.add("2.thresh".into(), &[1]);
    keys.linear("3", 10, 30);
    let network = keys.clone().network();
    assert!(network.activation_nodes().all(|(_, a)| matches!(a, Activation::Qcfs { levels: 8, .. })));
    assert!(matches!(network.nodes[2].op, Op::Affine { .. }));
    // BatchNorms that do not follow their layers have no unique position.
    let mut separate = Keys::default();
    separate.linear("fc1", 30, 30);
    separate.linear("fc2", 30, 30);
    separate.norm("bn1", 30);
    separate.norm("bn2", 30);
    separate.refused("", &["match no known architecture"]);
}

#[test]
fn missing_surplus_and_misshapen_keys_are_named() {
    let vgg = || qcfs_vgg(&[2, 2], "thresh", 8);
    vgg().without_key("layer1.4.weight").refused("", &["net.pth", "surplus keys", "'layer1.4.bias'"]);
    vgg().without_key("layer2.2.thresh").refused("", &["key 'layer2.2.thresh'", "missing", "net.arch.toml"]);
    vgg().without_key("layer2.1.running_var").refused("", &["key 'layer2.1.running_var'", "missing"]);
    let net = || resnet(&[3, 3, 3], 3, 2, None, "linear");
    net().without_key("layer2.1.conv2.weight").refused("", &["key 'layer2.1.conv2.weight'", "missing"]);
    net().without_key("linear.weight").refused("", &["key 'fc.weight'", "missing"]);
    let mut surplus = net();
    surplus.linear("aux.fc", 10, 10);
    surplus.clone().refused("", &["surplus keys", "'aux.fc.weight'", "'aux.fc.bias'"]);
    assert!(surplus.build_as("ignore = [\"aux.\"]").is_ok());
    let mut wrong = net().without_key("layer2.0.conv2.weight");
    wrong.conv("layer2.0.conv2", 16, 7, 3, false);
    wrong.refused("", &["layer2.0.conv2", "do not match 16 channels"]);
    let mut nan = net();
    nan.0[0].1 = Weights::new(vec![8, 3, 3, 3], vec![f32::NAN; 216]);
    nan.refused("", &["keys 'conv1.…'", "NaN"]);
    let mut negative = net().without_key("bn1.running_var");
    negative.0.push(("bn1.running_var".into(), Weights::new(vec![8], vec![-1.0; 8])));
    negative.refused("", &["keys 'bn1.…'", "negative"]);
    let mut threshold = vgg().without_key("layer1.2.thresh");
    threshold.0.push(("layer1.2.thresh".into(), Weights::new(vec![1], vec![0.0])));
    threshold.refused("", &["layer1.2", "must be above 0"]);
}

/// The examples of the manual, in order.
fn examples() -> Vec<String> {
    let text = include_str!("../../../docs/architecture-files.md");
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
    let text = super::architecture_template(StateDict::new(unknown_cnn().0)).unwrap();
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
    let text = super::architecture_template(StateDict::new(pooled(128).0)).unwrap();
    assert_eq!(text.matches("max-pool").count(), 3, "{text}");
    assert!(pooled(128).build_as(&text).is_ok(), "{text}");
    let text = super::architecture_template(StateDict::new(pooled(77).0)).unwrap();
    assert!(text.contains("77 values are read next") && !text.contains("pool\""), "{text}");
    // Keys without a position are listed; known families need no file.
    let mut keys = pooled(128);
    keys.add("temperature".into(), &[1]);
    assert!(super::architecture_template(StateDict::new(keys.0)).unwrap().contains("Not used yet: temperature 1"));
    let mut keys = Keys::default();
    keys.linear("a", 10, 784);
    assert_eq!(super::architecture_template(StateDict::new(keys.0)), None);
}
