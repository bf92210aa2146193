//! Enums shared by texts, state and drawing: panes, commands, file requests, export formats.

pub mod command;
pub mod export_format;
pub mod file_request;
pub mod lessons;
pub mod pane;
