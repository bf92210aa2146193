//! Texts of the three first-start hints, with their titles.

/// Title and text of each hint.
pub const STEPS: [(&str, &str); 3] = [
    (
        "A network is running",
        "The network was converted to an SNN and runs for T steps. Drag T: every plot updates while you drag, \
         and Ctrl+Z undoes it.",
    ),
    (
        "Find the error",
        "The bars of a layer show its error by source. Click a layer to inspect it; the panes on the right show its \
         neurons.",
    ),
    (
        "Get help",
        "The ? of a pane explains it with the current numbers. Ctrl+Shift+P finds every command by a few letters.",
    ),
];

pub const NEXT: &str = "Next";
pub const DONE: &str = "Done";
pub const LEAVE: &str = "Close hints";

pub fn progress(step: usize, of: usize) -> String {
    format!("{step} of {of}")
}
