//! Texts of dialogs, popups and hints.

pub mod about;
pub mod file_dialog;
pub mod first_start_hints;
pub mod glossary;
pub mod network_and_data;
pub mod session_dialogs;
