//! Tests of graphs that are written and read back, and of damaged files.

use std::path::Path;

use proptest::prelude::*;

use super::{NirGraph, NirNode, NirOp, from_bytes, to_bytes};
use crate::network::{Activation, Op, Weights};

fn node(kind: NirOp) -> NirNode {
    NirNode { kind, metadata: Vec::new() }
}

fn filled(shape: &[usize], value: f32) -> Weights {
    Weights::new(shape.to_vec(), vec![value; shape.iter().product()])
}

/// Input `[1, 4, 4]` → conv 2 → IF → sum pool → flatten → affine 3 → output, with edges in reverse order.
fn graph() -> NirGraph {
    let theta = Weights::new(vec![2, 4, 4], (0..32).map(|i| if i < 16 { 0.5 } else { 2.0 }).collect());
    let nodes = [
        ("input", NirOp::Input { shape: vec![1, 4, 4] }),
        (
            "conv",
            NirOp::Conv2d {
                input_shape: Some([4, 4]),
                weight: filled(&[2, 1, 3, 3], 0.25),
                bias: filled(&[2], 0.1),
                stride: [1, 1],
                padding: [1, 1],
                dilation: [1, 1],
                groups: 1,
            },
        ),
        ("if", NirOp::If { r: filled(&[2, 4, 4], 1.0), threshold: theta, reset: filled(&[2, 4, 4], 0.0) }),
        ("pool", NirOp::SumPool2d { kernel: [2, 2], stride: [2, 2], padding: [0, 0] }),
        ("flat", NirOp::Flatten { input: vec![2, 2, 2], start: -3, end: -1 }),
        ("fc", NirOp::Affine { weight: filled(&[3, 8], 0.5), bias: filled(&[3], 0.0) }),
        ("output", NirOp::Output { shape: vec![3] }),
    ];
    let chain = ["input", "conv", "if", "pool", "flat", "fc", "output"];
    let mut edges: Vec<(String, String)> = chain.windows(2).map(|w| (w[0].into(), w[1].into())).collect();
    edges.reverse();
    NirGraph {
        nodes: nodes.into_iter().map(|(name, kind)| (name.to_owned(), node(kind))).collect(),
        edges,
        metadata: vec![("T".into(), "8".into()), ("v_init".into(), "0.5".into())],
    }
}

#[test]
fn neurons_become_a_scale_and_a_clip_at_one() {
    let opened = from_bytes(to_bytes(&graph()).unwrap(), Path::new("net.nir")).unwrap();
    let network = &opened.network;
    assert_eq!((network.input_shape(), network.classes()), ([1, 4, 4].as_slice(), 3));
    let scale =
        network.nodes.iter().find_map(|n| if let Op::Affine { scale, .. } = &n.op { Some(scale) } else { None });
    assert_eq!(scale.unwrap(), &[2.0, 0.5], "one per channel");
    assert_eq!(network.activation_nodes().next().unwrap().1, Activation::Clip { lambda: 1.0 });
    assert!(opened.notes[0].contains("v_init = 0.5"), "{:?}", opened.notes);
}

#[test]
fn unsupported_nodes_are_refused_by_name() {
    let refused = |change: fn(&mut NirGraph)| {
        let mut graph = graph();
        change(&mut graph);
        from_bytes(to_bytes(&graph).unwrap(), Path::new("net.nir")).expect_err("this should be refused").to_string()
    };
    assert!(refused(|g| g.edges.push(("fc".into(), "fc".into()))).contains("loop"));
    assert!(refused(|g| g.edges[0].0 = "nowhere".into()).contains("nowhere"));
    assert!(refused(|g| g.nodes.truncate(6)).contains("'output'"));
    assert!(refused(|g| g.edges.push(("conv".into(), "if".into()))).contains("twice"));
    assert!(refused(|g| g.edges.clear()).contains("reads nothing"));
    assert!(
        refused(|g| g.nodes[2].1.kind =
            NirOp::If { r: filled(&[1], 1.0), threshold: filled(&[1], -1.0), reset: filled(&[1], 0.0) })
        .contains("above 0")
    );
    assert!(
        refused(|g| g.nodes[2].1.kind =
            NirOp::If { r: filled(&[1], 1.0), threshold: filled(&[1], 1.0), reset: filled(&[1], 0.5) })
        .contains("resets")
    );
    assert!(refused(|g| g.nodes[5].1.kind = NirOp::Linear { weight: filled(&[3, 9], 1.0) }).contains("8 inputs"));
    assert!(from_bytes(b"no hdf5".to_vec(), Path::new("net.nir")).is_err());
    assert!(super::read(Path::new("no such file.nir")).unwrap_err().to_string().contains("no such file"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    /// Any change of bytes gives a network or an error.
    #[test]
    fn damaged_files_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in 0usize..400) {
        let mut bytes = to_bytes(&graph()).unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len() - cut.saturating_sub(200));
        let _ = from_bytes(bytes, Path::new("net.nir"));
    }
}
