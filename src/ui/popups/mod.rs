//! Popups and dialogs that are drawn over the panes.

pub mod about;
pub mod advanced_settings;
pub mod architecture_draft;
pub mod command_palette;
pub mod event_binning;
pub mod first_start_hints;
pub mod fuzzy;
pub mod glossary;
mod message_parts;
pub mod network_and_data;
pub mod notifications;
pub mod session_dialogs;
mod time_step;
