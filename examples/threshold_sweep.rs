//! Threshold sweep: accuracy over T of a bundled network at several threshold percentiles.
//!
//! Network, data, calibration and ANN values are computed once and reused through the cache.
//!
//! `cargo run --release --example threshold_sweep`

use spikescope::convert::ThresholdRule;
use spikescope::experiment::cache::Cache;
use spikescope::experiment::{Settings, pipeline};
use spikescope::progress::JobControl;

fn main() -> spikescope::Result<()> {
    let mut cache = Cache::default();
    println!("percentile   T=4    T=8   T=16   T=32   largest error in the ledger of the last layer");
    for percentile in [90.0, 95.0, 99.0, 99.9, 100.0] {
        let mut settings = Settings { model: "builtin:digits-cnn".into(), ..Settings::default() };
        settings.recipe.threshold = ThresholdRule::Percentile(percentile);
        let run = pipeline::run(&settings, &mut cache, &JobControl::default())?;
        let at = |t: usize| run.report.curve[t - 1].accuracy.unwrap_or_default() * 100.0;
        let Some(layer) = run.report.layers.last() else { continue };
        let names = ["propagated", "clipping", "quantization", "unevenness", "pooling"];
        let parts = layer.ledger.parts().into_iter().zip(names);
        let (size, name) = parts.max_by(|a, b| a.0.abs().total_cmp(&b.0.abs())).unwrap_or_default();
        println!("{percentile:>8} % {:>6.1} {:>6.1} {:>6.1} {:>6.1}   {name} {size:+.3}", at(4), at(8), at(16), at(32));
    }
    Ok(())
}
