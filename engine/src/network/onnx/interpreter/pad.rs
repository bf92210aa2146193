//! Padding with a constant, the edge, a reflection, or the other end.

use super::index::{self, ravel, unravel};
use super::operator::{Built, Operator, Site};

/// Maximum length that is added to an axis.
const MAX_PAD: i64 = 1 << 30;

/// Padding of one axis; negative padding crops.
struct Side {
    begin: i64,
    /// First and last position of the input that are left after cropping, exclusive end.
    from: i64,
    to: i64,
    output: usize,
}

impl Side {
    /// The position of the input at output position `at`; `None` in constant padding.
    fn source(&self, at: usize, mode: &str) -> Option<i64> {
        let length = self.to - self.from;
        // Position among those that are left.
        let at = at as i64 - self.begin.max(0);
        if (0..length).contains(&at) {
            return Some(self.from + at);
        }
        let at = match mode {
            "edge" => at.clamp(0, length - 1),
            "wrap" => at.rem_euclid(length),
            "reflect" if length == 1 => 0,
            "reflect" => {
                let around = at.rem_euclid(2 * length - 2);
                around.min(2 * length - 2 - around)
            }
            _ => return None,
        };
        Some(self.from + at)
    }
}

/// `Pad`, whose pads and value are attributes before operator set 11.
pub fn pad(site: &Site) -> Built {
    let kind = site.kind(0)?.clone();
    let rank = kind.shape.len();
    let mode = site.choice("mode", &["constant", "reflect", "edge", "wrap"])?;
    let is_old = site.opset < 11;
    let pads = if is_old { site.ints("pads").map(<[i64]>::to_vec) } else { site.constant_ints(1)? };
    let pads = pads.ok_or("its pads are missing")?;
    let value = if is_old { site.float("value", 0.0) } else { 0.0 };
    let reads_value = !is_old && site.optional(2).is_some();
    if reads_value {
        site.require_count(2, 1)?;
    }
    let axes = match site.constant_ints(3)? {
        Some(axes) => index::axes(&axes, rank)?,
        None => (0..rank).collect(),
    };
    if pads.len() != 2 * axes.len() || pads.iter().any(|&p| !(-MAX_PAD..=MAX_PAD).contains(&p)) {
        return Err(format!("pads {pads:?} do not fit {} axes", axes.len()));
    }
    let mut sides: Vec<Side> =
        kind.shape.iter().map(|&dim| Side { begin: 0, from: 0, to: dim as i64, output: dim }).collect();
    for (k, &axis) in axes.iter().enumerate() {
        let (begin, end, length) = (pads[k], pads[axes.len() + k], kind.shape[axis] as i64);
        let (from, to) = ((-begin).max(0), length + end.min(0));
        if to < from || to == from && mode != "constant" && begin.max(end) > 0 {
            return Err(format!("pads {pads:?} leave nothing of its input"));
        }
        let output = usize::try_from(length + begin + end).map_err(|_| "its pads remove more than its input")?;
        sides[axis] = Side { begin, from, to, output };
    }
    let shape: Vec<usize> = sides.iter().map(|side| side.output).collect();
    let (from, to) = (kind.shape, shape.clone());
    Operator::one(kind.data_type, shape, move |index, fetch| {
        let position = unravel(index, &to);
        let sources: Option<Vec<usize>> =
            sides.iter().zip(position).map(|(side, at)| side.source(at, mode).map(|at| at as usize)).collect();
        match sources {
            Some(sources) => fetch.input(0, ravel(&sources, &from)),
            None if reads_value => fetch.input(2, 0),
            None => value,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_continue_the_input_and_negative_pads_crop() {
        let side = |begin: i64, end: i64| Side {
            begin,
            from: (-begin).max(0),
            to: 3 + end.min(0),
            output: (3 + begin + end) as usize,
        };
        let all =
            |side: &Side, mode: &str| (0..side.output).map(|at| side.source(at, mode).unwrap_or(9)).collect::<Vec<_>>();
        let wide = side(3, 2);
        assert_eq!(all(&wide, "constant"), [9, 9, 9, 0, 1, 2, 9, 9]);
        assert_eq!(all(&wide, "edge"), [0, 0, 0, 0, 1, 2, 2, 2]);
        assert_eq!(all(&wide, "reflect"), [1, 2, 1, 0, 1, 2, 1, 0]);
        assert_eq!(all(&wide, "wrap"), [0, 1, 2, 0, 1, 2, 0, 1]);
        assert_eq!(all(&side(-1, 1), "constant"), [1, 2, 9]);
    }
}
