//! Max pools in the error ledger: a part of their own, a finding, and none of it with lateral pooling.

use spikescope::convert::{Fix, MaxPoolRule, ThresholdRule};
use spikescope::data::spec::Source;
use spikescope::data::{DataSpec, Scaling};
use spikescope::experiment::adapt::{Adapt, adapt_settings};
use spikescope::experiment::cache::Cache;
use spikescope::experiment::snapshot::report_at;
use spikescope::experiment::{Settings, pipeline};
use spikescope::progress::JobControl;

mod common;

#[test]
fn max_pool_of_fluctuating_currents_is_a_part_of_its_own() {
    let (Some(model), Some(data)) =
        (common::shared("data/models/mnist/lenet5_torch.onnx"), common::shared("data/mnist"))
    else {
        return;
    };
    let (images, labels) = (data.join("t10k-images-idx3-ubyte.gz"), data.join("t10k-labels-idx1-ubyte.gz"));
    let (mut cache, control) = (Cache::default(), JobControl::default());
    let settings = Settings {
        model: model.display().to_string(),
        data: DataSpec::from(Source::Idx { images, labels: Some(labels) }).to_string(),
        ..Settings::demo()
    };
    let mut settings = adapt_settings(&settings, Adapt::Network, &mut cache, &control).unwrap();
    settings.samples = 0..20;
    settings.calibrate = 100..164;
    settings.scaling = Scaling::parse("mean=.1307;std=.3081").unwrap();
    settings.recipe.threshold = ThresholdRule::Percentile(99.9);
    settings.recipe.steps = 64;
    let run = pipeline::run(&settings, &mut cache, &control).unwrap();
    let second = &run.report.layers[1];
    let parts = second.ledger.parts();
    assert!((parts.iter().sum::<f64>() - second.ledger.total).abs() < 1e-9, "{parts:?}");
    assert!(second.ledger.pooling > 0.5 * second.ledger.total && second.ledger.pooling > 0.0, "{parts:?}");
    assert!(second.ledger.propagated.abs() < 0.2 * second.ledger.pooling, "{parts:?}");
    // The input does not fluctuate, and the last layers have no pool.
    assert!(run.report.layers[0].ledger.pooling.abs() < 1e-6);
    assert_eq!(run.report.layers.last().unwrap().ledger.pooling, 0.0);
    let finding = run.findings.iter().find(|finding| finding.kind == "max pool").expect("a warning");
    assert_eq!(finding.fix, Some(Fix::Pooling(MaxPoolRule::Lateral)));
    // At the time cursor as in a run of so many steps.
    let shorter = report_at(&run, 16, &control).unwrap();
    let mut own = settings.clone();
    own.recipe.steps = 16;
    let own = pipeline::run(&own, &mut Cache::default(), &control).unwrap();
    for (a, b) in shorter.layers.iter().zip(&own.report.layers) {
        let difference = a.ledger.parts().into_iter().zip(b.ledger.parts()).map(|(a, b)| (a - b).abs());
        assert!(difference.fold(0.0, f64::max) < 1e-3 * b.mean_activation.max(1.0), "{:?} {:?}", a.ledger, b.ledger);
    }
    settings.recipe.pooling = MaxPoolRule::Lateral;
    let lateral = pipeline::run(&settings, &mut cache, &control).unwrap();
    assert!(lateral.report.layers.iter().all(|layer| layer.ledger.pooling == 0.0));
    assert!(lateral.report.layers[1].ledger.total.abs() < 0.3 * second.ledger.total.abs());
    assert!(lateral.findings.iter().all(|finding| finding.kind != "max pool"));
}
