//! File of an archive that reports its first failure alone: what follows it is accepted and dropped.
//!
//! A `ZipWriter` that is dropped unfinished tries again, and prints on standard error that this failed too. The failure has been
//! returned by then, and the file is removed.

use std::io::{self, Seek, SeekFrom, Write};

/// A file to which nothing more is written once something failed.
pub(super) struct Archive<F> {
    file: F,
    has_failed: bool,
    /// Where the next byte would be, and where the last one was, in bytes.
    position: u64,
    end: u64,
}

impl<F: Write + Seek> Archive<F> {
    /// The empty `file`.
    pub(super) fn new(file: F) -> Self {
        Self { file, has_failed: false, position: 0, end: 0 }
    }

    fn noted<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        self.has_failed |= result.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        result
    }
}

impl<F: Write + Seek> Write for Archive<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match self.has_failed {
            true => bytes.len(),
            false => {
                let written = self.file.write(bytes);
                self.noted(written)?
            }
        };
        self.position += written as u64;
        self.end = self.end.max(self.position);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.has_failed {
            return Ok(());
        }
        let flushed = self.file.flush();
        self.noted(flushed)
    }
}

impl<F: Write + Seek> Seek for Archive<F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = if self.has_failed {
            let from = |base: u64, by: i64| base.saturating_add_signed(by);
            match to {
                SeekFrom::Start(position) => position,
                SeekFrom::Current(by) => from(self.position, by),
                SeekFrom::End(by) => from(self.end, by),
            }
        } else {
            let found = self.file.seek(to);
            self.noted(found)?
        };
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk of 100 bytes that counts what it refuses.
    struct Disk {
        file: io::Cursor<Vec<u8>>,
        refused: usize,
    }

    impl Write for &mut Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.file.get_ref().len() + bytes.len() > 100 {
                self.refused += 1;
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            self.file.write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for &mut Disk {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.file.seek(to)
        }
    }

    #[test]
    fn a_full_disk_fails_once_and_the_writer_can_be_dropped() {
        let mut disk = Disk { file: io::Cursor::default(), refused: 0 };
        let noise: Vec<u8> = (0..100_000u32).map(|k| (k.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        {
            let mut zip = zip::ZipWriter::new(Archive::new(&mut disk));
            zip.start_file("a", zip::write::SimpleFileOptions::default()).unwrap();
            let written = zip.write_all(&noise).and_then(|()| zip.flush());
            assert!(written.is_err() || zip.finish().is_err());
        }
        // Dropped, the writer would try again, and print that this fails.
        assert_eq!(disk.refused, 1);
    }
}
