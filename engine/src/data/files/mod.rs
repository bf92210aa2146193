//! Lists of files: of a folder with its classes, and as text; and the encoding of text files.

pub mod listing;
pub mod path_list;
pub mod text;
