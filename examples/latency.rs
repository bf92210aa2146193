//! Measures interaction latency: time from a change of a setting to the updated snapshot, of some samples and of all.
//!
//! Also measures the time to the first snapshot. All changes take the window's path: message, engine threads, snapshot.
//!
//! `cargo run --release --example latency [MODEL DATA [WHICH]]`; `WHICH` is part of the name of the only change to measure, such
//! as `cursor`.

use std::time::{Duration, Instant};

use spikescope::attack::AttackKind;
use spikescope::convert::ThresholdRule;
use spikescope::experiment::adapt::{Adapt, adapt_settings};
use spikescope::experiment::attacked::AttackView;
use spikescope::experiment::cache::Cache;
use spikescope::experiment::{Settings, SnapshotPart};
use spikescope::lab::{Lab, Message};
use spikescope::progress::JobControl;

fn main() -> spikescope::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let model = arguments.next().unwrap_or_else(|| "builtin:digits-cnn".into());
    let data = arguments.next().unwrap_or_else(|| "builtin:digits".into());
    let only = arguments.next().unwrap_or_default();
    let measure = |lab: &mut Lab, what: &str, message: &dyn Fn(u32) -> Message| {
        if what.contains(&only) {
            measure(lab, what, message);
        }
    };
    let start = Instant::now();
    Lab::open(Settings::demo())?;
    println!("first plots after opening the lab: {:.0} ms", ms(start.elapsed()));

    let settings = Settings { model: model.clone(), data, ..Settings::demo() };
    let mut settings = adapt_settings(&settings, Adapt::Network, &mut Cache::default(), &JobControl::default())?;
    settings.recipe.threshold = ThresholdRule::Percentile(99.9);
    settings.recipe.steps = 32;
    let mut lab = Lab::open(settings)?;
    lab.wait_until_idle();
    let layers = lab.run.as_ref().map_or(0, |run| run.spiking.layers.len());
    println!("{model}, {} samples, T = 32, {layers} spiking layers", lab.settings.samples.len());

    let last_layer = lab.run.as_ref().and_then(|run| run.spiking.layers.last().map(|l| (l.name.clone(), l.theta[0])));
    let percentile = |k: u32| Message::SetThreshold(ThresholdRule::Percentile(99.0 + f64::from(k) * 0.01));
    // Tune opens with the threshold pane; the other panes in front need no optional parts.
    lab.update([Message::SetSnapshotParts([SnapshotPart::Threshold].into_iter().collect())]);
    measure(&mut lab, "percentile slider (all layers change), the panes that Tune opens with", &percentile);
    // The panes that Explore opens with need no optional parts.
    lab.update([Message::SetSnapshotParts(std::iter::empty().collect())]);
    let cursor = |k: u32| Message::SetCursor(Some(1 + k as usize % 31));
    measure(&mut lab, "time cursor, the panes that Explore opens with", &cursor);
    // Attacks and maps of one sample take as long as they are asked to.
    let of_all_samples = [
        SnapshotPart::Threshold,
        SnapshotPart::Initial,
        SnapshotPart::Operations,
        SnapshotPart::Readout,
        SnapshotPart::Uncorrected,
        SnapshotPart::Lanes,
    ];
    lab.update([Message::SetSnapshotParts(of_all_samples.into_iter().collect())]);
    measure(&mut lab, "percentile slider, all panes of the run at once", &|k| percentile(k + 40));
    measure(&mut lab, "v(0) slider (all layers change)", &|k| Message::SetVInit(0.2 + k as f32 * 0.01));
    if let Some((layer, theta)) = last_layer {
        measure(&mut lab, "threshold line of the last layer", &|k| Message::SetLayerThreshold {
            layer: layer.clone(),
            theta: Some(theta * (0.5 + k as f32 * 0.01)),
        });
    }
    measure(&mut lab, "time cursor, all panes of the run at once", &cursor);
    measure(&mut lab, "another neuron", &|k| Message::FocusLayer(k as usize % layers.max(1)));
    lab.update([Message::SetSnapshotParts([SnapshotPart::Robustness].into_iter().collect())]);
    for (what, kind) in [("ε of FGSM", AttackKind::Fgsm), ("ε of PGD with 10 steps", AttackKind::Pgd)] {
        measure(&mut lab, &format!("{what}, the Robustness pane"), &|k| {
            let eps = (1.0 + k as f32) / 255.0;
            Message::SetAttack(AttackView { kind, eps, steps: 10, ..AttackView::default() })
        });
    }
    Ok(())
}

/// Sends forty messages one by one and prints the median and the 95th percentile of the time to the first refreshed panes, of
/// some samples if the run is large, and to those of all samples.
fn measure(lab: &mut Lab, what: &str, message: impl Fn(u32) -> Message) {
    let (mut first, mut whole) = (Vec::new(), Vec::new());
    for k in 0..40 {
        let before = lab.snapshot.as_ref().map(|snapshot| snapshot.id);
        let start = Instant::now();
        lab.update([message(k)]);
        let mut shown = None;
        while lab.busy() {
            lab.poll();
            if shown.is_none() && lab.snapshot.as_ref().map(|snapshot| snapshot.id) != before {
                shown = Some(ms(start.elapsed()));
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        whole.push(ms(start.elapsed()));
        first.push(shown.unwrap_or(ms(start.elapsed())));
    }
    lab.update([Message::EndGesture]);
    for times in [&mut first, &mut whole] {
        times.sort_by(f64::total_cmp);
    }
    println!(
        "  {what}: first median {:.1} ms, 95th percentile {:.1} ms; all samples {:.1} and {:.1} ms",
        first[20], first[37], whole[20], whole[37]
    );
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
