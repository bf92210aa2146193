//! Markdown widget for lessons: paragraphs, lists, `**strong**`, `*emphasis*` and `` `code` ``.
//!
//! Other CommonMark elements are shown as their text.

use egui::text::{LayoutJob, TextFormat};
use egui::{FontId, Label, TextStyle, Ui, vec2};
use pulldown_cmark::{Event, Parser, Tag, TagEnd};

/// Indentation of a nested list, in points.
const INDENT: f32 = 12.0;

/// A paragraph, or a list item.
#[derive(Debug, Default, PartialEq)]
struct Block {
    /// Nesting depth of its list.
    depth: usize,
    /// The bullet or number of a list item.
    mark: String,
    runs: Vec<(Style, String)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Style {
    strong: bool,
    emphasis: bool,
    code: bool,
}

/// Draws `text` in the available width.
pub fn show(ui: &mut Ui, text: &str) {
    for Block { depth, mark, runs } in blocks(text) {
        let label = Label::new(inline(ui, &runs)).wrap();
        if depth == 0 {
            ui.add(label);
        } else {
            ui.horizontal_top(|ui| {
                ui.add_space(INDENT * (depth - 1) as f32);
                ui.spacing_mut().item_spacing.x = 5.0;
                ui.label(mark);
                let room = vec2(ui.available_width(), 0.0);
                ui.allocate_ui_with_layout(room, egui::Layout::top_down(egui::Align::Min), |ui| {
                    ui.set_width(room.x);
                    ui.add(label);
                });
            });
        }
        ui.add_space(4.0);
    }
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    // The next number of every open list; `None` for bullets.
    let mut lists: Vec<Option<u64>> = Vec::new();
    let mut style = Style::default();
    for event in Parser::new(text) {
        let mut add = |style: Style, piece: &str| match blocks.last_mut().map(|block| &mut block.runs) {
            Some(runs) if runs.last().is_some_and(|run| run.0 == style) => {
                runs.last_mut().into_iter().for_each(|run| run.1 += piece);
            }
            Some(runs) => runs.push((style, piece.to_owned())),
            None => {}
        };
        match event {
            Event::Text(piece) | Event::Html(piece) | Event::InlineHtml(piece) => add(style, &piece),
            Event::Code(piece) => add(Style { code: true, ..style }, &piece),
            Event::SoftBreak => add(style, " "),
            Event::HardBreak => add(style, "\n"),
            Event::Start(Tag::Strong) => style.strong = true,
            Event::End(TagEnd::Strong) => style.strong = false,
            Event::Start(Tag::Emphasis) => style.emphasis = true,
            Event::End(TagEnd::Emphasis) => style.emphasis = false,
            Event::Start(Tag::List(first)) => lists.push(first),
            Event::End(TagEnd::List(_)) => drop(lists.pop()),
            Event::Start(Tag::Item) => {
                let number = lists.last_mut().and_then(Option::as_mut);
                let mark = number.map_or("•".to_owned(), |number| {
                    *number += 1;
                    format!("{}.", *number - 1)
                });
                blocks.push(Block { depth: lists.len(), mark, runs: Vec::new() });
            }
            Event::Start(tag @ (Tag::Paragraph | Tag::Heading { .. } | Tag::CodeBlock(_) | Tag::HtmlBlock)) => {
                style.code = matches!(tag, Tag::CodeBlock(_));
                // The first paragraph of a list item is beside its bullet.
                let begun = |block: &Block| block.runs.is_empty() && block.depth == lists.len();
                if !blocks.last().is_some_and(begun) {
                    blocks.push(Block { depth: lists.len(), ..Block::default() });
                }
            }
            Event::End(TagEnd::CodeBlock) => style.code = false,
            _ => {}
        }
    }
    blocks
}

fn inline(ui: &Ui, runs: &[(Style, String)]) -> LayoutJob {
    let body = TextStyle::Body.resolve(ui.style());
    let visuals = ui.visuals();
    let mut job = LayoutJob::default();
    for (style, piece) in runs {
        let mut format = TextFormat::simple(body.clone(), visuals.text_color());
        format.italics = style.emphasis;
        // The font has one weight only. An underline would look like a glossary term.
        if style.strong {
            format.color = visuals.strong_text_color();
            format.background = visuals.selection.bg_fill.gamma_multiply(0.3);
        }
        if style.code {
            format.font_id = FontId::monospace(body.size - 1.0);
            format.background = visuals.code_bg_color;
        }
        job.append(piece, 0.0, format);
    }
    job
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Style = Style { strong: false, emphasis: false, code: false };

    fn block(depth: usize, mark: &str, text: &str) -> Block {
        Block { depth, mark: mark.into(), runs: vec![(PLAIN, text.into())] }
    }

    #[test]
    fn markdown_separates_paragraphs_and_lists() {
        let text = "One\ntwo.\n\n- a\n  b\n- c\n\n1. d\n2. e\n   - f\n\nend";
        let points = [(1, "•", "a b"), (1, "•", "c"), (1, "1.", "d"), (1, "2.", "e"), (2, "•", "f")];
        let mut wanted = vec![block(0, "", "One two.")];
        wanted.extend(points.map(|(depth, mark, text)| block(depth, mark, text)));
        wanted.push(block(0, "", "end"));
        assert_eq!(blocks(text), wanted);
        assert_eq!(blocks("# Head\n- a\n\n  b"), [block(0, "", "Head"), block(1, "•", "a"), block(1, "", "b")]);
    }

    #[test]
    fn markdown_marks_style_their_contents_and_lone_marks_are_text() {
        let style = |strong, emphasis, code| Style { strong, emphasis, code };
        let runs = |text| blocks(text).into_iter().flat_map(|block| block.runs).collect::<Vec<_>>();
        let wanted = [
            (PLAIN, "a "),
            (style(true, false, false), "b"),
            (PLAIN, " "),
            (style(false, true, false), "c"),
            (PLAIN, " "),
            (style(false, false, true), "d*"),
            (style(true, true, false), "e"),
        ];
        assert_eq!(runs("a **b** *c* `d*`***e***"), wanted.map(|(style, text)| (style, text.to_owned())));
        assert_eq!(runs("3 * 4 = **, x_1 < y_2 <b>"), [(PLAIN, "3 * 4 = **, x_1 < y_2 <b>".to_owned())]);
        assert_eq!(runs(""), []);
    }
}
