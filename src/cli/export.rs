//! Command `export OUT…`: writes a run as files whose extensions select the formats.

use std::path::PathBuf;

use super::interrupt::cancel_on_interrupt;
use super::progress::Progress;
use crate::experiment::cache::Cache;
use crate::experiment::options::{
    RunArgs, check_theta, fit_default_ranges, settings_from_args, use_stated_scaling, with_config,
};
use crate::experiment::pipeline;
use crate::experiment::run_export::export_run;
use crate::export::nir::{NirReader, NirTarget, PoolExport};
use crate::{Error, Result};

/// Write a run as .nir, .npz, .nirdata, .html, .csv or .parquet.
#[derive(Clone, Debug, clap::Args)]
pub struct ExportArgs {
    /// Files to write: .nir (the network as a NIR graph), .npz or .nirdata (the recording), .html (a report), .csv or .parquet
    #[arg(value_name = "OUT", required = true)]
    pub files: Vec<PathBuf>,
    /// The program that a .nir file is for
    #[arg(long = "for", value_name = "nir|spikingjelly|snntorch|sinabs|norse", default_value = "nir")]
    pub reader: String,
    /// How average pools are written to .nir: avg or sum, instead of what the reader supports
    #[arg(long, value_name = "avg|sum")]
    pub pools: Option<String>,
    #[command(flatten)]
    pub options: RunArgs,
}

/// Runs the command.
///
/// # Errors
/// Those of the run; [`Error::Invalid`] for unknown extensions and for networks that a format cannot represent.
pub fn run(args: ExportArgs) -> Result<()> {
    let target = target(&args)?;
    let options = with_config(args.options)?;
    let mut settings = settings_from_args(&options)?;
    let mut cache = Cache::default();
    use_stated_scaling(&mut settings, &options, &mut cache)?;
    check_theta(&settings, &options, &mut cache)?;
    let progress = Progress::new();
    let control = progress.control(false);
    cancel_on_interrupt(&control)?;
    fit_default_ranges(&mut settings, &options, &mut cache, &control)?;
    let result = pipeline::run(&settings, &mut cache, &control);
    progress.clear();
    let run = result?;
    let mut first_error = None;
    for file in &args.files {
        let notes = export_run(&run, file, target, &progress.control(false));
        progress.clear();
        match notes {
            Ok(notes) => {
                notes.iter().for_each(|notes| println!("{notes}"));
                println!("wrote {}", file.display());
            }
            // One failure does not stop the other files.
            Err(error) if args.files.len() > 1 => {
                eprintln!("{} was not written", file.display());
                first_error.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    first_error.map_or(Ok(()), Err)
}

/// The reader and the pools of a NIR file.
fn target(args: &ExportArgs) -> Result<NirTarget> {
    let reader = NirReader::parse(&args.reader).ok_or_else(|| {
        let known: Vec<&str> = NirReader::ALL.into_iter().map(NirReader::as_str).collect();
        Error::Invalid(format!("Cannot export for '{}': unknown reader. Use {}.", args.reader, known.join(", ")))
    })?;
    let pools = match args.pools.as_deref() {
        None => reader.pools(),
        Some("avg") => PoolExport::Average,
        Some("sum") => PoolExport::Sum,
        Some(other) => {
            return Err(Error::Invalid(format!("Cannot export with pools '{other}': unknown word. Use avg or sum.")));
        }
    };
    Ok(NirTarget { reader, pools })
}
