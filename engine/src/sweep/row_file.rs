//! File of a finished row: its settings, figures, and where they were computed.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::digest::{FORMAT, hex};
use super::figures::Figures;
use crate::experiment::Settings;
use crate::files::write_bytes;
use crate::{Error, Result};

/// The result of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowFile {
    /// Version of the format.
    pub format: u32,
    /// Version of the program.
    pub version: String,
    /// The row's address, which is also its file name.
    pub address: String,
    /// The settings that ran.
    pub settings: Settings,
    /// The attack or explanation that was carried out; none for a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<serde_json::Value>,
    pub figures: Figures,
    /// SHA-256 of the figures.
    pub checksum: String,
    pub environment: Environment,
}

/// Where and how a row was computed. It does not change the figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Instruction set of the kernels, such as AVX-512.
    pub instructions: String,
    pub architecture: String,
    pub system: String,
    /// Threads of the process.
    pub threads: usize,
    /// Duration of the run that gave the figures, in seconds; rows that differ in T alone share a run.
    pub seconds: f64,
}

impl Environment {
    /// That of this process.
    pub fn of_this_process(seconds: f64) -> Self {
        Self {
            instructions: crate::compute::simd::simd_name().into(),
            architecture: std::env::consts::ARCH.into(),
            system: std::env::consts::OS.into(),
            threads: rayon::current_num_threads(),
            seconds,
        }
    }
}

/// Why a file in a results folder is no finished row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowFault {
    /// It ends early or its content does not match its checksum.
    Torn(String),
    /// It was written in a later version of the format.
    Future(u32),
    /// It was read, but it belongs to another name.
    Misnamed,
}

/// The part of a row file that every version has.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

impl RowFile {
    /// A finished row.
    pub fn new(address: String, settings: Settings, figures: Figures, environment: Environment) -> Self {
        let checksum = checksum(&figures);
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").into(),
            address,
            settings,
            work: None,
            figures,
            checksum,
            environment,
        }
    }

    /// Writes the row beside its place, syncs it and renames it.
    ///
    /// # Errors
    /// [`Error::Io`] with the path.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(|error| Error::Internal(error.to_string()))?;
        write_bytes(path, format!("{text}\n").as_bytes())
    }

    /// Reads the content `bytes` of the file of the row `address`.
    ///
    /// # Errors
    /// [`RowFault`] for what is not a finished row of that name.
    pub fn read(bytes: &[u8], address: &str) -> Result<Self, RowFault> {
        let row: Self = match serde_json::from_slice(bytes) {
            Ok(row) => row,
            Err(error) => {
                return Err(match serde_json::from_slice::<Version>(bytes) {
                    Ok(version) if version.format > FORMAT => RowFault::Future(version.format),
                    _ => RowFault::Torn(error.to_string()),
                });
            }
        };
        if row.format > FORMAT {
            return Err(RowFault::Future(row.format));
        }
        if row.checksum != checksum(&row.figures) {
            return Err(RowFault::Torn("the figures do not match their checksum".into()));
        }
        if row.address == address { Ok(row) } else { Err(RowFault::Misnamed) }
    }
}

/// SHA-256 of the figures, hexadecimal.
fn checksum(figures: &Figures) -> String {
    hex(&Sha256::digest(serde_json::to_vec(figures).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::figures::Figure;

    fn row() -> RowFile {
        let figures = Figures([("snn_accuracy".to_owned(), Figure::Steps(vec![0.1, 1.0 / 3.0]))].into());
        RowFile::new("ab12".into(), Settings::default(), figures, Environment::of_this_process(0.5))
    }

    #[test]
    fn a_row_reads_back_and_faults_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ab12.json");
        row().write(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(RowFile::read(&bytes, "ab12").unwrap(), row());
        assert_eq!(RowFile::read(&bytes, "ab13"), Err(RowFault::Misnamed));
        assert!((1..bytes.len() - 2).all(|end| matches!(RowFile::read(&bytes[..end], "ab12"), Err(RowFault::Torn(_)))));
        let text = String::from_utf8(bytes).unwrap();
        let changed = text.replace("0.1,", "0.2,");
        assert_ne!(changed, text);
        assert!(matches!(RowFile::read(changed.as_bytes(), "ab12"), Err(RowFault::Torn(_))));
        assert_eq!(RowFile::read(br#"{"format": 2, "rows": []}"#, "ab12"), Err(RowFault::Future(2)));
    }
}
