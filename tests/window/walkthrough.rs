//! Walkthrough test: follows docs/walkthrough.md, clicks its bold texts and finds its quotes.

use std::path::Path;

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use spikescope::experiment::Settings;
use spikescope::lab::Lab;
use spikescope::ui::state::window::WindowState;

use crate::desk::{Desk, desk_on};

/// An action of a walkthrough step.
#[derive(Debug, PartialEq)]
enum Act {
    Click(String),
    See(String),
}

/// The actions of the numbered steps of `text`, with the first line number of each step.
fn acts(text: &str) -> Vec<(usize, Act)> {
    let mut steps: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (number, line) in (1..).zip(text.lines()) {
        let begins = line.starts_with(|c: char| c.is_ascii_digit());
        inside = begins || inside && line.starts_with(' ');
        match steps.last_mut() {
            _ if begins => steps.push((number, line.to_owned())),
            // Sentences continue on the next line.
            Some((_, step)) if inside => *step += &format!(" {}", line.trim()),
            _ => {}
        }
    }
    steps.iter().flat_map(|(number, step)| acts_of(step).into_iter().map(|act| (*number, act))).collect()
}

fn acts_of(step: &str) -> Vec<Act> {
    let mut acts = Vec::new();
    let mut rest = step;
    while let Some(at) = rest.find(['“', '*']) {
        let (opening, closing) = if rest[at..].starts_with('“') { ("“", "”") } else { ("**", "**") };
        let Some(from) = rest[at..].strip_prefix(opening) else {
            // A single star: emphasis without a click.
            rest = &rest[at + 1..];
            continue;
        };
        let end = from.find(closing).unwrap_or_else(|| panic!("{opening} without {closing}: {step}"));
        let words = from[..end].to_owned();
        acts.push(if opening == "**" { Act::Click(words) } else { Act::See(words) });
        rest = &from[end + closing.len()..];
    }
    acts
}

/// Whether a name or value on the screen contains `words`.
fn on_screen(harness: &Harness<'static, Desk>, words: &str) -> bool {
    harness.root().children_recursive().any(|node| {
        let node = node.accesskit_node();
        [node.label(), node.value()].into_iter().flatten().any(|text| text.contains(words))
    })
}

#[test]
fn walkthrough_matches_the_program() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/walkthrough.md");
    let text = std::fs::read_to_string(&path).expect("docs/walkthrough.md");
    let acts = acts(&text);
    assert!(acts.len() > 6, "{acts:?}");
    let lab = Lab::open(Settings::demo()).expect("the bundled network runs");
    let mut harness = desk_on(Desk { lab, window: WindowState::default() }, egui::vec2(1280.0, 800.0));
    for (line, act) in acts {
        match act {
            Act::Click(name) => {
                let first = harness.query_all_by_label(&name).next();
                first.unwrap_or_else(|| panic!("step at line {line}: there is no '{name}' to click")).click();
                harness.run_ok();
            }
            Act::See(words) => {
                assert!(on_screen(&harness, &words), "step at line {line}: “{words}” is not on the screen")
            }
        }
    }
}

#[test]
fn walkthrough_parser_clicks_bold_and_searches_quotes() {
    let text = "Words in **bold** before.\n\n1. Click *this*, **a b** and\n   see “c\n   d”.\n\nNo **more**.\n";
    let expected = [(3, Act::Click("a b".into())), (3, Act::See("c d".into()))];
    assert_eq!(acts(text), expected);
}
