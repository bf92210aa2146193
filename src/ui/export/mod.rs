//! Taking what is on the screen along: a pane as a picture, as lines and text, as a table; the run of time as an animation.
//! Drawn apart from the window, on a thread of its own, with what the window remembers of the pane.

mod animation;
pub mod jobs;
pub mod offscreen;
pub mod software_renderer;
pub mod svg;

pub use offscreen::{OffscreenPane, SCALE, png};
