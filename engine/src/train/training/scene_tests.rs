//! Tests of training for masks and boxes: learning, threads, refused input.

use std::sync::Arc;

use super::*;
use crate::data::samples::targets::{Boxes, Masks, TargetBox, Targets, VOID};
use crate::network::zoo::ZooArchitecture;
use crate::network::{Activation, Op};
use crate::train::{Augmentation, Detection, FcosLayout, Flips, Segmentation};

/// Pictures with a bright rectangle, its mask and its box; the first column is void.
fn rectangles(count: usize) -> Samples {
    let side = 32;
    let (mut values, mut classes, mut of_sample) = (Vec::new(), Vec::new(), Vec::new());
    for index in 0..count {
        let (left, top) = ((index * 5) % 16, (index * 3) % 14);
        let (right, bottom) = (left + 10 + index % 5, top + 12);
        let kind = index % 2;
        for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
            let inside = (left..right).contains(&x) && (top..bottom).contains(&y);
            let color = if kind == 0 { 200.0 } else { 90.0 };
            values.push(if inside { color } else { ((x * 7 + y * 13 + index) % 30) as f32 });
            classes.push(if x == 0 {
                VOID
            } else if inside {
                kind as u8 + 1
            } else {
                0
            });
        }
        let corners = [left, top, right, bottom].map(|side| side as f32);
        let class = kind as u16;
        of_sample.push(vec![TargetBox { class, corners, area: 1.0, is_crowd: false, is_difficult: false }]);
    }
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let masks = Masks {
        height: side,
        width: side,
        classes: Arc::new(classes),
        instances: None,
        class_names: names(&["ground", "bright", "dim"]),
    };
    let boxes = Boxes {
        of_sample: Arc::new(of_sample),
        class_names: names(&["bright", "dim"]),
        places: Arc::default(),
        file_names: Arc::default(),
    };
    Samples {
        source: "rectangles".into(),
        shape: vec![1, side, side],
        values: Arc::new(values),
        targets: Targets::Scenes { masks, boxes },
        full_scale: 255.0,
        max: 255.0,
        ..Samples::default()
    }
}

/// Trains on rectangles and returns the operations, and the loss of the first and the last epoch.
fn train_on_rectangles(arch: ZooArchitecture, options: &TrainOptions) -> (Vec<Op>, f32, f32) {
    let classes = if arch == ZooArchitecture::Fcn { 3 } else { 2 };
    let network = arch.build(&[1, 32, 32], classes, Activation::Relu, 3).unwrap();
    let score = |outputs: &mut dyn Iterator<Item = (usize, Vec<f32>)>, _: &Samples| {
        outputs.for_each(|(_, output)| assert!(output.iter().all(|value| value.is_finite())));
        Ok(0.0)
    };
    let objective: Box<dyn Objective> = match FcosLayout::of(&network) {
        Some(layout) => Box::new(Detection { layout, score: Box::new(score) }),
        None => Box::new(Segmentation { class_weights: vec![1.0, 2.0, 2.0], score: Box::new(score) }),
    };
    let mut losses = Vec::new();
    let trained = train(&network, &rectangles(40), &Scaling::Unit, options, objective.as_ref(), |at| {
        if at.score.is_some() {
            losses.push(at.loss);
        }
        ControlFlow::Continue(())
    });
    let network = trained.unwrap().network;
    assert_eq!(network.class_names.len(), classes);
    (network.nodes.iter().map(|node| node.op.clone()).collect(), losses[0], losses[losses.len() - 1])
}

#[test]
fn masks_and_boxes_are_learned() {
    let options = TrainOptions { epochs: 6, batch: 8, learning_rate: 5e-3, ..TrainOptions::default() };
    for arch in [ZooArchitecture::Fcn, ZooArchitecture::Fcos] {
        let (_, first, last) = train_on_rectangles(arch, &options);
        assert!(last < 0.6 * first, "{arch:?}: {first} {last}");
    }
}

#[test]
fn the_number_of_threads_changes_no_weight() {
    let augmentation = Augmentation { shift: 1, flips: Flips::Both, crop: 0.8 };
    let options = TrainOptions { epochs: 1, batch: 8, augmentation, ..TrainOptions::default() };
    for arch in [ZooArchitecture::Fcn, ZooArchitecture::Fcos] {
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| train_on_rectangles(arch, &options).0)
        };
        assert!(with(1) == with(3), "{arch:?}");
    }
}

#[test]
fn targets_that_do_not_fit_are_refused_with_a_reason() {
    let score = |_: &mut dyn Iterator<Item = (usize, Vec<f32>)>, _: &Samples| Ok(0.0);
    let refused = |net: &Network, samples: &Samples, objective: &dyn Objective| {
        train(net, samples, &Scaling::Unit, &TrainOptions::default(), objective, |_| ControlFlow::Continue(()))
            .unwrap_err()
            .to_string()
    };
    let masks = |class_weights: &[f32]| Segmentation { class_weights: class_weights.to_vec(), score: Box::new(score) };
    let build = |arch: ZooArchitecture, classes| arch.build(&[1, 32, 32], classes, Activation::Relu, 3).unwrap();
    let samples = rectangles(4);
    let plain = Samples { targets: Default::default(), ..samples.clone() };
    let (fcn, fcos) = (build(ZooArchitecture::Fcn, 3), build(ZooArchitecture::Fcos, 1));
    assert!(refused(&fcn, &plain, &masks(&[])).contains("no masks"));
    assert!(refused(&build(ZooArchitecture::Fcn, 2), &samples, &masks(&[])).contains("3 classes"));
    assert!(refused(&fcos, &samples, &masks(&[])).contains("32x32 pixels"));
    assert!(refused(&fcn, &samples, &masks(&[1.0])).contains("3 numbers above 0"));
    let boxes = Detection { layout: FcosLayout::of(&fcos).unwrap(), score: Box::new(score) };
    assert!(refused(&fcos, &plain, &boxes).contains("no boxes"));
    assert!(refused(&fcos, &samples, &boxes).contains("class 1 of a box"));
    assert!(refused(&fcn, &samples, &boxes).contains("three outputs a level"));
}
