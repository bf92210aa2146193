//! Documentation test: docs/cli.md and `--help` have the same commands, options and defaults.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// One command of the program and its `--help` text.
struct HelpPage {
    /// Words after `spikescope`; empty for the program itself.
    path: Vec<String>,
    /// Long options without their dashes, each with its help text on one line.
    options: BTreeMap<String, String>,
}

/// A section of the manual with its subsections; sections of other commands are never part of it.
struct Section {
    title: String,
    text: String,
}

/// The text of `spikescope PATH… --help`.
fn help_text(path: &[String]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_spikescope")).args(path).arg("--help").output().unwrap();
    assert!(output.status.success(), "spikescope {} --help: {output:?}", path.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

/// The help pages of the command `path` and of all its subcommands.
fn help_pages(path: Vec<String>) -> Vec<HelpPage> {
    let text = help_text(&path);
    let mut pages = Vec::new();
    for command in commands_in(&text) {
        pages.extend(help_pages(path.iter().cloned().chain([command]).collect()));
    }
    pages.push(HelpPage { path, options: options_in(&text) });
    pages
}

/// Names below the heading `Commands:` of a help text.
fn commands_in(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let entries = lines.take_while(|line| line.starts_with("  "));
    // Wrapped descriptions are indented further than names.
    let names = entries.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// Long options of a help text, with their descriptions.
fn options_in(help: &str) -> BTreeMap<String, String> {
    let mut options = BTreeMap::new();
    let mut current: Option<String> = None;
    for line in help.lines().skip_while(|line| *line != "Options:").skip(1) {
        let trimmed = line.trim_start();
        if !line.is_empty() && trimmed.len() == line.len() {
            current = None;
        } else if trimmed.starts_with('-') && line.len() - trimmed.len() <= 6 {
            current = option_names(trimmed).first().cloned();
            // Of two options with one name the program would see one.
            assert!(current.as_ref().is_none_or(|name| !options.contains_key(name)), "twice in a help text: {trimmed}");
        }
        if let Some(name) = &current {
            let text: &mut String = options.entry(name.clone()).or_default();
            *text += &format!(" {trimmed}");
        }
    }
    options
}

/// Every `--name` in `text`, without the dashes.
fn option_names(text: &str) -> Vec<String> {
    let starts = text.match_indices("--").map(|(at, _)| at);
    let starts = starts.filter(|&at| !text[..at].ends_with(|c: char| c == '-' || c.is_alphanumeric()));
    let name = |at: usize| -> String {
        text[at + 2..].chars().take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-').collect()
    };
    starts.map(name).filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())).collect()
}

/// The default value in an option's help text.
fn default_in(description: &str) -> Option<&str> {
    let (_, rest) = description.split_once("[default: ")?;
    rest.split_once(']').map(|(value, _)| value)
}

/// Whether the last cell of a table row has the default `value`.
fn states_default(row: &str, value: &str) -> bool {
    let row = row.trim_end_matches([' ', '|']).replace('`', "");
    let cell = row.rsplit(" | ").next().unwrap_or_default();
    cell.contains(value) && (value.contains([' ', ',']) || cell.split([' ', ',', ';']).any(|word| word == value))
}

fn manual() -> Vec<Section> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    sections(&std::fs::read_to_string(path).expect("docs/cli.md"))
}

/// Splits Markdown at its headings; `#` lines inside code blocks are no headings.
fn sections(markdown: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    // Level and index of the sections that contain the current line.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut in_code = false;
    for line in markdown.lines() {
        in_code ^= line.starts_with("```");
        if line.starts_with('#') && !in_code {
            let level = line.chars().take_while(|c| *c == '#').count();
            let title = line.trim_start_matches('#').trim().replace('`', "");
            let is_command = title.split(' ').next() == Some("spikescope");
            open.retain(|(outer, _)| *outer < level && !is_command);
            open.push((level, sections.len()));
            sections.push(Section { title, text: String::new() });
        } else {
            open.iter().for_each(|(_, index)| sections[*index].text += &format!("{line}\n"));
        }
    }
    sections
}

impl Section {
    /// The link target of this heading, as GitHub forms it.
    fn anchor(&self) -> String {
        let kept = self.title.to_lowercase();
        kept.chars()
            .filter(|c| c.is_alphanumeric() || " -".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    }

    /// Options that a row of a table describes, with the row.
    fn described(&self) -> BTreeMap<String, String> {
        let rows = self.text.lines().filter(|line| line.starts_with("| `"));
        let rows = rows.flat_map(|row| {
            let cell = row.trim_start_matches("| ").split(" | ").next().unwrap_or_default();
            option_names(cell).into_iter().map(move |name| (name, row.to_owned()))
        });
        rows.collect()
    }

    /// Options that the section mentions anywhere, except in lines that call cargo, which has options of its own.
    fn mentioned(&self) -> BTreeSet<String> {
        let lines = self.text.lines().filter(|line| !line.contains("cargo "));
        lines.flat_map(option_names).collect()
    }
}

/// The section of the command and the sections named in its line that begins with "Also takes".
fn sections_of<'a>(manual: &'a [Section], title: &str) -> Vec<&'a Section> {
    let own = manual.iter().find(|section| section.title == title);
    let own = own.unwrap_or_else(|| panic!("docs/cli.md has no section '{title}'"));
    let links =
        own.text.lines().filter(|line| line.starts_with("Also takes")).flat_map(|line| line.split("(#").skip(1));
    let anchors: Vec<&str> = links.filter_map(|link| link.split(')').next()).collect();
    let shared = anchors.into_iter().map(|anchor| {
        let found = manual.iter().find(|section| section.anchor() == anchor);
        found.unwrap_or_else(|| panic!("'{title}' links to #{anchor}, which docs/cli.md does not have"))
    });
    std::iter::once(own).chain(shared).collect()
}

#[test]
fn manual_and_help_have_the_same_commands_and_options() {
    let manual = manual();
    let pages = help_pages(Vec::new());
    assert!(pages.len() > 1, "--help lists no commands");
    let mut wrong = Vec::new();
    for page in &pages {
        let title =
            std::iter::once("spikescope".to_owned()).chain(page.path.iter().cloned()).collect::<Vec<_>>().join(" ");
        let sections = sections_of(&manual, &title);
        let described: BTreeMap<String, String> = sections.iter().flat_map(|section| section.described()).collect();
        for (name, help) in &page.options {
            // Every command has it; the section of the program describes it once.
            if name == "help" && !page.path.is_empty() {
                continue;
            }
            let Some(row) = described.get(name) else {
                wrong.push(format!("{title}: --{name} is in --help and not in docs/cli.md"));
                continue;
            };
            if let Some(value) = default_in(help).filter(|value| !states_default(row, value)) {
                wrong.push(format!("{title}: --{name} has the default '{value}' in --help, not in docs/cli.md"));
            }
        }
        for name in sections.iter().flat_map(|section| section.mentioned()) {
            if !page.options.contains_key(&name) {
                wrong.push(format!("{title}: docs/cli.md names --{name}, which --help does not have"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn manual_has_no_section_for_a_command_that_does_not_exist() {
    let known: BTreeSet<String> = help_pages(Vec::new()).into_iter().map(|page| page.path.join(" ")).collect();
    for section in manual() {
        if let Some(path) = section.title.strip_prefix("spikescope ") {
            assert!(known.contains(path), "docs/cli.md describes 'spikescope {path}', which --help does not list");
        }
    }
}

#[test]
fn help_and_manual_are_parsed_as_they_are_written() {
    let help = "About\n\nUsage: x\n\nCommands:\n  run   Convert\n  help  Print\n\nOptions:\n      --config <FILE>\n          \
                A file\n\n  -h, --help\n          Print help; not --this\n      --steps <T>  Steps [default: 32]\n\nExit codes: 0";
    assert_eq!(commands_in(help), ["run"]);
    let options = options_in(help);
    assert_eq!(options.keys().collect::<Vec<_>>(), ["config", "help", "steps"]);
    assert_eq!(default_in(&options["steps"]), Some("32"));
    assert!(states_default("| `--steps T` | steps | `32` |", "32"));
    assert!(!states_default("| `--steps 3` | steps | `32` |", "3"));
    assert!(states_default("| `--to` | folder | that of `--data` |", "that of --data"));
    let text = "# A page\n## `spikescope run`\n| `--steps T` | see `--help` | `32` |\n### More\n`--out`\n```\n# no heading\n\
                ```\ncargo run --release\n### `spikescope run all`\n`--all`\n";
    let parts = sections(text);
    assert_eq!(parts.len(), 4);
    assert_eq!((parts[1].title.as_str(), parts[1].anchor().as_str()), ("spikescope run", "spikescope-run"));
    assert_eq!(parts[1].described().keys().collect::<Vec<_>>(), ["steps"]);
    assert_eq!(parts[1].mentioned().into_iter().collect::<Vec<_>>(), ["help", "out", "steps"]);
}

#[test]
fn every_pane_is_listed() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md")).unwrap();
    let list = text.split("\n\n").find(|part| part.starts_with("Panes: ")).expect("the list of panes");
    for pane in spikescope::ui::types::pane::Pane::ALL {
        assert!(list.contains(&format!("`{}`", pane.name())), "{}", pane.name());
    }
}
