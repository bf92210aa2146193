//! Parser of Python literals, as NumPy writes them in array headers.

/// Maximum nesting; NumPy's headers have four levels.
const MAX_DEPTH: usize = 16;

/// A Python literal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Integer(i64),
    Bool(bool),
    None,
    /// A tuple.
    Tuple(Vec<Literal>),
    List(Vec<Literal>),
    /// Keys and values, in order.
    Dict(Vec<(Literal, Literal)>),
}

impl Literal {
    /// Parses `text`, which holds one literal. `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = Cursor { text, depth: 0 };
        let literal = rest.literal()?;
        rest.text.trim().is_empty().then_some(literal)
    }
    /// The value of `key` in a dictionary.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Dict(pairs) = self else { return None };
        pairs.iter().find(|(known, _)| known.text() == Some(key)).map(|(_, value)| value)
    }
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
    pub fn size(&self) -> Option<usize> {
        if let Self::Integer(number) = self { usize::try_from(*number).ok() } else { None }
    }
    /// The items of a list or tuple.
    pub fn items(&self) -> Option<&[Self]> {
        if let Self::Tuple(items) | Self::List(items) = self { Some(items) } else { None }
    }
}

struct Cursor<'a> {
    text: &'a str,
    depth: usize,
}

impl Cursor<'_> {
    fn literal(&mut self) -> Option<Literal> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        self.text = self.text.trim_start();
        let first = self.text.chars().next()?;
        let literal = match first {
            '\'' | '"' => Literal::Text(self.quoted(first)?),
            '(' => self.in_parentheses()?,
            '[' => Literal::List(self.items('[', ']')?.0),
            '{' => self.dict()?,
            'u' | 'b' if self.text[1..].starts_with(['\'', '"']) => {
                self.text = &self.text[1..];
                let quote = self.text.chars().next()?;
                Literal::Text(self.quoted(quote)?)
            }
            _ => self.word()?,
        };
        self.depth -= 1;
        Some(literal)
    }

    /// Skips `wanted` after white space. Returns whether it is there.
    fn skip(&mut self, wanted: char) -> bool {
        self.text = self.text.trim_start();
        let rest = self.text.strip_prefix(wanted);
        self.text = rest.unwrap_or(self.text);
        rest.is_some()
    }

    fn quoted(&mut self, quote: char) -> Option<String> {
        let (mut out, mut escaped) = (String::new(), false);
        for (at, c) in self.text.char_indices().skip(1) {
            match c {
                _ if escaped => {
                    out.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                _ if c == quote => {
                    self.text = &self.text[at + c.len_utf8()..];
                    return Some(out);
                }
                _ => out.push(c),
            }
        }
        None
    }

    /// Items up to `close`, and whether a comma follows the last one.
    fn items(&mut self, open: char, close: char) -> Option<(Vec<Literal>, bool)> {
        self.skip(open).then_some(())?;
        let (mut items, mut comma) = (Vec::new(), false);
        while !self.skip(close) {
            if !items.is_empty() && !comma {
                return None;
            }
            items.push(self.literal()?);
            comma = self.skip(',');
        }
        Some((items, comma))
    }

    fn in_parentheses(&mut self) -> Option<Literal> {
        let (mut items, comma) = self.items('(', ')')?;
        Some(if items.len() == 1 && !comma { items.remove(0) } else { Literal::Tuple(items) })
    }

    fn dict(&mut self) -> Option<Literal> {
        self.skip('{').then_some(())?;
        let (mut pairs, mut comma) = (Vec::new(), true);
        while !self.skip('}') {
            comma.then_some(())?;
            let key = self.literal()?;
            self.skip(':').then_some(())?;
            pairs.push((key, self.literal()?));
            comma = self.skip(',');
        }
        Some(Literal::Dict(pairs))
    }

    fn word(&mut self) -> Option<Literal> {
        let end =
            self.text.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '+').unwrap_or(self.text.len());
        let (word, rest) = self.text.split_at(end);
        self.text = rest;
        Some(match word {
            "True" => Literal::Bool(true),
            "False" => Literal::Bool(false),
            "None" => Literal::None,
            // Python 2 wrote long integers with an L.
            _ => Literal::Integer(word.strip_suffix('L').unwrap_or(word).parse().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_parsed() {
        let header = "{'descr': [('t', '<u8'), (('p', 'on'), '|b1'), ('', '|V3'), ('v', '<f4', (2,))], 'fortran_order': False, 'shape': (3L,), }  \n";
        let header = Literal::parse(header).unwrap();
        let fields = header.get("descr").and_then(Literal::items).unwrap();
        assert_eq!(fields.len(), 4);
        let name = fields[1].items().unwrap()[0].items().unwrap();
        assert_eq!(name[1].text(), Some("on"));
        assert_eq!(header.get("shape").unwrap().items().unwrap()[0].size(), Some(3));
        assert_eq!(header.get("fortran_order"), Some(&Literal::Bool(false)));
        assert_eq!(Literal::parse("(('a'))"), Some(Literal::Text("a".into())));
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "{", "[1 2]", "{'a' 1}", "'a", "1.5", "[1], 2", &"(".repeat(99), "u", "{1: 2 3: 4}"] {
            assert_eq!(Literal::parse(text), None, "{text}");
        }
    }
}
