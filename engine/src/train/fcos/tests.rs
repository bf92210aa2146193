//! Tests of a detector's training: assignment and losses against torchvision 0.30, slopes against finite differences.

use super::*;
use crate::network::zoo::{ZooArchitecture, parse_activation};

/// The layout of a network for 64x48 pixels with three classes; levels reach as in torchvision (8) or as here (4).
fn layout(reach: f32) -> FcosLayout {
    let network = ZooArchitecture::Fcos.build(&[3, 48, 64], 3, parse_activation("relu").unwrap(), 1).unwrap();
    FcosLayout { reach, ..FcosLayout::of(&network).unwrap() }
}

fn target(class: u16, corners: [f32; 4]) -> TargetBox {
    TargetBox { class, corners, area: 1.0, is_crowd: false, is_difficult: false }
}

/// Three samples: three objects, none, and one large object.
fn boxes() -> Vec<Vec<TargetBox>> {
    vec![
        vec![target(0, [4.0, 6.0, 30.0, 28.0]), target(2, [10.0, 8.0, 22.0, 20.0]), target(1, [33.0, 5.0, 63.0, 44.0])],
        Vec::new(),
        vec![target(2, [1.0, 2.0, 61.0, 47.0])],
    ]
}

/// Outputs without order, the same that torchvision got.
fn outputs() -> Vec<f32> {
    let value = |k: usize| ((k * 7919) % 1000) as f64 / 1000.0 - 0.5;
    (0..3).flat_map(|n| (0..480).map(move |k| (value(k + n * 311) * 4.0) as f32)).collect()
}

#[test]
fn places_take_the_objects_that_torchvision_gives_them() {
    // `FCOS.compute_loss` of torchvision with anchors at the places here: (place, object).
    let first = [(9, 1), (10, 1), (11, 0), (17, 0), (18, 0), (19, 0)];
    let last = [(21, 2), (22, 2), (29, 2), (30, 2), (37, 2), (38, 2)];
    let both = [first, last].concat();
    let more = [both.clone(), vec![(50, 2), (51, 2), (58, 2), (59, 2)]].concat();
    let fine = [18, 19, 20, 26, 27, 28, 34, 35, 36].map(|place| (place, 0)).to_vec();
    let coarse = [48, 49, 50, 52, 53, 54, 56, 57, 58].map(|place| (place, 0)).to_vec();
    for (reach, expected) in [(8.0, [both, vec![], fine]), (4.0, [more, vec![], coarse])] {
        let places = layout(reach).places();
        assert_eq!(places.len(), 60);
        for (boxes, expected) in boxes().iter().zip(expected) {
            let corners: Vec<[f32; 4]> = boxes.iter().map(|target| target.corners).collect();
            let taken = assign(&places, &corners).into_iter().enumerate();
            let taken: Vec<(usize, usize)> = taken.filter_map(|(place, object)| Some((place, object?))).collect();
            assert_eq!(taken, expected, "reach {reach}");
        }
    }
}

#[test]
fn losses_and_slopes_are_those_of_torchvision() {
    // `FCOSHead.compute_loss`: classes, boxes, centre-ness, the sum of absolute slopes, and some slopes by (sample, value).
    let cases = [
        (
            8.0,
            [7.499_134_275_960_607, 0.934_688_955_902_140_8, 0.915_579_595_539_841_3],
            8.150_285_379_277_769,
            [
                (0, 37, 1.794_766_923_591_624_3e-4),
                (0, 407, 2.445_063_840_570_297e-4),
                (2, 0, 0.018_298_997_693_559_853),
            ],
        ),
        (
            4.0,
            [6.254_635_432_331_193, 0.912_986_228_265_085_6, 0.963_288_787_313_854],
            7.023_702_406_168_076,
            [(0, 407, -0.010_538_090_293_343_547), (2, 371, 0.0), (2, 477, 0.021_367_666_946_515_432)],
        ),
    ];
    for (reach, expected, total, slopes) in cases {
        let (parts, gradient) = fcos_loss(&layout(reach), &outputs(), &boxes());
        for (part, expected) in parts.iter().zip(expected) {
            assert!((part - expected).abs() < 2e-6, "reach {reach}: {parts:?}");
        }
        let sum: f64 = gradient.iter().map(|slope| f64::from(slope.abs())).sum();
        assert!((sum - total).abs() < 1e-5, "reach {reach}: {sum}");
        for (sample, value, expected) in slopes {
            let slope = f64::from(gradient[sample * 480 + value]);
            assert!((slope - expected).abs() < 1e-7, "reach {reach}, {sample} {value}: {slope}");
        }
    }
}

#[test]
fn slopes_are_those_of_finite_differences() {
    let (layout, boxes) = (layout(4.0), boxes());
    // No output near 0, where a distance has a kink.
    let outputs: Vec<f32> = outputs().iter().map(|value| if value.abs() < 0.05 { 0.3 } else { *value }).collect();
    let (_, gradient) = fcos_loss(&layout, &outputs, &boxes);
    let step = 1.0 / 1024.0;
    for k in (0..outputs.len()).step_by(7) {
        let at = |delta: f32| {
            let mut moved = outputs.clone();
            moved[k] += delta;
            fcos_loss(&layout, &moved, &boxes).0.iter().sum::<f64>()
        };
        let slope = (at(step) - at(-step)) / f64::from(2.0 * step);
        assert!((slope - f64::from(gradient[k])).abs() < 2e-5, "{k}: {slope} {}", gradient[k]);
    }
}

#[test]
fn an_empty_batch_learns_only_the_background_and_crowds_nothing() {
    let layout = layout(4.0);
    let crowd = TargetBox { is_crowd: true, ..boxes()[2][0] };
    for boxes in [Vec::new(), vec![crowd]] {
        let (parts, gradient) = fcos_loss(&layout, &outputs()[..480], &[boxes]);
        assert!(parts[0] > 0.0 && parts[1..] == [0.0, 0.0]);
        assert!(
            gradient[144..336].iter().all(|slope| *slope == 0.0) && gradient[..144].iter().all(|slope| *slope > 0.0)
        );
    }
    assert!(
        FcosLayout::of(&ZooArchitecture::Cnn.build(&[3, 48, 64], 3, parse_activation("relu").unwrap(), 1).unwrap())
            .is_none()
    );
}

#[test]
fn strides_are_found_where_sides_are_no_multiples() {
    for (input, sizes) in [([3, 120, 160], [[15, 20], [8, 10]]), ([3, 97, 65], [[13, 9], [7, 5]])] {
        let network = ZooArchitecture::Fcos.build(&input, 3, parse_activation("relu").unwrap(), 1).unwrap();
        let levels = FcosLayout::of(&network).unwrap().levels;
        assert_eq!([levels[0].stride, levels[1].stride], [8, 16]);
        assert_eq!([levels[0].size, levels[1].size], sizes);
    }
}
