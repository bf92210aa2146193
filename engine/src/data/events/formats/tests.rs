//! Tests of event arrays as the packages write them: fields, units and columns.

use super::super::TimeUnit;
use super::*;
use crate::data::OtherChoice;
use crate::data::bounded_read::tests::write;

/// A NumPy file with the literal `descr`.
fn array(descr: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': ({shape}), }}\n");
    [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes(), values].concat()
}

/// The events of each recording, and the notes.
type Read = Result<(Vec<Vec<Event>>, Vec<Note>)>;

fn binning(unit: Option<TimeUnit>, order: Option<&str>) -> Binning {
    Binning { unit, order: order.and_then(ColumnOrder::parse), ..Binning::default() }
}

fn read(file: &[u8], unit: Option<TimeUnit>, order: Option<&str>) -> Read {
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir, "a.npy", file);
    let (recordings, notes) = read_recordings(&[&path], &binning(unit, order), &mut |_| Ok(()))?;
    let events = |recording: &Recording| {
        let mut events = Vec::new();
        recording.for_each(&mut |_, event| {
            events.push(event);
            Ok(())
        })?;
        Ok(events)
    };
    Ok((recordings.iter().map(events).collect::<Result<_>>()?, notes))
}

fn event(x: u16, y: u16, t: u64, p: u8) -> Event {
    Event { x, y, t: t * 1000, p }
}

/// Two events of the fields x, y, t and p in this order, each in its bytes.
fn two(fields: [[&[u8]; 4]; 2]) -> Vec<u8> {
    fields.concat().concat()
}

#[test]
fn records_of_all_packages_are_the_same_events() {
    let expected = [event(7, 9, 0, 1), event(8, 3, 5, 0)];
    for (descr, values) in [
        (
            "[('x', '<i2'), ('y', '<i2'), ('t', '<i8'), ('p', '?')]",
            two([
                [&[7, 0], &[9, 0], &[1, 0, 0, 0, 0, 0, 0, 0], &[1]],
                [&[8, 0], &[3, 0], &[6, 0, 0, 0, 0, 0, 0, 0], &[0]],
            ]),
        ),
        // Big-endian, padded and titled.
        (
            "[('X', '>u2'), ('', '|V2'), ('Y', '>u2'), ('ts', '>u4'), (('p', 'on'), '|i1')]",
            two([[&[0, 7, 0, 0], &[0, 9], &[0, 0, 0, 1], &[1]], [&[0, 8, 0, 0], &[0, 3], &[0, 0, 0, 6], &[0xff]]]),
        ),
        (
            "[('x', '|u1'), ('y', '|u1'), ('timestamp', '<u2'), (('on', 'polarity'), '?')]",
            two([[&[7], &[9], &[1, 0], &[1]], [&[8], &[3], &[6, 0], &[0]]]),
        ),
        // Fields in other places than their order.
        (
            "{'names': ['t', 'pol', 'x', 'y'], 'formats': ['u1', 'i1', 'u1', 'u1'], 'offsets': [3, 4, 0, 1], 'itemsize': 6}",
            vec![7, 9, 0, 1, 1, 0, 8, 3, 0, 6, 0xff, 0],
        ),
        // The unit in the type.
        (
            "[('x', '|u1'), ('y', '|u1'), ('time', '<m8[us]'), ('p', '|u1')]",
            two([[&[7], &[9], &[1, 0, 0, 0, 0, 0, 0, 0], &[1]], [&[8], &[3], &[6, 0, 0, 0, 0, 0, 0, 0], &[0]]]),
        ),
    ] {
        let (recordings, _) = read(&array(descr, "2,", &values), None, None).unwrap_or_else(|e| panic!("{descr}: {e}"));
        assert_eq!(recordings[0], expected, "{descr}");
        let row = read(&array(descr, "1, 2", &values), None, None);
        assert_eq!(row.unwrap().0[0], expected, "{descr}");
    }
}

#[test]
fn units_are_recognized_told_and_stated() {
    let seconds = |t: [f64; 2]| {
        let event = |t: f64| [&[1, 2][..], &t.to_le_bytes(), &[1]].concat();
        array("[('x', '|u1'), ('y', '|u1'), ('t', '<f8'), ('p', '|u1')]", "2,", &t.map(event).concat())
    };
    let times = |unit| read(&seconds([0.5, 0.75]), unit, None).map(|(all, notes)| (all[0][1].t, notes));
    let (recognized, notes) = times(None).unwrap();
    assert_eq!((recognized, notes.len()), (250_000_000, 1));
    assert_eq!(notes[0].other, Some(OtherChoice::Option { key: "unit", value: "ms".into() }));
    let (stated, notes) = times(Some(TimeUnit::Milliseconds)).unwrap();
    assert_eq!((stated, notes.len()), (250_000, 0));
    // N-MNIST's files are in microseconds.
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir, "a.bin", &[1, 2, 0x80, 0, 9]);
    let read = |unit, order| read_recordings(&[&path], &binning(unit, order), &mut |_| Ok(()));
    assert!(read(None, None).unwrap().1.is_empty());
    assert!(read(Some(TimeUnit::Seconds), None).unwrap_err().to_string().contains("Omit unit="));
    assert!(read(None, Some("xytp")).unwrap_err().to_string().contains("Omit order="));
}

#[test]
fn plain_columns_are_events_in_their_order() {
    let rows: Vec<u8> = (0..20u8).flat_map(|k| [k % 7, 3 + k % 5, k % 2, k]).collect();
    let file = array("'|u1'", "20, 4", &rows);
    let (recordings, notes) = read(&file, None, None).unwrap();
    assert_eq!(recordings[0][19], event(5, 7, 19, 1));
    assert!(notes[0].text.contains("x, y, p, t"), "{notes:?}");
    let swapped = read(&file, None, Some("yxpt")).unwrap();
    assert_eq!((swapped.0[0][19], swapped.1.len()), (event(7, 5, 19, 1), 1));
    let noise: Vec<u8> = (0..20u8).flat_map(|k| [k % 7, k % 5, k % 3, 5 + k % 2]).collect();
    assert!(read(&array("'|u1'", "20, 4", &noise), None, None).unwrap_err().to_string().contains("order=xytp"));
}

#[test]
fn polarities_are_two_values() {
    let polarities = |p: [u8; 3]| {
        let rows: Vec<u8> = p.iter().zip(0u8..).flat_map(|(p, t)| [1, 2, t, *p]).collect();
        let descr = "[('x', '|u1'), ('y', '|u1'), ('t', '|u1'), ('p', '|i1')]";
        read(&array(descr, "3,", &rows), None, None).map(|(all, _)| all[0].iter().map(|e| e.p).collect::<Vec<_>>())
    };
    assert_eq!(polarities([0xff, 1, 1]).unwrap(), [0, 1, 1]);
    assert_eq!(polarities([1, 1, 1]).unwrap(), [1, 1, 1]);
    assert_eq!(polarities([0xff, 0xff, 0xff]).unwrap(), [0, 0, 0]);
    for odd in [[1, 2, 1], [0, 1, 2], [0xff, 0, 1], [0, 0xff, 0], [0, 5, 5], [5, 5, 5], [0xfb, 5, 5]] {
        assert!(polarities(odd).unwrap_err().to_string().contains("polarity"), "{odd:?}");
    }
}

#[test]
fn times_are_rounded_to_microseconds_and_refused_beyond_them() {
    let file = |kind: &str, times: [[u8; 8]; 3]| {
        let descr = format!("[('x', '|u1'), ('y', '|u1'), ('t', '{kind}'), ('p', '|u1')]");
        array(&descr, "3,", &times.map(|t| [&[1, 2][..], &t, &[1]].concat()).concat())
    };
    let microseconds = |file: &[u8], unit| {
        let dir = tempfile::tempdir().unwrap();
        let path = write(&dir, "a.npy", file);
        let (recordings, _) = read_recordings(&[&path], &binning(Some(unit), None), &mut |_| Ok(()))?;
        let mut all = Vec::new();
        recordings[0].for_each(&mut |_, event| {
            all.push(recordings[0].microseconds(event.t));
            Ok(())
        })?;
        Ok::<_, crate::Error>(all)
    };
    let seconds = file("<f8", [0.0000106f64, 0.5000004, 0.7000016].map(f64::to_le_bytes));
    assert_eq!(microseconds(&seconds, TimeUnit::Seconds).unwrap(), [11, 500_000, 700_002]);
    let from_zero = file("<f8", [0.0f64, 0.25, 0.5].map(f64::to_le_bytes));
    assert_eq!(microseconds(&from_zero, TimeUnit::Seconds).unwrap(), [0, 250_000, 500_000]);
    // Nanoseconds since the first event stay whole; the file's own times are rounded.
    let nanoseconds = file("<i8", [1_600i64, 2_400, 9_900].map(i64::to_le_bytes));
    assert_eq!(microseconds(&nanoseconds, TimeUnit::Nanoseconds).unwrap(), [2, 2, 10]);
    let (events, _) = read(&nanoseconds, Some(TimeUnit::Nanoseconds), None).unwrap();
    assert_eq!(events[0].iter().map(|event| event.t).collect::<Vec<_>>(), [0, 800, 8_300]);
    for (kind, times, unit) in [
        ("<u8", [u64::MAX - 2, u64::MAX - 1, u64::MAX].map(u64::to_le_bytes), TimeUnit::Microseconds),
        ("<f8", [1e300f64; 3].map(f64::to_le_bytes), TimeUnit::Microseconds),
    ] {
        let reason = microseconds(&file(kind, times), unit).unwrap_err().to_string();
        assert!(reason.contains("times") && reason.contains("exceed 64 bits in microseconds"), "{reason}");
    }
}
