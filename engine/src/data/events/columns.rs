//! Columns of plain event arrays `[N, 4]`: which one is x, y, time and polarity, by their values.

use std::fmt;
use std::path::Path;

use crate::data::Note;
use crate::{Error, Result};

/// Names of the columns from left to right: a permutation of `x`, `y`, `t` and `p`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ColumnOrder([char; 4]);

/// Orders in use, the most usual first: tonic's arrays, those of DVSGesture and of rpg's text files.
const KNOWN: [&str; 6] = ["xytp", "xypt", "txyp", "tpxy", "pxyt", "ptxy"];
/// Upper limit of coordinates (exclusive).
const MAX_SIDE: f64 = 4096.0;

impl ColumnOrder {
    /// Parses four letters, each once.
    pub fn parse(text: &str) -> Option<Self> {
        let letters: [char; 4] = text.chars().collect::<Vec<_>>().try_into().ok()?;
        "xytp".chars().all(|letter| letters.contains(&letter)).then_some(Self(letters))
    }
    /// Index of the column `letter`.
    pub(super) fn column(self, letter: char) -> usize {
        self.0.iter().position(|known| *known == letter).unwrap_or(0)
    }
}

/// What all values of four columns have in common.
#[derive(Clone, Debug, Default)]
pub(super) struct ColumnStatistics([Column; 4]);

#[derive(Clone, Debug)]
struct Column {
    is_side: bool,
    /// Whether all values are 0 and 1, or -1 and 1.
    is_polarity: [bool; 2],
    grows: bool,
    /// First and last value.
    ends: Option<[f64; 2]>,
}

impl Default for Column {
    fn default() -> Self {
        Self { is_side: true, is_polarity: [true; 2], grows: true, ends: None }
    }
}

impl ColumnStatistics {
    /// Adds one row.
    #[inline]
    pub fn add(&mut self, row: [f64; 4]) {
        for (column, v) in self.0.iter_mut().zip(row) {
            column.is_side &= v.fract() == 0.0 && (0.0..MAX_SIDE).contains(&v);
            column.is_polarity[0] &= v == 0.0 || v == 1.0;
            column.is_polarity[1] &= v == -1.0 || v == 1.0;
            let [first, last] = column.ends.unwrap_or([v; 2]);
            column.grows &= last <= v;
            column.ends = Some([first, v]);
        }
    }

    /// The orders that fit, the most likely first: coordinates are whole numbers, polarities have two values, and time
    /// never decreases.
    pub fn fitting(&self) -> Vec<ColumnOrder> {
        let column = |order: &ColumnOrder, letter: char| &self.0[order.column(letter)];
        let growth = |order: &ColumnOrder| column(order, 't').ends.map_or(0.0, |[first, last]| last - first);
        let known = KNOWN.iter().filter_map(|text| ColumnOrder::parse(text));
        let fits = |order: &ColumnOrder| {
            let time = column(order, 't');
            column(order, 'x').is_side
                && column(order, 'y').is_side
                && column(order, 'p').is_polarity.contains(&true)
                && time.grows
                && time.ends.is_some_and(|[first, last]| first != last)
        };
        let mut fitting: Vec<ColumnOrder> = known.filter(fits).collect();
        // Of several growing columns the one that grows most is the time.
        fitting.sort_by(|a, b| growth(b).total_cmp(&growth(a)));
        fitting
    }
}

/// The order of columns that all `files` fit; `None` without files.
///
/// # Errors
/// [`Error::File`] if the values of a file fit no order that those before it fit.
pub(super) fn find_order(
    files: &[(&Path, ColumnStatistics)],
    stated: Option<ColumnOrder>,
    notes: &mut Vec<Note>,
) -> Result<Option<ColumnOrder>> {
    let Some((first, rest)) = files.split_first() else { return Ok(None) };
    if stated.is_some() {
        return Ok(stated);
    }
    let mut fitting = first.1.fitting();
    let mut odd = first.0;
    for (path, statistics) in rest {
        let own = statistics.fitting();
        odd = if fitting.is_empty() { odd } else { path };
        fitting.retain(|order| own.contains(order));
    }
    let Some(&order) = fitting.first() else {
        let reason = "which of the four columns are x, y, time and polarity cannot be told from their values. State their \
                      order, such as order=xytp.";
        return Err(Error::file(odd, "", reason));
    };
    let words: Vec<String> = order.to_string().chars().map(String::from).collect();
    let note = Note::new(format!("the four columns are taken as {} by their values", words.join(", ")));
    notes.push(match fitting.get(1) {
        Some(other) => note.or_option("order", other),
        None => note,
    });
    Ok(Some(order))
}

impl fmt::Display for ColumnOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{letter}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitting(row: impl Fn(usize) -> [f64; 4]) -> Vec<String> {
        let mut statistics = ColumnStatistics::default();
        (0..50).for_each(|k| statistics.add(row(k)));
        statistics.fitting().iter().map(ColumnOrder::to_string).collect()
    }

    #[test]
    fn columns_are_recognized_by_their_values() {
        let [x, y, p] = [|k: usize| (k * 7 % 31) as f64, |k: usize| (k * 5 % 29) as f64, |k: usize| (k % 2) as f64];
        let t = |k: usize| k as f64 * 0.5;
        assert_eq!(fitting(|k| [x(k), y(k), t(k), p(k)]), ["xytp"]);
        assert_eq!(fitting(|k| [x(k), y(k), p(k) * 2.0 - 1.0, t(k)]), ["xypt"]);
        assert_eq!(fitting(|k| [t(k), x(k), y(k), p(k)]), ["txyp"]);
        // A lone pixel: the order is a guess among two.
        assert_eq!(fitting(|k| [1.0, 0.0, 1.0, k as f64]), ["xypt", "pxyt"]);
        assert_eq!(fitting(|k| [x(k), y(k), p(k), 3.0]), Vec::<String>::new());
        assert_eq!(fitting(|k| [x(k), y(k), 0.3, t(k)]), Vec::<String>::new());
    }

    #[test]
    fn orders_are_four_different_letters() {
        assert_eq!(ColumnOrder::parse("ptyx").map(|order| order.column('y')), Some(2));
        for text in ["", "xyt", "xxtp", "xytpp", "xyzp"] {
            assert_eq!(ColumnOrder::parse(text), None, "{text}");
        }
    }
}
