//! Small detector with manual weights, in the output layout that the boxes pane reads.

use std::sync::Arc;

use spikescope::network::{Activation, Network, Node, NodeId, Op, Weights};

/// Side of the image and of a cell of the finest grid, in pixels.
const SIDE: usize = 28;
const CELL: usize = 8;
/// Cells of the finest grid, and the priors of all four grids: 3 in each of 4×4 cells, 2 in 2×2, 2 in one, 3 in one.
const CELLS: usize = 16;
const PRIORS: usize = 61;

/// A network with one hidden layer and one neuron per cell that sums the ink in it. The smallest prior of a cell has a
/// high score if the sum is large.
pub fn of_ink() -> Network {
    let weights = |shape: &[usize], data: Vec<f32>| Weights { shape: shape.to_vec(), data: Arc::new(data) };
    let linear = |rows: usize, columns: usize, weight: Vec<f32>, bias: Vec<f32>| Op::Linear {
        weight: weights(&[rows, columns], weight),
        bias: Some(weights(&[rows], bias)),
    };
    let mut ink = vec![0.0; CELLS * SIDE * SIDE];
    for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x))) {
        let cell = y / CELL * 4 + x / CELL;
        ink[cell * SIDE * SIDE + y * SIDE + x] = 4.0 / (CELL * CELL) as f32;
    }
    let (mut sure, mut unsure) = (vec![0.0; PRIORS * 2 * CELLS], vec![0.0; PRIORS * 2]);
    (0..PRIORS).for_each(|prior| unsure[2 * prior + 1] = -4.0);
    for cell in 0..CELLS {
        let score = 2 * (3 * cell) + 1;
        sure[score * CELLS + cell] = 4.0;
        unsure[score] = -2.0;
    }
    // All boxes slightly wider than their priors, and shifted.
    let moved: Vec<f32> = (0..PRIORS).flat_map(|_| [0.5, -0.5, 0.4, 0.0]).collect();
    let node = |name: &str, op, inputs: &[NodeId], shape: &[usize]| Node {
        name: name.into(),
        op,
        inputs: inputs.to_vec(),
        shape: shape.to_vec(),
    };
    let nodes = vec![
        node("input", Op::Input, &[], &[1, SIDE, SIDE]),
        node("flat", Op::Reshape, &[0], &[SIDE * SIDE]),
        node("ink", linear(CELLS, SIDE * SIDE, ink, vec![0.0; CELLS]), &[1], &[CELLS]),
        node("act", Op::Activation(Activation::Relu), &[2], &[CELLS]),
        node("score", linear(PRIORS * 2, CELLS, sure, unsure), &[3], &[PRIORS * 2]),
        node("offset", linear(PRIORS * 4, CELLS, vec![0.0; PRIORS * 4 * CELLS], moved), &[3], &[PRIORS * 4]),
        node("score rows", Op::Reshape, &[4], &[PRIORS, 2]),
        node("offset rows", Op::Reshape, &[5], &[PRIORS, 4]),
        node("softmax", Op::Softmax { log: false }, &[6], &[PRIORS, 2]),
        node("scores", Op::Reshape, &[8], &[PRIORS * 2]),
        node("boxes", Op::Reshape, &[7], &[PRIORS * 4]),
        node("both", Op::Concat { axis: 0 }, &[9, 10], &[PRIORS * 6]),
    ];
    Network {
        name: "detector".into(),
        output: nodes.len() - 1,
        nodes,
        scaling: None,
        class_names: Vec::new(),
        neurons: None,
    }
}
