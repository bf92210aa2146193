//! Events of a recording as a NumPy array of records, as tonic writes and reads them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::data::samples::event_source::Event;
use crate::files::write_atomic_with;
use crate::{Error, Result};

/// Bytes of a record.
const RECORD: usize = 13;

/// Calls its argument with every event and its index, in order.
pub type Visit<'a> = dyn FnMut(&mut dyn FnMut(u64, Event) -> Result<()>) -> Result<()> + 'a;

/// Nanoseconds since the first event as microseconds of the written times.
pub type Microseconds<'a> = dyn Fn(u64) -> i64 + 'a;

/// Writes `count` events of `recording` to the NumPy file at `path`: records of `x`, `y` (int16), `t` (int64, microseconds as
/// `microseconds` counts them, of nanoseconds since the first event) and `p` (bool), in file order. `each` is called with the
/// number of events written so far, now and then, and can stop the work.
///
/// # Errors
/// Those of `recording` and of `each`; [`Error::Io`] when the operating system refuses.
pub fn write_npy(
    recording: &mut Visit<'_>,
    (count, microseconds): (u64, &Microseconds<'_>),
    path: &Path,
    each: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<()> {
    write_atomic_with(path, |file| {
        let mut out = BufWriter::with_capacity(1 << 16, file);
        write_records(recording, (count, microseconds), (&mut out, path), each)?;
        out.flush().map_err(|e| Error::io(path, e))
    })
}

fn write_records(
    recording: &mut Visit<'_>,
    (count, microseconds): (u64, &Microseconds<'_>),
    (out, path): (&mut BufWriter<&mut File>, &Path),
    each: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<()> {
    let fail = |e| Error::io(path, e);
    let fields = "[('x', '<i2'), ('y', '<i2'), ('t', '<i8'), ('p', '?')]";
    let mut text = format!("{{'descr': {fields}, 'fortran_order': False, 'shape': ({count},), }}");
    // The values begin at a multiple of 64 bytes, as NumPy wants them.
    text.push_str(&" ".repeat(63 - (10 + text.len()) % 64));
    text.push('\n');
    let head = [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes()].concat();
    out.write_all(&head).map_err(fail)?;
    recording(&mut |index, event| {
        if index.is_multiple_of(1 << 16) {
            each(index)?;
        }
        let t = microseconds(event.t);
        let mut record = [0u8; RECORD];
        record[..2].copy_from_slice(&event.x.to_le_bytes());
        record[2..4].copy_from_slice(&event.y.to_le_bytes());
        record[4..12].copy_from_slice(&t.to_le_bytes());
        record[12] = event.p;
        out.write_all(&record).map_err(fail)
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Binning, events, read_recordings};
    use super::*;
    use crate::data::bounded_read::tests::write;

    #[test]
    fn written_events_are_the_same_with_their_times() {
        let dir = tempfile::tempdir().unwrap();
        let words: Vec<u8> = [(700u32, 5u32 | 9 << 14 | 1 << 28), (1000, 7 | 3 << 14)]
            .iter()
            .flat_map(|(t, data)| [t.to_le_bytes(), data.to_le_bytes()].concat())
            .collect();
        let path = write(&dir, "a.dat", &[b"% Version 2\n\x0c\x08", &words[..]].concat());
        let (recordings, _) = read_recordings(&[&path], &Binning::default(), &mut |_| Ok(())).unwrap();
        let recording = &recordings[0];
        assert_eq!((recording.count, recording.on, recording.first_us(), recording.extent), (2, 1, 700, [8, 10]));
        let out = dir.path().join("a.npy");
        let microseconds = |elapsed| recording.microseconds(elapsed);
        let mut events_of = |visit: &mut dyn FnMut(u64, Event) -> Result<()>| recording.for_each(visit);
        write_npy(&mut events_of, (recording.count, &microseconds), &out, &mut |_| Ok(())).unwrap();
        assert_eq!(events(&out).unwrap(), events(&path).unwrap());
        assert_eq!(std::fs::metadata(&out).unwrap().len() % 64, 26);
        let (again, _) = read_recordings(&[&out], &Binning::default(), &mut |_| Ok(())).unwrap();
        assert_eq!((again[0].first_us(), again[0].format()), (700, "NumPy"));
        let stopped = write_npy(&mut events_of, (recording.count, &microseconds), &out, &mut |_| Err(Error::Cancelled));
        assert!(stopped.is_err() && events(&out).is_ok());
    }
}
