//! Window tests: what a person sees and does, driven by accessible names, in one binary.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/desk.rs"]
mod desk;
#[path = "../common/lenet.rs"]
mod lenet;
#[path = "../common/recordings.rs"]
mod recordings;
#[path = "../common/scene_network.rs"]
mod scene_network;
#[path = "../common/shown.rs"]
mod shown;
#[path = "../common/snapshots.rs"]
mod snapshots;

mod accessible;
mod app;
mod attacked_pane;
mod autosave;
mod basics;
mod commands;
mod details;
mod detector;
mod draw;
mod exchange;
mod files;
mod first_use;
mod offers;
mod outputs;
mod pane_export;
mod panes;
mod small_screen;
mod sweep_pane;
mod teach_workspace;
mod walkthrough;
