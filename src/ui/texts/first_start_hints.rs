//! The three steps of the first start.

/// Each with its title.
pub const STEPS: [(&str, &str); 3] = [
    (
        "The lab is running",
        "A bundled network was converted to a spiking one and runs for T steps. Drag T: every plot follows while you drag, \
         and Ctrl+Z takes it back.",
    ),
    (
        "Where does it go wrong?",
        "The bars of a layer show what its error is made of. Click a layer to look into it; the panes on the right show its \
         neurons.",
    ),
    (
        "Ask",
        "The ? of a pane explains it with the numbers on the screen. Ctrl+Shift+P finds every command by a few letters.",
    ),
];

pub const NEXT: &str = "Next";
pub const DONE: &str = "Done";
pub const LEAVE: &str = "Take the hints away";

pub fn progress(step: usize, of: usize) -> String {
    format!("{step} of {of}")
}
