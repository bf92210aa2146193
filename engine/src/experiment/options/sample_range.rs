//! Ranges of sample indices as text: `FIRST..END`.

use std::ops::Range;

use crate::{Error, Result};

/// Parses `A..B` as a range of sample indices.
///
/// # Errors
/// [`Error::Invalid`] for other text and for empty ranges.
pub fn parse_range(text: &str) -> Result<Range<usize>> {
    let bad = || Error::Invalid(format!("Cannot use range '{text}': not a range. Use FIRST..END, for example 0..256."));
    let (a, b) = text.split_once("..").ok_or_else(bad)?;
    let range = a.trim().parse().map_err(|_| bad())?..b.trim().parse().map_err(|_| bad())?;
    if range.is_empty() {
        return Err(Error::Invalid(format!(
            "Cannot use range '{text}': it is empty. The end is exclusive and must be larger."
        )));
    }
    Ok(range)
}

/// A range of sample indices in the form that [`parse_range`] reads.
pub fn range_text(range: &Range<usize>) -> String {
    format!("{}..{}", range.start, range.end)
}
