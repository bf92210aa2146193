//! Window state: values kept between frames that are not part of the document.

pub mod architecture_draft;
pub mod command_palette;
pub mod first_start;
pub mod frame_times;
pub mod lesson;
pub mod pane_export;
pub mod pane_layout;
pub mod responsive;
pub mod thumbnails;
pub mod window;
