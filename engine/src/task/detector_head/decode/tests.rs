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

/// The description of a head whose one level has all values of a box in `output`.
fn combined(classes: &str, boxes: &str, level: &str, more: &str) -> String {
    format!("classes = [{classes}]\nmin-score = 0.25\n{more}[boxes]\n{boxes}\n[[level]]\noutput = \"all\"\n{level}")
}

/// Compares the boxes of `output` in 32x32 pixels with `expected`: class, score and corners in pixels.
fn same_boxes(decoder: &HeadDecoder, output: &[f32], expected: &[(usize, f32, [f32; 4])]) {
    let found = decoder.boxes(output);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, (class, score, corners)) in found.iter().zip(expected) {
        assert_eq!(found.class, *class, "{found:?}");
        close(found.score, *score);
        let own = [found.left, found.top, found.right, found.bottom].map(|value| value * 32.0);
        assert!(own.iter().zip(corners).all(|(a, b)| (a - b).abs() < 2e-4), "{own:?} {corners:?}");
    }
}

// The values below are random, the boxes are those of a NumPy program that follows the equations of the papers.

#[test]
fn centers_and_sizes_in_pixels_with_scores_in_one_output() {
    // YOLOv8: four values and the scores of two classes, for each of five boxes.
    let output = [
        [6.06, 6.31, 23.23, 17.97, 6.26],
        [14.40, 14.65, 7.83, 21.63, 6.73],
        [10.26, 10.51, 10.89, 13.39, 15.81],
        [19.30, 19.55, 14.38, 15.14, 8.68],
        [0.0, 0.0, 0.30, 0.31, 0.89],
        [0.59, 0.30, 0.77, 0.03, 0.71],
    ];
    let head = combined("\"a\", \"b\"", "coding = \"cxcywh\"", "", "activation = \"none\"\n");
    let columns = decoder(&head, &network(32, &[("all", &[1, 6, 5])])).unwrap();
    let expected = [
        (0, 0.89, [0.0, 2.39, 14.165, 11.07]),
        (1, 0.77, [17.785, 0.64, 28.675, 15.02]),
        (1, 0.71, [0.0, 2.39, 14.165, 11.07]),
        (1, 0.59, [0.93, 4.75, 11.19, 24.05]),
        (0, 0.31, [11.275, 14.06, 24.665, 29.2]),
        (0, 0.30, [17.785, 0.64, 28.675, 15.02]),
    ];
    same_boxes(&columns, &output.concat(), &expected);
    // The same in rows, and with fractions for pixels.
    let rows: Vec<f32> = (0..5).flat_map(|place| output.map(|row| row[place])).collect();
    same_boxes(&decoder(&head, &network(32, &[("all", &[5, 6])])).unwrap(), &rows, &expected);
    let fractions = head.replace("cxcywh\"", "cxcywh\"\nunits = \"fractions\"");
    let scaled: Vec<f32> = rows.iter().enumerate().map(|(k, v)| if k % 6 < 4 { v / 32.0 } else { *v }).collect();
    same_boxes(&decoder(&fractions, &network(32, &[("all", &[5, 6])])).unwrap(), &scaled, &expected);
}

#[test]
fn an_objectness_multiplies_the_scores_of_the_classes() {
    // YOLOv5 with boxes in pixels: four values, objectness and two classes in each of four rows.
    let output = [
        12.98, 6.18, 15.55, 7.50, 0.91, 0.37, 0.89, 19.85, 26.36, 17.28, 14.52, 0.58, 0.64, 0.40, 8.97, 19.12, 14.92,
        17.12, 0.79, 0.50, 0.91, 11.16, 21.80, 10.86, 16.14, 0.49, 0.69, 0.58,
    ];
    let expected = [
        (1, 0.8099, [5.205, 2.43, 20.755, 9.93]),
        (1, 0.7189, [1.51, 10.56, 16.43, 27.68]),
        (0, 0.395, [1.51, 10.56, 16.43, 27.68]),
        (0, 0.3712, [11.21, 19.1, 28.49, 32.0]),
        (0, 0.3367, [5.205, 2.43, 20.755, 9.93]),
    ];
    let none = "activation = \"none\"\ncenter-activation = \"none\"\n";
    let head = combined("\"a\", \"b\"", "coding = \"cxcywh\"", "", none);
    let network = network(32, &[("all", &[1, 4, 7])]);
    same_boxes(&decoder(&head, &network).unwrap(), &output, &expected);
    // Another order of the parts, stated.
    let turned: Vec<f32> = output.chunks(7).flat_map(|row| [&row[4..], &row[..4]].concat()).collect();
    let head = head + "values = [\"objectness\", \"class\", \"box\"]\n";
    same_boxes(&decoder(&head, &network).unwrap(), &turned, &expected);
}

#[test]
fn raw_maps_of_yolo_are_decoded_by_their_priors() {
    // YOLOv5: [anchors, rows, columns, values].
    let output = [
        -2.99, 0.83, 0.59, -1.97, 0.07, -1.16, 0.91, -2.44, -1.10, 0.85, 1.39, -2.59, -0.60, 0.39, -0.73, 1.91, -1.43,
        0.43, -1.26, 1.69, -0.03, -0.45, -2.06, 2.02, 0.90, 0.90, 1.37, 0.42, -0.77, -0.96, -0.96, 1.64, -1.75, -0.72,
        -0.39, 0.27, 0.69, -1.50, -2.08, -0.01, 1.46, 0.91, 0.26, -0.38, 0.35, -0.29, 0.98, -0.95,
    ];
    let level = "stride = 16\npriors = [[10, 14], [23, 9]]\n";
    let v5 = combined("\"a\"", "coding = \"yolov5\"", level, "").replace("0.25", "0.1");
    let five = decoder(&v5, &network(32, &[("all", &[1, 2, 2, 2, 6])])).unwrap();
    let expected = [
        (0, 0.578623, [12.7436, 9.3825, 13.87828, 18.29273]),
        (0, 0.228945, [15.85188, 16.87177, 17.86833, 20.73047]),
        (0, 0.202779, [10.23883, 17.69869, 32.0, 24.29343]),
        (0, 0.123509, [0.0, 13.86394, 1.81052, 14.70277]),
        (0, 0.116993, [1.22397, 5.83816, 5.45403, 32.0]),
    ];
    same_boxes(&five, &output, &expected);
    // As the convolution gives it: [anchors · values, rows, columns]; and with a sigmoid in the file.
    let map: Vec<f32> = (0..12)
        .flat_map(|channel| (0..4).map(move |cell| ((channel / 6 * 4 + cell) * 6) + channel % 6))
        .map(|at| output[at])
        .collect();
    same_boxes(&decoder(&v5, &network(32, &[("all", &[12, 2, 2])])).unwrap(), &map, &expected);
    let sure: Vec<f32> = output.iter().map(|v| 1.0 / (1.0 + (-*v).exp())).collect();
    let none = v5.replace("yolov5\"", "yolov5\"\nfunction = \"none\"");
    let none = none.replace("[boxes]", "activation = \"none\"\ncenter-activation = \"none\"\n[boxes]");
    same_boxes(&decoder(&none, &network(32, &[("all", &[2, 2, 2, 6])])).unwrap(), &sure, &expected);

    // YOLOv2, of two classes with a softmax: [anchors · values, rows, columns].
    let output = [
        0.13, -0.11, 0.54, 0.22, 2.55, 1.50, 1.50, -2.04, -0.34, -0.61, 0.53, -2.28, 1.17, 1.07, -1.30, -0.98, -0.80,
        0.04, 0.64, 2.05, -0.20, 0.77, 0.16, 1.76, 0.74, 1.37, -1.08, -0.19, -0.81, 1.50, 0.66, -0.31, -0.45, 0.48,
        -0.70, -0.93, 0.48, 2.46, -0.25, -0.56, -1.17, -1.34, 0.52, 0.85, 0.01, 0.33, 0.12, 0.14, -1.53, -0.46, 0.11,
        -0.78, -0.48, -0.82, -0.33, 0.85,
    ];
    let v2 = combined("\"a\", \"b\"", "coding = \"yolov3\"", level, "activation = \"softmax\"\n");
    let two = decoder(&v2, &network(32, &[("all", &[14, 2, 2])])).unwrap();
    let expected = [
        (0, 0.775600, [24.36505, 15.21389, 25.38789, 20.46825]),
        (0, 0.507803, [1.61434, 27.17347, 18.60366, 30.98891]),
        (1, 0.447303, [16.20093, 9.99838, 29.33874, 31.05521]),
        (1, 0.372239, [0.0, 4.83312, 23.5111, 7.62642]),
        (0, 0.342680, [0.0, 8.70566, 32.0, 11.06227]),
        (1, 0.329284, [20.84369, 0.0, 26.2772, 32.0]),
        (0, 0.322355, [1.59196, 13.73987, 19.50438, 28.87812]),
    ];
    same_boxes(&two, &output, &expected);
}

#[test]
fn a_combined_output_that_does_not_fit_is_named_with_its_line() {
    let head = combined("\"a\", \"b\"", "coding = \"cxcywh\"", "", "");
    let refused = |head: &str, shape: &[usize]| decoder(head, &network(32, &[("all", shape)])).unwrap_err().to_string();
    let error = refused(&head, &[5, 8]);
    assert!(
        error.contains("d.head.toml: line 6: output 'all' has the shape 5x8; 7 or 6 values for each box"),
        "{error}"
    );
    // Six boxes of seven values, or seven of six.
    let error = refused(&head, &[6, 7]);
    assert!(error.contains("line 6: output 'all' may hold an objectness or not; state values"), "{error}");
    let stated = head.clone() + "values = [\"box\", \"class\"]\n";
    assert!(decoder(&stated, &network(32, &[("all", &[6, 7])])).is_ok());
    let error = refused(&(stated + "layout = \"rows\"\n"), &[6, 7]);
    assert!(error.contains("6 values for each box are expected"), "{error}");
    assert!(refused(&head.replace("\"all\"", "\"one\""), &[5, 6]).contains("the network has no output 'one'"));
}
