//! What leaves the program: converted networks as NIR graphs, recordings, results as tables and reports. Knows no window
//! and no thread.

pub mod grade;
pub mod html;
mod html_charts;
pub mod nir;
mod parquet;
pub mod recording;
pub mod table;

pub use grade::{Grade, Graded};
