//! Someone on the way through a lesson: which step, what is answered, and what the lab is asked for.

use std::sync::Arc;

use super::{ExpectedNumber, Lesson, LessonStep, Question, Value, fact};
use crate::lab::{Lab, Message};

/// A lesson in progress.
#[derive(Clone, Debug)]
pub struct LessonPlayer {
    lesson: Arc<Lesson>,
    step: usize,
    /// For every step: whether its question is answered, or was shown.
    solved: Vec<bool>,
    /// Wrong answers to the question of this step.
    tries: usize,
    /// What became of the last answer to it.
    verdict: Option<Verdict>,
}

/// An answer given by hand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LessonAnswer {
    Number(f64),
    /// Counted from 0.
    Choice(usize),
    /// The state of the lab is the answer.
    State,
}

/// What an answer is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Right,
    Wrong,
    /// The lab is still computing, or has nothing to check against.
    NotYet,
}

/// What every lesson begins with: the end of the run in view.
const BEFORE: [Message; 2] = [Message::Pause, Message::SetCursor(None)];

impl LessonPlayer {
    /// Begins `lesson`; the messages bring the lab to its first step.
    pub fn begin(lesson: Arc<Lesson>) -> (Self, Vec<Message>) {
        let solved = lesson.steps.iter().map(|step| step.question.is_none()).collect();
        let mut player = Self { lesson, step: 0, solved, tries: 0, verdict: None };
        let messages = player.enter(0);
        (player, messages)
    }

    /// Goes on where someone stopped, as far as the lesson still has those steps.
    pub fn resume(lesson: Arc<Lesson>, step: usize, solved: &[bool]) -> (Self, Vec<Message>) {
        let (mut player, _) = Self::begin(lesson);
        for (mine, known) in player.solved.iter_mut().zip(solved) {
            *mine |= known;
        }
        let messages = player.enter(step);
        (player, messages)
    }

    pub fn lesson(&self) -> &Lesson {
        &self.lesson
    }
    /// The index of the step in view.
    pub fn index(&self) -> usize {
        self.step
    }
    pub fn step(&self) -> &LessonStep {
        &self.lesson.steps[self.step]
    }
    pub fn solved(&self) -> &[bool] {
        &self.solved
    }
    /// Whether the question of this step is answered; a step that asks nothing always is.
    pub fn done(&self) -> bool {
        self.solved[self.step]
    }
    pub fn tries(&self) -> usize {
        self.tries
    }
    pub fn verdict(&self) -> Option<Verdict> {
        self.verdict
    }

    /// Goes to step `to`. The next step does what it says on the lab as the person left it; any other begins the lesson
    /// anew and does all on the way, so that the lab is as the step expects it.
    pub fn enter(&mut self, to: usize) -> Vec<Message> {
        let to = to.min(self.lesson.steps.len() - 1);
        let on = to == self.step + 1;
        (self.step, self.tries, self.verdict) = (to, 0, None);
        let steps = &self.lesson.steps;
        let way: Vec<&Message> = match on {
            true => steps[to].messages.iter().collect(),
            false => BEFORE
                .iter()
                .chain(&self.lesson.start)
                .chain(steps[..=to].iter().flat_map(|step| &step.messages))
                .collect(),
        };
        let lock = Message::Lock(steps[to].lock.clone());
        let mut messages = vec![Message::EndGesture];
        messages.extend(way.into_iter().cloned());
        messages.extend([Message::EndGesture, lock]);
        messages
    }

    /// Judges an answer to this step's question.
    pub fn answer(&mut self, lab: &Lab, given: LessonAnswer) -> Verdict {
        let verdict = self.judge(lab, given);
        match verdict {
            Verdict::Right => self.solved[self.step] = true,
            Verdict::Wrong => self.tries += 1,
            Verdict::NotYet => {}
        }
        self.verdict = Some(verdict);
        verdict
    }

    /// Looks whether the state that this step asks for is reached.
    pub fn watch(&mut self, lab: &Lab) {
        let reach = matches!(self.step().question, Some(Question::Reach { .. }));
        if reach && !self.done() && self.judge(lab, LessonAnswer::State) == Verdict::Right {
            self.solved[self.step] = true;
            self.verdict = Some(Verdict::Right);
        }
    }

    /// Shows the answer: the messages bring the lab where it is right. The step counts as done.
    pub fn show(&mut self) -> Vec<Message> {
        self.solved[self.step] = true;
        match &self.step().question {
            Some(Question::Reach { model, .. }) => model.iter().cloned().chain([Message::EndGesture]).collect(),
            _ => Vec::new(),
        }
    }

    /// The answer in words, where it is no state of the lab.
    pub fn model_answer(&self, lab: &Lab) -> Option<String> {
        match self.step().question.as_ref()? {
            Question::Number { answer, unit, .. } => {
                Some(format!("{} {unit}", Value::Number(number(answer, lab)?)).trim_end().to_owned())
            }
            Question::Choice { options, right } => options.get(*right).cloned(),
            Question::Reach { .. } => None,
        }
    }

    /// The number that is the answer, where one is asked for.
    pub fn expected(&self, lab: &Lab) -> Option<f64> {
        match self.step().question.as_ref()? {
            Question::Number { answer, .. } => number(answer, lab),
            _ => None,
        }
    }

    fn judge(&self, lab: &Lab, given: LessonAnswer) -> Verdict {
        let of = |right: bool| if right { Verdict::Right } else { Verdict::Wrong };
        match (&self.step().question, given) {
            (Some(Question::Choice { right, .. }), LessonAnswer::Choice(chosen)) => of(chosen == *right),
            (Some(Question::Number { answer, within, .. }), LessonAnswer::Number(given)) => match answer {
                ExpectedNumber::Fact(_) if !settled(lab) => Verdict::NotYet,
                answer => match number(answer, lab) {
                    // What is shown is rounded: an answer read off the screen is as good.
                    Some(answer) => of((given - answer).abs() <= within + 1e-9 * answer.abs().max(1.0)),
                    None => Verdict::NotYet,
                },
            },
            (Some(Question::Reach { all, .. }), LessonAnswer::State) => match settled(lab) {
                true => of(all.iter().all(|condition| condition.holds(lab))),
                false => Verdict::NotYet,
            },
            _ => Verdict::Wrong,
        }
    }
}

/// Whether what is on the screen belongs to the settings.
fn settled(lab: &Lab) -> bool {
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
