//! Measures cancellation latency: cancels a run at many moments and prints the delay per stage.
//!
//! The run is the whole pipeline, from opening the files to the report.
//!
//! `cargo run --release --example cancel [MODEL DATA [RECIPE.toml]]`

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use spikescope::Result;
use spikescope::convert::NamedRecipe;
use spikescope::experiment::Settings;
use spikescope::experiment::adapt::{Adapt, adapt_settings};
use spikescope::experiment::cache::Cache;
use spikescope::experiment::pipeline::run_with_baseline;
use spikescope::progress::{JobControl, JobEvent};

/// Moments of one run at which it is cancelled.
const CANCELLATIONS: u32 = 60;

fn main() -> Result<()> {
    let mut settings = Settings::demo();
    let mut arguments = std::env::args().skip(1);
    if let Some(model) = arguments.next() {
        settings.model = model;
        settings.data = arguments.next().unwrap_or(settings.data);
    }
    settings = adapt_settings(&settings, Adapt::Network, &mut Cache::default(), &JobControl::default())?;
    settings.recipe.steps = 32;
    if let Some(file) = arguments.next() {
        settings.recipe = NamedRecipe::load(file.as_ref())?.recipe;
    }
    let start = Instant::now();
    run_with_baseline(&settings, &mut Cache::default(), &JobControl::default(), &|_| ())?;
    let duration = start.elapsed();
    println!("{} on {}: {:.0} ms from nothing to the report", settings.model, settings.data, ms(duration));

    let mut delays: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for moment in 0..CANCELLATIONS {
        let (stage, time) = cancelled_after(&settings, duration * moment / CANCELLATIONS);
        if let Some(time) = time {
            delays.entry(stage).or_default().push(ms(time));
        }
    }
    println!("{:<34} {:>6} {:>10} {:>10}", "cancelled while", "times", "median ms", "worst ms");
    for (stage, times) in &mut delays {
        times.sort_by(f64::total_cmp);
        println!("{stage:<34} {:>6} {:>10.1} {:>10.1}", times.len(), times[times.len() / 2], times[times.len() - 1]);
    }
    Ok(())
}

/// Cancels a run `wait` after its start; returns the stage and the delay, which is `None` if the run had ended before.
fn cancelled_after(settings: &Settings, wait: Duration) -> (&'static str, Option<Duration>) {
    let stage = Arc::new(Mutex::new("opening"));
    let listener_stage = stage.clone();
    let control = JobControl::with_listener(move |event| {
        if let (JobEvent::Progress { stage, .. }, Ok(mut at)) = (event, listener_stage.lock()) {
            *at = stage;
        }
    });
    std::thread::scope(|scope| {
        let work = scope.spawn(|| {
            let stopped = run_with_baseline(settings, &mut Cache::default(), &control, &|_| ()).is_err();
            stopped.then(Instant::now)
        });
        std::thread::sleep(wait);
        let at = stage.lock().map_or("", |stage| *stage);
        let cancelled_at = Instant::now();
        control.cancel();
        (at, work.join().ok().flatten().map(|end| end.saturating_duration_since(cancelled_at)))
    })
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
