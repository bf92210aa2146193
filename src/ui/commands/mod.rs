//! Everything the window can be told to do, in one list: menus, shortcuts and the palette draw on it. A command knows
//! whether it can be given now, and why not; its words stand with the other texts.

mod act;
pub mod keys;
pub mod list;
pub mod menu;
