//! Text location test: texts of the window are in `src/ui/texts` and nowhere else in `src/ui`.

use std::path::{Path, PathBuf};

/// Code before a literal that is a name for the program and never visible: ids of widgets and plots, items of plots
/// without a legend, textures, kinds of findings. Also errors and reasons, which are where they arise, as in the rest
/// of the program.
const EXCUSED_CODE: [&str; 22] = [
    "Id::unique",
    "Plot::new",
    "Line::new",
    "Points::new",
    "BarChart::new",
    "FilledArea::new",
    "Text::new",
    "Grid::new",
    "Panel::top",
    "Panel::bottom",
    "Panel::left",
    "Panel::right",
    ".with",
    "id_salt",
    "load_texture",
    "kind ==",
    "kind !=",
    "Finding::warning",
    "Error::Invalid",
    "Error::Internal",
    ".expect",
    "reason =",
];

/// Ids passed as arguments, a method's name in the engine's list, and the program's own name.
const KNOWN_NAMES: [&str; 12] = [
    "map ann",
    "map snn",
    "map difference",
    "offset map",
    "offset map before",
    "start by end",
    "runs over time",
    "mismatch of runs",
    "bench input",
    "bench membrane",
    "COS x3",
    "Spikescope",
];

/// A string literal with its line and the code before it.
struct Literal {
    text: String,
    line: usize,
    before: String,
}

/// The string literals of Rust source up to its tests, with escapes resolved as far as this test needs.
fn literals(source: &str) -> Vec<Literal> {
    let source = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let letters: Vec<char> = source.chars().collect();
    let begins = |at: usize, what: &str| what.chars().enumerate().all(|(k, c)| letters.get(at + k) == Some(&c));
    let mut found = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        if begins(at, "//") {
            at += letters[at..].iter().take_while(|c| **c != '\n').count();
        } else if letters[at] == '\'' {
            // A character literal, or a lifetime.
            let escaped = letters.get(at + 1) == Some(&'\\');
            let close = letters[at + 1..].iter().take(12).position(|c| *c == '\'').filter(|n| escaped || *n == 1);
            let quoted_quote = begins(at, "'\\''");
            at += if quoted_quote { 4 } else { close.map_or(1, |n| n + 2) };
        } else if letters[at] == '"' {
            let hashes = letters[..at].iter().rev().take_while(|c| **c == '#').count();
            let raw = at > hashes && letters[at - hashes - 1] == 'r';
            let begin = at;
            let mut text = String::new();
            at += 1;
            let close = format!("\"{}", "#".repeat(if raw { hashes } else { 0 }));
            while at < letters.len() && !begins(at, &close) {
                match (letters[at], letters.get(at + 1)) {
                    ('\\', Some('\n')) if !raw => {
                        at += 2;
                        at += letters[at..].iter().take_while(|c| c.is_whitespace()).count();
                    }
                    ('\\', Some(&c)) if !raw => {
                        text.push(if c == 'n' { '\n' } else { c });
                        at += 2;
                    }
                    (c, _) => {
                        text.push(c);
                        at += 1;
                    }
                }
            }
            at += close.chars().count();
            let line = letters[..begin].iter().filter(|c| **c == '\n').count() + 1;
            found.push(Literal { text, line, before: letters[begin.saturating_sub(60)..begin].iter().collect() });
        } else {
            at += 1;
        }
    }
    found
}

/// The text without its placeholders.
fn spoken(text: &str) -> String {
    let mut depth = 0usize;
    let keep = |c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => return Some(c),
            _ => {}
        }
        None
    };
    text.chars().filter_map(keep).collect()
}

/// Whether the literal looks like a visible text: several words, or one word with a capital initial. Words of two
/// letters are units and symbols.
fn is_text(text: &str) -> bool {
    let spoken = spoken(text);
    let words: Vec<&str> =
        spoken.split(|c: char| !c.is_alphabetic()).filter(|word| word.chars().count() >= 3).collect();
    let capital = |word: &&str| {
        let mut letters = word.chars();
        letters.next().is_some_and(char::is_uppercase) && letters.take(2).all(char::is_lowercase)
    };
    !words.is_empty() && spoken.contains(char::is_whitespace) || words.iter().any(capital)
}

/// Whether the literal is excused for another reason.
fn is_excused(literal: &Literal) -> bool {
    let text = &literal.text;
    // Tables keep their column names in every language; markup is read by programs.
    let table = text.contains(',') && !text.contains(", ") || text.starts_with('\n') && text.trim().contains(',');
    let markup = text.contains("=\"") || text.contains('<') && text.contains('>');
    let opened = literal.before.trim_end_matches(|c: char| c.is_whitespace() || "([&r#".contains(c));
    let opened = opened.strip_suffix("format!").unwrap_or(opened);
    let opened = opened.trim_end_matches(|c: char| c.is_whitespace() || "([&".contains(c));
    table
        || markup
        || KNOWN_NAMES.contains(&text.as_str())
        || EXCUSED_CODE.iter().any(|before| opened.ends_with(before))
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match entry.is_dir() {
            true if entry.ends_with("texts") => {}
            true => sources(&entry, into),
            false => into.extend(entry.extension().is_some_and(|ending| ending == "rs").then_some(entry)),
        }
    }
}

#[test]
fn every_window_text_is_in_the_texts_folder() {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui");
    let mut files = Vec::new();
    sources(&ui, &mut files);
    files.sort();
    assert!(files.len() > 50, "the window's source is not where it was");
    let mut stray = Vec::new();
    for file in files.iter().filter(|file| !file.to_string_lossy().ends_with("tests.rs")) {
        for literal in literals(&std::fs::read_to_string(file).unwrap()) {
            if is_text(&literal.text) && !is_excused(&literal) {
                let name = file.strip_prefix(&ui).unwrap().display();
                stray.push(format!("src/ui/{name}:{}: {:?}", literal.line, literal.text));
            }
        }
    }
    let stray = stray.join("\n");
    assert!(stray.is_empty(), "texts outside src/ui/texts; move them there, they are to be translated:\n{stray}");
}

#[test]
fn texts_are_distinguished_from_internal_names() {
    let source = r##"
        // "A comment is no literal."
        let quote = '"'; let life: &'static str = "a sentence with \"quotes\" \
            over two lines";
        ui.button("Clear"); ui.label(format!("{n} spikes")); Id::unique("an id"); text += "t,neuron,spike\n";
        let unit = "{:.1} MB"; let key = "kebab-case"; out += r#"<g fill="none">"#;
        VLine::new(format!("mark {name}"));
        #[cfg(test)]
mod tests { const NOT: &str = "Looked at"; }"##;
    let source = source.replace("        #[cfg(test)]", "#[cfg(test)]");
    let found: Vec<String> =
        literals(&source).into_iter().filter(|l| is_text(&l.text) && !is_excused(l)).map(|l| l.text).collect();
    assert_eq!(found, ["a sentence with \"quotes\" over two lines", "Clear", "{n} spikes"]);
}
