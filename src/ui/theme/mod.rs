//! Theme: colors, icons and color maps for dark and light mode.

pub mod colormap;
pub mod colors;
pub mod icons;
