//! Rows of a file of labels: a class and a box in fractions of the picture, or an outline.

use super::names::ClassNames;

/// Coordinates may pass the edge by this much, by rounding, as training programs allow.
const TOLERANCE: f64 = 0.01;
/// What a row must be, for errors.
const FORM: &str = "a row is class, center x, center y, width and height, or class and the points of an outline";

/// One object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LabelRow {
    pub class: u16,
    /// Left, top, right and bottom in fractions of the picture; may pass its edge.
    pub corners: [f64; 4],
    /// Whether it is the box around an outline.
    pub is_outline: bool,
    /// Counted from 1.
    pub line: usize,
}

/// Reads the rows of `text`.
///
/// # Errors
/// The line, counted from 1, and the reason.
pub(super) fn parse(text: &str, names: &ClassNames) -> Result<Vec<LabelRow>, (usize, String)> {
    let rows = text.lines().enumerate().map(|(at, line)| (at + 1, line.split_whitespace().collect::<Vec<_>>()));
    let rows = rows.filter(|(_, fields)| !fields.is_empty());
    rows.map(|(line, fields)| row(line, &fields, names).map_err(|reason| (line, reason))).collect()
}

fn row(line: usize, fields: &[&str], names: &ClassNames) -> Result<LabelRow, String> {
    let numbers = fields.iter().map(|field| {
        let number = field.parse::<f64>().ok().filter(|number| number.is_finite());
        number
            .ok_or_else(|| format!("has '{}', which is no number; {FORM}", field.chars().take(40).collect::<String>()))
    });
    let numbers = numbers.collect::<Result<Vec<f64>, String>>()?;
    let (class, values) = numbers.split_first().ok_or("is empty")?;
    let is_class = class.fract() == 0.0 && (0.0..f64::from(u16::MAX)).contains(class);
    let class = is_class
        .then_some(*class as u16)
        .ok_or_else(|| format!("has the class {class}; classes are whole numbers from 0 to {}", u16::MAX - 1))?;
    if let Some((known, file)) = &names.names
        && usize::from(class) >= known.len()
    {
        let last = known.len().saturating_sub(1);
        return Err(format!("has the class {class}, but {file} has only {} classes (0 to {last})", known.len()));
    }
    let is_outline = match values.len() {
        4 => false,
        // Keypoints of a pose stand behind its box.
        count if names.keypoints.is_some_and(|keypoints| count == 4 + keypoints) => false,
        5 => return Err(format!("has six values; a row with a score is a prediction, and {FORM}")),
        count if count >= 6 && count.is_multiple_of(2) && names.keypoints.is_none() => true,
        count => return Err(format!("has {} values; {FORM}", count + 1)),
    };
    let coordinates = if is_outline { values } else { &values[..4] };
    if let Some(bad) = coordinates.iter().find(|value| !(-TOLERANCE..=1.0 + TOLERANCE).contains(*value)) {
        return Err(format!("has the coordinate {bad}; coordinates are fractions of the picture, from 0 to 1"));
    }
    let corners = match *coordinates {
        [x, y, w, h] => {
            if w < 0.0 || h < 0.0 {
                return Err(format!("has the width {w} and the height {h}, of which one is below 0"));
            }
            [x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0]
        }
        _ => {
            let side = |axis: usize| coordinates.iter().copied().skip(axis).step_by(2);
            let least = |axis| side(axis).fold(f64::INFINITY, f64::min);
            let most = |axis| side(axis).fold(f64::NEG_INFINITY, f64::max);
            [least(0), least(1), most(0), most(1)]
        }
    };
    Ok(LabelRow { class, corners, is_outline, line })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(count: usize) -> ClassNames {
        ClassNames { names: Some((vec!["a".into(); count], "data.yaml".into())), ..ClassNames::default() }
    }

    #[test]
    fn boxes_outlines_and_poses_become_corners() {
        let rows = parse("\n0 0.5 0.5 0.25 1\r\n\n1.0 0.1 0.2 0.3 0.1 0.2 0.6\n", &named(2)).unwrap();
        assert_eq!((rows[0].class, rows[0].corners, rows[0].line), (0, [0.375, 0.0, 0.625, 1.0], 2));
        assert_eq!((rows[1].class, rows[1].corners, rows[1].is_outline), (1, [0.1, 0.1, 0.3, 0.6], true));
        assert_eq!(rows[1].line, 4);
        let pose = ClassNames { keypoints: Some(6), ..ClassNames::default() };
        let rows = parse("3 0.5 0.5 0.5 0.5 0.1 0.2 2 0.3 0.4 1", &pose).unwrap();
        assert_eq!((rows[0].class, rows[0].corners), (3, [0.25, 0.25, 0.75, 0.75]));
        assert_eq!(parse("", &named(1)).unwrap(), []);
    }

    #[test]
    fn rows_that_are_no_labels_are_refused_with_their_line() {
        let refused = |text: &str, says: &str| {
            let (line, reason) = parse(text, &named(3)).unwrap_err();
            assert!(line == 2 && reason.contains(says), "{line} {reason}");
        };
        let after = |row: &str| format!("0 0.5 0.5 0.1 0.1\n{row}\n");
        for (row, says) in [
            ("3 0.5 0.5 0.1 0.1", "has the class 3, but data.yaml has only 3 classes (0 to 2)"),
            ("-1 0.5 0.5 0.1 0.1", "has the class -1; classes are whole"),
            ("0.5 0.5 0.5 0.1 0.1", "has the class 0.5"),
            ("70000 0.5 0.5 0.1 0.1", "has the class 70000"),
            ("cat 0.5 0.5 0.1 0.1", "has 'cat', which is no number"),
            ("0,0.5,0.5,0.1,0.1", "which is no number"),
            ("0 nan 0.5 0.1 0.1", "has 'nan'"),
            ("0 320 240 64 48", "has the coordinate 320; coordinates are fractions"),
            ("0 0.5 0.5 -0.1 0.1", "has the coordinate -0.1"),
            ("0 0.5 0.5 0.1", "has 4 values; a row is class"),
            ("0 0.5 0.5 0.1 0.1 0.9", "has six values; a row with a score"),
            ("0 0.5 0.5 0.1 0.1 0.2 0.2 0.3", "has 8 values"),
        ] {
            refused(&after(row), says);
        }
        // Rounded to the edge.
        assert!(parse("0 1.000001 0.5 0.1 0.1", &named(1)).is_ok());
    }
}
