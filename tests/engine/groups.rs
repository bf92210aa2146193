//! A run of which only the figures are wanted, computed in groups of samples, has the figures of the whole run.

use spikescope::convert::{MaxPoolRule, Readout, Recipe};
use spikescope::experiment::cache::Cache;
use spikescope::experiment::pipeline::{run, run_in_groups};
use spikescope::experiment::{Run, Settings};
use spikescope::progress::JobControl;

/// Everything that a run tells without its single neurons.
fn figures(run: &Run) -> String {
    format!("{:?}\n{:?}\n{:?}\n{:?}", run.report, run.findings, run.recording.readout, run.ann.logits)
}

/// Compares both ways of computing the run of `settings`.
fn assert_same_figures(name: &str, settings: &Settings, whole_cache: &mut Cache) {
    let control = JobControl::default();
    let whole = run(settings, whole_cache, &control).unwrap();
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut cache = Cache::default();
        let in_groups = pool.install(|| run_in_groups(settings, &mut cache, &control)).unwrap();
        assert!(in_groups.ann.pre_activations.is_empty(), "{name}: in groups");
        assert!(!in_groups.recording.has_final_state(), "{name}: neurons are not kept");
        assert_eq!(figures(&in_groups), figures(&whole), "{name}, {threads} threads");
    }
}

#[test]
fn figures_of_groups_are_those_of_the_whole_run() {
    for model in ["digits-cnn", "digits-mlp"] {
        let mut settings = Settings { model: format!("builtin:{model}"), ..Settings::default() };
        (settings.samples, settings.calibrate, settings.recipe.steps) = (300..326, 0..64, 5);
        let mut cache = Cache::default();
        for method in Recipe::published_methods(&settings.recipe, 4) {
            let settings = settings.with_recipe(method.recipe);
            assert_same_figures(&format!("{model}, {}", method.name), &settings, &mut cache);
        }
        let lateral = Recipe { pooling: MaxPoolRule::Lateral, ..settings.recipe.clone() };
        assert_same_figures(&format!("{model}, lateral"), &settings.with_recipe(lateral), &mut cache);
        let early = Recipe { readout: Readout::EarlyExit(0.9), ..settings.recipe.clone() };
        assert_same_figures(&format!("{model}, early exit"), &settings.with_recipe(early), &mut cache);
    }
}

#[test]
fn figures_of_groups_are_those_of_the_whole_run_with_branches() {
    let mut settings = Settings { model: "builtin:digits-resnet".to_owned(), ..Settings::default() };
    (settings.samples, settings.calibrate, settings.recipe.steps) = (300..326, 0..32, 4);
    assert_same_figures("digits-resnet", &settings, &mut Cache::default());
}
