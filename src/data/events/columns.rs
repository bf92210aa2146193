//! Columns of plain event arrays `[N, 4]`: which one is x, y, time and polarity, by their values.

use std::fmt;

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

    /// The orders that fit `values` `[N, 4]`, the most likely first: coordinates are whole numbers, polarities have two
    /// values, and time never decreases.
    pub(super) fn fitting(values: &[f64]) -> Vec<Self> {
        let column = |at: usize| values.iter().skip(at).step_by(4).copied();
        let is_side = |at: usize| column(at).all(|v| v.fract() == 0.0 && (0.0..MAX_SIDE).contains(&v));
        let is_polarity =
            |at: usize| column(at).all(|v| v == 0.0 || v == 1.0) || column(at).all(|v| v == -1.0 || v == 1.0);
        let is_time = |at: usize| {
            let mut pairs = column(at).zip(column(at).skip(1));
            pairs.all(|(a, b)| a <= b) && column(at).next() != column(at).last()
        };
        let known = KNOWN.iter().filter_map(|text| Self::parse(text));
        let fits = |order: &Self| {
            is_side(order.column('x'))
                && is_side(order.column('y'))
                && is_polarity(order.column('p'))
                && is_time(order.column('t'))
        };
        let mut fitting: Vec<Self> = known.filter(fits).collect();
        // Of several growing columns the one that grows most is the time.
        let growth = |order: &Self| {
            let at = order.column('t');
            column(at).last().unwrap_or(0.0) - column(at).next().unwrap_or(0.0)
        };
        fitting.sort_by(|a, b| growth(b).total_cmp(&growth(a)));
        fitting
    }
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
        let values: Vec<f64> = (0..50).flat_map(row).collect();
        ColumnOrder::fitting(&values).iter().map(ColumnOrder::to_string).collect()
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
