//! Texts of *About* and of the list of keyboard shortcuts.

pub const ABOUT: &str = "About Spikescope";
pub const KEYS: &str = "Keyboard shortcuts";
pub const NAME_AND_VERSION: &str = concat!("Spikescope ", env!("CARGO_PKG_VERSION"));
pub const DESCRIPTION: &str = env!("CARGO_PKG_DESCRIPTION");
pub const LICENSE: &str = concat!("License: ", env!("CARGO_PKG_LICENSE"));
pub const DOCUMENTATION: &str = "Documentation: README.md and docs/ in the source; here Help > Glossary, the ? beside each \
     pane's tab, and the lessons.";

/// Keys that are no commands, with their effect.
pub const OTHER_KEYS: [(&str, &str); 5] = [
    ("Tab, Shift+Tab", "Next and previous control"),
    ("Esc", "Close what is on top, or restore a maximized pane"),
    ("Arrow keys on a slider", "Change its value"),
    ("Scroll on the T-curve", "Zoom; with Shift only the time"),
    ("Double click on a tab", "Maximize the pane"),
];
