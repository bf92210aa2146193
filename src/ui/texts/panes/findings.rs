//! Texts of the findings pane.

pub const EMPTY: &str = "No run yet. Open a network.";
pub const TITLE: &str = "Findings about network, data and conversion";

/// Three sentences: how many, how many have a fix, and the first.
pub fn explain(counts: &str, fixes: usize, first: &str) -> String {
    let fixes = match fixes {
        0 => "None has a fix by one setting.".to_owned(),
        1 => "One has a button that fixes it.".to_owned(),
        _ => format!("{fixes} have a button that fixes them."),
    };
    format!("{counts}. {fixes}{first}")
}

/// The most serious finding.
pub fn first(finding: &str) -> String {
    format!(" The most serious one: {finding}")
}

/// What the pane shows, for screen readers.
pub fn describe(counts: &str) -> String {
    format!("List of the findings about this run. {counts}.")
}
