//! Parser of lesson files: TOML headers between `+++` lines, and steps in Markdown.
//!
//! A file has a header and steps. Each step is a `## Title`, an optional header and Markdown. Errors name the line.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Condition, ExpectedNumber, Lesson, LessonStep, PointerTarget, Question, ScreenArea, facts, template};
use crate::experiment::Settings;
use crate::lab::{ControlGroup, Message};
use crate::network::open::BUILTIN_PREFIX;
use crate::{Error, Result};

/// The line above and below a TOML header.
const FENCE: &str = "+++";
const STEP: &str = "## ";
/// Maximum number of steps of a lesson.
const MAX_STEPS: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Head {
    title: String,
    #[serde(default)]
    summary: String,
    minutes: Option<u32>,
    /// Network, data and recipe; omitted parts have their defaults.
    settings: Option<Settings>,
    #[serde(default)]
    start: Vec<LessonMessage>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct StepHead {
    #[serde(rename = "do")]
    messages: Vec<LessonMessage>,
    point: Option<toml::Spanned<String>>,
    hide: Vec<toml::Spanned<String>>,
    lock: Vec<ControlGroup>,
    hints: Vec<toml::Spanned<String>>,
    right: Option<toml::Spanned<String>>,
    wrong: Option<toml::Spanned<String>>,
    number: Option<toml::Spanned<NumberHead>>,
    choice: Option<toml::Spanned<ChoiceHead>>,
    reach: Option<toml::Spanned<ReachHead>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct NumberHead {
    answer: ExpectedHead,
    #[serde(default)]
    within: f64,
    #[serde(default)]
    unit: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ExpectedHead {
    Number(f64),
    Fact(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChoiceHead {
    options: Vec<String>,
    /// Counted from 1.
    right: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReachHead {
    all: Vec<Condition>,
    model: Vec<LessonMessage>,
    #[serde(default)]
    text: String,
}

/// A message that a lesson may send: none that writes files, and none reserved for the lesson panel.
#[derive(Deserialize)]
#[serde(try_from = "Message")]
struct LessonMessage(Message);

impl TryFrom<Message> for LessonMessage {
    type Error = String;
    fn try_from(message: Message) -> Result<Self, String> {
        match message {
            Message::SaveSession(_) | Message::SaveRecipe { .. } => Err("a lesson cannot write files".into()),
            Message::Lock(_) => Err("controls are locked per step with lock = [...]".into()),
            Message::Restore(_)
            | Message::SetLayout(_)
            | Message::Undo
            | Message::Redo
            | Message::BeginUndoScope
            | Message::EndUndoScope => Err("a lesson cannot send this message".into()),
            message => Ok(Self(message)),
        }
    }
}

/// The file that is being parsed.
struct Source<'a> {
    path: &'a Path,
    panes: &'a [&'a str],
    lines: Vec<&'a str>,
}

impl Source<'_> {
    /// An error at line `line`, counted from 0.
    fn error(&self, line: usize, reason: impl Into<String>) -> Error {
        Error::file(self.path, format!("line {}", line + 1), reason)
    }

    /// Parses the header that begins at line `from`; also returns its text and the line after it. `None` without a fence.
    fn head<T: DeserializeOwned>(&self, from: usize) -> Result<Option<(T, Located, usize)>> {
        if self.lines.get(from).map(|line| line.trim_end()) != Some(FENCE) {
            return Ok(None);
        }
        let rest = &self.lines[from + 1..];
        let end = rest.iter().position(|line| line.trim_end() == FENCE);
        let end = from + 1 + end.ok_or_else(|| self.error(from, format!("this header has no closing {FENCE}")))?;
        let text = self.lines[from + 1..end].join("\n");
        let located = Located { first: from + 1, text };
        let head = toml::from_str(&located.text).map_err(|error| {
            let line = error.span().map_or(from, |span| located.line(span));
            self.error(line, error.message().replace('\n', " "))
        })?;
        Ok(Some((head, located, end + 1)))
    }
}

/// The text of a header and its first line.
struct Located {
    first: usize,
    text: String,
}

impl Located {
    fn line(&self, span: Range<usize>) -> usize {
        self.first + self.text.bytes().take(span.start).filter(|byte| *byte == b'\n').count()
    }
}

/// Parses the lesson in `text`.
///
/// # Errors
/// [`Error::File`] with the line.
pub(super) fn parse_lesson(path: &Path, text: &str, panes: &[&str]) -> Result<Lesson> {
    let text = text.trim_start_matches('\u{feff}');
    let source = Source { path, panes, lines: text.lines().collect() };
    let first = source.lines.iter().position(|line| !line.trim().is_empty()).unwrap_or(0);
    let (head, _, mut at) = source
        .head::<Head>(first)?
        .ok_or_else(|| source.error(first, format!("a lesson begins with a header between two lines of {FENCE}")))?;
    let mut steps = Vec::new();
    while let Some(line) = source.lines.get(at) {
        if let Some(title) = line.strip_prefix(STEP) {
            let (step, next) = parse_step(&source, title.trim(), at)?;
            steps.push(step);
            at = next;
        } else if line.trim().is_empty() {
            at += 1;
        } else {
            return Err(
                source.error(at, format!("text before the first step; a step begins with '{STEP}' and a title"))
            );
        }
    }
    if steps.is_empty() || steps.len() > MAX_STEPS {
        return Err(source.error(at.saturating_sub(1), format!("{} steps; a lesson has 1 to {MAX_STEPS}", steps.len())));
    }
    let all = head.settings.into_iter().map(|settings| LessonMessage(Message::SetSettings(Box::new(settings))));
    Ok(Lesson {
        source: path.display().to_string(),
        title: head.title,
        summary: head.summary,
        minutes: head.minutes,
        start: resolve_paths(path, all.chain(head.start).collect()),
        steps,
    })
}

/// Parses the step whose title is at line `at`; also returns the line after it.
fn parse_step(source: &Source<'_>, title: &str, at: usize) -> Result<(LessonStep, usize)> {
    if title.is_empty() {
        return Err(source.error(at, "this step has no title"));
    }
    let (head, located, from) = match source.head::<StepHead>(at + 1)? {
        Some(found) => found,
        None => (StepHead::default(), Located { first: at + 1, text: String::new() }, at + 1),
    };
    let rest = &source.lines[from..];
    let end = from + rest.iter().position(|line| line.starts_with(STEP)).unwrap_or(rest.len());
    for (number, line) in source.lines.iter().enumerate().take(end).skip(from) {
        template::check(line).map_err(|reason| source.error(number, reason))?;
    }
    let checked_text = |spanned: toml::Spanned<String>| {
        let line = located.line(spanned.span());
        template::check(spanned.get_ref()).map_err(|reason| source.error(line, reason)).map(|()| spanned.into_inner())
    };
    let target = |name: toml::Spanned<String>, what: &str| {
        let line = located.line(name.span());
        pointer_target(source, name.get_ref(), what).map_err(|reason| source.error(line, reason))
    };
    let point = head.point.map(|name| target(name, "pointed at"));
    let hide = head.hide.into_iter().map(|name| target(name, "hidden")).collect::<Result<_>>()?;
    let question = question(source, &located, head.number, head.choice, head.reach)?;
    let step = LessonStep {
        title: title.to_owned(),
        body: source.lines[from..end].join("\n").trim().to_owned(),
        messages: resolve_paths(source.path, head.messages),
        point: point.transpose()?,
        hide,
        lock: head.lock,
        question,
        hints: head.hints.into_iter().map(checked_text).collect::<Result<_>>()?,
        right: head.right.map(checked_text).transpose()?.unwrap_or_default(),
        wrong: head.wrong.map(checked_text).transpose()?.unwrap_or_default(),
    };
    Ok((step, end))
}

/// The question of a step, if it has one.
fn question(
    source: &Source<'_>,
    located: &Located,
    number: Option<toml::Spanned<NumberHead>>,
    choice: Option<toml::Spanned<ChoiceHead>>,
    reach: Option<toml::Spanned<ReachHead>>,
) -> Result<Option<Question>> {
    let number = number.map(|spanned| (located.line(spanned.span()), spanned.into_inner()));
    let choice = choice.map(|spanned| (located.line(spanned.span()), spanned.into_inner()));
    let reach = reach.map(|spanned| (located.line(spanned.span()), spanned.into_inner()));
    let question = match (number, choice, reach) {
        (None, None, None) => return Ok(None),
        (Some((line, head)), None, None) => {
            let answer = match head.answer {
                ExpectedHead::Number(n) if n.is_finite() => ExpectedNumber::Number(n),
                ExpectedHead::Fact(name) if facts::known(&name) => ExpectedNumber::Fact(name),
                ExpectedHead::Number(_) => return Err(source.error(line, "the answer is not a finite number")),
                ExpectedHead::Fact(name) => {
                    return Err(source.error(line, format!("'{name}' is not a fact of the lab")));
                }
            };
            if !(head.within >= 0.0 && head.within.is_finite()) {
                return Err(source.error(line, "within, the tolerance of the answer, must be 0 or more"));
            }
            Question::Number { answer, within: head.within, unit: head.unit }
        }
        (None, Some((line, head)), None) => {
            if head.options.len() < 2 || !(1..=head.options.len()).contains(&head.right) {
                let reason =
                    format!("right is {}; options are counted from 1, and there must be at least two", head.right);
                return Err(source.error(line, reason));
            }
            Question::Choice { options: head.options, right: head.right - 1 }
        }
        (None, None, Some((line, head))) => {
            if head.all.is_empty() || head.model.is_empty() {
                return Err(source.error(line, "reach needs conditions in all and the messages of an answer in model"));
            }
            template::check(&head.text).map_err(|reason| source.error(line, reason))?;
            Question::Reach { all: head.all, model: resolve_paths(source.path, head.model), text: head.text }
        }
        (number, choice, reach) => {
            let lines = [number.map(|q| q.0), choice.map(|q| q.0), reach.map(|q| q.0)];
            let line = lines.into_iter().flatten().max().unwrap_or(0);
            return Err(source.error(line, "a step asks one question: number, choice or reach"));
        }
    };
    Ok(Some(question))
}

/// The pane or screen area called `name`.
fn pointer_target(source: &Source<'_>, name: &str, what: &str) -> Result<PointerTarget, String> {
    if source.panes.contains(&name) {
        return Ok(PointerTarget::Pane(name.to_owned()));
    }
    let part = ScreenArea::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(name));
    part.map(PointerTarget::Part).map_err(|_| {
        format!(
            "'{name}' cannot be {what}. Use one of {}, recipe, samples, layers, inspector, time.",
            source.panes.join(", ")
        )
    })
}

/// The messages, with relative paths resolved from the lesson's folder.
fn resolve_paths(path: &Path, messages: Vec<LessonMessage>) -> Vec<Message> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let join = |file: PathBuf| folder.join(file);
    let resolve = |LessonMessage(message)| match message {
        Message::OpenModel(file) if !file.starts_with(BUILTIN_PREFIX) => {
            Message::OpenModel(join(file.into()).display().to_string())
        }
        Message::SetSettings(mut settings) => {
            if !settings.model.starts_with(BUILTIN_PREFIX) {
                settings.model = join(settings.model.into()).display().to_string();
            }
            Message::SetSettings(settings)
        }
        Message::OpenPath(file) => Message::OpenPath(join(file)),
        Message::OpenPaths(files) => Message::OpenPaths(files.into_iter().map(join).collect()),
        Message::OpenSession(file) => Message::OpenSession(join(file)),
        Message::OpenCalibrationData(file) => Message::OpenCalibrationData(join(file)),
        message => message,
    };
    messages.into_iter().map(resolve).collect()
}

#[cfg(test)]
mod tests;
