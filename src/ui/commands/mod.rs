//! Commands of the window: list, effects, keyboard shortcuts and menu bar.

mod act;
pub mod keys;
pub mod list;
pub mod menu;
