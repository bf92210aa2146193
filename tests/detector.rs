//! A public face detector finds the face in a public photograph, as an ANN and as a spiking network.

mod common;

use spikescope::convert::ThresholdRule;
use spikescope::data::Scaling;
use spikescope::lab::Settings;
use spikescope::lab::cache::Cache;
use spikescope::lab::compute::compute;
use spikescope::simulate::Control;

#[test]
fn the_face_is_found_by_ann_and_snn() {
    let (Some(model), Some(picture)) =
        (common::shared("data/models/detection/ultraface_slim_320.onnx"), common::shared("data/images/astronaut.png"))
    else {
        return;
    };
    let mut settings = Settings {
        model: model.display().to_string(),
        data: format!("images:{}", picture.display()),
        samples: 0..1,
        calibrate: 0..1,
        // (x − 127) / 128
        scaling: Scaling::parse("mean=.49803922;std=.50196078").unwrap(),
        ..Settings::default()
    };
    settings.recipe.threshold = ThresholdRule::Max;
    settings.recipe.steps = 256;
    let run = compute(&settings, &mut Cache::default(), &Control::default()).unwrap_or_else(|e| panic!("{e}"));
    let [ann, snn] = run.boxes(0, 256).expect("this is a detector");
    println!("ANN {ann:?}\nSNN {snn:?}");
    // Eileen Collins' face: about a tenth of the width, in the upper half, left of the middle.
    let face = |x: f32, y: f32| (0.3..0.6).contains(&x) && (0.05..0.45).contains(&y);
    for boxes in [&ann, &snn] {
        let surest = boxes.first().expect("a face");
        assert!(face((surest.left + surest.right) / 2.0, (surest.top + surest.bottom) / 2.0), "{surest:?}");
    }
    // onnxruntime gives 0.9999945 for the surest prior.
    assert!((ann[0].score - 0.999_994_5).abs() < 1e-5, "{:?}", ann[0]);
    assert!(ann[0].overlap(&snn[0]) > 0.5, "{:?} {:?}", ann[0], snn[0]);
}
