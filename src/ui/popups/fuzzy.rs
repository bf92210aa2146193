//! Fuzzy matching: finds labels by some of their letters, in order.
//!
//! Example: "opnet" finds "Open network…". It does not know widgets.

/// Scores of a letter at the start of a word, a letter right after the previous one, and any other letter.
const START_SCORE: i32 = 8;
const ADJACENT_SCORE: i32 = 9;
const LETTER_SCORE: i32 = 1;
/// Scores of a literal match from the start of a word, and of one that also ends with a word.
const LITERAL_SCORE: i32 = 100;
const WHOLE_WORD_SCORE: i32 = 50;

/// How well `wanted` matches `words`, and the positions (in characters) of its letters; `None` if they are not all
/// present in order. Ignores case and the spaces in `wanted`.
pub fn fuzzy_match(wanted: &str, words: &str) -> Option<(i32, Vec<usize>)> {
    let lower = |text: &str| text.chars().map(|c| c.to_lowercase().next().unwrap_or(c)).collect::<Vec<char>>();
    let (typed, words) = (lower(wanted.trim()), lower(words));
    if let Some((at, bonus)) = literal_match(&typed, &words) {
        let positions = (at..at + typed.len()).filter(|&place| !words[place].is_whitespace()).collect();
        return Some(((bonus + ADJACENT_SCORE * typed.len() as i32) * 100 - words.len() as i32, positions));
    }
    let wanted: Vec<char> = typed.into_iter().filter(|c| !c.is_whitespace()).collect();
    if wanted.is_empty() {
        return Some((0, Vec::new()));
    }
    let starts = |j: usize| j == 0 || !words[j - 1].is_alphanumeric();
    // best[j]: the best score of the letters so far with the last of them at position j, and the position of the one
    // before.
    let mut steps: Vec<Vec<Option<(i32, usize)>>> = Vec::with_capacity(wanted.len());
    for (i, letter) in wanted.iter().enumerate() {
        let mut best = vec![None; words.len()];
        let mut so_far: Option<(i32, usize)> = None;
        for (j, c) in words.iter().enumerate() {
            let before = steps.last();
            if c == letter {
                let here = if starts(j) { START_SCORE } else { LETTER_SCORE };
                best[j] = match before {
                    None if i == 0 => Some((here, j)),
                    _ => {
                        let next = j
                            .checked_sub(1)
                            .and_then(|k| before.and_then(|b| b[k]).map(|(s, _)| (s + ADJACENT_SCORE, k)));
                        so_far.into_iter().chain(next).max_by_key(|(score, _)| *score).map(|(s, k)| (s + here, k))
                    }
                };
            }
            if let Some((score, _)) = before.and_then(|b| b[j])
                && so_far.is_none_or(|(s, _)| score > s)
            {
                so_far = Some((score, j));
            }
        }
        steps.push(best);
    }
    let last = steps.last()?;
    let mut at =
        (0..words.len()).filter(|&j| last[j].is_some()).max_by_key(|&j| (last[j].map(|b| b.0), -(j as i64)))?;
    let score = last[at]?.0;
    let mut positions = vec![at];
    for step in steps.iter().skip(1).rev() {
        at = step[at]?.1;
        positions.push(at);
    }
    positions.reverse();
    // Of two equal matches, the shorter label ranks higher.
    Some((score * 100 - words.len() as i32, positions))
}

/// Position of a literal match of `typed` in `words`, at the start of a word, and its score.
fn literal_match(typed: &[char], words: &[char]) -> Option<(usize, i32)> {
    if typed.is_empty() {
        return None;
    }
    let at = |place: &usize| words[*place..].starts_with(typed) && (*place == 0 || !words[place - 1].is_alphanumeric());
    let ends = |place: usize| words.get(place + typed.len()).is_none_or(|next| !next.is_alphanumeric());
    let worth = |place| (place, LITERAL_SCORE + if ends(place) { WHOLE_WORD_SCORE } else { 0 });
    (0..words.len()).filter(at).map(worth).max_by_key(|(place, worth)| (*worth, std::cmp::Reverse(*place)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_match_in_order_and_word_starts_score_highest() {
        assert!(fuzzy_match("xyz", "Open network").is_none());
        assert!(fuzzy_match("nwo", "own").is_none());
        let score = |wanted, words| fuzzy_match(wanted, words).map(|m| m.0).unwrap_or(i32::MIN);
        assert!(score("on", "Open network") > score("on", "Reset region"));
        assert!(score("undo", "Undo: T 16 to 8") > score("undo", "Run the network once do"));
        assert!(score("space", "Workspace: Tune") > score("space", "Workspace: Explore"));
        assert!(score("light", "Light theme") > score("light", "Look into graphs, have time"));
        assert!(score("run 9", "Compare with run 9: a long sentence") > score("run 9", "Compare with run 8: T 9"));
        assert!(score("run 1", "Compare with run 1: a long sentence") > score("run 1", "Compare with run 10: T"));
        assert_eq!(fuzzy_match("O N", "Open network").unwrap().1, [0, 5]);
        assert_eq!(fuzzy_match("net", "Open network").unwrap().1, [5, 6, 7]);
    }

    #[test]
    fn empty_and_non_ascii_labels_are_matched() {
        assert_eq!(fuzzy_match("", "x"), Some((0, Vec::new())));
        assert!(fuzzy_match("a", "").is_none());
        assert_eq!(fuzzy_match("Θ", "θ of conv1").unwrap().1, [0]);
    }
}
