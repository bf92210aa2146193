//! Colors, icons and color maps of both themes.

pub mod colormap;
pub mod colors;
pub mod icons;
