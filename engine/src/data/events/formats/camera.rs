//! Binary recordings of cameras: N-MNIST, DAT, EVT2, EVT3 and `.es`, read as streams of words.

use std::io::BufRead;
use std::path::Path;

use super::super::summary::{RawEvent, RawTime};
use super::text_header::TextHeader;
use super::words::{Sink, Words};
use crate::{Error, Result};

/// The `y` of an N-MNIST record that marks an overflow of the sensor's clock; the sensor has no such row.
const OVERFLOW_ROW: u8 = 240;
/// Time added per overflow record, in microseconds.
const OVERFLOW: i128 = 1 << 13;

fn event(x: u16, y: u16, p: bool, t: i128) -> RawEvent {
    RawEvent { x, y, p: u8::from(p), t: RawTime::Integer(t) }
}

/// N-MNIST: five bytes per event: x, y, and three bytes of polarity (1 bit) and microseconds (23 bits, big endian).
///
/// # Errors
/// [`Error::File`] for a file that ends within an event.
pub(super) fn scan_nmnist(path: &Path, reader: &mut impl BufRead, sink: Sink<'_>) -> Result<()> {
    let mut words = Words::new(path, reader, 0);
    let mut overflow_time = 0;
    while let Some(b) = words.next::<5>("the five bytes of an event")? {
        if b[1] == OVERFLOW_ROW {
            overflow_time += OVERFLOW;
            continue;
        }
        let t = i128::from(u32::from_be_bytes([0, b[2] & 0x7f, b[3], b[4]])) + overflow_time;
        sink(event(b[0].into(), b[1].into(), b[2] >> 7 == 1, t))?;
    }
    Ok(())
}

/// DAT: 8 bytes per event after two bytes of type and size: the time, then 14 bits for x and y and the polarity at bit 28
/// (version 2), or 9 and 8 bits and the polarity at bit 17 (version 1). Without a version, the words tell: those of version 1
/// end at bit 17.
///
/// # Errors
/// [`Error::File`] for other types, and for a file that ends within an event.
pub(super) fn scan_dat(path: &Path, header: &TextHeader, reader: &mut impl BufRead, sink: Sink<'_>) -> Result<()> {
    let mut words = Words::new(path, reader, header.len);
    let Some([kind, size]) = words.next::<2>("the type and size of events")? else { return Ok(()) };
    if !matches!(kind, 0x00 | 0x0c) || size != 8 {
        let reason = format!(
            "has events of type 0x{kind:02X} with {size} bytes. Types 0x00 and 0x0C with 8 bytes are read. Convert it, or \
             save its change-detection events."
        );
        return Err(Error::file(path, format!("byte {}", header.len), reason));
    }
    let version = header.value("version").and_then(|v| v.split('.').next()?.parse::<u32>().ok());
    let wide = match version {
        Some(version) => version >= 2,
        None => words.peek()?.chunks_exact(8).any(|bytes| bytes[7] > 0 || bytes[6] >= 1 << 2),
    };
    let (mut wraps, mut last) = (0i128, 0u32);
    while let Some(bytes) = words.next::<8>("the 8 bytes of an event")? {
        let [t, data] = [0, 4].map(|at| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]));
        if last > t && last - t > 1 << 31 {
            wraps += 1 << 32;
        }
        last = t;
        let (x, y, p) = match wide {
            true => (data & 0x3fff, data >> 14 & 0x3fff, data >> 28 & 1),
            false => (data & 0x1ff, data >> 9 & 0xff, data >> 17 & 1),
        };
        words.check_side(x.max(y))?;
        sink(event(x as u16, y as u16, p == 1, i128::from(t) + wraps))?;
    }
    Ok(())
}

/// EVT2: words of 32 bits. The upper 28 bits of the time have words of their own, and wrap after 4.8 hours. Returns the
/// number of events before the first of these, which have no time and are left out.
///
/// # Errors
/// [`Error::File`] for unknown words, and for a file that ends within a word.
pub(super) fn scan_evt2(path: &Path, header: &TextHeader, reader: &mut impl BufRead, sink: Sink<'_>) -> Result<u64> {
    let mut words = Words::new(path, reader, header.len);
    let (mut high, mut wraps, mut untimed) = (None::<u32>, 0i128, 0);
    while let Some(bytes) = words.next::<4>("a word of 32 bits")? {
        let word = u32::from_le_bytes(bytes);
        match word >> 28 {
            p @ (0x0 | 0x1) => {
                let Some(high) = high else {
                    untimed += 1;
                    continue;
                };
                let (x, y) = (word >> 11 & 0x7ff, word & 0x7ff);
                let t = i128::from(high) << 6 | i128::from(word >> 22 & 0x3f);
                sink(event(x as u16, y as u16, p == 1, t + wraps))?;
            }
            0x8 => {
                let next = word & 0x0fff_ffff;
                if high.is_some_and(|high| high > next && high - next > 1 << 27) {
                    wraps += 1 << 34;
                }
                high = Some(next);
            }
            // Triggers, other and continued words.
            0xa | 0xe | 0xf => {}
            kind => return Err(words.error(format!("is a word of type 0x{kind:X}, which EVT2 does not have"))),
        }
    }
    Ok(untimed)
}

/// EVT3: words of 16 bits: row, column or vector of columns, and the time in two words of 12 bits, which wrap after 16.8 s.
/// Returns the number of events before the first upper word, which have no time and are left out, and the number of upper
/// words that are missing.
///
/// The upper word is repeated within the 4 ms that it covers and then changes nothing. A new one sets the lower word to 0
/// until that follows, as in the manufacturer's decoder; with the old one the events between would lie 4 ms ahead. Where the
/// lower word falls without an upper one, as in files of expelliarmus, which have a single one, an upper word is missing.
///
/// # Errors
/// [`Error::File`] for unknown words, and for a file that ends within a word.
pub(super) fn scan_evt3(
    path: &Path,
    header: &TextHeader,
    reader: &mut impl BufRead,
    sink: Sink<'_>,
) -> Result<[u64; 2]> {
    let mut words = Words::new(path, reader, header.len);
    let (mut high, mut low, mut wraps, mut untimed) = (None::<u16>, 0u16, 0i128, 0);
    // Upper words in the file, missing upper words in all and since the last one.
    let (mut uppers, mut missing, mut carry) = (0u64, 0u64, 0i128);
    let (mut y, mut base, mut p) = (0u16, 0u16, false);
    while let Some(bytes) = words.next::<2>("a word of 16 bits")? {
        let word = u16::from_le_bytes(bytes);
        let time = |high: u16| (i128::from(high) << 12 | i128::from(low)) + (carry << 12) + wraps;
        match word >> 12 {
            0x0 => y = word & 0x7ff,
            0x2 => match high {
                Some(high) => sink(event(word & 0x7ff, y, word >> 11 & 1 == 1, time(high)))?,
                None => untimed += 1,
            },
            0x3 => (base, p) = (word & 0x7ff, word >> 11 & 1 == 1),
            kind @ (0x4 | 0x5) => {
                let columns = if kind == 0x4 { 12 } else { 8 };
                for column in (0..columns).filter(|column| word >> column & 1 == 1) {
                    words.check_side(u32::from(base) + u32::from(column))?;
                    match high {
                        Some(high) => sink(event(base + column, y, p, time(high)))?,
                        None => untimed += 1,
                    }
                }
                base = base.saturating_add(columns);
            }
            0x6 => {
                let next = word & 0xfff;
                // Beside others, a small step back is one of the sensor.
                if next < low && high.is_some() && (uppers == 1 || low - next > 1 << 11) {
                    (missing, carry) = (missing + 1, carry + 1);
                }
                low = next;
            }
            0x8 => {
                let next = word & 0xfff;
                if high.is_some_and(|high| high > next && high - next >= 1 << 11) {
                    wraps += 1 << 24;
                }
                if high.is_some_and(|high| high != next) {
                    low = 0;
                }
                (high, carry, uppers) = (Some(next), 0, uppers + 1);
            }
            // Continued words, triggers and others.
            0x7 | 0xa | 0xe | 0xf => {}
            kind => return Err(words.error(format!("is a word of type 0x{kind:X}, which EVT3 does not have"))),
        }
    }
    Ok([untimed, missing])
}

/// The beginning of an `.es` file.
pub(super) const ES_SIGNATURE: &[u8] = b"Event Stream";

/// Event Stream (`.es`, version 2): the time since the last event in seven bits with the polarity, then x and y. Returns the
/// sensor's width and height.
///
/// # Errors
/// [`Error::File`] for other versions and kinds, for events outside the sensor and for a file that ends within an event.
pub(super) fn scan_es(path: &Path, reader: &mut impl BufRead, sink: Sink<'_>) -> Result<[usize; 2]> {
    let mut words = Words::new(path, reader, 0);
    let truncated = || Error::file(path, "the header", "is truncated");
    let head = words.next::<16>("the header")?.ok_or_else(truncated)?;
    if head[12] != 2 {
        let reason = format!("is version {}.{}.{} of Event Stream; version 2 is read", head[12], head[13], head[14]);
        return Err(Error::file(path, "byte 12", reason));
    }
    if head[15] != 1 {
        let reason =
            format!("has events of kind {}; kind 1 (DVS) is read. Save its change-detection events.", head[15]);
        return Err(Error::file(path, "byte 15", reason));
    }
    let size = words.next::<4>("the size of the sensor")?.ok_or_else(truncated)?;
    let sensor = [u16::from_le_bytes([size[0], size[1]]), u16::from_le_bytes([size[2], size[3]])];
    let mut t = 0i128;
    while let Some([byte]) = words.next::<1>("a byte")? {
        match byte {
            // A long pause, and a reset that changes nothing between events.
            0xff => t += 0x7f,
            0xfe => {}
            _ => {
                t += i128::from(byte >> 1);
                let place = words.next::<4>("x and y")?.ok_or_else(|| words.error("ends within an event".into()))?;
                let [x, y] = [u16::from_le_bytes([place[0], place[1]]), u16::from_le_bytes([place[2], place[3]])];
                if x >= sensor[0] || y >= sensor[1] {
                    let [width, height] = sensor;
                    return Err(words.error(format!("is an event at {x}, {y}, outside the sensor of {width}x{height}")));
                }
                words.check_side(x.max(y).into())?;
                sink(event(x, y, byte & 1 == 1, t))?;
            }
        }
    }
    Ok(sensor.map(usize::from))
}
