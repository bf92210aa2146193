//! Event recordings by format: detection, and streams of their events in constant memory.
//!
//! A first pass over a file finds count, extent and times; a second one reads its events for the frames.

mod aedat4;
mod camera;
mod detect;
mod numpy;
mod numpy_inputs;
mod numpy_streams;
mod text_header;
mod words;

use std::io::{BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use self::detect::{Format, format_of, text_header};
use self::text_header::TextHeader;
use self::words::Sink;
use super::binning::Binning;
use super::columns::{ColumnOrder, find_order};
use super::summary::{Clock, RawEvent, RawTime, Summary, TimeKind};
use super::unit::recognize;
use crate::data::Note;
use crate::data::bounded_read::open;
use crate::data::samples::event_source::Event;
use crate::{Error, Result};

/// Events between two reports of progress.
const EACH: u64 = 1 << 16;

/// One recording: where it is, and what a first pass over it found.
#[derive(Debug)]
pub struct Recording {
    path: PathBuf,
    format: Format,
    order: Option<ColumnOrder>,
    clock: Clock,
    /// The last row, from which rows are counted where y grows upward.
    bottom: Option<u16>,
    /// Width and height in pixels that the events cover, or that the file states.
    pub extent: [usize; 2],
    /// Number of events.
    pub count: u64,
    /// How many of them are brighter (ON).
    pub on: u64,
}

impl Recording {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// The name of its format.
    pub fn format(&self) -> &'static str {
        self.format.name()
    }
    /// Duration from the first event to the last one, inclusive, and the resolution, in nanoseconds.
    pub fn span(&self) -> [u64; 2] {
        [self.clock.span, self.clock.tick]
    }
    /// The earliest time in microseconds, as the file counts them; rounded to the nearest.
    pub fn first_us(&self) -> i64 {
        self.microseconds(0)
    }
    /// `elapsed` nanoseconds since the first event in microseconds, as the file counts them; rounded to the nearest.
    pub fn microseconds(&self, elapsed: u64) -> i64 {
        self.clock.microseconds(elapsed)
    }
    /// Calls `visit` with every event and its index, in file order.
    ///
    /// # Errors
    /// Those of `visit`, and [`Error::File`] if the file has changed.
    pub fn for_each(&self, visit: &mut dyn FnMut(u64, Event) -> Result<()>) -> Result<()> {
        let mut index = 0;
        let mut each = |event: RawEvent| {
            let RawEvent { x, mut y, p, t } = event;
            if let Some(bottom) = self.bottom {
                let outside =
                    || Error::file(&self.path, format!("event {index}"), format!("is in row {y} of {bottom}"));
                y = bottom.checked_sub(y).ok_or_else(outside)?;
            }
            visit(index, Event { x, y, t: self.clock.elapsed(t), p })?;
            index += 1;
            Ok(())
        };
        scan(&self.path, self.format, self.order, &mut each).map(drop)
    }
}

/// Reads the events of one recording, in file order.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read; [`Error::File`] for other formats, invalid records and empty recordings.
pub fn events(path: &Path) -> Result<Vec<Event>> {
    let (recordings, _) = read_recordings(&[path], &Binning::default(), &mut |_| Ok(()))?;
    let mut events = Vec::new();
    for recording in &recordings {
        recording.for_each(&mut |_, event| {
            events.push(event);
            Ok(())
        })?;
    }
    Ok(events)
}

/// Reads recordings whose columns and times mean the same in all files: as stated, or as the values of all suggest.
/// `each` is called with the number of events read so far, now and then, and can stop the work.
///
/// # Errors
/// As [`events`], and those of `each`.
pub fn read_recordings(
    paths: &[&Path],
    binning: &Binning,
    each: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<(Vec<Recording>, Vec<Note>)> {
    let (unit, order) = (binning.unit, binning.order);
    let formats = paths.iter().map(|path| format_of(path)).collect::<Result<Vec<_>>>()?;
    let (mut notes, mut columns) = (Vec::new(), Vec::new());
    for (path, format) in paths.iter().zip(&formats) {
        if *format == Format::Numpy
            && let Some(statistics) = numpy::column_statistics(path)?
        {
            columns.push((*path, statistics));
        }
    }
    let useless = |option: &str| {
        let first = paths.first().copied().unwrap_or(Path::new(""));
        Err(Error::file(first, "", format!("tells by itself what {option} states. Omit {option}.")))
    };
    if order.is_some() && columns.is_empty() {
        return useless("order=");
    }
    let order = find_order(&columns, order, &mut notes)?;
    let (mut summaries, mut read) = (Vec::with_capacity(paths.len()), 0u64);
    for (path, format) in paths.iter().zip(&formats) {
        let mut summary = Summary::new(TimeKind::default());
        let found = scan(path, *format, order, &mut |event| {
            let [x, y] = [event.x, event.y].map(usize::from);
            if let Some([width, height]) = binning.sensor.filter(|[width, height]| x >= *width || y >= *height) {
                let reason = format!("is at {x}, {y}, outside the stated sensor size of {width}x{height}");
                return Err(Error::file(path, format!("event {}", summary.count), reason));
            }
            summary.add(event);
            read += 1;
            if read.is_multiple_of(EACH) { each(read) } else { Ok(()) }
        })?;
        if summary.count == 0 {
            return Err(Error::file(path, "", "contains no event"));
        }
        summary.kind = found.kind;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        notes.extend(found.note.map(|text| Note::new(format!("{name}: {text}")).warning()));
        let [backwards, first] = summary.backwards;
        if backwards > 0 {
            let text = format!(
                "{name}: {backwards} of {} events are earlier than the one before (the first is event {first}); frames \
                 hold them at their times",
                summary.count
            );
            notes.push(Note::new(text).warning());
        }
        if let Some([width, height]) = found.sensor {
            let [wide, high] = summary.extent;
            if wide > width || high > height {
                let text = format!(
                    "{name}: the file states a sensor of {width}x{height} pixels, and its events cover {wide}x{high}; the \
                     larger sides are taken"
                );
                notes.push(Note::new(text).warning());
            }
            summary.extent = [summary.extent[0].max(width), summary.extent[1].max(height)];
        }
        summaries.push(summary);
    }
    let is_known = |summary: &Summary| matches!(summary.kind, TimeKind::Microseconds | TimeKind::InUnit(_));
    if unit.is_some() && summaries.iter().all(is_known) {
        return useless("unit=");
    }
    let (recognized, how) = recognize(&summaries);
    if let (None, Some((text, other))) = (unit, how) {
        notes.push(Note::new(text).or_option("unit", other.as_str()));
    }
    if formats.contains(&Format::EventStream) && !binning.upward {
        let text = "rows of Event Stream are taken as they are, from the top, as event_stream reads them; faery counts \
                    from the bottom";
        notes.push(Note::new(text).or_option("y", "up"));
    }
    let recording = |((path, format), summary): ((&&Path, &Format), &Summary)| {
        let clock = summary.clock(unit.unwrap_or(recognized));
        let clock = clock.ok_or_else(|| {
            Error::file(
                path,
                "times",
                "are not numbers, last longer than 584 years, or exceed 64 bits in \
                 microseconds. State another unit=, or subtract the first time",
            )
        })?;
        let Summary { extent, count, on, .. } = *summary;
        let height = binning.sensor.map_or(extent[1], |[_, height]| height);
        let bottom = binning.upward.then(|| u16::try_from(height - 1).unwrap_or(u16::MAX));
        Ok(Recording { path: path.to_path_buf(), format: *format, order, clock, bottom, extent, count, on })
    };
    let recordings = paths.iter().zip(&formats).zip(&summaries).map(recording).collect::<Result<Vec<_>>>()?;
    Ok((recordings, notes))
}

/// Whether the NumPy file at `path` holds events: records with their fields, four arrays of events, or four columns that
/// look like them.
pub fn holds_events(path: &Path) -> bool {
    match numpy::is_records(path) {
        Some(true) => true,
        Some(false) => {
            numpy::column_statistics(path).is_ok_and(|found| found.is_some_and(|found| !found.fitting().is_empty()))
        }
        None => false,
    }
}

/// What a file says besides its events.
#[derive(Default)]
struct Found {
    kind: TimeKind,
    /// Width and height of the sensor.
    sensor: Option<[usize; 2]>,
    /// What was left out, as a sentence.
    note: Option<String>,
}

/// Reads every event of the file at `path`.
fn scan(path: &Path, format: Format, order: Option<ColumnOrder>, sink: Sink<'_>) -> Result<Found> {
    if format == Format::Numpy {
        return Ok(Found { kind: numpy::scan(path, order, sink)?, ..Found::default() });
    }
    let mut reader = BufReader::with_capacity(1 << 16, open(path)?);
    let header = match format {
        Format::Dat | Format::Evt2 | Format::Evt3 => text_header(path)?,
        _ => TextHeader::default(),
    };
    reader.seek(SeekFrom::Start(header.len as u64)).map_err(|e| Error::io(path, e))?;
    let mut found = Found { sensor: header.sensor(), ..Found::default() };
    let (mut untimed, start) = (0, i128::from(header.start()));
    let sink: Sink<'_> = &mut |mut event| {
        if let RawTime::Integer(t) = &mut event.t {
            *t += start;
        }
        sink(event)
    };
    match format {
        Format::Nmnist => camera::scan_nmnist(path, &mut reader, sink)?,
        Format::Dat => camera::scan_dat(path, &header, &mut reader, sink)?,
        Format::Evt2 => untimed = camera::scan_evt2(path, &header, &mut reader, sink)?,
        Format::Evt3 => {
            let [without_time, missing] = camera::scan_evt3(path, &header, &mut reader, sink)?;
            untimed = without_time;
            if missing > 0 {
                found.note = Some(format!(
                    "{missing} upper time words are missing, as in files of expelliarmus; 4.096 ms are added wherever the \
                     lower word falls, and longer pauses are lost"
                ));
            }
        }
        Format::EventStream => found.sensor = Some(camera::scan_es(path, &mut reader, sink)?),
        Format::Aedat4 => {
            let streams = aedat4::scan(path, &mut reader, sink)?;
            found.sensor = streams.sensor;
            if let (Some(read), false) = (streams.read, streams.others.is_empty()) {
                let others = streams.others.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
                found.note = Some(format!("events of stream {read} are read, those of {others} are not"));
            }
        }
        Format::Numpy => {}
    }
    if untimed > 0 {
        found.note = Some(format!("{untimed} events before the first time word have no time and are left out"));
    }
    Ok(found)
}

#[cfg(test)]
mod camera_tests;
#[cfg(test)]
mod tests;
