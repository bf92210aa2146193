//! Detector test: UltraFace finds the face in a public photograph, as ANN and as SNN.
//!
//! Also tests the boxes pane.

use crate::common;
use crate::desk;
use egui_kittest::kittest::Queryable;
use spikescope::convert::{Fix, ThresholdRule};
use spikescope::data::Scaling;
use spikescope::experiment::cache::Cache;
use spikescope::experiment::{Settings, pipeline};
use spikescope::lab::{Lab, Message, Workspace};
use spikescope::progress::JobControl;
use spikescope::ui::state::window::WindowState;
use spikescope::ui::types::pane::Pane;

/// UltraFace on a photograph of an astronaut, over `steps` steps.
fn ultraface(steps: usize) -> Option<Settings> {
    let model = common::shared("data/models/detection/ultraface_slim_320.onnx")?;
    let image = common::shared("data/images/astronaut.png")?;
    let mut settings = Settings {
        model: model.display().to_string(),
        data: format!("images:{}", image.display()),
        samples: 0..1,
        calibrate: 0..1,
        // (x − 127) / 128
        scaling: Scaling::parse("mean=.49803922;std=.50196078").unwrap(),
        ..Settings::default()
    };
    settings.recipe.threshold = ThresholdRule::Max;
    settings.recipe.steps = steps;
    Some(settings)
}

#[test]
fn ann_and_snn_find_the_face() {
    let Some(settings) = ultraface(256) else { return };
    let run = pipeline::run(&settings, &mut Cache::default(), &JobControl::default()).unwrap_or_else(|e| panic!("{e}"));
    let [ann, snn] = run.boxes(0, 256).expect("this is a detector");
    println!("ANN {ann:?}\nSNN {snn:?}");
    // Eileen Collins' face: about a tenth of the width, in the upper half, left of the middle.
    let face = |x: f32, y: f32| (0.3..0.6).contains(&x) && (0.05..0.45).contains(&y);
    for boxes in [&ann, &snn] {
        let surest = boxes.first().expect("a face");
        assert!(face((surest.left + surest.right) / 2.0, (surest.top + surest.bottom) / 2.0), "{surest:?}");
    }
    // onnxruntime gives 0.9999945 for the prior with the highest score.
    assert!((ann[0].score - 0.999_994_5).abs() < 1e-5, "{:?}", ann[0]);
    assert!(ann[0].iou(&snn[0]) > 0.5, "{:?} {:?}", ann[0], snn[0]);
    let agreement = run.output_agreement.as_ref().expect("the answers are no classes");
    let (early, late) = (agreement.boxes(16), agreement.boxes(256));
    assert_eq!(([early.ann, early.snn], [late.ann, late.snn, late.same]), ([1, 0], [1, 1, 1]));
    assert_eq!((agreement.agreement(16), agreement.agreement(256)), (0.0, 1.0));
    assert!(agreement.error(256) < agreement.error(16) && agreement.steps_needed().is_some());
    assert!(run.summary().contains("matching"), "{}", run.summary());
    assert!(!run.findings.iter().any(|finding| finding.kind == "boxes"));
}

#[test]
fn too_few_steps_are_reported_with_a_suggested_t() {
    let Some(settings) = ultraface(8) else { return };
    let run = pipeline::run(&settings, &mut Cache::default(), &JobControl::default()).unwrap_or_else(|e| panic!("{e}"));
    let sentence = run.summary();
    assert!(
        sentence.contains("in 1 sample the ANN detects 1 box, the SNN ") && !sentence.contains("agree"),
        "{sentence}"
    );
    let found = run.findings.iter().find(|finding| finding.kind == "boxes").expect("it is a finding");
    assert_eq!(found.fix, Some(Fix::Steps(256)));
    assert!(run.differs(8, 0) && run.labels.is_empty() && run.report.ann_accuracy.is_none());
}

#[test]
fn boxes_pane_opens_automatically_for_a_detector() {
    let Some(settings) = ultraface(4) else { return };
    let lab = Lab::open(settings).unwrap_or_else(|e| panic!("{e}"));
    let mut harness = desk::desk_on(desk::Desk { lab, window: WindowState::default() }, egui::vec2(1280.0, 800.0));
    let seen = |desk: &desk::Desk| desk.window.layout.docks.is_visible(Workspace::Explore, Pane::Boxes);
    assert!(seen(harness.state()));
    assert!(harness.query_all_by_label("Set T to 256").next().is_some());
    harness.get_by_label_contains("Sample 0: ANN 1 box, SNN ");
    assert!(harness.query_all_by_label_contains("matching boxes").next().is_some());
    assert!(harness.query_by_label_contains("agreement 0").is_none());
    // The pane stays closed after the user closes it. It would be empty for another network.
    harness.state_mut().window.layout.docks.remove(Workspace::Explore, Pane::Boxes);
    harness.run_ok();
    assert!(!seen(harness.state()));
    harness.state_mut().window.layout.docks.add(Workspace::Explore, Pane::Boxes);
    harness
        .state_mut()
        .lab
        .update([Message::OpenModel("builtin:digits-mlp".into()), Message::OpenData("builtin:digits".into())]);
    harness.run_ok();
    assert!(!harness.state().window.layout.docks.contains(Workspace::Explore, Pane::Boxes));
}
