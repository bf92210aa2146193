//! What is drawn. Panes read the lab and push messages; nothing here computes what a run would.

pub mod app;
mod colormap;
mod controls;
pub mod dialog;
mod divergence;
pub mod docks;
mod findings;
mod inspector;
mod keys;
mod layer_strip;
mod notices;
pub mod panes;
mod recipe_bar;
mod sample_strip;
pub mod shell;
pub mod shot;
mod signs;
pub mod software;
mod status_bar;
mod subject;
mod time_bar;
mod tones;
mod top_bar;
mod words;
