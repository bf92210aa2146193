//! Runs: undo, older results, races, recipes, sessions and partial results.

use std::sync::Arc;

use spikescope::convert::{Correction, NamedRecipe, NeuronModel, Recipe, Reset, SrpRule};
use spikescope::experiment::cache::Cache;
use spikescope::experiment::neuron_categories::{NeuronCategories, example_to_focus};
use spikescope::experiment::{Run, Settings, Snapshot, pipeline};
use spikescope::lab::{Lab, Message, Session};
use spikescope::measure::Report;
use spikescope::progress::JobControl;

use crate::{lab, send};

#[test]
fn undo_restores_the_same_finished_result() {
    let mut lab = lab();
    let before = lab.run.clone().unwrap();
    for steps in [5, 4, 3] {
        lab.update([Message::SetSteps(steps)]);
    }
    send(&mut lab, Message::EndGesture);
    assert_eq!(lab.run.as_ref().unwrap().steps(), 3);
    assert_eq!(lab.undo_sentence().unwrap(), "T 6 to 3");
    send(&mut lab, Message::Undo);
    assert!(Arc::ptr_eq(&before, lab.run.as_ref().unwrap()));
    send(&mut lab, Message::Redo);
    assert_eq!(lab.run.as_ref().unwrap().steps(), 3);
}

#[test]
fn older_result_is_restored_without_its_final_state() {
    let mut lab = lab();
    send(&mut lab, Message::OpenModel("builtin:digits-cnn".into()));
    let v_init = |k: usize| Message::SetVInit(0.3 + k as f32 / 100.0);
    let change = |lab: &mut Lab, k: usize| {
        lab.update([v_init(k), Message::EndGesture]);
        lab.wait_until_idle();
    };
    change(&mut lab, 0);
    let wrong = lab.snapshot.clone().unwrap();
    assert!(wrong.run.recording.has_final_state());
    (1..60).for_each(|k| change(&mut lab, k));
    (1..60).for_each(|_| lab.update([Message::Undo]));
    lab.wait_until_idle();
    let again = lab.snapshot.clone().unwrap();
    assert_eq!(again.run.settings, wrong.run.settings);
    assert!(!again.run.recording.has_final_state(), "the last states of so many runs are more than what is kept");
    assert_eq!(again.run.recording.layers[0].spikes, wrong.run.recording.layers[0].spikes);
    assert_eq!((&again.trace, &again.categories), (&wrong.trace, &wrong.categories));
    let place = |snapshot: &Snapshot| snapshot.divergence.map(|divergence| (divergence.neuron, divergence.step));
    assert_eq!(place(&again), place(&wrong));
    // The run can still be continued and exported.
    let whole = again.run.full_recording(&JobControl::default()).unwrap();
    assert_eq!(whole.layers[1].potential, wrong.run.recording.layers[1].potential);
    send(&mut lab, Message::SetSteps(24));
    let longer = lab.run.clone().unwrap();
    assert_eq!(longer.steps(), 24);
    let row = |run: &Run, t| run.recording.layers[2].spikes.row(t, 3).to_vec();
    (0..wrong.run.steps()).for_each(|t| assert_eq!(row(&longer, t), row(&wrong.run, t)));
}

#[test]
fn time_cursor_scrubs_the_report() {
    let mut lab = lab();
    send(&mut lab, Message::SetCursor(Some(2)));
    let snapshot = lab.snapshot.clone().unwrap();
    assert_eq!((snapshot.report.steps, snapshot.run.steps()), (2, 6));
    assert!(snapshot.report.layers[0].spikes < lab.run.as_ref().unwrap().report.layers[0].spikes);
    send(&mut lab, Message::SetCursor(None));
    assert_eq!(lab.snapshot.as_ref().unwrap().report.steps, 6);
}

#[test]
fn race_lane_can_replace_the_recipe() {
    let mut lab = lab();
    let recipe = lab.settings.recipe.clone();
    send(&mut lab, Message::SetLanes(Recipe::published_methods(&recipe, 4)));
    let run = lab.run.clone().unwrap();
    for lane in &lab.lanes {
        let own = lane.run_beside(&run).unwrap_or_else(|| panic!("{}: {:?}", lane.entry.name, lane.result));
        assert_eq!((own.steps(), own.recording.samples), (run.steps(), run.recording.samples));
        assert!(Arc::ptr_eq(&own.samples, &run.samples), "the same samples");
    }
    assert!(lab.snapshot.as_ref().unwrap().lanes.iter().all(Option::is_some));
    let cos = lab.lanes.iter().position(|lane| lane.entry.name == "COS").unwrap();
    send(&mut lab, Message::AdoptLane(cos));
    let run = lab.run.clone().unwrap();
    assert!(matches!(run.settings.recipe.correction, Correction::Cos { .. }));
    assert!(run.uncorrected.get().is_some() && lab.snapshot.as_ref().unwrap().uncorrected.is_some());
    assert_eq!(lab.settings.recipe.steps, recipe.steps);
    send(&mut lab, Message::Undo);
    assert_eq!(lab.settings.recipe, recipe);
    send(&mut lab, Message::RemoveLane(0));
    assert!(lab.lanes.iter().all(|lane| lane.run_beside(lab.run.as_ref().unwrap()).is_some()), "the rest stays");
}

#[test]
fn invalid_recipe_is_refused_with_a_reason() {
    let mut lab = lab();
    send(&mut lab, Message::SetReset(Reset::Hard));
    let settings = lab.settings.clone();
    send(&mut lab, Message::SetCorrection(Correction::Srp { steps: 4, rule: SrpRule::Code }));
    assert!(lab.notifications.last().unwrap().text.contains("hard reset"));
    assert_eq!(lab.settings, settings);
}

#[test]
fn recipes_are_saved_and_reopened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let mut lab = lab();
    send(&mut lab, Message::SetNeuron(NeuronModel::Group(4)));
    send(&mut lab, Message::SaveRecipe { path: path.clone(), name: "mine".into() });
    let saved = lab.settings.recipe.clone();
    send(&mut lab, Message::ResetRecipe);
    assert_ne!(lab.settings.recipe, saved);
    send(&mut lab, Message::OpenPath(path));
    assert_eq!(lab.settings.recipe, saved);
}

#[test]
fn session_restores_race_and_focus() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session.json");
    let mut lab = lab();
    let entry = NamedRecipe::new("plain", lab.settings.recipe.clone());
    send(&mut lab, Message::AddLane(Box::new(entry)));
    send(&mut lab, Message::FocusLayer(1));
    send(&mut lab, Message::SaveSession(path.clone()));
    let mut other = Lab::from_session(Session::load(&path).unwrap());
    other.wait_until_idle();
    assert_eq!((other.view.layer, other.lanes.len()), (1, 1));
    assert!(other.lanes[0].run_beside(other.run.as_ref().unwrap()).is_some());
}

#[test]
fn finished_samples_are_reported_before_the_run_ends() {
    use std::sync::Mutex;

    use spikescope::experiment::cache::Cache;
    use spikescope::experiment::partial::PartialAccumulator;
    use spikescope::experiment::pipeline::run_with_baseline;
    use spikescope::progress::{JobControl, JobEvent};

    let mut settings =
        Settings { model: "builtin:digits-cnn".into(), samples: 0..40, calibrate: 40..80, ..Settings::default() };
    settings.recipe.steps = 4;
    let mut cache = Cache::default();
    // From scratch, and continued from a shorter run.
    for steps in [4, 9] {
        settings.recipe.steps = steps;
        let stream = Arc::new(Mutex::new((PartialAccumulator::default(), Vec::new())));
        let reported = stream.clone();
        let control = JobControl::with_listener(move |event| {
            let mut reported = reported.lock().unwrap();
            if let JobEvent::Samples(finished) = event {
                let partial = reported.0.add(&finished).cloned().unwrap();
                reported.1.push(partial);
            }
        });
        let begin = |watched| stream.lock().unwrap().0.begin(watched);
        let run = run_with_baseline(&settings, &mut cache, &control, &begin).unwrap();
        let reported = stream.lock().unwrap();
        let [first, .., last] = reported.1.as_slice() else { panic!("several blocks, not {}", reported.1.len()) };
        assert!(first.samples < 40 && (last.samples, last.of) == (40, 40));
        assert_eq!(last.ann_accuracy, run.report.ann_accuracy);
        // The parts sum to the whole in any order.
        assert_eq!(last.curve.len(), steps);
        for (partial, whole) in last.curve.iter().zip(&run.report.curve) {
            assert_eq!(partial.t, whole.t);
            assert!((partial.agreement - whole.agreement).abs() < 1e-9, "{partial:?} {whole:?}");
            assert!((partial.accuracy.unwrap() - whole.accuracy.unwrap()).abs() < 1e-9);
        }
        // The mismatch is over some samples only, but has the right size.
        assert_eq!(last.mismatch_samples, reported.1.len());
        for (partial, whole) in last.mismatch.iter().zip(&run.report.layers) {
            let (partial, whole) = (partial.unwrap(), whole.mean_abs_mismatch);
            assert!(partial > 0.5 * whole && partial < 2.0 * whole, "{}: {partial} for {whole}", run.report.steps);
        }
    }
}

#[test]
fn unchanged_layers_keep_their_figures_and_later_ones_are_measured() {
    let mut lab = lab();
    let last = lab.run.as_ref().unwrap().spiking.layers.last().unwrap().clone();
    let before = lab.run.as_ref().unwrap().report.clone();
    send(&mut lab, Message::SetLayerThreshold { layer: last.name, theta: Some(last.theta[0] * 0.7) });
    let run = lab.run.clone().unwrap();
    let fresh = pipeline::run(&run.settings, &mut Cache::default(), &JobControl::default()).unwrap();
    let words = |report: &Report| format!("{:?} {:?} {:?}", report.layers, report.first_layers, report.curve);
    assert_eq!(words(&run.report), words(&fresh.report));
    assert_ne!(words(&run.report), words(&before));
}

#[test]
fn categories_equal_those_of_the_report_and_the_largest_error_is_first() {
    let lab = Lab::open(Settings { samples: 0..6, calibrate: 0..32, ..Settings::demo() }).unwrap();
    let run = lab.run.as_ref().unwrap();
    for (index, layer) in run.report.layers.iter().enumerate() {
        let each: Vec<NeuronCategories> =
            (0..6).map(|sample| NeuronCategories::from_run(run, index, sample).unwrap()).collect();
        for category in 1..5 {
            let count: usize = each.iter().map(|categories| categories.neurons(category).len()).sum();
            assert_eq!(count as u64, layer.same_input.as_array()[category], "{} C{category}", layer.name);
        }
    }
    let at = example_to_focus(run).unwrap();
    let categories = NeuronCategories::from_run(run, at.layer, at.sample).unwrap();
    let (category, position) = categories.position(at.neuron).unwrap();
    assert_eq!(position, 0);
    // The cycle returns to its start.
    let all = categories.neurons(category).len();
    assert_eq!((0..all).fold(at.neuron, |neuron, _| categories.after(category, neuron).unwrap()), at.neuron);
    let snapshot = lab.snapshot.as_ref().unwrap();
    assert_eq!((snapshot.focus.layer, snapshot.focus.sample, snapshot.focus.neuron), (at.layer, at.sample, at.neuron));
    assert_eq!(snapshot.categories, categories, "what is looked at is what was computed at the last step");
}
