//! Storage between starts: sessions, missing files, recent files and saved input scalings.

pub mod missing_files;
pub mod recent_files;
pub mod saved_scalings;
pub mod session;
pub mod session_text;
pub mod store;
