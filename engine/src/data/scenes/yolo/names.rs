//! Class names of YOLO data: a `data.yaml`, a `classes.txt` or an `obj.names`.
//!
//! Of YAML only what such files hold is read: keys at the beginning of a line, lists and tables of plain or quoted words.

use std::path::Path;

use crate::data::files::text::utf8;
use crate::{Error, Result};

/// Largest number of classes.
const MAX_CLASSES: usize = 65_535;

/// What is known of the classes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ClassNames {
    /// The names, and the name of their file.
    pub names: Option<(Vec<String>, String)>,
    /// Values of the keypoints behind each box.
    pub keypoints: Option<usize>,
}

/// The entries of a `data.yaml` that are read: keys with their values, and the line of each.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct DataYaml {
    entries: Vec<(String, Vec<String>, usize)>,
}

impl DataYaml {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::File`] for a file that cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        Ok(Self::parse(utf8(path, &bytes)?))
    }

    /// The keys at the beginning of a line with the lines of their values.
    fn parse(text: &str) -> Self {
        let mut entries: Vec<(String, Vec<String>, usize)> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = without_comment(line);
            let is_below = line.starts_with([' ', '\t', '-', ']', '}']) || line.is_empty();
            match (is_below, line.split_once(':'), entries.last_mut()) {
                (false, Some((key, value)), _) => {
                    entries.push((unquoted(key).to_owned(), vec![value.trim().to_owned()], at + 1));
                }
                (_, _, Some((_, lines, _))) if !line.trim().is_empty() => lines.push(line.trim().to_owned()),
                _ => {}
            }
        }
        Self { entries }
    }

    /// The value of `key` in one line; `None` if it is missing or empty.
    pub fn value(&self, key: &str) -> Option<&str> {
        let (_, lines, _) = self.entries.iter().find(|(known, ..)| known == key)?;
        lines.first().map(|value| unquoted(value)).filter(|value| !value.is_empty())
    }

    /// The values of `key`: one, or those of a list; none if it is missing or empty.
    pub fn values(&self, key: &str) -> Vec<String> {
        let Some((_, lines, _)) = self.entries.iter().find(|(known, ..)| known == key) else { return Vec::new() };
        let joined = lines.join(" ");
        let list = joined.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let (first, below) = lines.split_first().map_or(("", &[][..]), |(first, below)| (first.as_str(), below));
        let values: Vec<&str> = match list {
            Some(list) => split_flow(list),
            None if first.is_empty() => below.iter().filter_map(|line| line.strip_prefix('-')).collect(),
            None => vec![first],
        };
        values.into_iter().map(|value| unquoted(value).to_owned()).filter(|value| !value.is_empty()).collect()
    }

    /// Class names and keypoints; `path` is that of the file.
    ///
    /// # Errors
    /// [`Error::File`] with the line for names that are no list or table, and for another number of them than `nc` says.
    pub fn names(&self, path: &Path) -> Result<ClassNames> {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let count = self.value("nc").and_then(|count| count.parse::<usize>().ok());
        let keypoints = self.value("kpt_shape").and_then(|shape| {
            let sides = shape.trim_matches(['[', ']']).split(',').map(|side| side.trim().parse::<usize>().ok());
            sides.collect::<Option<Vec<usize>>>()?.into_iter().try_fold(1usize, usize::checked_mul)
        });
        let Some((_, lines, line)) = self.entries.iter().find(|(key, ..)| key == "names") else {
            let numbered = |count: usize| ((0..count).map(|class| format!("class {class}")).collect(), file.clone());
            return Ok(ClassNames { names: count.filter(|count| *count <= MAX_CLASSES).map(numbered), keypoints });
        };
        let fail = |reason: String| Error::file(path, format!("line {line}"), reason);
        let names = words_of(lines).map_err(fail)?;
        if names.is_empty() || names.len() > MAX_CLASSES {
            return Err(fail(format!("names has {} classes; 1 to {MAX_CLASSES} are supported", names.len())));
        }
        match count {
            Some(count) if count != names.len() => {
                Err(fail(format!("names has {} classes, but nc says {count}", names.len())))
            }
            _ => Ok(ClassNames { names: Some((names, file)), keypoints }),
        }
    }
}

/// `line` without a comment at its end.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        match (quote, character) {
            (None, '#') if before.is_whitespace() => return line[..at].trim_end(),
            (None, '\'' | '"') if !before.is_alphanumeric() => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
        before = character;
    }
    line.trim_end()
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('\'').or_else(|| inner('"')).unwrap_or(text)
}

/// The words of a list (`[a, b]`, `- a`) or of a table by number (`{0: a, 1: b}`, `0: a`).
fn words_of(lines: &[String]) -> Result<Vec<String>, String> {
    let joined = lines.join(" ");
    let joined = joined.trim();
    let inner = |open: char, close: char| joined.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    if let Some(list) = inner('[', ']') {
        return Ok(split_flow(list).into_iter().map(|word| unquoted(word).to_owned()).collect());
    }
    if let Some(table) = inner('{', '}') {
        return numbered(split_flow(table).into_iter());
    }
    let below = || lines.iter().skip(1).map(String::as_str);
    if lines.first().is_some_and(|first| !first.is_empty()) || below().next().is_none() {
        return Err("names is no list, as in [cat, dog], and no table, as in 0: cat".into());
    }
    let listed: Option<Vec<String>> =
        below().map(|line| line.strip_prefix('-').map(|word| unquoted(word).to_owned())).collect();
    listed.map_or_else(|| numbered(below()), Ok)
}

/// The parts between the commas of a list in brackets.
fn split_flow(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quote) = (Vec::new(), 0, None);
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (None, ',') => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            (None, '\'' | '"') if text[start..at].trim().is_empty() || text[start..at].trim_end().ends_with(':') => {
                quote = Some(character);
            }
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
    }
    parts.push(&text[start..]);
    // A comma may stand behind the last.
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// The words of a table whose keys are all numbers from 0.
fn numbered<'a>(pairs: impl Iterator<Item = &'a str>) -> Result<Vec<String>, String> {
    let pair = |text: &str| {
        let (key, word) = text.split_once(':')?;
        Some((unquoted(key).parse::<usize>().ok()?, unquoted(word).to_owned()))
    };
    let mut found = pairs
        .map(|text| {
            pair(text).ok_or_else(|| format!("names has '{text}', which is no class number with a name, as in 0: cat"))
        })
        .collect::<Result<Vec<_>, String>>()?;
    found.sort();
    match found.iter().enumerate().find(|(at, (number, _))| at != number) {
        Some((at, _)) => Err(format!("names has no class {at}, or has it twice; classes are all numbers from 0")),
        None => Ok(found.into_iter().map(|(_, word)| word).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Result<String, String> {
        let found = DataYaml::parse(text).names(Path::new("x/data.yaml")).map_err(|e| e.to_string())?;
        Ok(found.names.map(|(names, _)| names.join("|")).unwrap_or_default())
    }

    #[test]
    fn names_in_every_form_that_tools_write() {
        for text in [
            "names: [cat, 'dog', \"a, b\"]\nnc: 3\n",
            "# data\ntrain: x\nnames: # three\n  - cat\n  - dog\n  - 'a, b'\n",
            "names:\n- cat\n- dog\n- a, b\nnc: 3",
            "names:\n  0: cat\n  1: dog # a comment\n\n  2: \"a, b\"\nval: y",
            "names: {0: cat, 1: dog, 2: 'a, b'}",
            "names:\n  [\n    cat,\n    dog,\n    'a, b',\n  ]\n",
            "\"names\": ['cat',\n  'dog', 'a, b']\n",
        ] {
            assert_eq!(names(text).unwrap(), "cat|dog|a, b", "{text}");
        }
        assert_eq!(names("nc: 2").unwrap(), "class 0|class 1");
        assert_eq!(names("names: [don't, it#s]").unwrap(), "don't|it#s");
        let yaml = DataYaml::parse("path: ../a # here\nval: 'images/val'\ntest:\nkpt_shape: [17, 3]\n");
        assert_eq!(
            (yaml.value("path"), yaml.value("val"), yaml.value("test")),
            (Some("../a"), Some("images/val"), None)
        );
        assert_eq!(yaml.names(Path::new("a")).unwrap().keypoints, Some(51));
        for text in ["train: [a, 'b c']", "train:\n  - a # one\n  - 'b c'\n", "train: [\n a,\n 'b c',\n]\n"] {
            assert_eq!(DataYaml::parse(text).values("train"), ["a", "b c"], "{text}");
        }
        assert_eq!((yaml.values("val"), yaml.values("test")), (vec!["images/val".to_owned()], vec![]));
    }

    #[test]
    fn names_that_are_none_are_refused_with_their_line() {
        for (text, says) in [
            ("a: 1\nnames: cat\n", "data.yaml: line 2: names is no list"),
            ("names:\n", "names is no list"),
            ("names: []\n", "names has 0 classes"),
            ("names: [a]\nnc: 2\n", "names has 1 classes, but nc says 2"),
            ("names:\n  0: a\n  2: b\n", "names has no class 1"),
            ("names:\n  0: a\n  0: b\n", "names has no class 1, or has it twice"),
            ("names:\n  a: 0\n", "'a: 0', which is no class number"),
        ] {
            let why = names(text).unwrap_err();
            assert!(why.contains(says), "{why}");
        }
    }
}
