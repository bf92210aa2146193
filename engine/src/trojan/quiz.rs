//! The quiz: who names the trigger from the pictures alone? Questions of eight options, answers, and their statistics.

use std::path::Path;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::folder::write_json;
use super::judge::{JUDGE_NAME, Judge};
use super::synthesis::{Method, SynthesisIndex, SynthesisItem};
use super::trigger::{Trigger, TriggerKind};
use crate::export::results_table::quoted;
use crate::files::write_bytes;
use crate::measure::wilson::wilson_95;
use crate::progress::JobControl;
use crate::{Error, Result};

/// Right answers of a guess: one of eight.
pub const CHANCE: f64 = 0.125;
/// The answers in a folder of syntheses, and their statistics.
pub const ANSWERS: &str = "answers.json";
pub const ANSWERS_CSV: &str = "answers.csv";
pub const STATISTICS: &str = "quiz.csv";

/// A question: the pictures of one trojan by one method, and eight triggers of its kind in random order.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Index in the list of syntheses.
    pub item: usize,
    pub kind: TriggerKind,
    pub options: [Trigger; 8],
    /// Index of the right option.
    pub right: usize,
}

/// An answer, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Who answered.
    pub judge: String,
    pub trojan: String,
    #[serde(rename = "type")]
    pub kind: TriggerKind,
    pub method: String,
    /// The trigger that was chosen, and the right one.
    pub answer: String,
    pub trigger: String,
    pub correct: bool,
    /// Probability of the right option, from a judge that gives one.
    pub probability: Option<f32>,
}

/// How often one judge was right with one method, or over all.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistic {
    pub judge: String,
    /// The method, or `all`.
    pub method: String,
    /// The kind of trigger, or `all`.
    pub kind: String,
    pub answers: usize,
    pub correct: usize,
    /// The 95 % Wilson interval of the part that is right.
    pub interval: (f64, f64),
    /// Mean probability of the right option, from a judge that gives one.
    pub probability: Option<f64>,
}

impl Question {
    /// The question about synthesis `item` of `index`; the order of options is that of `seed`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a trigger that this program does not have.
    pub fn of(index: &SynthesisIndex, item: usize, seed: u64) -> Result<Self> {
        let entry = &index.items[item];
        let mut options = entry.kind.triggers();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(item as u64);
        options.shuffle(&mut rng);
        let right = options.iter().position(|trigger| trigger.name() == entry.trigger).ok_or_else(|| {
            Error::Invalid(format!("Cannot ask for trigger '{}': this version does not know it.", entry.trigger))
        })?;
        Ok(Self { item, kind: entry.kind, options, right })
    }

    /// All questions of `index` by `methods` that `judge` has not answered, in random order.
    ///
    /// # Errors
    /// As [`Question::of`].
    pub fn open_ones(
        index: &SynthesisIndex,
        methods: &[Method],
        answers: &[Answer],
        judge: &str,
        seed: u64,
    ) -> Result<Vec<Self>> {
        let asked = |item: &SynthesisItem| methods.iter().any(|method| method.word() == item.method);
        let answered = |item: &SynthesisItem| {
            answers.iter().any(|a| a.judge == judge && a.trojan == item.trojan && a.method == item.method)
        };
        let mut items: Vec<usize> =
            (0..index.items.len()).filter(|&k| asked(&index.items[k]) && !answered(&index.items[k])).collect();
        items.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        items.into_iter().map(|item| Self::of(index, item, seed)).collect()
    }

    /// The answer `option` of `judge`.
    pub fn answer(&self, index: &SynthesisIndex, judge: &str, option: usize, probability: Option<f32>) -> Answer {
        let item = &index.items[self.item];
        Answer {
            judge: judge.to_owned(),
            trojan: item.trojan.clone(),
            kind: item.kind,
            method: item.method.clone(),
            answer: self.options[option.min(7)].name().to_owned(),
            trigger: item.trigger.clone(),
            correct: option == self.right,
            probability,
        }
    }
}

/// The answers in `folder`; none if there is no file.
///
/// # Errors
/// [`Error::File`] with the line that is no answer.
pub fn read_answers(folder: &Path) -> Result<Vec<Answer>> {
    let path = folder.join(ANSWERS);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(&path).map_err(|error| Error::io(&path, error))?;
    serde_json::from_str(&text).map_err(|error| Error::file(&path, format!("line {}", error.line()), error.to_string()))
}

/// Writes answers, and their statistics, to `folder`.
///
/// # Errors
/// [`Error::Io`] when the operating system refuses.
pub fn write_answers(folder: &Path, answers: &[Answer]) -> Result<()> {
    write_json(&folder.join(ANSWERS), &answers)?;
    write_bytes(&folder.join(ANSWERS_CSV), answers_csv(answers).as_bytes())?;
    let mut text = "judge,method,type,answers,correct,part,low,high,chance,probability\n".to_owned();
    for row in statistics(answers) {
        let part = row.correct as f64 / row.answers.max(1) as f64;
        let probability = row.probability.map_or_else(String::new, |p| format!("{p:.4}"));
        text += &format!(
            "{},{},{},{},{},{part:.4},{:.4},{:.4},{CHANCE},{probability}\n",
            quoted(&row.judge),
            row.method,
            row.kind,
            row.answers,
            row.correct,
            row.interval.0,
            row.interval.1
        );
    }
    write_bytes(&folder.join(STATISTICS), text.as_bytes())
}

/// The answers, one a line.
pub fn answers_csv(answers: &[Answer]) -> String {
    let mut text = "judge,trojan,type,method,answer,trigger,correct,probability\n".to_owned();
    for answer in answers {
        let probability = answer.probability.map_or_else(String::new, |p| format!("{p:.4}"));
        text += &format!(
            "{},{},{},{},{},{},{},{probability}\n",
            quoted(&answer.judge),
            quoted(&answer.trojan),
            answer.kind.word(),
            answer.method,
            answer.answer,
            answer.trigger,
            answer.correct
        );
    }
    text
}

/// By judge: of every method, of every kind of trigger, and over all.
pub fn statistics(answers: &[Answer]) -> Vec<Statistic> {
    let mut judges: Vec<&str> = answers.iter().map(|answer| answer.judge.as_str()).collect();
    judges.sort_unstable();
    judges.dedup();
    let methods = || Method::ALL.iter().map(|method| method.word()).chain(["all"]);
    let kinds = || TriggerKind::ALL.iter().map(|kind| kind.word()).chain(["all"]);
    let mut rows = Vec::new();
    for (judge, method) in judges.iter().flat_map(|judge| methods().map(move |method| (*judge, method))) {
        for kind in kinds() {
            let own: Vec<&Answer> = answers
                .iter()
                .filter(|answer| answer.judge == judge && (method == "all" || answer.method == method))
                .filter(|answer| kind == "all" || answer.kind.word() == kind)
                .collect();
            if own.is_empty() {
                continue;
            }
            let correct = own.iter().filter(|answer| answer.correct).count();
            let probabilities: Vec<f64> = own.iter().filter_map(|answer| answer.probability).map(f64::from).collect();
            rows.push(Statistic {
                judge: judge.to_owned(),
                method: method.to_owned(),
                kind: kind.to_owned(),
                answers: own.len(),
                correct,
                interval: wilson_95(correct as f64 / own.len() as f64, own.len()),
                probability: (!probabilities.is_empty())
                    .then(|| probabilities.iter().sum::<f64>() / probabilities.len() as f64),
            });
        }
    }
    rows
}

/// The automatic judge answers all open questions of `index`; returns its new answers.
///
/// # Errors
/// Those of the judge and of the pictures; [`Error::Cancelled`].
pub fn judge_all(
    folder: &Path,
    index: &SynthesisIndex,
    methods: &[Method],
    answers: &[Answer],
    control: &JobControl,
) -> Result<Vec<Answer>> {
    let questions = Question::open_ones(index, methods, answers, JUDGE_NAME, 0)?;
    let mut judge: Option<Judge> = None;
    let mut given = Vec::new();
    for (k, question) in questions.iter().enumerate() {
        control.check()?;
        control.progress("judging", k as f32 / questions.len() as f32);
        let (shape, pictures) = index.items[question.item].pictures(folder)?;
        if judge.is_none() {
            judge = Some(Judge::open_or_train(folder, shape[1], control)?);
        }
        let Some(judge) = &judge else { continue };
        let by_trigger = judge.probabilities(question.kind, shape, &pictures, control)?;
        let all = question.kind.triggers();
        let probability = |option: usize| {
            let at = all.iter().position(|trigger| *trigger == question.options[option]);
            at.map_or(0.0, |at| by_trigger[at])
        };
        let best = (0..8).max_by(|a, b| probability(*a).total_cmp(&probability(*b))).unwrap_or(0);
        given.push(question.answer(index, JUDGE_NAME, best, Some(probability(question.right))));
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> SynthesisIndex {
        let item = |method: &str| SynthesisItem {
            trojan: "smiley".into(),
            kind: TriggerKind::Patch,
            trigger: "smiley".into(),
            target: 1,
            secret: false,
            method: method.into(),
            file: String::new(),
            success: vec![0.5],
            seconds: 1.0,
        };
        SynthesisIndex {
            version: String::new(),
            planted: "x".into(),
            seed: 0,
            pictures: 1,
            items: vec![item("tabor"), item("snafue")],
        }
    }

    #[test]
    fn questions_are_blind_answers_are_kept_and_counted() {
        let index = index();
        let all = Question::open_ones(&index, &Method::ALL, &[], "me", 3).unwrap();
        assert_eq!(all.len(), 2);
        let mut names: Vec<_> = all[0].options.iter().map(|option| option.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 8);
        assert_eq!(all[0].options[all[0].right].name(), "smiley");
        let answers = vec![all[0].answer(&index, "me", all[0].right, None), all[1].answer(&index, "me", 9, Some(0.25))];
        assert_eq!(Question::open_ones(&index, &Method::ALL, &answers[..1], "me", 3).unwrap().len(), 1);
        let folder = tempfile::tempdir().unwrap();
        write_answers(folder.path(), &answers).unwrap();
        assert_eq!(read_answers(folder.path()).unwrap(), answers);
        let whole = statistics(&answers).into_iter().find(|row| row.method == "all" && row.kind == "all").unwrap();
        assert_eq!((whole.answers, whole.correct, whole.probability), (2, 1, Some(0.25)));
        assert!(whole.interval.0 < CHANCE && whole.interval.1 > 0.5);
        std::fs::write(folder.path().join(ANSWERS), "[\n3").unwrap();
        assert!(read_answers(folder.path()).unwrap_err().to_string().contains("line"));
    }
}
