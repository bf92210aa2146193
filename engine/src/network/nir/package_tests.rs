//! Tests of graphs that other packages write: nested ones, time steps, neurons and layers of every type.

use std::path::Path;

use hdf5_pure::{FileBuilder, GroupBuilder};

use super::{from_bytes, from_bytes_with_step};
use crate::network::{Activation, Network, Op, OpenedNetwork};

/// A field of a node.
#[derive(Clone, Copy)]
pub(super) enum Field {
    Numbers(&'static str, &'static [u64], &'static [f32]),
    Text(&'static str, &'static str),
    /// A text of the metadata.
    Metadata(&'static str, &'static str),
}
pub(super) use Field::{Metadata, Numbers, Text};

/// A node or an inner graph.
#[derive(Clone)]
pub(super) enum Item {
    Node(&'static str, &'static str, Vec<Field>),
    Graph(&'static str, Vec<Self>, Vec<[&'static str; 2]>),
}

fn write_graph(group: &mut GroupBuilder, items: &[Item], edges: &[[&str; 2]]) {
    group.create_dataset("type").with_vlen_strings(&["NIRGraph"]).with_shape(&[]);
    let mut nodes = group.create_group("nodes");
    for item in items {
        let inner = match item {
            Item::Node(name, kind, fields) => {
                let mut node = nodes.create_group(name);
                node.create_dataset("type").with_vlen_strings(&[kind]).with_shape(&[]);
                fields.iter().for_each(|field| write_field(&mut node, *field));
                node
            }
            Item::Graph(name, items, edges) => {
                let mut inner = nodes.create_group(name);
                write_graph(&mut inner, items, edges);
                inner
            }
        };
        nodes.add_group(inner.finish());
    }
    group.add_group(nodes.finish());
    let ends: Vec<&str> = edges.iter().flatten().copied().collect();
    group.create_dataset("edges").with_vlen_strings(&ends).with_shape(&[edges.len() as u64, 2]);
}

fn write_field(group: &mut GroupBuilder, field: Field) {
    match field {
        Numbers(name, shape, values) => drop(group.create_dataset(name).with_f32_data(values).with_shape(shape)),
        Text(name, text) => drop(group.create_dataset(name).with_vlen_strings(&[text]).with_shape(&[])),
        Metadata(name, text) => {
            let mut metadata = group.create_group("metadata");
            write_field(&mut metadata, Text(name, text));
            group.add_group(metadata.finish());
        }
    }
}

pub(super) fn bytes(items: &[Item], edges: &[[&str; 2]], metadata: &[Field]) -> Vec<u8> {
    let mut file = FileBuilder::new();
    let mut root = file.create_group("node");
    write_graph(&mut root, items, edges);
    let mut group = root.create_group("metadata");
    metadata.iter().for_each(|field| write_field(&mut group, *field));
    root.add_group(group.finish());
    file.add_group(root.finish());
    file.finish().unwrap()
}

/// Reads a chain of nodes.
pub(super) fn chain(items: &[Item], metadata: &[Field]) -> crate::Result<OpenedNetwork> {
    let name = |item: &Item| match item {
        Item::Node(name, ..) | Item::Graph(name, ..) => *name,
    };
    let names: Vec<&str> = items.iter().map(name).collect();
    let edges: Vec<[&str; 2]> = names.windows(2).map(|pair| [pair[0], pair[1]]).collect();
    from_bytes(bytes(items, &edges, metadata), Path::new("net.nir"))
}

pub(super) fn node(name: &'static str, kind: &'static str, fields: &[Field]) -> Item {
    Item::Node(name, kind, fields.to_vec())
}

pub(super) fn input(shape: &'static [f32]) -> Item {
    let rank: &[u64] = [&[0], &[1], &[2], &[3], &[4u64]][shape.len()];
    node("input", "Input", &[Numbers("shape", rank, shape)])
}

fn neurons(name: &'static str, kind: &'static str, r: &'static [f32]) -> Item {
    let count: &'static [u64] = if r.len() == 1 { &[] } else { &[2] };
    let theta: &'static [f32] = if r.len() == 1 { &[1.0] } else { &[1.0, 1.0] };
    node(name, kind, &[Numbers("r", count, r), Numbers("v_threshold", count, theta)])
}

pub(super) const OUTPUT: fn() -> Item = || node("output", "Output", &[Numbers("shape", &[1], &[2.0])]);
const LINEAR: fn(&'static str) -> Item =
    |name| node(name, "Linear", &[Numbers("weight", &[2, 2], &[1.0, 2.0, 3.0, 4.0])]);

pub(super) fn scales(network: &Network) -> Vec<f32> {
    let scale = |op: &Op| if let Op::Affine { scale, .. } = op { scale.clone() } else { Vec::new() };
    network.nodes.iter().flat_map(|node| scale(&node.op)).collect()
}

#[test]
fn time_step_of_the_file_or_its_convention_sets_the_gain() {
    let open = |r: &'static [f32], metadata: &[Field]| {
        chain(&[input(&[2.0]), LINEAR("l"), neurons("n", "IF", r), OUTPUT()], metadata).unwrap()
    };
    let told = |opened: &OpenedNetwork| {
        opened.time_step.and_then(crate::network::left_open::TimeStep::note).unwrap_or_default()
    };
    // r = 1: nothing to say. r = 1/dt: the gain is 1, and a sentence says so.
    assert!(told(&open(&[1.0, 1.0], &[])).is_empty());
    for r in [&[10000.0, 10000.0][..], &[1000.0], &[128.0, 128.0]] {
        let opened = open(r, &[]);
        assert!(scales(&opened.network).is_empty(), "{:?}", opened.network.nodes);
        assert!(told(&opened).contains("1/dt"), "{:?}", opened.time_step);
    }
    let spikingjelly = told(&open(&[10000.0, 10000.0], &[]));
    assert!(spikingjelly.contains("dt = 0.0001 s") && spikingjelly.contains("SpikingJelly"), "{spikingjelly}");
    // Stated, as a number or a text.
    for dt in [Numbers("dt", &[], &[0.5]), Text("dt", "0.5")] {
        let opened = open(&[10000.0, 10000.0], &[dt]);
        assert_eq!(scales(&opened.network), [5000.0]);
        assert!(told(&opened).contains("dt = 0.5 is stated in the file"), "{:?}", opened.time_step);
    }
    // Neither: dt = 1 is assumed, and told.
    let opened = open(&[2.0, 10000.0], &[]);
    assert_eq!(scales(&opened.network), [2.0, 10000.0]);
    assert!(told(&opened).contains("r is 2 to 10000, and the file does not state dt"), "{:?}", opened.time_step);
    // By the user, above all others.
    let items = [input(&[2.0]), LINEAR("l"), neurons("n", "IF", &[10000.0]), OUTPUT()];
    let names = [["input", "l"], ["l", "n"], ["n", "output"]];
    let stated = |dt| from_bytes_with_step(bytes(&items, &names, &[Text("dt", "0.5")]), Path::new("net.nir"), Some(dt));
    assert_eq!(scales(&stated(0.001).unwrap().network), [10.0]);
    assert!(stated(0.0).unwrap_err().to_string().contains("dt = 0: a time step is a number above 0"));
    let bad = [input(&[2.0]), LINEAR("l"), neurons("n", "IF", &[1.0]), OUTPUT()];
    assert!(chain(&bad, &[Text("dt", "soon")]).unwrap_err().to_string().contains("metadata 'dt'"));
}

#[test]
fn neurons_without_leak_are_read_and_others_refused_by_name() {
    const INFINITE: &[f32] = &[f32::INFINITY, f32::INFINITY];
    let lif = |tau: &'static [f32], r: &'static [f32]| {
        let fields = [Numbers("tau", &[2], tau), Numbers("r", &[2], r), Numbers("v_threshold", &[2], &[0.5, 0.5])];
        chain(&[input(&[2.0]), LINEAR("l"), node("n", "LIF", &fields), OUTPUT()], &[])
    };
    for r in [&[1.0, 1.0], INFINITE] {
        let opened = lif(INFINITE, r).unwrap();
        assert_eq!(scales(&opened.network), [2.0]);
        assert_eq!(opened.network.activation_nodes().next().unwrap().1, Activation::Clip { lambda: 1.0 });
        assert!(opened.notes[0].contains("do not leak"), "{:?}", opened.notes);
    }
    assert!(lif(&[2.0, f32::INFINITY], &[1.0, 1.0]).unwrap_err().to_string().contains("'n': (LIF) its neurons leak"));
    let refused = |kind: &'static str, fields: &[Field]| {
        let items = [input(&[2.0]), node("n", kind, fields), LINEAR("l"), OUTPUT()];
        chain(&items, &[]).unwrap_err().to_string()
    };
    let r = Numbers("r", &[2], &[1.0, 1.0]);
    for (kind, word) in
        [("LI", "leak"), ("CubaLIF", "leak"), ("CubaLI", "leak"), ("Threshold", "potential"), ("X", "type")]
    {
        let text = refused(kind, &[]);
        assert!(text.contains(&format!("node 'n': ({kind})")) && text.contains(word), "{text}");
    }
    assert!(refused("Delay", &[Numbers("delay", &[2], &[0.0, 1.0])]).contains("delays"));
    assert!(refused("I", &[r]).contains("only at the output"));
    // An integrator at the output, and delays of 0.
    let end = [
        input(&[2.0]),
        neurons("n", "IF", &[1.0]),
        LINEAR("l"),
        node("d", "Delay", &[Numbers("delay", &[2], &[0.0, 0.0])]),
        node("i", "I", &[Numbers("r", &[2], &[3.0, 3.0])]),
        OUTPUT(),
    ];
    let opened = chain(&end, &[]).unwrap();
    assert_eq!(scales(&opened.network), [3.0]);
    assert!(opened.notes.iter().any(|note| note.contains("integrates the output")), "{:?}", opened.notes);
}

#[test]
fn inner_graphs_are_flattened_under_their_path() {
    let block = |name: &'static str| {
        let items = vec![input(&[2.0]), LINEAR("fc"), neurons("if", "IF", &[1.0]), OUTPUT()];
        Item::Graph(name, items, vec![["input", "fc"], ["fc", "if"], ["if", "output"], ["input", "output"]])
    };
    let outer = Item::Graph(
        "net",
        vec![input(&[2.0]), block("a"), block("b"), OUTPUT()],
        vec![["input", "a"], ["a", "b"], ["b", "output"]],
    );
    let network = chain(&[input(&[2.0]), outer.clone(), LINEAR("head"), OUTPUT()], &[]).unwrap().network;
    let names: Vec<&str> = network.nodes.iter().map(|node| node.name.as_str()).collect();
    for name in ["net.a.fc", "net.a.if", "net.b.if", "net.b.output.sum", "head"] {
        assert!(names.contains(&name), "{names:?}");
    }
    // A graph with two outputs in the way, and a graph that reads itself.
    let two =
        Item::Graph("two", vec![input(&[2.0]), OUTPUT(), node("other", "Output", &[])], vec![["input", "output"]]);
    assert!(chain(&[input(&[2.0]), two, OUTPUT()], &[]).unwrap_err().to_string().contains("2 Output nodes"));
    let looped = Item::Graph(
        "rec",
        vec![input(&[2.0]), LINEAR("w"), OUTPUT()],
        vec![["input", "w"], ["w", "w"], ["w", "output"]],
    );
    assert!(
        chain(&[input(&[2.0]), looped, OUTPUT()], &[]).unwrap_err().to_string().contains("'rec.w': is part of a loop")
    );
    let twice = [input(&[2.0]), outer, node("net.a.fc", "Linear", &[]), OUTPUT()];
    assert!(chain(&twice, &[]).unwrap_err().to_string().contains("exists twice"));
}

#[test]
fn lines_images_and_scales_of_every_form_are_read() {
    let flatten = |start: &'static [f32]| {
        node("flat", "Flatten", &[Numbers("start_dim", &[], start), Numbers("end_dim", &[], &[-1.0])])
    };
    let fc = node("fc", "Affine", &[Numbers("weight", &[2, 4], &[1.0; 8]), Numbers("bias", &[2], &[0.0; 2])]);
    let fire = || neurons("n", "IF", &[1.0]);
    // HxW; the batch counted or not.
    for start in [&[0.0], &[1.0f32]] {
        let opened = chain(&[input(&[2.0, 2.0]), flatten(start), fc.clone(), fire(), OUTPUT()], &[]).unwrap();
        assert_eq!(opened.network.input_shape(), [2, 2]);
        assert_eq!(opened.notes.len(), 1 + usize::from(start[0] == 1.0), "{:?}", opened.notes);
    }
    assert!(
        chain(&[input(&[1.0, 1.0, 2.0, 2.0]), flatten(&[0.0]), fc.clone(), fire(), OUTPUT()], &[]).unwrap().notes[0]
            .contains("batch")
    );
    // The batch of the example, of any size, before what the first layer reads.
    for (shape, sample) in [(&[1.0, 4.0][..], &[4][..]), (&[5.0, 4.0], &[4]), (&[3.0, 5.0, 4.0], &[4])] {
        let opened = chain(&[input(shape), fc.clone(), fire(), OUTPUT()], &[]).unwrap();
        assert_eq!(opened.network.input_shape(), sample);
        assert!(opened.notes[0].contains("batch or time"), "{:?}", opened.notes);
    }
    let opened = chain(&[input(&[5.0, 2.0, 2.0]), flatten(&[0.0]), fc.clone(), fire(), OUTPUT()], &[]).unwrap();
    assert_eq!(opened.network.input_shape(), [2, 2]);
    // A line of 2 channels and 4 values, convolved with 'same' padding.
    let conv = node(
        "conv",
        "Conv1d",
        &[
            Numbers("weight", &[1, 2, 3], &[1.0; 6]),
            Numbers("bias", &[1], &[0.0]),
            Numbers("stride", &[], &[1.0]),
            Text("padding", "same"),
            Numbers("dilation", &[], &[1.0]),
            Numbers("groups", &[], &[1.0]),
        ],
    );
    let line = [input(&[2.0, 4.0]), conv, neurons("if", "IF", &[1.0]), flatten(&[0.0]), fc.clone(), OUTPUT()];
    assert_eq!(chain(&line, &[]).unwrap().network.nodes[3].shape, [1, 4]);
    // One factor per value, which no channel shares.
    let scale = node("scale", "Scale", &[Numbers("scale", &[1, 2, 2], &[1.0, 2.0, 3.0, 4.0])]);
    let network = chain(&[input(&[1.0, 2.0, 2.0]), scale, flatten(&[0.0]), fc, fire(), OUTPUT()], &[]).unwrap().network;
    assert_eq!(scales(&network), [1.0, 2.0, 3.0, 4.0]);
    let odd = node("scale", "Scale", &[Numbers("scale", &[3], &[1.0, 2.0, 3.0])]);
    let text = chain(&[input(&[2.0]), odd, OUTPUT()], &[]).unwrap_err().to_string();
    assert!(text.contains("'scale': its 'scale' has shape 3 for neurons of 2"), "{text}");
}

#[test]
fn graphs_without_ports_are_completed_and_told() {
    let opened = chain(&[LINEAR("l"), neurons("n", "IF", &[1.0]), LINEAR("m")], &[]).unwrap();
    assert_eq!((opened.network.input_shape(), opened.network.classes()), ([2].as_slice(), 2));
    assert!(
        opened.notes[0].contains("no Input node") && opened.notes[1].contains("no Output node"),
        "{:?}",
        opened.notes
    );
    assert!(chain(&[], &[]).unwrap_err().to_string().contains("no Input node"));
    let text = chain(&[input(&[2.0]), LINEAR("l"), OUTPUT()], &[]).unwrap_err().to_string();
    assert!(text.contains("no spiking neurons (IF) to simulate; its nodes are Input, Linear, Output"), "{text}");
    let outputs = [input(&[2.0]), OUTPUT(), node("second", "Output", &[])];
    assert!(chain(&outputs, &[]).unwrap_err().to_string().contains("second output"));
    // Files that are not graphs.
    let mut file = FileBuilder::new();
    let group = file.create_group("model_weights").finish();
    file.add_group(group);
    let text = from_bytes(file.finish().unwrap(), Path::new("net.h5")).unwrap_err().to_string();
    assert!(text.contains("Keras") && text.contains("tf2onnx"), "{text}");
}
