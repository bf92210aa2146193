//! The little Markdown that lessons are written in: paragraphs, lists, `**strong**`, `*emphasis*` and `` `code` ``.

use egui::text::{LayoutJob, TextFormat};
use egui::{FontId, Label, TextStyle, Ui, vec2};

/// A piece of a text.
#[derive(Debug, PartialEq)]
enum Block {
    Paragraph(String),
    /// A point of a list, with what stands before it.
    Point(String, String),
}

/// Draws `text`, as wide as there is room.
pub fn show(ui: &mut Ui, text: &str) {
    for block in blocks(text) {
        match block {
            Block::Paragraph(text) => {
                let job = inline(ui, &text);
                ui.add(Label::new(job).wrap());
            }
            Block::Point(mark, text) => {
                ui.horizontal_top(|ui| {
                    ui.spacing_mut().item_spacing.x = 5.0;
                    ui.label(mark);
                    let room = vec2(ui.available_width(), 0.0);
                    ui.allocate_ui_with_layout(room, egui::Layout::top_down(egui::Align::Min), |ui| {
                        ui.set_width(room.x);
                        let job = inline(ui, &text);
                        ui.add(Label::new(job).wrap());
                    });
                });
            }
        }
        ui.add_space(4.0);
    }
}

/// Lines that belong together become one; an empty line ends a paragraph, a mark begins a point of a list.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open = false;
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            open = false;
            continue;
        }
        let numbered = line.split_once(". ").filter(|(n, _)| n.len() <= 2 && n.parse::<u8>().is_ok());
        if let Some(point) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
            blocks.push(Block::Point("•".into(), point.into()));
        } else if let Some((number, point)) = numbered {
            blocks.push(Block::Point(format!("{number}."), point.into()));
        } else if open && let Some(Block::Paragraph(text) | Block::Point(_, text)) = blocks.last_mut() {
            *text += " ";
            *text += line;
        } else {
            blocks.push(Block::Paragraph(line.trim_start_matches('#').trim().into()));
        }
        open = true;
    }
    blocks
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Style {
    Plain,
    Strong,
    Emphasis,
    Code,
}

/// Runs of one style. A mark that nothing closes is text.
fn runs(text: &str) -> Vec<(Style, &str)> {
    let marks = [("**", Style::Strong), ("*", Style::Emphasis), ("`", Style::Code)];
    let mut runs = Vec::new();
    let mut plain = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let found = marks.iter().find_map(|(mark, style)| {
            let inner = rest.strip_prefix(mark)?;
            let end = inner.find(mark).filter(|end| *end > 0 && !inner.starts_with(' '))?;
            Some((*style, &inner[..end], 2 * mark.len() + end))
        });
        match found {
            Some((style, inner, length)) => {
                if plain < at {
                    runs.push((Style::Plain, &text[plain..at]));
                }
                runs.push((style, inner));
                at += length;
                plain = at;
            }
            None => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    if plain < text.len() {
        runs.push((Style::Plain, &text[plain..]));
    }
    runs
}

fn inline(ui: &Ui, text: &str) -> LayoutJob {
    let body = TextStyle::Body.resolve(ui.style());
    let visuals = ui.visuals();
    let mut job = LayoutJob::default();
    for (style, piece) in runs(text) {
        let mut format = TextFormat::simple(body.clone(), visuals.text_color());
        match style {
            Style::Plain => {}
            // There is one weight of type only. A line under them would make them words that are explained.
            Style::Strong => {
                format.color = visuals.strong_text_color();
                format.background = visuals.selection.bg_fill.gamma_multiply(0.3);
            }
            Style::Emphasis => format.italics = true,
            Style::Code => {
                format.font_id = FontId::monospace(body.size - 1.0);
                format.background = visuals.code_bg_color;
            }
        }
        job.append(piece, 0.0, format);
    }
    job
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_and_lists_are_told_apart() {
        let text = "One\ntwo.\n\n- a\n  b\n- c\n1. d\n\nend";
        let point = |mark: &str, text: &str| Block::Point(mark.into(), text.into());
        let paragraph = |text: &str| Block::Paragraph(text.into());
        let wanted = [paragraph("One two."), point("•", "a b"), point("•", "c"), point("1.", "d"), paragraph("end")];
        assert_eq!(blocks(text), wanted);
    }

    #[test]
    fn marks_style_what_they_enclose_and_lone_ones_are_text() {
        let plain = |text| (Style::Plain, text);
        assert_eq!(
            runs("a **b** *c* `d*`"),
            [plain("a "), (Style::Strong, "b"), plain(" "), (Style::Emphasis, "c"), plain(" "), (Style::Code, "d*")]
        );
        assert_eq!(runs("3 * 4 = **"), [plain("3 * 4 = **")]);
        assert_eq!(runs(""), []);
    }
}
