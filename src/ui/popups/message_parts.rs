//! Parts of a notification: sentences, reasons that are listed one by one, code.

use crate::experiment::run_export::REMARK_PYTHON;

/// A part of a text, drawn as a paragraph or as an entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    Text(&'a str),
    Item(&'a str),
    /// Lines of Python, as they stand.
    Code(&'a str),
}

/// The parts of `text`: each line is a paragraph; several reasons behind a colon, separated by semicolons, are a list; what
/// follows the line that announces Python is code.
pub fn split(text: &str) -> Vec<Part<'_>> {
    let (text, code) = match text.split_once(REMARK_PYTHON) {
        Some((before, code)) => (before, code.trim_matches('\n')),
        None => (text, ""),
    };
    let mut parts: Vec<Part<'_>> = text.lines().filter(|line| !line.trim().is_empty()).flat_map(line_parts).collect();
    if !code.is_empty() {
        parts.extend([Part::Text(REMARK_PYTHON), Part::Code(code)]);
    }
    parts
}

fn line_parts(line: &str) -> Vec<Part<'_>> {
    let reasons = line.find("; ").and_then(|first| {
        let colon = line[..first].rfind(": ")?;
        Some((&line[..=colon], &line[colon + 2..]))
    });
    let Some((head, reasons)) = reasons else {
        return match line.trim_start().strip_prefix("- ") {
            Some(item) => vec![Part::Item(item)],
            None => vec![Part::Text(line)],
        };
    };
    let mut parts = vec![Part::Text(head)];
    let mut reasons = reasons.split("; ").peekable();
    while let Some(reason) = reasons.next() {
        // What to do follows the last reason as a sentence of its own.
        let end = if reasons.peek().is_none() { reason.find(". ").map(|dot| dot + 1) } else { None };
        let (reason, advice) = reason.split_at(end.unwrap_or(reason.len()));
        parts.push(Part::Item(reason));
        parts.extend(Some(advice.trim()).filter(|advice| !advice.is_empty()).map(Part::Text));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_behind_a_colon_are_a_list_and_advice_stands_below() {
        use Part::{Code, Item, Text};
        let text = "Cannot open 'a.onnx': LSTM is not supported; 'x' has no shape. Use `check`.";
        let list = [Item("LSTM is not supported"), Item("'x' has no shape."), Text("Use `check`.")];
        assert_eq!(split(text), [&[Text("Cannot open 'a.onnx':")], &list[..]].concat());
        for plain in ["Cannot open 'a': no such file.", "One; two.", ""] {
            assert_eq!(split(plain), Vec::from_iter((!plain.is_empty()).then_some(Text(plain))));
        }
        let exported = format!(
            "Written: a.nir; faithful\n- reset\n{REMARK_PYTHON}\nnet = f(x)\nfor m in net: m.a = 1; m.b = {{1: 2}}"
        );
        let code = Code("net = f(x)\nfor m in net: m.a = 1; m.b = {1: 2}");
        assert_eq!(split(&exported)[2..], [Item("faithful"), Item("reset"), Text(REMARK_PYTHON), code]);
        assert_eq!(split("Left out:\n- a\n- b"), [Text("Left out:"), Item("a"), Item("b")]);
    }
}
