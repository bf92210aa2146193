//! Example: writes a made-up result for every row of a plan, to measure listing, status and merge at scale.
//!
//! usage: cargo run --release --example sweep_rows -- PLAN.toml OUT

use std::path::Path;

use rayon::prelude::*;
use spikescope::experiment::Settings;
use spikescope::sweep::Plan;
use spikescope::sweep::address::SourceDigests;
use spikescope::sweep::figures::{Figure, Figures};
use spikescope::sweep::folder::row_path;
use spikescope::sweep::row_file::{Environment, RowFile};
use spikescope::sweep::runner::addresses;
use spikescope::{Error, Result};

/// Steps of a row.
const STEPS: usize = 32;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [plan, out] = &arguments[..] else {
        return Err(Error::Invalid("usage: sweep_rows PLAN.toml OUT".into()));
    };
    let plan = Plan::open(Path::new(plan))?;
    let addresses = addresses(&plan, &SourceDigests::default())?;
    let value = |row: usize, k: usize| ((row * 31 + k * 7) % 1000) as f64 / 999.0;
    addresses.par_iter().enumerate().try_for_each(|(row, address)| {
        let Some(address) = address else { return Ok(()) };
        let curve = |shift: usize| Figure::Steps((0..STEPS).map(|t| value(row, t + shift)).collect());
        let names = ["ann_accuracy", "mean_steps", "mismatch", "presteps", "spikes", "synops"];
        let single = names.iter().enumerate().map(|(k, name)| ((*name).to_owned(), Figure::Value(value(row, k))));
        let curves = [("snn_accuracy".to_owned(), curve(0)), ("agreement".to_owned(), curve(1))];
        let figures = Figures(single.chain(curves).collect());
        let path = row_path(Path::new(out), address);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        }
        let file = RowFile::new(address.clone(), Settings::default(), figures, Environment::of_this_process(0.0));
        let text = serde_json::to_string_pretty(&file).map_err(|error| Error::Internal(error.to_string()))?;
        // Not synced: a hundred thousand times would take longer than what is measured.
        std::fs::write(&path, text + "\n").map_err(|error| Error::io(&path, error))
    })
}
