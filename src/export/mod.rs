//! What leaves the program: converted networks as NIR graphs, recordings, results as tables and reports. Knows no window
//! and no thread.

pub mod html_report;
pub mod nir;
mod parquet;
pub mod recording;
pub mod results_table;
mod svg_charts;

pub use nir::fidelity::{Fidelity, FidelityReport};
