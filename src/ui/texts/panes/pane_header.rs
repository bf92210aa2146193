//! Texts of the header of every pane, and of its loading state.

pub fn explain(pane: &str) -> String {
    format!("Explain: {pane}")
}

pub const CSV: &str = "CSV";
pub const CSV_HINT: &str = "Copy the data of this plot as a table";

pub fn copy_csv(pane: &str) -> String {
    format!("Copy CSV: {pane}")
}

pub const COUNTING: &str = "Computing…";
