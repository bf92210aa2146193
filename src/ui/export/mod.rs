//! Export of panes: images, SVG, CSV tables and animations.
//!
//! Panes are drawn off screen on a separate thread, with the UI state that the window keeps for them.

mod animation;
pub mod jobs;
pub mod offscreen;
pub mod software_renderer;
pub mod svg;

pub use offscreen::{OffscreenPane, SCALE, png};
