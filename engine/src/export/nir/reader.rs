//! Readers of NIR files: Python packages with the node types and neurons that each of them supports.

use serde::{Deserialize, Serialize};

/// A package that opens the written file. Behavior: that of the versions in [`NirReader::package`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NirReader {
    /// The package `nir`: neurons as the format defines them.
    #[default]
    Nir,
    SpikingJelly,
    SnnTorch,
    Sinabs,
    Norse,
}

impl NirReader {
    /// All readers.
    pub const ALL: [Self; 5] = [Self::Nir, Self::SpikingJelly, Self::SnnTorch, Self::Sinabs, Self::Norse];

    /// The reader of this [name](Self::as_str).
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reader| reader.as_str() == name)
    }

    /// The word of the command line and of the metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nir => "nir",
            Self::SpikingJelly => "spikingjelly",
            Self::SnnTorch => "snntorch",
            Self::Sinabs => "sinabs",
            Self::Norse => "norse",
        }
    }

    /// Name and version of the package.
    pub fn package(self) -> &'static str {
        match self {
            Self::Nir => "nir 1.0.8",
            Self::SpikingJelly => "SpikingJelly 2.0.0",
            Self::SnnTorch => "snnTorch 1.0.0",
            Self::Sinabs => "sinabs 3.1.3",
            Self::Norse => "norse 1.1.0",
        }
    }

    /// The pool that it reads. sinabs and norse omit an `AvgPool2d` without a message.
    pub fn pools(self) -> PoolExport {
        match self {
            Self::Sinabs | Self::Norse => PoolExport::Sum,
            Self::Nir | Self::SpikingJelly | Self::SnnTorch => PoolExport::Average,
        }
    }

    /// Duration of a time step. SpikingJelly accepts only r = 1/dt, with dt = 0.0001 s by default.
    pub(super) fn dt(self) -> f64 {
        if self == Self::SpikingJelly { 1e-4 } else { 1.0 }
    }

    /// r of every neuron: 1/dt, so that the current of a step is added once.
    pub(super) fn r(self) -> f32 {
        (1.0 / self.dt()) as f32
    }

    /// Whether all neurons of a layer need the same threshold.
    pub(super) fn needs_uniform_threshold(self) -> bool {
        matches!(self, Self::SpikingJelly | Self::SnnTorch)
    }

    /// Whether it has one-dimensional convolutions.
    pub(super) fn reads_lines(self) -> bool {
        matches!(self, Self::Nir | Self::SpikingJelly | Self::Sinabs)
    }

    /// Whether it ignores the padding of pools.
    pub(super) fn ignores_pool_padding(self) -> bool {
        matches!(self, Self::Sinabs | Self::Norse)
    }

    /// Whether it executes nodes depth first, so that the sum of two branches loses the second.
    pub(super) fn loses_branches(self) -> bool {
        matches!(self, Self::Sinabs | Self::Norse)
    }
}

/// Node type of average pools; readers support one or the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PoolExport {
    /// `AvgPool2d` (snnTorch, SpikingJelly).
    #[default]
    Average,
    /// `SumPool2d`, with the window size divided out of the following weights (sinabs).
    Sum,
}

/// The reader that a file is for, and the pools written into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NirTarget {
    pub reader: NirReader,
    pub pools: PoolExport,
}

impl From<NirReader> for NirTarget {
    fn from(reader: NirReader) -> Self {
        Self { reader, pools: reader.pools() }
    }
}

impl From<PoolExport> for NirTarget {
    fn from(pools: PoolExport) -> Self {
        Self { reader: NirReader::Nir, pools }
    }
}
