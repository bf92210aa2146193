//! Lesson tests: every bundled lesson from its first to its last step.
//!
//! The step's messages go through the lab, a wrong answer is refused, the right one is accepted.

use std::path::Path;
use std::sync::Arc;

use spikescope::lab::Lab;
use spikescope::lesson::bundled::{LESSONS, PREFIX};
use spikescope::lesson::{Lesson, LessonAnswer, LessonPlayer, Question, UNKNOWN, Verdict, fill_facts};
use spikescope::ui::types::pane::Pane;

/// Opens the lesson from the source tree.
fn open(name: &str) -> Arc<Lesson> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/lessons").join(format!("{name}.md"));
    let panes = Pane::ALL.map(Pane::name);
    Arc::new(Lesson::open(&path.display().to_string(), &panes).unwrap_or_else(|error| panic!("{error}")))
}

/// Answers the question of the current step, first wrongly and then correctly.
fn answer(player: &mut LessonPlayer, lab: &mut Lab, place: &str) {
    let Some(question) = player.step().question.clone() else { return };
    assert!(!player.done(), "{place}: an answer is wanted");
    match question {
        Question::Number { within, .. } => {
            let right = player.expected(lab).unwrap_or_else(|| panic!("{place}: nothing to check against"));
            let wrong = right + 1.5 * within + 1.0;
            assert_eq!(player.answer(lab, LessonAnswer::Number(wrong)), Verdict::Wrong, "{place}");
            // The model answer is rounded, and must be accepted nevertheless.
            let shown = player.model_answer(lab).unwrap();
            let shown: f64 = shown.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(player.answer(lab, LessonAnswer::Number(shown)), Verdict::Right, "{place}: {shown} for {right}");
        }
        Question::Choice { options, right } => {
            for wrong in (0..options.len()).filter(|option| *option != right) {
                assert_eq!(player.answer(lab, LessonAnswer::Choice(wrong)), Verdict::Wrong, "{place}");
                assert!(!player.done(), "{place}");
            }
            assert_eq!(player.answer(lab, LessonAnswer::Choice(right)), Verdict::Right, "{place}");
        }
        Question::Reach { model, .. } => {
            assert_eq!(
                player.answer(lab, LessonAnswer::State),
                Verdict::Wrong,
                "{place}: it is there before anyone moved"
            );
            lab.update(model);
            lab.wait_until_idle();
            player.watch(lab);
        }
    }
    assert!(player.done(), "{place}: the model answer is not taken");
}

fn quiet(lab: &Lab, place: &str) {
    assert!(lab.notifications.is_empty(), "{place}: {:?}", lab.notifications);
}

fn take(name: &str) {
    let mut lab = Lab::default();
    let lesson = open(name);
    let (mut player, messages) = LessonPlayer::begin(lesson.clone());
    lab.update(messages);
    for index in 0..lesson.steps.len() {
        let place = format!("{name}, step {} ({})", index + 1, lesson.steps[index].title);
        if index > 0 {
            assert!(player.done());
            let messages = player.enter(index);
            lab.update(messages);
        }
        lab.wait_until_idle();
        quiet(&lab, &place);
        let step = &lesson.steps[index];
        println!("\n=== {place}");
        for text in [&step.body, &step.wrong].into_iter().chain(&step.hints) {
            let text = fill_facts(text, &lab);
            println!("{text}");
            assert!(!text.contains(UNKNOWN), "{place}: the lab does not know a fact of: {text}");
        }
        answer(&mut player, &mut lab, &place);
        quiet(&lab, &place);
        let right = fill_facts(&step.right, &lab);
        println!("--- {right}");
        assert!(!right.contains(UNKNOWN), "{place}: the lab does not know a fact of: {right}");
    }
    assert!(player.solved().iter().all(|solved| *solved), "{name}");
    // A jump back to the middle restores the lab state of that step, independent of later changes.
    let middle = lesson.steps.len() / 2;
    let messages = player.enter(middle);
    lab.update(messages);
    lab.wait_until_idle();
    quiet(&lab, name);
    assert_eq!(lab.view.locked, lesson.steps[middle].lock);
}

macro_rules! lessons_run {
    ($($test:ident: $name:literal),* $(,)?) => {
        $(#[test]
        fn $test() {
            take($name);
        })*

        #[test]
        fn every_bundled_lesson_is_tested() {
            assert_eq!(LESSONS.map(|(name, _)| name), [$($name),*]);
            for (name, _) in LESSONS {
                let bundled = Lesson::open(&format!("{PREFIX}{name}"), &Pane::ALL.map(Pane::name)).unwrap();
                assert_eq!(bundled.steps, open(name).steps);
            }
        }
    };
}

lessons_run! {
    what_a_spike_is: "spike",
    rate_coding: "rate-coding",
    threshold_and_clipping: "threshold",
    steps_and_quantization: "quantisation",
    order_of_arrival: "order",
    max_pools: "max-pooling",
    where_to_start: "start",
    a_whole_network: "first-conversion",
    srp: "srp",
    cos: "cos",
    thresholds_without_training: "without-training",
    regression: "regression",
    channel_thresholds: "channel-thresholds",
    energy: "energy",
    attribution_maps: "attribution",
    a_hidden_trojan: "trojans",
    chance_and_malice: "chance-and-malice",
    masked_gradients: "masked-gradients",
}

#[test]
fn every_lesson_step_has_its_texts() {
    for (name, _) in LESSONS {
        let lesson = open(name);
        assert!(lesson.minutes.is_some() && !lesson.summary.is_empty(), "{name}");
        assert!(lesson.steps.len() >= 5, "{name}");
        for step in &lesson.steps {
            let place = format!("{name}, {}", step.title);
            assert!(!step.body.is_empty(), "{place}");
            if step.question.is_some() {
                assert!(!step.hints.is_empty() && !step.right.is_empty(), "{place}: hints and a word on the answer");
            }
        }
        assert!(lesson.steps.last().unwrap().question.is_none(), "{name} ends with what one knows now");
    }
}
