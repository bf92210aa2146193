//! Tests of recordings of cameras: words made here, their events, and what is refused.

use super::*;
use crate::data::bounded_read::tests::write;

fn read(name: &str, file: &[u8]) -> Result<(Vec<Event>, Vec<Recording>, Vec<Note>)> {
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir, name, file);
    let (recordings, notes) = read_recordings(&[&path], &Binning::default(), &mut |_| Ok(()))?;
    Ok((events(&path)?, recordings, notes))
}

/// Events of `name` as `[x, y, time in µs since the first event, polarity]`.
fn values(name: &str, file: &[u8]) -> Vec<[u64; 4]> {
    let (events, ..) = read(name, file).unwrap_or_else(|e| panic!("{e}"));
    events.iter().map(|e| [e.x.into(), e.y.into(), e.t / 1000, e.p.into()]).collect()
}

fn refused(name: &str, file: &[u8]) -> String {
    read(name, file).map(|(events, ..)| events).unwrap_err().to_string()
}

fn words<const N: usize>(head: &str, words: impl IntoIterator<Item = [u8; N]>) -> Vec<u8> {
    [head.as_bytes().to_vec(), words.into_iter().flatten().collect()].concat()
}

#[test]
fn dat_has_two_layouts_and_a_clock_that_wraps() {
    let wide = |t: u32, x: u32, y: u32, p: u32| [t.to_le_bytes(), (x | y << 14 | p << 28).to_le_bytes()].concat();
    let narrow = |t: u32, x: u32, y: u32, p: u32| [t.to_le_bytes(), (x | y << 9 | p << 17).to_le_bytes()].concat();
    let expected = [[300, 239, 0, 1], [4, 5, 7, 0]];
    for (head, kind, is_wide) in [
        ("% Version 2\n", 0x0c, true),
        ("% Version 2\n", 0, true),
        ("% Version 1\n", 0x0c, false),
        ("", 0, false),
        ("", 0, true),
    ] {
        let event = |t, x, y, p| if is_wide { wide(t, x, y, p) } else { narrow(t, x, y, p) };
        let file = [head.as_bytes(), &[kind, 8], &event(9, 300, 239, 1), &event(16, 4, 5, 0)].concat();
        assert_eq!(values("a.dat", &file), expected, "{head} {kind}");
    }
    let wrapped = [b"%x\n\x0c\x08".to_vec(), wide(u32::MAX, 1, 1, 0), wide(4, 1, 1, 0)].concat();
    assert_eq!(values("a.dat", &wrapped)[1][2], 5);
    let started = [b"% T0 2839\n\x0c\x08".to_vec(), wide(1, 1, 1, 0)].concat();
    assert_eq!(read("a.dat", &started).unwrap().1[0].first_us(), 2840);
    assert!(refused("a.dat", b"%x\n\x0e\x08").contains("type 0x0E"));
    let cut = [b"%x\n\x0c\x08".to_vec(), wide(4, 1, 1, 0), vec![1; 5]].concat();
    let reason = refused("a.dat", &cut);
    assert!(reason.contains("byte 13") && reason.contains("5 bytes") && reason.contains("truncated"), "{reason}");
    let outside = [b"% Version 2\n\x0c\x08".to_vec(), wide(4, 9000, 1, 0)].concat();
    assert!(refused("a.dat", &outside).contains("is an event at 9000"));
}

#[test]
fn evt2_times_have_two_parts() {
    let [high, cd] =
        [|t: u32| (8 << 28 | t).to_le_bytes(), |low: u32| (1 << 28 | low << 22 | 3 << 11 | 4).to_le_bytes()];
    let head = "% evt 2.0\n% format EVT2;height=48;width=64\n% end\n";
    let file = words(head, [cd(1), high(5), cd(1), high(6), cd(0), high(0x0fff_ffff), cd(0), high(0), cd(2)]);
    let (_, recordings, notes) = read("a.raw", &file).unwrap();
    assert_eq!(
        (recordings[0].extent, recordings[0].first_us(), recordings[0].format()),
        ([64, 48], 5 * 64 + 1, "EVT2")
    );
    assert!(notes[0].text.contains("1 events before the first time word"), "{notes:?}");
    let times: Vec<u64> = values("a.raw", &file).iter().map(|event| event[2]).collect();
    let start = 5 * 64 + 1;
    assert_eq!(times, [0, 63, (0x0fff_ffff << 6) - start, (1 << 34) + 2 - start]);
    assert!(refused("a.raw", &words(head, [[0, 0, 0, 0x50]])).contains("type 0x5"));
}

#[test]
fn evt3_keeps_both_words_of_the_time() {
    let [high, low] = [|t: u16| 0x8000 | t, |t: u16| 0x6000 | t];
    let event = 0x2800 | 9;
    let file = |all: &[u16]| words("% evt 3.0\n% end\n", all.iter().map(|word| word.to_le_bytes()));
    let times = |all: &[u16]| values("a.raw", &file(all)).iter().map(|event| event[2]).collect::<Vec<_>>();
    // A repeated upper word keeps the lower one; a new one begins at 0.
    assert_eq!(times(&[high(1), low(4000), event, high(1), event, high(2), event, low(7), event]), [0, 0, 96, 103]);
    assert_eq!(times(&[high(0xfff), low(5), event, high(0), low(6), event])[1], 4097);
    // A single upper word, as expelliarmus writes: the lower one wraps. Beside others a small step back is none.
    assert_eq!(times(&[high(0), low(100), event, low(904), event, low(9), event, low(8), event]), [0, 804, 4005, 8100]);
    assert_eq!(
        times(&[high(0), high(0), low(100), event, low(90), event, low(4000), event, low(9), event]),
        [10, 0, 3910, 4015]
    );
    let (_, _, notes) = read("a.raw", &file(&[high(0), low(9), event, low(8), event])).unwrap();
    assert!(notes[0].text.contains("1 upper time words are missing"), "{notes:?}");
    // A row, then twelve and eight columns from a base on.
    let vectors = [high(0), low(1), 7, 0x3000 | 0x800 | 20, 0x4000 | 0x801, 0x5000 | 0x81];
    assert_eq!(values("a.raw", &file(&vectors)), [[20, 7, 0, 1], [31, 7, 0, 1], [32, 7, 0, 1], [39, 7, 0, 1]]);
    assert!(refused("a.raw", &file(&[0x1000])).contains("type 0x1"));
    assert!(refused("a.raw", &[&file(&[high(1)])[..], &[1]].concat()).contains("truncated"));
    assert!(refused("a.raw", b"% evt 4.0\n").contains("EVT 4.0"));
    assert!(refused("a.raw", b"abc").contains("no header"));
}

#[test]
fn event_stream_counts_from_the_last_event() {
    let head = |version: u8, kind: u8| [b"Event Stream", &[version, 0, 0, kind, 64, 0, 48, 0][..]].concat();
    let body = [3 << 1 | 1, 5, 0, 6, 0, 0xff, 0xff, 0xfe, 1 << 1, 7, 0, 8, 0];
    let file = [head(2, 1), body.to_vec()].concat();
    assert_eq!(values("a.es", &file), [[5, 6, 0, 1], [7, 8, 255, 0]]);
    let (_, recordings, notes) = read("a.es", &file).unwrap();
    assert!(recordings[0].extent == [64, 48] && notes[0].text.contains("from the top"), "{notes:?}");
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir, "a.es", &file);
    let upward = Binning { upward: true, ..Binning::default() };
    let (recordings, notes) = read_recordings(&[&path], &upward, &mut |_| Ok(())).unwrap();
    let mut rows = Vec::new();
    recordings[0]
        .for_each(&mut |_, event| {
            rows.push(event.y);
            Ok(())
        })
        .unwrap();
    assert_eq!((rows, notes.len()), (vec![41, 39], 0));
    assert!(refused("a.es", &head(1, 1)).contains("version 1.0.0"));
    assert!(refused("a.es", &head(2, 2)).contains("kind 2"));
    assert!(refused("a.es", &[head(2, 1), vec![1, 64, 0, 6, 0]].concat()).contains("outside the sensor of 64x48"));
    assert!(refused("a.es", &[head(2, 1), vec![1, 4, 0]].concat()).contains("truncated"));
    assert!(refused("a.es", &head(2, 1)).contains("no event"));
}

/// A FlatBuffer of one table with its fields, each of 4 or 8 bytes, in the order of their places.
fn table(name: &[u8; 4], fields: &[&[u8]], tail: &[u8]) -> Vec<u8> {
    let size = 4 + fields.iter().map(|field| field.len()).sum::<usize>();
    let slots = 4 + 2 * fields.len();
    let mut out = [&((8 + slots) as u32).to_le_bytes()[..], name].concat();
    out.extend((slots as u16).to_le_bytes());
    out.extend((size as u16).to_le_bytes());
    let mut at = 4u16;
    for field in fields {
        out.extend(at.to_le_bytes());
        at += field.len() as u16;
    }
    out.extend((slots as i32).to_le_bytes());
    fields.iter().for_each(|field| out.extend(*field));
    [out, tail.to_vec()].concat()
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_le_bytes(), bytes].concat()
}

/// A stream and its events `(x, y, t, p)`.
type Packet<'a> = (u32, &'a [(i16, i16, i64, u8)]);

/// An AEDAT 4 file of packets, with a sensor of 64x48.
fn aedat4(compression: i32, pack: impl Fn(&[u8]) -> Vec<u8>, packets: &[Packet<'_>]) -> Vec<u8> {
    let xml = "<attr key=\"sizeX\" type=\"int\">64</attr><attr key=\"sizeY\" type=\"int\">48</attr>";
    aedat4_with(xml, compression, pack, packets)
}

fn aedat4_with(xml: &str, compression: i32, pack: impl Fn(&[u8]) -> Vec<u8>, packets: &[Packet<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (stream, events) in packets {
        let mut tail = (events.len() as u32).to_le_bytes().to_vec();
        for (x, y, t, p) in *events {
            tail.extend([&t.to_le_bytes()[..], &x.to_le_bytes(), &y.to_le_bytes(), &[*p, 0, 0, 0]].concat());
        }
        let packet = pack(&sized(&table(b"EVTS", &[&4u32.to_le_bytes()], &tail)));
        body.extend([&stream.to_le_bytes()[..], &sized(&packet)].concat());
    }
    let header = |end: i64| sized(&table(b"IOHE", &[&compression.to_le_bytes(), &end.to_le_bytes()], xml.as_bytes()));
    let end = (aedat4::SIGNATURE.len() + header(0).len() + body.len()) as i64;
    [aedat4::SIGNATURE, &header(end), &body, b"table of packets"].concat()
}

#[test]
fn aedat4_packets_are_read_in_every_compression() {
    let packets: [(u32, &[_]); 2] = [(0, &[(5, 6, 1000, 1), (7, 8, 1003, 0)]), (0, &[(63, 47, 2000, 1)])];
    let expected = [[5, 6, 0, 1], [7, 8, 3, 0], [63, 47, 1000, 1]];
    let lz4 = |bytes: &[u8]| {
        let mut out = lz4_flex::frame::FrameEncoder::new(Vec::new());
        std::io::Write::write_all(&mut out, bytes).unwrap();
        out.finish().unwrap()
    };
    let zstd = |bytes: &[u8]| ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest);
    let plain = aedat4(0, <[u8]>::to_vec, &packets);
    assert_eq!(values("a.aedat4", &plain), expected);
    for compression in [1, 2] {
        assert_eq!(values("a.aedat4", &aedat4(compression, lz4, &packets)), expected);
        assert_eq!(values("a.aedat4", &aedat4(compression + 2, zstd, &packets)), expected);
    }
    let (_, recordings, _) = read("a.aedat4", &plain).unwrap();
    assert_eq!((recordings[0].extent, recordings[0].first_us()), ([64, 48], 1000));
    // Another camera in the same file.
    let both: [(u32, &[_]); 2] = [(2, &[(5, 6, 1000, 1)]), (3, &[(1, 1, 9, 0)])];
    let (events, _, notes) = read("a.aedat4", &aedat4(0, <[u8]>::to_vec, &both)).unwrap();
    assert!(events.len() == 1 && notes[0].text.contains("stream 2 are read, those of 3"), "{notes:?}");
    // Damage is told with its place.
    assert!(refused("a.aedat4", &aedat4(7, <[u8]>::to_vec, &packets)).contains("compression 7"));
    let reason = refused("a.aedat4", &aedat4(1, <[u8]>::to_vec, &packets));
    assert!(reason.contains("byte ") && reason.contains("cannot be decompressed"), "{reason}");
    assert!(refused("a.aedat4", &plain[..plain.len() - 30]).contains("truncated"));
    let whole_packets_missing = plain.len() - 16 - (8 + 4 + 8 + 6 + 4 + 4 + 4 + 16);
    let reason = refused("a.aedat4", &plain[..whole_packets_missing]);
    assert!(reason.contains("truncated"), "{reason}");
    let outside: [(u32, &[_]); 1] = [(0, &[(-5, 6, 1000, 1)])];
    assert!(refused("a.aedat4", &aedat4(0, <[u8]>::to_vec, &outside)).contains("-5, 6"));
    assert!(refused("a.aedat", b"#!AER-DAT3.1\r\n").contains("AEDAT 3.1"));
}

#[test]
fn the_first_declared_stream_with_events_is_read_in_any_order_of_packets() {
    let stream = |id: u32, kind: &str, side: u32| {
        format!(
            "<node name=\"{id}\" path=\"/outInfo/{id}/\"><attr key=\"typeIdentifier\" type=\"string\">{kind}</attr>\
             <node name=\"info\" path=\"/outInfo/{id}/info/\"><attr key=\"sizeX\" type=\"int\">{side}</attr>\
             <attr key=\"sizeY\" type=\"int\">{side}</attr></node></node>"
        )
    };
    let xml = [stream(0, "FRME", 9), stream(1, "EVTS", 64), stream(2, "EVTS", 128), stream(3, "EVTS", 32)].concat();
    let read_of = |packets: &[Packet<'_>]| {
        let (events, recordings, notes) =
            read("a.aedat4", &aedat4_with(&xml, 0, <[u8]>::to_vec, packets)).unwrap_or_else(|e| panic!("{e}"));
        (events[0].x, recordings[0].extent, notes[0].text.clone())
    };
    let (first, second): (&[_], &[_]) = (&[(5, 6, 1000, 1)], &[(7, 6, 900, 1)]);
    for packets in [[(1, first), (2, second)], [(2, second), (1, first)]] {
        let (x, extent, note) = read_of(&packets);
        assert_eq!((x, extent), (5, [64; 2]));
        assert!(note.contains("stream 1 are read, those of 2"), "{note}");
    }
    // Without events in the first stream, the next one, with its own sensor.
    let (x, extent, _) = read_of(&[(3, first), (1, &[]), (2, second)]);
    assert_eq!((x, extent), (7, [128; 2]));
    assert!(refused("a.aedat4", b"#!AER-DAT4").contains("truncated or of another version"));
}

#[test]
fn events_outside_a_stated_sensor_are_refused_and_outside_that_of_the_file_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir, "a.bin", &[[3, 9, 0, 0, 9], [12, 1, 0, 0, 20]].concat());
    let of = |sensor| read_recordings(&[&path], &Binning { sensor, ..Binning::default() }, &mut |_| Ok(()));
    let reason = of(Some([10, 10])).unwrap_err().to_string();
    assert!(
        reason.contains("event 1") && reason.contains("12, 1, outside the stated sensor size of 10x10"),
        "{reason}"
    );
    assert!(of(Some([13, 10])).is_ok());
    let event = (12u32 << 11 | 4 | 1 << 28).to_le_bytes();
    let file = words("% evt 2.0\n% geometry 10x10\n% end\n", [(8u32 << 28).to_le_bytes(), event]);
    let (_, recordings, notes) = read("a.raw", &file).unwrap();
    assert_eq!(recordings[0].extent, [13, 10]);
    assert!(notes[0].is_warning && notes[0].text.contains("10x10 pixels, and its events cover 13x5"), "{notes:?}");
}

#[test]
fn times_that_go_back_are_told_with_their_place() {
    let file = words("", [[1, 1, 0, 0, 9], [1, 1, 0, 0, 20], [1, 1, 0, 0, 10], [2, 1, 0, 0, 30]]);
    let (events, _, notes) = read("a.bin", &file).unwrap();
    assert_eq!(events.iter().map(|event| event.t / 1000).collect::<Vec<_>>(), [0, 11, 1, 21]);
    assert!(notes[0].is_warning && notes[0].text.contains("a.bin: 1 of 4 events"), "{notes:?}");
    assert!(notes[0].text.contains("first is event 2"), "{notes:?}");
}
