//! Event recordings by format: detection, and streams of their events in constant memory.
//!
//! A first pass over a file finds count, extent and times; a second one reads its events for the frames.

mod aedat4;
mod camera;
mod numpy;

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use camera::TextHeader;

use super::columns::{ColumnOrder, ColumnStatistics};
use super::summary::{Clock, RawEvent, Summary, TimeKind};
use super::time::{Event, TimeUnit, recognize};
use crate::data::Note;
use crate::data::bounded_read::open;
use crate::{Error, Result};

/// Upper limit of coordinates (exclusive).
const MAX_SIDE: usize = 4096;
const NUMPY: &[u8] = b"\x93NUMPY";
/// Bytes in which the text before the events ends.
const MAX_TEXT: u64 = 1 << 16;

/// What takes events one by one.
type Sink<'a> = &'a mut dyn FnMut(RawEvent) -> Result<()>;

/// The format of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// `.npy` or `.npz`
    Numpy,
    Nmnist,
    Dat,
    Evt2,
    Evt3,
    Aedat4,
    EventStream,
}

/// One recording: where it is, and what a first pass over it found.
#[derive(Debug)]
pub(super) struct Recording {
    path: PathBuf,
    format: Format,
    order: Option<ColumnOrder>,
    clock: Clock,
    /// Width and height that the events cover.
    pub extent: [usize; 2],
}

impl Recording {
    /// Duration from the first event to the last one, inclusive, and the resolution, in nanoseconds.
    pub fn span(&self) -> [u64; 2] {
        [self.clock.span, self.clock.tick]
    }
    /// Calls `visit` with every event and its index, in file order.
    ///
    /// # Errors
    /// Those of `visit`, and [`Error::File`] if the file has changed.
    pub fn for_each(&self, visit: &mut dyn FnMut(u64, Event) -> Result<()>) -> Result<()> {
        let mut index = 0;
        let mut each = |event: RawEvent| {
            let RawEvent { x, y, p, t } = event;
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
    let (recordings, _) = read_recordings(&[path], None, None)?;
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
///
/// # Errors
/// As [`events`].
pub(super) fn read_recordings(
    paths: &[&Path],
    unit: Option<TimeUnit>,
    order: Option<ColumnOrder>,
) -> Result<(Vec<Recording>, Vec<Note>)> {
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
    let mut summaries = Vec::with_capacity(paths.len());
    for (path, format) in paths.iter().zip(&formats) {
        let mut summary = Summary::new(TimeKind::default());
        let (kind, sensor) = scan(path, *format, order, &mut |event| {
            summary.add(event);
            Ok(())
        })?;
        if summary.count == 0 {
            return Err(Error::file(path, "", "contains no event"));
        }
        summary.kind = kind;
        if let Some([width, height]) = sensor {
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
    let recording = |((path, format), summary): ((&&Path, &Format), &Summary)| {
        let clock = summary.clock(unit.unwrap_or(recognized));
        let clock =
            clock.ok_or_else(|| Error::file(path, "times", "are not numbers, or last longer than 584 years"))?;
        Ok(Recording { path: path.to_path_buf(), format: *format, order, clock, extent: summary.extent })
    };
    let recordings = paths.iter().zip(&formats).zip(&summaries).map(recording).collect::<Result<Vec<_>>>()?;
    Ok((recordings, notes))
}

/// The order of columns that all `files` fit; `None` without files.
fn find_order(
    files: &[(&Path, ColumnStatistics)],
    stated: Option<ColumnOrder>,
    notes: &mut Vec<Note>,
) -> Result<Option<ColumnOrder>> {
    let Some((first, rest)) = files.split_first() else { return Ok(None) };
    if stated.is_some() {
        return Ok(stated);
    }
    let mut fitting = first.1.fitting();
    let mut odd = first.0;
    for (path, statistics) in rest {
        let own = statistics.fitting();
        odd = if fitting.is_empty() { odd } else { path };
        fitting.retain(|order| own.contains(order));
    }
    let Some(&order) = fitting.first() else {
        let reason = "which of the four columns are x, y, time and polarity cannot be told from their values. State their \
                      order, such as order=xytp.";
        return Err(Error::file(odd, "", reason));
    };
    let words: Vec<String> = order.to_string().chars().map(String::from).collect();
    let note = Note::new(format!("the four columns are taken as {} by their values", words.join(", ")));
    notes.push(match fitting.get(1) {
        Some(other) => note.or_option("order", other),
        None => note,
    });
    Ok(Some(order))
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

/// Whether `path` begins with `signature`.
fn starts_with(path: &Path, signature: &[u8]) -> bool {
    head(path, signature.len() as u64).is_ok_and(|head| head == signature)
}

fn head(path: &Path, length: u64) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    open(path)?.take(length).read_to_end(&mut head).map_err(|e| Error::io(path, e))?;
    Ok(head)
}

/// The format of the file at `path`, by its first bytes; N-MNIST's files, which have none, by their ending.
fn format_of(path: &Path) -> Result<Format> {
    let head = head(path, MAX_TEXT)?;
    let fail = |reason: String| Err(Error::file(path, "", reason));
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    if head.starts_with(NUMPY) || head.starts_with(b"PK") {
        return Ok(Format::Numpy);
    }
    if head.starts_with(aedat4::SIGNATURE) {
        return Ok(Format::Aedat4);
    }
    if head.starts_with(camera::ES_SIGNATURE) {
        return Ok(Format::EventStream);
    }
    if head.starts_with(b"#!AER-DAT") {
        let version = String::from_utf8_lossy(&head[9..head.len().min(12)]).into_owned();
        return fail(format!("is AEDAT {version}, which is not read. Convert it to AEDAT 4 or to a NumPy array."));
    }
    let text = TextHeader::parse(&head);
    let evt = text.value("evt").map(str::to_owned).or_else(|| {
        let format = text.value("format")?.split(';').next()?.trim().to_owned();
        format.strip_prefix("evt").map(str::to_owned)
    });
    match evt.as_deref() {
        Some("2.0" | "2") => return Ok(Format::Evt2),
        Some("3.0" | "3") => return Ok(Format::Evt3),
        Some(other) => {
            return fail(format!("is EVT {other}; EVT 2.0 and 3.0 are read. Convert it to one of these, or to DAT."));
        }
        None => {}
    }
    match extension.as_str() {
        "bin" => Ok(Format::Nmnist),
        "dat" => Ok(Format::Dat),
        _ if text.len > 0 && extension != "raw" => Ok(Format::Dat),
        "raw" => fail("has no header that names its format (evt 2.0 or evt 3.0). Convert it to a NumPy array.".into()),
        _ => fail(
            "is neither a NumPy array of events (.npy, .npz with x, y, t, p), an N-MNIST file (.bin), DAT, EVT2, EVT3 \
             (.raw), AEDAT 4 nor Event Stream (.es)"
                .into(),
        ),
    }
}

/// Reads every event of the file at `path`. Returns what the times mean, and the sensor's size if the file states it.
fn scan(
    path: &Path,
    format: Format,
    order: Option<ColumnOrder>,
    sink: Sink<'_>,
) -> Result<(TimeKind, Option<[usize; 2]>)> {
    let microseconds = TimeKind::Microseconds;
    if format == Format::Numpy {
        return Ok((numpy::scan(path, order, sink)?, None));
    }
    let mut reader = BufReader::new(open(path)?);
    let header = match format {
        Format::Dat | Format::Evt2 | Format::Evt3 => TextHeader::parse(&head(path, MAX_TEXT)?),
        _ => TextHeader::default(),
    };
    reader.seek(SeekFrom::Start(header.len as u64)).map_err(|e| Error::io(path, e))?;
    let mut sensor = header.sensor();
    match format {
        Format::Nmnist => camera::scan_nmnist(path, &mut reader, sink)?,
        Format::Dat => camera::scan_dat(path, &header, &mut reader, sink)?,
        Format::Evt2 => camera::scan_evt2(path, &header, &mut reader, sink)?,
        Format::Evt3 => camera::scan_evt3(path, &header, &mut reader, sink)?,
        Format::Aedat4 => aedat4::scan(path, &mut reader, sink)?,
        Format::EventStream => sensor = Some(camera::scan_es(path, &mut reader, sink)?),
        Format::Numpy => {}
    }
    Ok((microseconds, sensor))
}

/// Words of a binary file, with the byte where the last one began.
struct Words<'a> {
    path: &'a Path,
    reader: &'a mut dyn Read,
    /// Byte behind the last word.
    at: usize,
    /// Byte where the last word began.
    start: usize,
}

impl<'a> Words<'a> {
    /// The words of `reader`, which is at byte `at` of the file.
    fn new(path: &'a Path, reader: &'a mut dyn Read, at: usize) -> Self {
        Self { path, reader, at, start: at }
    }
    /// Byte behind the last word.
    fn at(&self) -> usize {
        self.at
    }
    /// The next word of N bytes; `None` at the end of the file. `what` it is stands in the error if the file ends within it.
    #[inline]
    fn next<const N: usize>(&mut self, what: &str) -> Result<Option<[u8; N]>> {
        let (mut word, mut filled) = ([0; N], 0);
        self.start = self.at;
        while filled < N {
            match self.reader.read(&mut word[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => {
                    return Err(self.error(format!("has {filled} bytes, fewer than {what}: the file is truncated")));
                }
                Ok(read) => filled += read,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::io(self.path, e)),
            }
        }
        self.at += N;
        Ok(Some(word))
    }
    /// The next `length` bytes, at most `limit`.
    fn bytes(&mut self, length: usize, limit: usize, what: &str) -> Result<Vec<u8>> {
        self.start = self.at;
        if length > limit {
            return Err(self.error(format!("is {what} of {length} bytes, more than {limit}")));
        }
        let mut bytes = Vec::new();
        self.reader.take(length as u64).read_to_end(&mut bytes).map_err(|e| Error::io(self.path, e))?;
        if bytes.len() < length {
            return Err(
                self.error(format!("is {what} of {length} bytes, but {} follow: the file is truncated", bytes.len()))
            );
        }
        self.at += length;
        Ok(bytes)
    }
    /// An error at the last word.
    fn error(&self, reason: String) -> Error {
        Error::file(self.path, format!("byte {}", self.start), reason)
    }
    /// Refuses coordinates that no sensor has.
    #[inline]
    fn check_side(&self, side: u32) -> Result<()> {
        if side as usize >= MAX_SIDE {
            Err(self.error(format!("is an event at {side}, which is no pixel")))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
