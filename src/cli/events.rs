//! Command `events DATA`: describes recordings of event cameras and converts one to a NumPy array.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::interrupt;
use super::progress::Progress;
use crate::data::events::{Binning, Recording, recordings, write_npy};
use crate::data::spec::Source;
use crate::data::{DataSpec, Note};
use crate::{Error, Result};

/// Describe recordings of event cameras, and convert one to a NumPy array.
#[derive(Clone, Debug, clap::Args)]
pub struct EventsArgs {
    /// A recording, or a folder of them, with options as for --data: FILE,unit=ms,order=xytp
    #[arg(value_name = "DATA")]
    pub data: String,
    /// Write the events as records x, y, t (microseconds) and p, as tonic has them
    #[arg(long, value_name = "FILE.npy")]
    pub out: Option<PathBuf>,
    /// Print the description as JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs the command. Files are read as streams: memory does not grow with the number of events.
///
/// # Errors
/// Those of the readers; [`Error::Invalid`] for data that is no recording, and for `--out` with several of them.
pub fn run(args: EventsArgs) -> Result<()> {
    let (paths, binning) = recordings_named(&args.data)?;
    interrupt::listen()?;
    let progress = Progress::new();
    let each = |verb: &str, events: u64| {
        progress.show(format!("{verb} events: {events}"));
        if interrupt::interrupted() { Err(Error::Cancelled) } else { Ok(()) }
    };
    let found = recordings(&paths, &binning, &mut |events| each("reading", events));
    let written = found.and_then(|(recordings, notes)| {
        if let Some(out) = &args.out {
            write_npy(only(&recordings)?, out, &mut |events| each("writing", events))?;
        }
        Ok((recordings, notes))
    });
    progress.clear();
    let (recordings, notes) = written?;
    match args.json {
        true => println!("{}", report(&recordings, &notes)),
        false => print(&recordings, &notes),
    }
    Ok(())
}

/// The files of `data` and how they are read: a path, or a specification with or without `events:`.
fn recordings_named(data: &str) -> Result<(Vec<PathBuf>, Binning)> {
    if Path::new(data).exists() {
        return Ok((vec![data.into()], Binning::default()));
    }
    let text = if data.starts_with("events:") { data.to_owned() } else { format!("events:{data}") };
    match DataSpec::parse(&text)?.source {
        Source::Events { paths, binning } => Ok((paths, binning)),
        _ => Err(Error::Internal("a specification of events is of something else".into())),
    }
}

fn only(recordings: &[Recording]) -> Result<&Recording> {
    match recordings {
        [one] => Ok(one),
        _ => {
            Err(Error::Invalid(format!("Cannot write {} recordings to one file. Name one of them.", recordings.len())))
        }
    }
}

fn report(recordings: &[Recording], notes: &[Note]) -> Value {
    let all = recordings.iter().map(|recording| {
        json!({
            "file": recording.path(),
            "format": recording.format(),
            "events": recording.count,
            "on": recording.on,
            "width": recording.extent[0],
            "height": recording.extent[1],
            "first_us": recording.first_us(),
            "duration_us": recording.span()[0] as f64 / 1e3,
        })
    });
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "recordings": all.collect::<Vec<_>>(),
        "notes": notes.iter().map(|note| note.text.as_str()).collect::<Vec<_>>(),
    })
}

fn print(recordings: &[Recording], notes: &[Note]) {
    for recording in recordings {
        let [width, height] = recording.extent;
        println!(
            "{}: {}, {} events ({:.1} % ON), {width}x{height} pixels, {:.3} ms from {} µs on",
            recording.path().display(),
            recording.format(),
            recording.count,
            recording.on as f64 / recording.count.max(1) as f64 * 100.0,
            recording.span()[0] as f64 / 1e6,
            recording.first_us()
        );
    }
    notes.iter().for_each(|note| println!("note: {}", note.text));
}
