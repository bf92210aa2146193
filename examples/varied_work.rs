//! Does a quarter of an hour's varied work in the lab at once and prints the memory of the process.
//!
//! Networks, thresholds, recipes, T, samples, lanes, layers and time cursors change, each waited for, as a user would with the
//! window. The last line is the memory after three seconds without work.
//!
//! `cargo run --release --example varied_work [ROUNDS [MODEL DATA]…]`

use std::time::Duration;

use spikescope::convert::{Correction, CosRule, Granularity, Recipe, SrpRule, ThresholdRule};
use spikescope::experiment::Settings;
use spikescope::experiment::adapt::{Adapt, adapt_settings};
use spikescope::experiment::cache::Cache;
use spikescope::lab::{Lab, Message};
use spikescope::progress::JobControl;

fn main() -> spikescope::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let rounds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(2);
    let rest: Vec<String> = arguments.collect();
    let mut networks: Vec<[String; 2]> = rest.chunks_exact(2).map(|pair| [pair[0].clone(), pair[1].clone()]).collect();
    networks.extend(["cnn", "resnet"].map(|name| [format!("builtin:digits-{name}"), "builtin:digits".into()]));
    let mut lab = Lab::open(Settings::demo())?;
    lab.wait_until_idle();
    println!("{:>28}  {}", "opened", resident());
    for round in 0..rounds {
        for [model, data] in &networks {
            let settings = Settings { model: model.clone(), data: data.clone(), ..Settings::demo() };
            let settings = adapt_settings(&settings, Adapt::Network, &mut Cache::default(), &JobControl::default())?;
            lab.update([Message::SetSettings(Box::new(settings))]);
            lab.wait_until_idle();
            work(&mut lab, round);
            println!("{:>28}  {}", format!("round {}, {}", round + 1, lab.settings.samples.len()), resident());
        }
    }
    std::thread::sleep(Duration::from_secs(3));
    println!("{:>28}  {}", "without work", resident());
    Ok(())
}

/// Changes everything that a user changes with one network.
fn work(lab: &mut Lab, round: usize) {
    let methods = Recipe::published_methods(&lab.settings.recipe, lab.settings.recipe.steps);
    let mut each = |messages: Vec<Message>| {
        for message in messages {
            lab.update([message]);
            lab.wait_until_idle();
        }
    };
    each((0..12).map(|k| Message::SetThreshold(ThresholdRule::Percentile(99.9 - 0.7 * f64::from(k)))).collect());
    each([4, 8, 64, 16, 32].map(Message::SetSteps).to_vec());
    each((0..8).map(|k| Message::SetVInit(0.2 + 0.1 * k as f32)).collect());
    each([Granularity::Channel, Granularity::Layer].map(Message::SetGranularity).to_vec());
    each([1, 7, 19, 30].map(|t| Message::SetCursor(Some(t))).to_vec());
    each((0..20).map(Message::FocusLayer).collect());
    let cos = Correction::Cos { steps: 8, passes: 1, rule: CosRule::default() };
    let srp = Correction::Srp { steps: 4 + round, rule: SrpRule::default() };
    each([cos, srp, Correction::None].map(Message::SetCorrection).to_vec());
    each((0..10).map(|_| Message::Undo).chain((0..10).map(|_| Message::Redo)).collect());
    each(methods.into_iter().take(4).map(|entry| Message::AddLane(entry.into())).collect());
}

/// Resident memory of the process, now and at its peak.
fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok()).unwrap_or(0) / 1024
    };
    format!("{} MiB in use, {} at the peak", of("VmRSS:"), of("VmHWM:"))
}
