//! Every family is recognized by its keys and shapes.

use super::*;

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
fn images_of_any_size_are_pooled_as_by_torchvision() {
    let network = vgg(&[1, 1, 2, 2, 2], true, 7).network_for(&[3, 64, 96]);
    assert_eq!(network.input_shape(), [3, 64, 96]);
    let pool = network.nodes.iter().find(|node| node.name == "avgpool").unwrap();
    let Op::Resample { rows, columns } = &pool.op else { panic!("{:?}", pool.op) };
    assert_eq!((&rows.shape[..], &columns.shape[..], &pool.shape[1..]), (&[7, 2][..], &[7, 3][..], &[7, 7][..]));
    // Window k of n values is ⌊k·n/7⌋ to ⌈(k + 1)·n/7⌉.
    let first = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.5, 0.5, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0];
    assert_eq!(rows.data[..], first);
    let any_size = |keys: Keys| super::super::channels_of_any_size(StateDict::new(keys.0), None);
    assert_eq!(any_size(vgg(&[1, 1, 2, 2, 2], true, 7)), Some(3));
    // Without that pool the weights decide, and so does an architecture file.
    assert_eq!(any_size(vgg(&[1, 1, 2, 2, 2], true, 1)), None);
    assert_eq!(vgg(&[1, 1, 2, 2, 2], true, 1).network_for(&[3, 64, 64]).input_shape(), [3, 32, 32]);
    let described = ArchitectureFile::parse("input = [3, 224, 224]", Path::new("net.arch.toml")).unwrap();
    let state = StateDict::new(vgg(&[1, 1, 2, 2, 2], true, 7).0);
    assert_eq!(super::super::channels_of_any_size(state, Some(&described)), None);
    // Images of other channels are not taken.
    assert_eq!(vgg(&[1, 1, 2, 2, 2], true, 7).network_for(&[1, 64, 64]).input_shape(), [3, 224, 224]);
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
