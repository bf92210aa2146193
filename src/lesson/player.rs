//! Lesson player: current step, answers so far, and the messages to the lab.

use std::sync::Arc;

use super::{ExpectedNumber, Lesson, LessonStep, Question, Value, fact};
use crate::lab::{Lab, Message};

/// A lesson in progress.
#[derive(Clone, Debug)]
pub struct LessonPlayer {
    lesson: Arc<Lesson>,
    step: usize,
    /// For every step: whether its question is answered, or its answer was shown.
    solved: Vec<bool>,
    /// Number of wrong answers to the current question.
    tries: usize,
    /// The verdict on the last answer to it.
    verdict: Option<Verdict>,
}

/// An answer of the user.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LessonAnswer {
    Number(f64),
    /// Index of the option, from 0.
    Choice(usize),
    /// The current state of the lab.
    State,
}

/// The verdict on an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Right,
    Wrong,
    /// The lab is still computing, or does not have the fact.
    NotYet,
}

/// Messages at the beginning of every lesson: the time cursor is at the end of the run.
const INITIAL_MESSAGES: [Message; 2] = [Message::Pause, Message::SetCursor(None)];

impl LessonPlayer {
    /// Begins `lesson`; also returns the messages that bring the lab to its first step.
    pub fn begin(lesson: Arc<Lesson>) -> (Self, Vec<Message>) {
        let solved = lesson.steps.iter().map(|step| step.question.is_none()).collect();
        let mut player = Self { lesson, step: 0, solved, tries: 0, verdict: None };
        let messages = player.enter(0);
        (player, messages)
    }

    /// Resumes a saved lesson at `step`, as far as the lesson still has these steps.
    pub fn resume(lesson: Arc<Lesson>, step: usize, solved: &[bool]) -> (Self, Vec<Message>) {
        let (mut player, _) = Self::begin(lesson);
        for (solved, was_solved) in player.solved.iter_mut().zip(solved) {
            *solved |= was_solved;
        }
        let messages = player.enter(step);
        (player, messages)
    }

    pub fn lesson(&self) -> &Lesson {
        &self.lesson
    }
    /// The index of the current step, from 0.
    pub fn index(&self) -> usize {
        self.step
    }
    pub fn step(&self) -> &LessonStep {
        &self.lesson.steps[self.step]
    }
    pub fn solved(&self) -> &[bool] {
        &self.solved
    }
    /// Whether the question of this step is answered; true for steps without a question.
    pub fn done(&self) -> bool {
        self.solved[self.step]
    }
    pub fn tries(&self) -> usize {
        self.tries
    }
    pub fn verdict(&self) -> Option<Verdict> {
        self.verdict
    }

    /// Goes to step `to`. For the next step its messages apply to the current state of the lab. For any other step the lesson
    /// starts again with the messages of all steps up to `to`, so that the lab has the state that the step expects.
    pub fn enter(&mut self, to: usize) -> Vec<Message> {
        let to = to.min(self.lesson.steps.len() - 1);
        let is_next = to == self.step + 1;
        (self.step, self.tries, self.verdict) = (to, 0, None);
        let steps = &self.lesson.steps;
        let step_messages: Vec<&Message> = match is_next {
            true => steps[to].messages.iter().collect(),
            false => INITIAL_MESSAGES
                .iter()
                .chain(&self.lesson.start)
                .chain(steps[..=to].iter().flat_map(|step| &step.messages))
                .collect(),
        };
        let lock = Message::Lock(steps[to].lock.clone());
        // The steps of before the lesson end here, and those of its own begin where its state is set.
        let mut messages = vec![Message::EndGesture, Message::BeginUndoScope];
        messages.extend(step_messages.into_iter().cloned());
        messages.extend([Message::EndGesture, Message::BeginUndoScope, lock]);
        messages
    }

    /// Judges an answer to the current question.
    pub fn answer(&mut self, lab: &Lab, answer_given: LessonAnswer) -> Verdict {
        let verdict = self.judge(lab, answer_given);
        match verdict {
            Verdict::Right => self.solved[self.step] = true,
            Verdict::Wrong => self.tries += 1,
            Verdict::NotYet => {}
        }
        self.verdict = Some(verdict);
        verdict
    }

    /// Checks whether the state that this step requires is reached.
    pub fn watch(&mut self, lab: &Lab) {
        let reach = matches!(self.step().question, Some(Question::Reach { .. }));
        if reach && !self.done() && self.judge(lab, LessonAnswer::State) == Verdict::Right {
            self.solved[self.step] = true;
            self.verdict = Some(Verdict::Right);
        }
    }

    /// Shows the answer: returns the messages that reach the required state. The step counts as done.
    pub fn show(&mut self) -> Vec<Message> {
        self.solved[self.step] = true;
        match &self.step().question {
            Some(Question::Reach { model, .. }) => model.iter().cloned().chain([Message::EndGesture]).collect(),
            _ => Vec::new(),
        }
    }

    /// The correct answer as text; `None` if it is a state of the lab.
    pub fn model_answer(&self, lab: &Lab) -> Option<String> {
        match self.step().question.as_ref()? {
            Question::Number { answer, unit, .. } => {
                Some(format!("{} {unit}", Value::Number(number(answer, lab)?)).trim_end().to_owned())
            }
            Question::Choice { options, right } => options.get(*right).cloned(),
            Question::Reach { .. } => None,
        }
    }

    /// The correct number, for questions that ask for one.
    pub fn expected(&self, lab: &Lab) -> Option<f64> {
        match self.step().question.as_ref()? {
            Question::Number { answer, .. } => number(answer, lab),
            _ => None,
        }
    }

    fn judge(&self, lab: &Lab, answer_given: LessonAnswer) -> Verdict {
        let verdict_of = |right: bool| if right { Verdict::Right } else { Verdict::Wrong };
        match (&self.step().question, answer_given) {
            (Some(Question::Choice { right, .. }), LessonAnswer::Choice(chosen)) => verdict_of(chosen == *right),
            (Some(Question::Number { answer, within, .. }), LessonAnswer::Number(answer_given)) => match answer {
                ExpectedNumber::Fact(_) if !is_up_to_date(lab) => Verdict::NotYet,
                answer => match number(answer, lab) {
                    // Numbers on the screen are rounded; `within` accepts them as answers.
                    Some(answer) => verdict_of((answer_given - answer).abs() <= within + 1e-9 * answer.abs().max(1.0)),
                    None => Verdict::NotYet,
                },
            },
            (Some(Question::Reach { all, .. }), LessonAnswer::State) => match is_up_to_date(lab) {
                true => verdict_of(all.iter().all(|condition| condition.holds(lab))),
                false => Verdict::NotYet,
            },
            _ => Verdict::Wrong,
        }
    }
}

/// Whether the shown run matches the settings and nothing is being computed.
fn is_up_to_date(lab: &Lab) -> bool {
    !lab.busy() && lab.run.as_ref().is_none_or(|run| run.settings == lab.settings)
}

fn number(answer: &ExpectedNumber, lab: &Lab) -> Option<f64> {
    match answer {
        ExpectedNumber::Number(number) => Some(*number),
        ExpectedNumber::Fact(name) => match fact(lab, name)? {
            Value::Number(number) => Some(number),
            Value::Word(_) => None,
        },
    }
}
