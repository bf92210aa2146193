//! Command `fetch NAME`: downloads and verifies a public data set.

use std::path::PathBuf;

use super::progress::Progress;
use crate::data::fetch::{default_dir, find};
use crate::{Error, Result};

/// Download a public data set by name: mnist, fashion-mnist or cifar10.
#[derive(Clone, Debug, clap::Args)]
pub struct FetchArgs {
    /// mnist, fashion-mnist or cifar10
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Folder to put it into [default: ~/.local/share/spikescope/NAME]
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// Those of [`crate::data::fetch::RemoteDataset::fetch`]; [`Error::Invalid`] for unknown names.
pub fn run(args: FetchArgs) -> Result<()> {
    let set = find(&args.name)?;
    let no_home = || Error::Invalid("Cannot fetch: there is no home folder. Name a folder with --to DIR.".into());
    let folder = args.to.or_else(|| default_dir().map(|home| home.join(set.name))).ok_or_else(no_home)?;
    let progress = Progress::new();
    progress.begin(set.name);
    let control = progress.control(true);
    let result = set.fetch(&folder, &|fraction| {
        control.progress("downloading", fraction);
        control.check()
    });
    progress.clear();
    result?;
    let [test, train] = set.specs(&folder);
    println!("{} is in {}", set.name, folder.display());
    println!("to run on it:       --data {test}");
    println!("to calibrate on it: --calibrate-data {train}");
    Ok(())
}
