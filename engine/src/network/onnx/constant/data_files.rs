//! External data: files beside the network that hold the numbers of its tensors.
//!
//! Each file is opened once, and of its content only the ranges of the tensors are read, straight to their values.

use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use super::super::proto::TensorProto;
use crate::{Error, Result};

/// Bytes that are read at a time; they stay in the cache until they are converted.
const CHUNK: usize = 256 << 10;

/// The data files of one network.
#[derive(Debug)]
pub struct DataFiles {
    network: PathBuf,
    /// Open files with their sizes in bytes.
    open: HashMap<PathBuf, (File, u64)>,
}

impl DataFiles {
    /// Data files in the folder of the network at `path`.
    pub fn beside(path: &Path) -> Self {
        Self { network: path.to_owned(), open: HashMap::new() }
    }
    /// The path of the network.
    pub fn network(&self) -> &Path {
        &self.network
    }
    /// Bytes of all data files that were opened.
    pub fn opened_bytes(&self) -> u64 {
        self.open.values().map(|(_, size)| size).sum()
    }

    /// The values of a 32-bit float tensor of `count` values.
    ///
    /// # Errors
    /// [`Error::File`] for an invalid or missing file or range; [`Error::Io`] when it cannot be read.
    pub fn floats(&mut self, tensor: &TensorProto, count: usize) -> Result<Vec<f32>> {
        let (mut range, file) = self.range(tensor, count.checked_mul(4))?;
        let mut values = Vec::with_capacity(range.limit() as usize / 4);
        let mut chunk = vec![0; CHUNK.min(range.limit() as usize)];
        while range.limit() > 0 {
            let len = CHUNK.min(range.limit() as usize);
            range.read_exact(&mut chunk[..len]).map_err(|e| Error::io(&file, e))?;
            values.extend(chunk[..len].as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)));
        }
        Ok(values)
    }

    /// The bytes of a tensor that needs `needed` of them.
    ///
    /// # Errors
    /// As [`Self::floats`].
    pub fn bytes(&mut self, tensor: &TensorProto, needed: Option<usize>) -> Result<Vec<u8>> {
        let (mut range, file) = self.range(tensor, needed)?;
        let mut bytes = Vec::with_capacity(range.limit() as usize);
        range.read_to_end(&mut bytes).map_err(|e| Error::io(&file, e))?;
        Ok(bytes)
    }

    /// A reader of the tensor's range, which lies in its file, and the path of that file. Without a length the range has
    /// the `needed` bytes.
    fn range(&mut self, tensor: &TensorProto, needed: Option<usize>) -> Result<(std::io::Take<&File>, PathBuf)> {
        let path = self.network.clone();
        let refuse = |reason: String| Err(Error::file(&path, format!("tensor '{}'", tensor.name), reason));
        let entry = |key: &str| tensor.external_data.iter().find(|e| e.key == key).map(|e| e.value.as_str());
        let Some(location) = entry("location").and_then(in_folder) else {
            return refuse("its data file is outside the network's folder, which is not allowed".into());
        };
        let number = |key: &str| entry(key).map_or(Ok(None), |text| text.trim().parse::<u64>().map(Some));
        let (Ok(offset), Ok(length)) = (number("offset"), number("length")) else {
            return refuse("offset or length of its external data is not a number".into());
        };
        let (start, needed) = (offset.unwrap_or(0), needed.and_then(|n| u64::try_from(n).ok()));
        let Some(needed) = needed else { return refuse("it announces more values than any file has".into()) };
        let length = length.unwrap_or(needed);
        if length != needed {
            return refuse(format!("its dimensions need {needed} bytes, but its external data have {length}"));
        }
        let file = path.parent().unwrap_or(Path::new("")).join(&location);
        if !self.open.contains_key(&file) {
            let opened = File::open(&file).and_then(|opened| Ok((opened.metadata()?, opened)));
            let (metadata, opened) = match opened {
                Ok(opened) => opened,
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    let reason = format!(
                        "its weights are in the file '{}', which is not beside the network. Put it into the same folder.",
                        location.display()
                    );
                    return refuse(reason);
                }
                Err(error) => return Err(Error::io(&file, error)),
            };
            if !metadata.is_file() {
                return refuse(format!("its data file '{}' is not a file", location.display()));
            }
            self.open.insert(file.clone(), (opened, metadata.len()));
        }
        let Some((opened, size)) = self.open.get(&file) else { return refuse("its data file is not open".into()) };
        if start.checked_add(length).is_none_or(|end| end > *size) {
            let place = format!("tensor '{}'", tensor.name);
            return Err(Error::file(&file, place, "the data file is shorter than stated in the network"));
        }
        let mut reader: &File = opened;
        reader.seek(SeekFrom::Start(start)).map_err(|e| Error::io(&file, e))?;
        Ok((reader.take(length), file))
    }
}

/// `location` without `.` parts; `None` if it leads out of the network's folder.
pub fn in_folder(location: &str) -> Option<PathBuf> {
    let mut inside = PathBuf::new();
    for part in Path::new(location).components() {
        match part {
            Component::Normal(name) => inside.push(name),
            Component::CurDir => {}
            _ => return None,
        }
    }
    (!inside.as_os_str().is_empty()).then_some(inside)
}

#[cfg(test)]
mod tests {
    use super::super::Constant;
    use super::*;
    use crate::network::onnx::proto::StringStringEntryProto;

    fn tensor(entries: &[(&str, &str)]) -> TensorProto {
        let entry = |(key, value): &(&str, &str)| StringStringEntryProto { key: (*key).into(), value: (*value).into() };
        let external_data = entries.iter().map(entry).collect();
        TensorProto {
            name: "w".into(),
            dims: vec![2],
            data_type: 1,
            data_location: 1,
            external_data,
            ..TensorProto::default()
        }
    }

    #[test]
    fn ranges_are_read_and_files_outside_the_folder_refused() {
        let dir = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = [1.0f32, 2.0, 3.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        std::fs::write(dir.path().join("w.data"), bytes).unwrap();
        let path = dir.path().join("net.onnx");
        let read = |entries: &[(&str, &str)]| Constant::read(&tensor(entries), &path);
        let values = |entries: &[(&str, &str)]| read(entries).unwrap().floats().to_vec();
        assert_eq!(values(&[("location", "w.data")]), [1.0, 2.0]);
        assert_eq!(values(&[("location", "./w.data"), ("offset", "4"), ("length", "8")]), [2.0, 3.0]);
        let refused = |entries: &[(&str, &str)]| read(entries).unwrap_err().to_string();
        assert!(refused(&[("location", "../w.data")]).contains("outside"));
        assert!(refused(&[("location", "/w.data")]).contains("outside"));
        assert!(refused(&[("location", ".")]).contains("outside"));
        assert!(refused(&[("location", "v.data")]).contains("the file 'v.data'"));
        assert!(refused(&[("location", "w.data"), ("length", "4")]).contains("need 8 bytes"));
        assert!(refused(&[("location", "w.data"), ("offset", "8")]).contains("shorter"));
    }
}
