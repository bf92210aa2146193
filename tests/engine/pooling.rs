//! Max pools in the error ledger: a part of their own, a finding, and none of it with lateral pooling.

use spikescope::convert::{Fix, MaxPoolRule};
use spikescope::experiment::cache::Cache;
use spikescope::experiment::pipeline;
use spikescope::experiment::snapshot::report_at;
use spikescope::progress::JobControl;

use crate::lenet::lenet;

#[test]
fn max_pool_of_fluctuating_currents_is_a_part_of_its_own() {
    let (mut cache, control) = (Cache::default(), JobControl::default());
    let Some(mut settings) = lenet(64, &mut cache) else { return };
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
    let shorter = report_at(&run, 16, 0..run.recording.samples, None, &control).unwrap().0;
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
