use std::path::PathBuf;

use super::super::layout::Order;
use super::*;
use crate::network::{Node, NodeId, Op};

/// A network of input 3×`side`×`side` whose outputs have the given names and shapes.
fn network(side: usize, outputs: &[(&str, &[usize])]) -> Network {
    let node = |name: String, op, inputs: &[NodeId], shape: &[usize]| Node {
        name,
        op,
        inputs: inputs.to_vec(),
        shape: shape.to_vec(),
    };
    let len = |shape: &[usize]| shape.iter().product::<usize>();
    let mut nodes = vec![node("x".into(), Op::Input, &[], &[3, side, side])];
    let mut flat = Vec::new();
    for (name, shape) in outputs {
        nodes.push(node(format!("{name}.whole"), Op::Reshape, &[0], shape));
        nodes.push(node((*name).into(), Op::Reshape, &[nodes.len() - 1], &[len(shape)]));
        flat.push(nodes.len() - 1);
    }
    let all = outputs.iter().map(|(_, shape)| len(shape)).sum();
    nodes.push(node("all".into(), Op::Concat { axis: 0 }, &flat, &[all]));
    Network { name: "n".into(), output: nodes.len() - 1, nodes, scaling: None, class_names: vec![], neurons: None }
}

fn decoder(text: &str, network: &Network) -> Result<HeadDecoder> {
    let text = HeadText { path: PathBuf::from("d.head.toml"), text: text.into() };
    HeadDecoder::new(HeadDescription::parse(&text)?, &text, network)
}

const FCOS: &str = "classes = [\"a\", \"b\"]\n[boxes]\ncoding = \"ltrb\"\nunits = \"strides\"\nfunction = \
                    \"relu\"\n[[level]]\nclass = \"cls\"\nbox = \"reg\"\ncenter = \"ctr\"\nstride = 8\n";

fn close(a: f32, b: f32) {
    assert!((a - b).abs() < 1e-5, "{a} {b}");
}

#[test]
fn distances_from_cells_become_corners() {
    let network = network(32, &[("cls", &[2, 4, 4]), ("reg", &[4, 4, 4]), ("ctr", &[1, 4, 4])]);
    let decoder = decoder(FCOS, &network).unwrap();
    let mut output = vec![-9.0f32; 32 + 64 + 16];
    // Class b at row 1, column 2.
    output[16 + 6] = 2.0;
    [1.0, 0.5, 0.75, -3.0].iter().enumerate().for_each(|(k, v)| output[32 + k * 16 + 6] = *v);
    output[32 + 3 * 16 + 6] = 1.5;
    output[96 + 6] = 1.0;
    let found = decoder.boxes(&output);
    assert_eq!((found.len(), found[0].class), (1, 1));
    let sigmoid = |v: f32| 1.0 / (1.0 + (-v).exp());
    close(found[0].score, sigmoid(2.0) * sigmoid(1.0));
    // The point of the cell is at 20, 12.
    [found[0].left, found[0].top, found[0].right, found[0].bottom]
        .iter()
        .zip([12.0, 8.0, 26.0, 24.0])
        .for_each(|(a, b)| close(a * 32.0, b));
    assert_eq!(decoder.boxes_above(&output, 0.9), []);
    let root = FCOS.replace("[boxes]", "center-score = \"geometric-mean\"\n[boxes]");
    let found = self::decoder(&root, &network).unwrap().boxes(&output);
    close(found[0].score, (sigmoid(2.0) * sigmoid(1.0)).sqrt());
}

#[test]
fn priors_of_several_grids_lie_one_after_the_other() {
    // Grids of 4x4 and 2x2 cells; two priors in each of the first.
    let text = "classes = [\"a\"]\nactivation = \"softmax\"\nbackground = \"first\"\nmin-score = 0.6\n[boxes]\ncoding = \
                \"center-size\"\nfunction = \"exp\"\nvariances = [0.1, 0.1, 0.2, 0.2]\n[[level]]\nclass = \"s\"\nbox = \
                \"b\"\nstride = [8, 16]\npriors = [[[8, 8], [12, 4]], [[16, 16]]]\n";
    let network = network(32, &[("s", &[36, 2]), ("b", &[36, 4])]);
    let decoder = decoder(text, &network).unwrap();
    let mut output = vec![0.0f32; 36 * 6];
    // The second prior of the cell in row 1, column 2; and the cell in row 1, column 0 of the second grid.
    output[2 * (6 * 2 + 1) + 1] = 3.0;
    output[2 * (32 + 2) + 1] = 2.0;
    output[72 + 4 * 34] = 5.0;
    output[72 + 4 * 34 + 2] = 5.0 * 2f32.ln();
    let found = decoder.boxes(&output);
    assert_eq!(found.len(), 2);
    let corners = |b: &DetectedBox| [b.left, b.top, b.right, b.bottom].map(|v| v * 32.0);
    corners(&found[0]).iter().zip([14.0, 10.0, 26.0, 14.0]).for_each(|(a, b)| close(*a, b));
    // The center moves by half of its 16 pixels, the width doubles, and the left edge is clipped.
    corners(&found[1]).iter().zip([0.0, 16.0, 32.0, 32.0]).for_each(|(a, b)| close(*a, b));
}

#[test]
fn corners_need_no_stride() {
    let text = "classes = [\"a\", \"b\"]\nactivation = \"none\"\nmax-iou = 0.5\n[boxes]\ncoding = \"corners\"\nunits = \
                \"fractions\"\n[[level]]\nclass = \"s\"\nbox = \"b\"\n";
    let network = network(32, &[("s", &[1, 3, 2]), ("b", &[1, 3, 4])]);
    let decoder = decoder(text, &network).unwrap();
    let output =
        [[0.9, 0.1, 0.8, 0.0, 0.0, 0.7].as_slice(), &[0.0, 0.0, 0.5, 0.5, 0.0, 0.0, 0.5, 0.45, 0.5, 0.5, 1.0, 1.5]]
            .concat();
    let found = decoder.boxes(&output);
    let classes: Vec<usize> = found.iter().map(|b| b.class).collect();
    assert_eq!(classes, [0, 1, 1], "the second of class a overlaps the first");
    assert_eq!((found[1].bottom, found[1].score), (1.0, 0.7));
}

#[test]
fn outputs_that_do_not_fit_are_named_with_their_line() {
    let network = network(32, &[("cls", &[2, 4, 4]), ("reg", &[4, 4, 5]), ("ctr", &[1, 4, 4])]);
    let refused = |text: &str| decoder(text, &network).unwrap_err().to_string();
    let error = refused(FCOS);
    assert!(
        error.contains("d.head.toml: line 8: output 'reg' has the shape 4x4x5; 4 values for each of 4x4"),
        "{error}"
    );
    let error = refused(&FCOS.replace("\"cls\"", "\"scores\""));
    assert!(error.contains("line 7: the network has no output 'scores'; it has 'cls', 'reg', 'ctr'"), "{error}");
}

/// The first box of an output vector in which the third cell has a sure class b and four distances of one and two cells.
/// `class` and `box` are the index of the value of a column.
fn third_cell(decoder: &HeadDecoder, places: usize, class: impl Fn(usize) -> usize, boxed: impl Fn(usize) -> usize) {
    let mut output = vec![-9.0f32; places * 7];
    output[class(1)] = 2.0;
    [0.25, 0.5, 1.0, 2.0].iter().enumerate().for_each(|(k, v)| output[places * 3 + boxed(k)] = *v);
    let found = decoder.boxes(&output);
    assert_eq!((found.len(), found[0].class), (1, 1));
    let side = 8.0 * decoder.levels[0].grids[0].size.columns as f32;
    [found[0].left, found[0].top, found[0].right, found[0].bottom]
        .iter()
        .zip(if side == 32.0 { [18.0, 0.0, 28.0, 20.0] } else { [2.0, 8.0, 12.0, 16.0] })
        .for_each(|(a, b)| close(a * side, b));
}

#[test]
fn an_output_that_fits_two_layouts_has_that_of_the_others() {
    let text = |layout: &str| {
        let head = FCOS.replace("\"a\", \"b\"", "\"a\", \"b\", \"c\"").replace("center = \"ctr\"\n", "");
        head + layout
    };
    // Four by four cells with four values each: channels first or last, as the three scores say.
    let of = |classes: &[usize]| network(32, &[("cls", classes), ("reg", &[4, 4, 4])]);
    third_cell(&decoder(&text(""), &of(&[4, 4, 3])).unwrap(), 16, |c| 2 * 3 + c, |k| 2 * 4 + k);
    third_cell(&decoder(&text(""), &of(&[3, 4, 4])).unwrap(), 16, |c| c * 16 + 2, |k| k * 16 + 2);
    // Four places with four values each: in rows or in columns.
    let of = |classes: &[usize]| network(16, &[("cls", classes), ("reg", &[4, 4])]);
    third_cell(&decoder(&text(""), &of(&[3, 4])).unwrap(), 4, |c| c * 4 + 2, |k| k * 4 + 2);
    third_cell(&decoder(&text(""), &of(&[4, 3])).unwrap(), 4, |c| 2 * 3 + c, |k| 2 * 4 + k);
}

#[test]
fn a_stated_layout_decides_and_one_that_fits_no_output_is_refused() {
    let text = |layout: &str| {
        let head = FCOS.replace("\"a\", \"b\"", "\"a\", \"b\", \"c\", \"d\"").replace("center = \"ctr\"\n", "");
        format!("{head}{layout}")
    };
    let square = network(32, &[("cls", &[4, 4, 4]), ("reg", &[4, 4, 4])]);
    let orders = |layout: &str| {
        let level = decoder(&text(layout), &square).unwrap().levels.remove(0);
        [level.class.layout.order(), level.boxes.layout.order()]
    };
    assert_eq!(orders(""), [Order::Map; 2], "the most usual if nothing settles it");
    assert_eq!(orders("layout = \"map\"\n"), [Order::Map; 2]);
    assert_eq!(orders("layout = \"cells\"\n"), [Order::Cells; 2]);
    let refused = decoder(&text("layout = \"rows\"\n"), &square).unwrap_err().to_string();
    assert!(refused.contains("line 10: no output of this level can have this layout"), "{refused}");
}
