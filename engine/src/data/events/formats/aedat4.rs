//! AEDAT 4: packets of events in FlatBuffers, each compressed with LZ4, Zstandard or not at all.
//!
//! Tables are read by their offsets, within bounds: one field of each is needed, and no schema compiler.

use std::io::{BufRead, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use super::super::summary::{RawEvent, RawTime};
use super::words::{MAX_SIDE, Sink, Words};
use crate::{Error, Result};

/// The first line of a file.
pub(super) const SIGNATURE: &[u8] = b"#!AER-DAT4.0\r\n";
/// Maximum length of a packet, before and after decompression; recorders write at most some MiB.
const MAX_PACKET: usize = 1 << 28;
/// Bytes of an event: time (8), x (2), y (2), polarity (1) and padding.
const EVENT: usize = 16;

/// How packets are compressed.
#[derive(Clone, Copy)]
enum Compression {
    None,
    Lz4,
    Zstd,
}

/// What a file says about its events.
#[derive(Default)]
pub(super) struct Streams {
    /// Width and height of the sensor, if the header states them.
    pub sensor: Option<[usize; 2]>,
    /// The stream whose events were read.
    pub read: Option<u32>,
    /// Other streams of events.
    pub others: Vec<u32>,
}

/// Reads every packet of one stream of events: the first one of the header that has events.
///
/// # Errors
/// [`Error::File`] for damaged packets, with the byte where they begin.
pub(super) fn scan(path: &Path, reader: &mut (impl BufRead + Seek), sink: Sink<'_>) -> Result<Streams> {
    let (header, read) = {
        let mut packets = Packets::open(path, &mut *reader)?;
        let declared = declared_streams(&packets.header);
        let first = if declared.len() > 1 { first_with_events(&mut packets, &declared)? } else { None };
        (packets.header, first)
    };
    reader.seek(SeekFrom::Start(0)).map_err(|e| Error::io(path, e))?;
    let mut packets = Packets::open(path, reader)?;
    let mut streams = Streams { read, ..Streams::default() };
    while let Some(packet) = packets.next_of_events()? {
        if *streams.read.get_or_insert(packet.stream) != packet.stream {
            if !streams.others.contains(&packet.stream) {
                streams.others.push(packet.stream);
            }
            continue;
        }
        for bytes in packet.events(path)?.chunks_exact(EVENT) {
            let t = i64::from_le_bytes(bytes[..8].try_into().unwrap_or_default());
            let [x, y] = [8, 10].map(|at| i16::from_le_bytes([bytes[at], bytes[at + 1]]));
            if !(0..MAX_SIDE as i16).contains(&x) || !(0..MAX_SIDE as i16).contains(&y) {
                return Err(damaged(
                    path,
                    packet.start,
                    &format!("is a packet with an event at {x}, {y}, which is no pixel"),
                ));
            }
            sink(RawEvent { x: x as u16, y: y as u16, p: u8::from(bytes[12] != 0), t: RawTime::Integer(t.into()) })?;
        }
    }
    let of_stream = declared_streams(&header).into_iter().find(|stream| Some(stream.id) == streams.read);
    streams.sensor = match of_stream {
        Some(stream) => stream.sensor,
        None => sensor_of(&header),
    };
    Ok(streams)
}

fn damaged(path: &Path, place: usize, reason: &str) -> Error {
    Error::file(path, format!("byte {place}"), reason.to_owned())
}

/// The first of the `declared` streams that has an event.
fn first_with_events<R: BufRead>(packets: &mut Packets<'_, R>, declared: &[DeclaredStream]) -> Result<Option<u32>> {
    let mut best = declared.len();
    while let Some(packet) = packets.next_of_events()? {
        let place = declared.iter().position(|stream| stream.id == packet.stream).unwrap_or(declared.len());
        if place < best && !packet.events(packets.path)?.is_empty() {
            best = place;
        }
        if best == 0 {
            break;
        }
    }
    Ok(declared.get(best).map(|stream| stream.id))
}

/// A stream of events that a header declares.
#[derive(Debug, PartialEq)]
struct DeclaredStream {
    id: u32,
    /// Width and height of its sensor, if they are stated.
    sensor: Option<[usize; 2]>,
}

/// The streams of events in the XML text of a header, in its order.
fn declared_streams(header: &str) -> Vec<DeclaredStream> {
    const PATH: &str = "path=\"/outInfo/";
    // `N/">` begins stream N; `N/info/">` belongs to it.
    let id_of = |part: &str| part.split_once("/\"").and_then(|(id, _)| id.parse::<u32>().ok());
    let mut streams = Vec::new();
    let mut parts = header.split(PATH).skip(1).peekable();
    while let Some(part) = parts.next() {
        let Some(id) = id_of(part) else { continue };
        let mut text = part.to_owned();
        while let Some(inner) = parts.next_if(|next| id_of(next).is_none()) {
            text.push_str(inner);
        }
        if attribute(&text, "typeIdentifier") == Some("EVTS") {
            streams.push(DeclaredStream { id, sensor: sensor_of(&text) });
        }
    }
    streams
}

/// The value of the first attribute `key` in XML text.
fn attribute<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("key=\"{key}\""))?;
    let (_, value) = rest.split_once('>')?;
    value.split('<').next().map(str::trim)
}

/// The sensor's width and height in XML text: the first `sizeX` and `sizeY`.
fn sensor_of(text: &str) -> Option<[usize; 2]> {
    let of = |key: &str| attribute(text, key)?.parse().ok().filter(|side| (1..=MAX_SIDE).contains(side));
    Some([of("sizeX")?, of("sizeY")?])
}

/// The packets of a file, one after another.
struct Packets<'a, R> {
    path: &'a Path,
    words: Words<'a, R>,
    /// The header as text, with the bytes around it.
    header: String,
    compression: Compression,
    /// Where a table of the packets begins, unless the recorder was interrupted.
    end: Option<i64>,
}

/// A packet of events.
struct Packet {
    stream: u32,
    content: Vec<u8>,
    /// Byte where it begins.
    start: usize,
}

impl<'a, R: BufRead> Packets<'a, R> {
    /// The packets of `reader`, which is at the beginning of the file.
    fn open(path: &'a Path, reader: &'a mut R) -> Result<Self> {
        let mut words = Words::new(path, reader, 0);
        words.next::<14>("the first line")?;
        let length = words.next::<4>("the length of the header")?.map_or(0, u32::from_le_bytes) as usize;
        let header = words.bytes(length, MAX_PACKET, "the header")?;
        let table = Table::root(&header).ok_or_else(|| damaged(path, 14, "is a damaged header"))?;
        let compression = match table.field(0).map_or(0, |at| number(&header, at, 4).unwrap_or(-1)) {
            0 => Compression::None,
            1 | 2 => Compression::Lz4,
            3 | 4 => Compression::Zstd,
            other => {
                let reason = format!("states compression {other}, which is none, LZ4 or Zstandard");
                return Err(damaged(path, 14, &reason));
            }
        };
        let end = table.field(1).and_then(|at| number(&header, at, 8)).filter(|&end| end > 0);
        Ok(Self { path, words, header: String::from_utf8_lossy(&header).into_owned(), compression, end })
    }

    /// The next packet of events; `None` at the end. Those of frames, triggers and motion are left out.
    fn next_of_events(&mut self) -> Result<Option<Packet>> {
        loop {
            let start = self.words.at();
            if self.end.is_some_and(|end| start as i64 >= end) {
                return Ok(None);
            }
            let Some(head) = self.words.next::<8>("the head of a packet")? else {
                return match self.end {
                    Some(end) => Err(damaged(
                        self.path,
                        start,
                        &format!("is the end, but packets were written up to byte {end}: the file is truncated"),
                    )),
                    None => Ok(None),
                };
            };
            let [stream, size] =
                [0, 4].map(|at| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
            let packet = self.words.bytes(size as usize, MAX_PACKET, "a packet")?;
            let content = decompress(self.compression, packet)
                .map_err(|reason| damaged(self.path, start, &format!("is a packet that {reason}")))?;
            if content.get(8..12) == Some(b"EVTS") {
                return Ok(Some(Packet { stream, content, start }));
            }
        }
    }
}

impl Packet {
    /// The bytes of its events.
    fn events(&self, path: &Path) -> Result<&[u8]> {
        let elements = self.content.get(4..).and_then(|buffer| {
            let at = Table::root(buffer)?.field(0)?;
            let vector = at.checked_add(number(buffer, at, 4)?.try_into().ok()?)?;
            let count = usize::try_from(number(buffer, vector, 4)?).ok()?;
            buffer.get(vector.checked_add(4)?..)?.get(..count.checked_mul(EVENT)?)
        });
        elements.ok_or_else(|| damaged(path, self.start, "is a damaged packet of events"))
    }
}

/// The content of `packet`, or why there is none.
fn decompress(compression: Compression, packet: Vec<u8>) -> Result<Vec<u8>, String> {
    let mut content = Vec::new();
    let mut read = |reader: &mut dyn Read| reader.take(MAX_PACKET as u64 + 1).read_to_end(&mut content);
    let result = match compression {
        Compression::None => return Ok(packet),
        Compression::Lz4 => read(&mut lz4_flex::frame::FrameDecoder::new(Cursor::new(packet))),
        Compression::Zstd => {
            let mut bytes = packet.as_slice();
            let decoder = ruzstd::decoding::StreamingDecoder::new(&mut bytes);
            read(&mut decoder.map_err(|e| format!("cannot be decompressed ({e})"))?)
        }
    };
    result.map_err(|e| format!("cannot be decompressed ({e})"))?;
    if content.len() > MAX_PACKET { Err(format!("has more than {MAX_PACKET} bytes")) } else { Ok(content) }
}

/// A little-endian integer of 2, 4 or 8 bytes.
fn number(buffer: &[u8], at: usize, size: usize) -> Option<i64> {
    let bytes = buffer.get(at..at.checked_add(size)?)?;
    Some(match *bytes {
        [a, b] => u16::from_le_bytes([a, b]).into(),
        [a, b, c, d] => i32::from_le_bytes([a, b, c, d]).into(),
        _ => i64::from_le_bytes(bytes.try_into().ok()?),
    })
}

/// A table of a FlatBuffer.
struct Table<'a> {
    buffer: &'a [u8],
    at: usize,
    /// Where its list of fields is.
    fields: usize,
}

impl<'a> Table<'a> {
    fn root(buffer: &'a [u8]) -> Option<Self> {
        let at = usize::try_from(number(buffer, 0, 4)?).ok()?;
        let fields = usize::try_from(i64::try_from(at).ok()?.checked_sub(number(buffer, at, 4)?)?).ok()?;
        Some(Self { buffer, at, fields })
    }
    /// Where field `index` is, if it is not left out.
    fn field(&self, index: usize) -> Option<usize> {
        let (length, slot) = (number(self.buffer, self.fields, 2)?, 4 + 2 * index);
        if slot as i64 + 2 > length {
            return None;
        }
        let place = self.fields.checked_add(slot)?;
        let offset = usize::try_from(number(self.buffer, place, 2)?).ok().filter(|&offset| offset > 0)?;
        self.at.checked_add(offset)
    }
}
