//! Lists of files: of a folder with its classes, and as text.

pub mod listing;
pub mod path_list;
