//! Sizes that a network's file leaves open, found without decoding its weights.
//!
//! Walks the fields of the file and skips the bytes of tensors.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;

use prost::Message;

use super::GraphInput;
use crate::network::onnx::proto::ValueInfoProto;
use crate::{Error, Result};

/// Maximum bytes of a name or of the description of an input.
const MAX_TEXT: u64 = 1 << 20;

/// Field numbers in `onnx.proto`.
const MODEL_GRAPH: u64 = 7;
const GRAPH_NODE: u64 = 1;
const GRAPH_INITIALIZER: u64 = 5;
const GRAPH_INPUT: u64 = 11;
const NODE_INPUT: u64 = 1;
const TENSOR_NAME: u64 = 8;

/// The sample dimensions of the network's input, in the order of the file and without the batch, if any of them is open
/// (`None`). `Ok(None)` if all are fixed.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] if the file cannot be read or has no input that could be described.
pub fn open_sizes(path: &Path) -> Result<Option<Vec<Option<usize>>>> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    of_file(BufReader::new(file), path)
}

/// [`open_sizes`] of the content of a file.
pub fn of_file(file: impl BufRead + Seek, path: &Path) -> Result<Option<Vec<Option<usize>>>> {
    let mut found = Names::default();
    let mut reader = Reader { file, at: 0 };
    let walked = reader.walk(u64::MAX, &mut |reader, field, len| match field {
        MODEL_GRAPH => reader.graph(len, &mut found),
        _ => reader.skip(len),
    });
    walked.map_err(|e| Error::file(path, "", format!("not an ONNX file, or truncated ({e})")))?;
    let Names { inputs, initializers, read } = found;
    let mut inputs = inputs.iter().filter(|i| !initializers.contains(&i.name) && read.contains(&i.name));
    let Some(input) = inputs.next() else { return Ok(None) };
    let input = GraphInput::read(input, path)?;
    let sample = input.sample();
    Ok(sample.iter().any(Option::is_none).then(|| sample.to_vec()))
}

/// Names and inputs of a graph.
#[derive(Default)]
struct Names {
    inputs: Vec<ValueInfoProto>,
    initializers: HashSet<String>,
    /// Names that nodes read.
    read: HashSet<String>,
}

/// A protobuf file, field by field.
struct Reader<F> {
    file: F,
    at: u64,
}

impl<F: BufRead + Seek> Reader<F> {
    /// Calls `visit` with number and length of each length-delimited field of the next `len` bytes; it has to consume the
    /// field. Other fields are skipped.
    fn walk(
        &mut self,
        len: u64,
        visit: &mut dyn FnMut(&mut Self, u64, u64) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let end = self.at.saturating_add(len);
        while self.at < end {
            let Some(key) = self.varint()? else {
                return match len {
                    u64::MAX => Ok(()),
                    _ => Err(std::io::ErrorKind::UnexpectedEof.into()),
                };
            };
            match key & 7 {
                0 => drop(self.varint()?),
                1 => self.skip(8)?,
                5 => self.skip(4)?,
                2 => {
                    let len = self.varint()?.ok_or(std::io::ErrorKind::UnexpectedEof)?;
                    visit(self, key >> 3, len)?;
                }
                other => return Err(std::io::Error::other(format!("wire type {other}"))),
            }
        }
        Ok(())
    }

    fn graph(&mut self, len: u64, found: &mut Names) -> std::io::Result<()> {
        self.walk(len, &mut |reader, field, len| match field {
            GRAPH_NODE => reader.walk(len, &mut |reader, field, len| match field {
                NODE_INPUT => {
                    found.read.insert(reader.text(len)?);
                    Ok(())
                }
                _ => reader.skip(len),
            }),
            GRAPH_INITIALIZER => reader.walk(len, &mut |reader, field, len| match field {
                TENSOR_NAME => {
                    found.initializers.insert(reader.text(len)?);
                    Ok(())
                }
                _ => reader.skip(len),
            }),
            GRAPH_INPUT => {
                let input = ValueInfoProto::decode(reader.bytes(len)?.as_slice()).map_err(std::io::Error::other)?;
                found.inputs.push(input);
                Ok(())
            }
            _ => reader.skip(len),
        })
    }

    /// The next number; `None` at the end of the file.
    fn varint(&mut self) -> std::io::Result<Option<u64>> {
        let mut value = 0u64;
        for k in 0..10 {
            let mut byte = [0];
            if self.file.read(&mut byte)? == 0 {
                return if k == 0 { Ok(None) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) };
            }
            self.at += 1;
            value |= u64::from(byte[0] & 127) << (7 * k).min(63);
            if byte[0] < 128 {
                return Ok(Some(value));
            }
        }
        Err(std::io::Error::other("a number of more than 10 bytes"))
    }

    fn skip(&mut self, len: u64) -> std::io::Result<()> {
        let by = i64::try_from(len).map_err(std::io::Error::other)?;
        self.file.seek_relative(by)?;
        self.at = self.at.saturating_add(len);
        Ok(())
    }

    fn bytes(&mut self, len: u64) -> std::io::Result<Vec<u8>> {
        if len > MAX_TEXT {
            return Err(std::io::Error::other("a name of more than 1 MiB"));
        }
        let mut bytes = Vec::new();
        (&mut self.file).take(len).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != len {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.at += len;
        Ok(bytes)
    }

    fn text(&mut self, len: u64) -> std::io::Result<String> {
        Ok(String::from_utf8_lossy(&self.bytes(len)?).into_owned())
    }
}
