//! Export: NIR graphs of converted networks, recordings, results tables and HTML reports.
//!
//! Imports no windows or threads.

pub mod html_report;
pub mod long_table;
pub mod nir;
mod parquet;
pub mod recording;
pub mod results_table;
mod svg_charts;

pub use nir::fidelity::{Fidelity, FidelityReport};
