//! Formula widget: typeset fractions, sums with bounds, superscripts and subscripts.
//!
//! Its syntax: `a_{i}` and `a^{2}` are subscript and superscript, `frac{a}{b}` is a fraction, `sum{i=1}{T}` a sum with
//! its bounds. All other text is literal. It does not know the lab.

use std::sync::Arc;

use egui::text::LayoutJob;
use egui::{
    Color32, FontId, Galley, Pos2, Response, Role, Sense, Stroke, TextFormat, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use crate::ui::texts::shared;

/// A piece of a formula.
#[derive(Clone, Debug, PartialEq)]
enum FormulaPiece {
    Text(String),
    Lower(Vec<FormulaPiece>),
    Raise(Vec<FormulaPiece>),
    Fraction(Vec<FormulaPiece>, Vec<FormulaPiece>),
    /// A sum with its lower and upper bound.
    Sum(Vec<FormulaPiece>, Vec<FormulaPiece>),
}

/// Positioned pieces, measured from the left end of the base line.
#[derive(Default)]
struct Typeset {
    width: f32,
    /// Extent above and below the base line.
    above: f32,
    below: f32,
    texts: Vec<(Vec2, Arc<Galley>)>,
    lines: Vec<(Vec2, f32)>,
}

/// Draws `formula` at font size `size`, in points. Its accessible name is the formula in one line.
pub fn show(ui: &mut Ui, formula: &str, size: f32) -> Response {
    let color = ui.visuals().strong_text_color();
    let set = set_row(ui, &parse(formula), size, color);
    let (rect, response) = ui.allocate_exact_size(vec2(set.width, set.above + set.below), Sense::hover());
    let base = pos2(rect.left(), rect.top() + set.above);
    for (offset, galley) in set.texts {
        ui.painter().galley(base + offset, galley, color);
    }
    for (offset, length) in set.lines {
        let from: Pos2 = base + offset;
        ui.painter().line_segment([from, from + vec2(length, 0.0)], Stroke::new((size / 14.0).max(1.0), color));
    }
    response.widget_info(|| WidgetInfo::labeled(Role::Math, true, formula_to_speech(formula)));
    response
}

/// The formula in one line: "φ = (θ n)/(T)".
pub fn formula_to_speech(formula: &str) -> String {
    fn speak(pieces: &[FormulaPiece]) -> String {
        let one = |piece: &FormulaPiece| match piece {
            FormulaPiece::Text(text) => text.clone(),
            FormulaPiece::Lower(inner) => format!("_{}", speak(inner)),
            FormulaPiece::Raise(inner) => format!("^{}", speak(inner)),
            FormulaPiece::Fraction(a, b) => format!("({})/({})", speak(a), speak(b)),
            FormulaPiece::Sum(a, b) => shared::sum_over(&speak(a), &speak(b)),
        };
        pieces.iter().map(one).collect()
    }
    speak(&parse(formula))
}

fn parse(text: &str) -> Vec<FormulaPiece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let marks = [("_{", 1), ("^{", 1), ("frac{", 2), ("sum{", 2)];
        let Some((mark, count)) = marks.into_iter().find(|(mark, _)| rest.starts_with(mark)) else {
            plain.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        };
        if !plain.is_empty() {
            pieces.push(FormulaPiece::Text(std::mem::take(&mut plain)));
        }
        rest = &rest[mark.len() - 1..];
        let mut groups = (0..count).map(|_| parse(group(&mut rest)));
        let (a, b) = (groups.next().unwrap_or_default(), groups.next().unwrap_or_default());
        pieces.push(match mark {
            "_{" => FormulaPiece::Lower(a),
            "^{" => FormulaPiece::Raise(a),
            "frac{" => FormulaPiece::Fraction(a, b),
            _ => FormulaPiece::Sum(a, b),
        });
    }
    if !plain.is_empty() {
        pieces.push(FormulaPiece::Text(plain));
    }
    pieces
}

/// Removes `{…}` from the front of `rest` and returns its contents.
fn group<'a>(rest: &mut &'a str) -> &'a str {
    let whole = *rest;
    let mut depth = 0;
    for (at, c) in whole.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            *rest = &whole[at + c.len_utf8()..];
            return whole.get(1..at).unwrap_or_default();
        }
    }
    *rest = "";
    whole.get(1..).unwrap_or_default()
}

/// Single letters are quantities and italic; words are upright.
fn letters(text: &str, size: f32, color: Color32) -> LayoutJob {
    let mut job = LayoutJob { break_on_newline: false, ..LayoutJob::default() };
    job.wrap.max_width = f32::INFINITY;
    let mut append = |text: &str, italics: bool| {
        let format = TextFormat { font_id: FontId::proportional(size), color, italics, ..TextFormat::default() };
        job.append(text, 0.0, format);
    };
    let chars: Vec<char> = text.chars().collect();
    let letter = |at: Option<&char>| at.is_some_and(|c| c.is_ascii_alphabetic());
    for (at, c) in chars.iter().enumerate() {
        let alone =
            letter(Some(c)) && !letter(at.checked_sub(1).and_then(|k| chars.get(k))) && !letter(chars.get(at + 1));
        append(c.encode_utf8(&mut [0; 4]), alone);
    }
    job
}

fn set_text(ui: &Ui, text: &str, size: f32, color: Color32) -> Typeset {
    let galley = ui.painter().layout_job(letters(text, size, color));
    // The base line of the font's rows.
    let ascent =
        galley.rows.first().and_then(|row| row.row.glyphs.first().map(|glyph| glyph.pos.y)).unwrap_or(size * 0.8);
    let (width, height) = (galley.size().x, galley.size().y);
    Typeset {
        width,
        above: ascent,
        below: height - ascent,
        texts: vec![(vec2(0.0, -ascent), galley)],
        lines: Vec::new(),
    }
}

impl Typeset {
    /// Adds `other`, with the left end of its base line at `at`.
    fn add(&mut self, other: Self, at: Vec2) {
        self.width = self.width.max(at.x + other.width);
        self.above = self.above.max(other.above - at.y);
        self.below = self.below.max(other.below + at.y);
        self.texts.extend(other.texts.into_iter().map(|(offset, galley)| (offset + at, galley)));
        self.lines.extend(other.lines.into_iter().map(|(offset, length)| (offset + at, length)));
    }
}

fn set_row(ui: &Ui, pieces: &[FormulaPiece], size: f32, color: Color32) -> Typeset {
    let mut row = Typeset::default();
    let small = size * 0.7;
    // Start of a subscript or superscript: one above the other if both follow the same letter.
    let mut scripts_from: Option<f32> = None;
    for piece in pieces {
        let x = row.width;
        match piece {
            FormulaPiece::Text(text) => row.add(set_text(ui, text, size, color), vec2(x, 0.0)),
            FormulaPiece::Lower(inner) | FormulaPiece::Raise(inner) => {
                let from = *scripts_from.get_or_insert(x);
                let y = if matches!(piece, FormulaPiece::Lower(_)) { size * 0.22 } else { -size * 0.42 };
                row.add(set_row(ui, inner, small, color), vec2(from, y));
                continue;
            }
            FormulaPiece::Fraction(over, under) => {
                let (over, under) = (set_row(ui, over, size * 0.9, color), set_row(ui, under, size * 0.9, color));
                let width = over.width.max(under.width) + size * 0.3;
                let axis = -size * 0.3;
                let (up, down) = (axis - 1.5 - over.below * 0.75, axis + 1.5 + under.above * 0.95);
                let (a, b) = (x + (width - over.width) / 2.0, x + (width - under.width) / 2.0);
                row.add(over, vec2(a, up));
                row.add(under, vec2(b, down));
                row.lines.push((vec2(x, axis), width));
                row.width = row.width.max(x + width) + size * 0.12;
            }
            FormulaPiece::Sum(from, to) => {
                let sign = set_text(ui, "∑", size * 1.5, color);
                let (from, to) = (set_row(ui, from, small, color), set_row(ui, to, small, color));
                let width = sign.width.max(from.width).max(to.width);
                let drop = size * 0.25;
                let place = |set: &Typeset| x + (width - set.width) / 2.0;
                let (s, f, t) = (place(&sign), place(&from), place(&to));
                let (down, up) = (drop + sign.below * 0.7 + from.above * 0.9, drop - sign.above * 0.8 - to.below * 0.6);
                row.add(sign, vec2(s, drop));
                row.add(from, vec2(f, down));
                row.add(to, vec2(t, up));
                row.width = x + width + size * 0.15;
            }
        }
        scripts_from = None;
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formula_syntax_is_parsed_and_spoken_in_one_line() {
        assert_eq!(formula_to_speech("φ = frac{θ}{T} n_{i}^{2}"), "φ = (θ)/(T) n_i^2");
        assert_eq!(formula_to_speech("sum{i=1}{T} s(t)"), "sum over i=1 to T of  s(t)");
        assert_eq!(formula_to_speech("sum{s≤t}{} o"), "sum over s≤t of  o");
        assert_eq!(
            parse("a_{b_{c}}"),
            [
                FormulaPiece::Text("a".into()),
                FormulaPiece::Lower(vec![
                    FormulaPiece::Text("b".into()),
                    FormulaPiece::Lower(vec![FormulaPiece::Text("c".into())])
                ])
            ]
        );
        for broken in ["frac{a", "a_{", "sum{", "}{", "frac{}{}", ""] {
            parse(broken);
        }
    }
}
