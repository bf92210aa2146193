//! Command `events DATA`: describes recordings of event cameras and converts one to a NumPy array.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::interrupt;
use super::progress::Progress;
use crate::data::events::generator::{self, EventSplit, SENSOR_SIDE};
use crate::data::events::{Binning, Event, Recording, recordings, write_npy};
use crate::data::spec::Source;
use crate::data::{DataSpec, Note};
use crate::{Error, Result};

/// Describe recordings of event cameras, and convert one to a NumPy array.
#[derive(Clone, Debug, clap::Args)]
pub struct EventsArgs {
    /// A recording, a folder of them or builtin:events-digits, with options as for --data: FILE,unit=ms,order=xytp
    #[arg(value_name = "DATA")]
    pub data: String,
    /// Write the events as records x, y, t (microseconds) and p, as tonic has them
    #[arg(long, value_name = "FILE.npy")]
    pub out: Option<PathBuf>,
    /// Only recording N of several, counted from 0 as samples are
    #[arg(long, value_name = "N")]
    pub recording: Option<usize>,
    /// Print the description as JSON
    #[arg(long)]
    pub json: bool,
}

/// What is printed about one recording.
struct Description {
    file: String,
    format: &'static str,
    events: u64,
    on: u64,
    sensor: [usize; 2],
    first_us: i64,
    /// From the first event to the last one, in nanoseconds.
    span: u64,
}

/// Called with the number of events that are done, now and then.
type Each<'a> = dyn FnMut(&str, u64) -> Result<()> + 'a;

/// Runs the command. Files are read as streams: memory does not grow with the number of events.
///
/// # Errors
/// Those of the readers; [`Error::Invalid`] for data that is no recording, and for `--out` with several of them or
/// another ending than `.npy`.
pub fn run(args: EventsArgs) -> Result<()> {
    let source = source_of(&args.data)?;
    if let Some(out) =
        args.out.as_ref().filter(|out| !out.extension().is_some_and(|end| end.eq_ignore_ascii_case("npy")))
    {
        return Err(Error::Invalid(format!(
            "Cannot write events to '{}': they are written as a NumPy array. Use a name that ends in .npy.",
            out.display()
        )));
    }
    interrupt::listen()?;
    let progress = Progress::new();
    let mut each = |verb: &str, events: u64| {
        progress.show(format!("{verb} events: {events}"));
        if interrupt::interrupted() { Err(Error::Cancelled) } else { Ok(()) }
    };
    let found = match source {
        Source::EventDigits { split, .. } => {
            let seed = DataSpec::parse(&args.data).map(|spec| spec.options.seed.unwrap_or(0))?;
            of_generated((split, seed), &args, &mut each)
        }
        Source::Events { paths, binning } => of_files((&paths, &binning), &args, &mut each),
        _ => Err(Error::Internal("a specification of events is of something else".into())),
    };
    progress.clear();
    let (recordings, notes) = found?;
    match args.json {
        true => println!("{}", report(&recordings, &notes)),
        false => print(&recordings, &notes),
    }
    Ok(())
}

/// The recordings that `data` names: a path, or a specification with or without `events:`.
fn source_of(data: &str) -> Result<Source> {
    if Path::new(data).exists() {
        return Ok(Source::Events { paths: vec![data.into()], binning: Binning::default() });
    }
    let (kind, _) = data.trim().split_once(':').unwrap_or_default();
    let text = match DataSpec::parse(data) {
        Ok(DataSpec { source: source @ (Source::Events { .. } | Source::EventDigits { .. }), .. }) => {
            return Ok(source);
        }
        Ok(_) => {
            return Err(Error::Invalid(format!(
                "Cannot describe '{data}': its samples are no recordings of an event camera. Name a recording, a folder \
                 of them, or builtin:events-digits."
            )));
        }
        // The message on options of a kind that is stated.
        Err(error) if matches!(kind, "builtin" | "events") => return Err(error),
        Err(_) => format!("events:{data}"),
    };
    DataSpec::parse(&text).map(|spec| spec.source)
}

fn of_files(
    (paths, binning): (&[PathBuf], &Binning),
    args: &EventsArgs,
    each: &mut Each<'_>,
) -> Result<(Vec<Description>, Vec<Note>)> {
    let (mut recordings, notes) = recordings(paths, binning, &mut |events| each("reading", events))?;
    if let Some(index) = args.recording {
        check_index(index, recordings.len(), &args.data)?;
        recordings = vec![recordings.swap_remove(index)];
    }
    if let Some(out) = &args.out {
        let recording = only(&recordings)?;
        let microseconds = |elapsed| recording.microseconds(elapsed);
        let mut all = |visit: &mut dyn FnMut(u64, Event) -> Result<()>| recording.for_each(visit);
        write_npy(&mut all, (recording.count, &microseconds), out, &mut |events| each("writing", events))?;
    }
    Ok((recordings.iter().map(described).collect(), notes))
}

/// Recordings that the program makes, as if they were read.
fn of_generated(
    (split, seed): (EventSplit, u32),
    args: &EventsArgs,
    each: &mut Each<'_>,
) -> Result<(Vec<Description>, Vec<Note>)> {
    let name = |index: usize| format!("builtin:{} {index}", split.name());
    let describe = |(index, events): (usize, &[Event])| Description {
        file: name(index),
        format: "generated",
        events: events.len() as u64,
        on: events.iter().map(|event| u64::from(event.p)).sum(),
        sensor: [SENSOR_SIDE; 2],
        first_us: events.first().map_or(0, |event| (event.t / 1000) as i64),
        span: events.first().zip(events.last()).map_or(0, |(first, last)| last.t - first.t + 1000),
    };
    if let Some(index) = args.recording {
        check_index(index, split.count(), &args.data)?;
    }
    let Some(index) = args.recording else {
        if args.out.is_some() {
            return Err(several(split.count()));
        }
        let (mut all, mut read) = (Vec::new(), 0);
        for (index, (events, _)) in generator::recordings(split, seed).enumerate() {
            read += events.len() as u64;
            each("generating", read)?;
            all.push(describe((index, &events)));
        }
        return Ok((all, Vec::new()));
    };
    let (events, _) = generator::recording(split, seed, index);
    if let Some(out) = &args.out {
        let mut all = |visit: &mut dyn FnMut(u64, Event) -> Result<()>| {
            (0..).zip(&events).try_for_each(|(index, event)| visit(index, *event))
        };
        write_npy(&mut all, (events.len() as u64, &|elapsed| (elapsed / 1000) as i64), out, &mut |events| {
            each("writing", events)
        })?;
    }
    Ok((vec![describe((index, &events))], Vec::new()))
}

fn check_index(index: usize, count: usize, data: &str) -> Result<()> {
    if index < count {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "Cannot describe recording {index} of '{data}': it has {count}. Use --recording 0 to {}.",
        count.saturating_sub(1)
    )))
}

fn only(recordings: &[Recording]) -> Result<&Recording> {
    match recordings {
        [one] => Ok(one),
        _ => Err(several(recordings.len())),
    }
}

fn several(count: usize) -> Error {
    Error::Invalid(format!(
        "Cannot write {count} recordings to one file. Name one of them, or choose one by --recording N."
    ))
}

fn described(recording: &Recording) -> Description {
    Description {
        file: recording.path().display().to_string(),
        format: recording.format(),
        events: recording.count,
        on: recording.on,
        sensor: recording.extent,
        first_us: recording.first_us(),
        span: recording.span()[0],
    }
}

fn report(recordings: &[Description], notes: &[Note]) -> Value {
    let all = recordings.iter().map(|recording| {
        json!({
            "file": recording.file,
            "format": recording.format,
            "events": recording.events,
            "on": recording.on,
            "width": recording.sensor[0],
            "height": recording.sensor[1],
            "first_us": recording.first_us,
            "duration_us": recording.span as f64 / 1e3,
        })
    });
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "recordings": all.collect::<Vec<_>>(),
        "notes": notes.iter().map(|note| note.text.as_str()).collect::<Vec<_>>(),
    })
}

fn print(recordings: &[Description], notes: &[Note]) {
    for recording in recordings {
        let [width, height] = recording.sensor;
        println!(
            "{}: {}, {} events ({:.1} % ON), {width}x{height} pixels, {:.3} ms from {} µs on",
            recording.file,
            recording.format,
            recording.events,
            recording.on as f64 / recording.events.max(1) as f64 * 100.0,
            recording.span as f64 / 1e6,
            recording.first_us
        );
    }
    notes.iter().for_each(|note| println!("note: {}", note.text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_written_under_the_name_of_a_numpy_array_alone() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let out = Some(dir.path().join(name));
            run(EventsArgs { data: "builtin:events-digits".into(), out, recording: Some(0), json: false })
        };
        let reason = write("x.csv").unwrap_err().to_string();
        assert!(reason.contains("x.csv") && reason.contains("ends in .npy"), "{reason}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
