//! Live results: previews while a control is dragged, and the parts of a run that need no new one.

use std::time::{Duration, Instant};

use spikescope::convert::{Correction, ThresholdRule};
use spikescope::experiment::cache::Cache;
use spikescope::experiment::preview::{Excerpt, is_prefix, preview};
use spikescope::experiment::{Run, Settings, Snapshot, pipeline};
use spikescope::lab::{Lab, Message};
use spikescope::progress::JobControl;

fn settings(steps: usize) -> Settings {
    let mut settings =
        Settings { model: "builtin:digits-resnet".into(), samples: 100..112, calibrate: 0..64, ..Settings::demo() };
    settings.recipe.steps = steps;
    settings.recipe.threshold = ThresholdRule::Percentile(99.9);
    settings
}

/// Spike counts of every layer and sample, and what was measured.
struct Figures {
    counts: Vec<Vec<u32>>,
    ledgers: Vec<f64>,
    curve: Vec<(Option<f64>, f64)>,
}

fn figures(run: &Run) -> Figures {
    let counts = run.recording.layers.iter().map(|layer| layer.spikes.counts(run.steps())).collect();
    let ledgers = run.report.layers.iter().flat_map(|layer| layer.ledger.parts()).collect();
    let curve = run.report.curve.iter().map(|point| (point.accuracy, point.agreement)).collect();
    Figures { counts, ledgers, curve }
}

#[test]
fn preview_equals_the_run_of_its_samples() {
    let (mut cache, control) = (Cache::default(), JobControl::default());
    let whole = pipeline::run(&settings(16), &mut cache, &control).unwrap();
    let excerpt = Excerpt::new(&whole, 4..9);
    let mut changes = vec![settings(16), settings(7), settings(24)];
    changes[0].recipe.threshold = ThresholdRule::Percentile(98.0);
    let mut later = settings(16);
    later.recipe.manual_thresholds.insert(whole.spiking.layers[3].name.clone(), 0.5);
    let mut shifted = settings(16);
    shifted.recipe.correction = Correction::Cos { steps: 4, passes: 1, rule: Default::default() };
    changes.extend([later, shifted]);
    for changed in changes {
        let shown = preview(&changed, &excerpt, &mut cache, &control).unwrap().expect("nothing is calibrated anew");
        assert_eq!((shown.preview_of, shown.recording.samples), (Some(12), 5));
        let of_part = Settings { samples: 104..109, ..changed.clone() };
        let own = pipeline::run(&of_part, &mut Cache::default(), &control).unwrap();
        let (ours, theirs) = (figures(&shown), figures(&own));
        assert_eq!(ours.counts, theirs.counts, "{:?}", changed.recipe);
        assert_eq!(ours.curve, theirs.curve);
        for (a, b) in ours.ledgers.iter().zip(&theirs.ledgers) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
        assert_eq!(shown.uncorrected.get().is_some(), changed.recipe.correction != Correction::None);
    }
    // Other samples, and thresholds that are to be calibrated first, have no preview.
    let mut other = settings(16);
    other.samples = 100..110;
    assert!(preview(&other, &excerpt, &mut cache, &control).unwrap().is_none());
    let other = Settings { calibrate: 0..32, ..settings(16) };
    assert!(preview(&other, &excerpt, &mut cache, &control).unwrap().is_none());
}

#[test]
fn smaller_t_needs_no_run() {
    let mut lab = Lab::open(settings(16)).unwrap();
    let whole = lab.run.clone().unwrap();
    lab.update([Message::SetSteps(5)]);
    // Nothing is received yet.
    let curve = lab.curve().unwrap();
    assert_eq!((curve.points, curve.samples), (&whole.report.curve[..5], 12));
    lab.update([Message::EndGesture]);
    lab.wait_until_idle();
    assert_eq!(lab.run.as_ref().unwrap().report.curve, whole.report.curve[..5]);
    let mut least = settings(8);
    least.recipe.threshold = ThresholdRule::Mse;
    assert!(is_prefix(&settings(8), &settings(16)) && !is_prefix(&settings(16), &settings(8)));
    assert!(!is_prefix(&least, &Settings { recipe: least.recipe.clone(), ..settings(16) }), "chosen for T");
}

#[test]
fn drag_shows_previews_of_the_newest_settings_and_ends_with_the_whole_run() {
    let mut settings = settings(256);
    settings.samples = 100..500;
    let mut lab = Lab::open(settings).unwrap();
    let mut shown = Vec::new();
    // A move every 33 ms, until three settings were drawn or, on a machine that is busy, for a minute.
    let start = Instant::now();
    let mut moves = 0;
    while shown.len() < 3 && start.elapsed() < Duration::from_secs(60) {
        lab.update([Message::SetVInit(0.3 + 0.0001 * moves as f32)]);
        moves += 1;
        let moved = Instant::now();
        while moved.elapsed() < Duration::from_millis(33) {
            std::thread::sleep(Duration::from_millis(3));
            lab.poll();
            if let (Some((count, of)), Some(run), Some(snapshot)) = (lab.preview_counts(), &lab.run, &lab.snapshot) {
                assert!(count < of && of == 400 && std::sync::Arc::ptr_eq(run, &snapshot.run), "all of one run");
                let v_init = run.settings.recipe.v_init;
                if shown.last() != Some(&v_init) {
                    shown.push(v_init);
                }
            }
        }
    }
    assert!(shown.len() == 3 && shown.is_sorted(), "{shown:?} after {moves} moves");
    lab.update([Message::EndGesture]);
    lab.wait_until_idle();
    let run = lab.run.as_ref().unwrap();
    assert!(run.preview_of.is_none() && run.settings == lab.settings && run.recording.samples == 400);
    assert!(lab.outdated().is_none());
}

#[test]
fn focus_outside_the_first_samples_is_in_the_preview() {
    let mut settings = settings(256);
    settings.samples = 100..500;
    let mut lab = Lab::open(settings).unwrap();
    lab.update([Message::FocusSample(333)]);
    lab.wait_until_idle();
    lab.update([Message::SetVInit(0.3)]);
    let start = Instant::now();
    while lab.preview_counts().is_none() && lab.busy() && start.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(1));
        lab.poll();
    }
    let (run, snapshot) = (lab.run.clone().unwrap(), lab.snapshot.clone().unwrap());
    assert!(run.preview_of.is_some(), "the whole run takes longer than its preview");
    assert_eq!(run.sample_index(snapshot.focus.sample), 433);
    lab.wait_until_idle();
}

#[test]
fn stopping_a_drag_shows_the_complete_run_again() {
    let mut settings = settings(256);
    settings.samples = 100..500;
    let mut lab = Lab::open(settings).unwrap();
    let whole = lab.run.clone().unwrap();
    lab.update([Message::SetVInit(0.3)]);
    let start = Instant::now();
    while lab.preview_counts().is_none() && lab.busy() && start.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(1));
        lab.poll();
    }
    lab.update([Message::SetVInit(0.35), Message::Stop]);
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(5));
        lab.poll();
    }
    assert!(std::sync::Arc::ptr_eq(lab.run.as_ref().unwrap(), &whole), "no preview of what was stopped");
    assert!(lab.settings == whole.settings && lab.outdated().is_none());
    lab.wait_until_idle();
    assert!(std::sync::Arc::ptr_eq(&lab.snapshot.as_ref().unwrap().run, &whole));
}

/// A lab on a large run whose time cursor has moved to step 5, and the preview that it showed; `None` if the whole was there
/// before this thread looked.
fn cursor_preview(settings: &Settings) -> Option<(Lab, std::sync::Arc<Snapshot>)> {
    let mut lab = Lab::open(settings.clone()).unwrap();
    lab.update([Message::FocusSample(777)]);
    lab.wait_until_idle();
    lab.update([Message::SetCursor(Some(5))]);
    while lab.busy() {
        std::thread::sleep(Duration::from_millis(1));
        lab.poll();
        if lab.cursor_preview_counts().is_some() {
            let preview = lab.snapshot.clone()?;
            return Some((lab, preview));
        }
    }
    None
}

#[test]
fn time_cursor_of_a_large_run_shows_some_samples_first() {
    let mut settings = settings(16);
    settings.samples = 0..1200;
    let (mut lab, preview) = (0..5).find_map(|_| cursor_preview(&settings)).expect("a preview in one of five drags");
    let run = lab.run.clone().unwrap();
    assert_eq!(lab.cursor_preview_counts(), Some((preview.samples.len(), 1200)));
    assert!(preview.lacks_samples() && preview.samples.contains(&777) && lab.busy(), "{:?}", preview.samples);
    assert_eq!((preview.report.steps, preview.focus.sample), (5, 777));
    lab.wait_until_idle();
    let whole = lab.snapshot.clone().unwrap();
    assert!(lab.cursor_preview_counts().is_none() && std::sync::Arc::ptr_eq(&whole.run, &run));
    assert_eq!((whole.samples.clone(), whole.report.steps), (0..1200, 5));
    assert_eq!(whole.maps.counts, preview.maps.counts, "what is of the focused sample is the same");
    // The layers of the preview are those of a run on its samples, and what is left out does not count.
    let mut alone = run.settings.clone();
    alone.samples = preview.samples.clone();
    alone.recipe.steps = 5;
    let alone = pipeline::run(&alone, &mut Cache::default(), &JobControl::default()).unwrap();
    for ((part, own), all) in preview.report.layers.iter().zip(&alone.report.layers).zip(&whole.report.layers) {
        assert_eq!(part.spikes, own.spikes);
        assert!((part.ledger.total - own.ledger.total).abs() < 1e-5, "{:?} {:?}", part.ledger, own.ledger);
        assert!((part.mean_activation - own.mean_activation).abs() < 1e-9 && part.spikes < all.spikes);
    }
}
