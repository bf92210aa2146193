//! Command `trojan synthesize`: makes pictures of what the network reacts to, by nine methods.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use crate::Result;
use crate::cli::interrupt::cancel_on_interrupt;
use crate::cli::progress::Progress;
use crate::trojan::folder::Planted;
use crate::trojan::synthesis::{Method, SynthesisOptions, synthesize};

/// Make pictures of what the network reacts to, by nine synthesis methods.
#[derive(Args, Clone, Debug)]
pub struct SynthesizeArgs {
    /// Folder of `trojan plant`, or builtin:objects-trojans
    pub planted: String,
    /// Synthesis methods, with commas between them, or all
    #[arg(long, value_name = "NAMES", default_value = "all")]
    pub methods: String,
    /// Trojans by their names, with commas between them, or all
    #[arg(long, value_name = "NAMES", default_value = "all")]
    pub trojans: String,
    /// Pictures for each trojan and method
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub pictures: usize,
    /// Decides all random draws
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Folder for the pictures; what is there already is not made again
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// Those of the folder, of the options and of [`synthesize`].
pub(super) fn run(args: &SynthesizeArgs) -> Result<()> {
    let methods = Method::parse_list(&args.methods)?;
    let planted = Planted::open(&args.planted)?;
    let trojans = planted.trojans(&args.trojans)?;
    let display = Progress::new();
    let control = display.control(true);
    cancel_on_interrupt(&control)?;
    let started = Instant::now();
    let options = SynthesisOptions { methods, trojans, pictures: args.pictures, seed: args.seed };
    let index = synthesize(&planted, &options, &args.out, &control);
    display.clear();
    let index = index?;
    println!("{:<18} {:>8} {:>10} {:>10}", "method", "trojans", "success", "seconds");
    for method in Method::ALL {
        let items: Vec<_> = index.items.iter().filter(|item| item.method == method.word()).collect();
        if items.is_empty() {
            continue;
        }
        let all: Vec<f32> = items.iter().flat_map(|item| item.success.iter().copied()).collect();
        let success = 100.0 * all.iter().sum::<f32>() / all.len().max(1) as f32;
        let seconds: f32 = items.iter().map(|item| item.seconds).sum();
        println!("{:<18} {:>8} {success:>8.1} % {seconds:>10.1}", method.word(), items.len());
    }
    println!("wrote {} after {:.0} s", args.out.display(), started.elapsed().as_secs_f32());
    Ok(())
}
