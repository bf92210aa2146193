//! Widgets and plot helpers shared by panes and panels.

pub mod choice;
pub mod decimate;
pub mod finding_list;
pub mod formula;
pub mod gesture;
pub mod heat_map;
pub mod help;
pub mod ledger_unit;
pub mod legend;
pub mod markdown;
pub mod number_field;
pub mod pane_frame;
pub mod pane_parts;
pub mod plot_description;
pub mod regions;
pub mod shared_axis;
pub mod stale_overlay;
pub mod wanted_file;
