//! Public data sets by name: download, verification by SHA-256, and extraction.
//!
//! The sources are those of the authors, or those that common libraries use.

use download::{ProgressFn, RemoteFile, sha256_of};
mod archive;
mod download;

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// A known public data set.
#[derive(Clone, Copy, Debug)]
pub struct RemoteDataset {
    pub name: &'static str,
    /// Base URLs in the order they are tried; each ends with a slash.
    pub sources: &'static [&'static str],
    pub files: &'static [RemoteFile],
    /// File names to extract from its single archive; empty for data sets without an archive.
    unpacked: &'static [&'static str],
}

const fn file(name: &'static str, sha256: &'static str, bytes: u64) -> RemoteFile {
    RemoteFile { name, sha256, bytes }
}

/// All known data sets.
pub const DATA_SETS: [RemoteDataset; 3] = [
    RemoteDataset {
        name: "mnist",
        sources: &[
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ],
        files: &[
            file(
                "train-images-idx3-ubyte.gz",
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                9_912_422,
            ),
            file(
                "train-labels-idx1-ubyte.gz",
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                28_881,
            ),
            file(
                "t10k-images-idx3-ubyte.gz",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                1_648_877,
            ),
            file(
                "t10k-labels-idx1-ubyte.gz",
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                4_542,
            ),
        ],
        unpacked: &[],
    },
    RemoteDataset {
        name: "fashion-mnist",
        sources: &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"],
        files: &[
            file(
                "train-images-idx3-ubyte.gz",
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                26_421_880,
            ),
            file(
                "train-labels-idx1-ubyte.gz",
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                29_515,
            ),
            file(
                "t10k-images-idx3-ubyte.gz",
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                4_422_102,
            ),
            file(
                "t10k-labels-idx1-ubyte.gz",
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                5_148,
            ),
        ],
        unpacked: &[],
    },
    RemoteDataset {
        name: "cifar10",
        sources: &["https://www.cs.toronto.edu/~kriz/"],
        files: &[file(
            "cifar-10-binary.tar.gz",
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            170_052_171,
        )],
        unpacked: &[
            "data_batch_1.bin",
            "data_batch_2.bin",
            "data_batch_3.bin",
            "data_batch_4.bin",
            "data_batch_5.bin",
            "test_batch.bin",
            "batches.meta.txt",
        ],
    },
];

/// The data set called `name`.
///
/// # Errors
/// [`Error::Invalid`] with the known names.
pub fn find(name: &str) -> Result<RemoteDataset> {
    DATA_SETS.into_iter().find(|set| set.name == name).ok_or_else(|| {
        let names: Vec<_> = DATA_SETS.iter().map(|set| set.name).collect();
        Error::Invalid(format!("Cannot fetch data set '{name}': unknown name. Use one of {}.", names.join(", ")))
    })
}

/// Default folder of data sets: `$XDG_DATA_HOME/spikescope` or `~/.local/share/spikescope`.
pub fn default_dir() -> Option<PathBuf> {
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let data = data.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")))?;
    Some(data.join("spikescope"))
}

impl RemoteDataset {
    /// Downloads missing files into `folder`. Complete files are kept; partial downloads are resumed.
    ///
    /// # Errors
    /// [`Error::Invalid`] when no source can be reached, with the files to copy by hand and their folder; [`Error::File`]
    /// for a file that differs from the published one; [`Error::Io`] when the operating system refuses.
    pub fn fetch(&self, folder: &Path, on_progress: ProgressFn<'_>) -> Result<()> {
        self.fetch_from(self.sources, folder, on_progress)
    }

    /// [`fetch`](Self::fetch) from other sources (base URLs).
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn fetch_from(&self, sources: &[&str], folder: &Path, on_progress: ProgressFn<'_>) -> Result<()> {
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
        if self.unpacked.iter().all(|name| folder.join(name).is_file()) && !self.unpacked.is_empty() {
            return Ok(());
        }
        for file in self.files {
            let target = folder.join(file.name);
            if target.is_file() && sha256_of(&target)? == file.sha256 {
                continue;
            }
            self.fetch_file(sources, file, folder, on_progress)?;
        }
        match (self.unpacked, self.files) {
            ([], _) => Ok(()),
            (wanted, [archive]) => archive::unpack(&folder.join(archive.name), wanted, folder),
            _ => Err(Error::Internal(format!("{} has several archives", self.name))),
        }
    }

    fn fetch_file(
        &self,
        sources: &[&str],
        file: &RemoteFile,
        folder: &Path,
        on_progress: ProgressFn<'_>,
    ) -> Result<()> {
        let mut last = String::from("no source is known");
        for source in sources {
            match download::download(&format!("{source}{}", file.name), file, folder, on_progress) {
                Ok(()) => return Ok(()),
                Err(download::DownloadError::Unreachable(reason)) => last = reason,
                Err(download::DownloadError::Other(error)) => return Err(error),
            }
        }
        let names: Vec<_> = self.files.iter().map(|file| file.name).collect();
        Err(Error::Invalid(format!(
            "Cannot download {} ({last}): put {} into {} by hand and run this again",
            self.name,
            names.join(", "),
            folder.display()
        )))
    }

    /// The data specifications of the data set in `folder`: test samples, then training samples (also for calibration).
    pub fn specs(&self, folder: &Path) -> [String; 2] {
        let path = |name: &str| folder.join(name).display().to_string();
        match self.unpacked {
            [] => ["t10k", "train"].map(|part| {
                format!(
                    "idx:{},{}",
                    path(&format!("{part}-images-idx3-ubyte.gz")),
                    path(&format!("{part}-labels-idx1-ubyte.gz"))
                )
            }),
            _ => {
                let train: Vec<String> = (1..=5).map(|k| path(&format!("data_batch_{k}.bin"))).collect();
                [format!("cifar10:{}", path("test_batch.bin")), format!("cifar10:{}", train.join(","))]
            }
        }
    }
}

#[cfg(test)]
mod tests;
