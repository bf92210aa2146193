//! Rows of the attribution bench, its tables, and its file.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::options::{BENCH, BenchKey};
use crate::export::results_table::quoted;
use crate::ground::median::median;
use crate::trojan::survival::SuccessRow;
use crate::trojan::trigger::TriggerKind;
use crate::{Error, Result};

/// The scores of one method on the pictures of one trojan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    pub trojan: String,
    #[serde(rename = "type")]
    pub kind: TriggerKind,
    pub secret: bool,
    /// `ann` or `snn`, and T.
    pub on: String,
    pub steps: Option<usize>,
    pub method: String,
    /// Of every picture.
    pub l1: Vec<f64>,
    pub correlation: Vec<f64>,
    pub median_l1: f64,
    pub median_correlation: f64,
    /// Part of the pictures that the network takes for the target.
    pub success: f64,
    /// Median correlation between the maps of this network and those of the network with random weights from the output down to
    /// the last layer, two thirds, one third, and all of them (sanity checks, Adebayo et al. 2018).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub randomized: Vec<f64>,
    pub seconds: f64,
}

/// A whole bench: `rediscover.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bench {
    #[serde(flatten)]
    pub key: BenchKey,
    pub rows: Vec<ScoreRow>,
    pub success: Vec<SuccessRow>,
    /// The first T at which a trojan reaches half of its success in the ANN; `None`: at none of those measured.
    pub appears: Vec<Appearance>,
    pub seconds: f64,
}

/// When a trojan appears after conversion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Appearance {
    pub trojan: String,
    pub recipe: String,
    pub steps: Option<usize>,
}

impl Bench {
    /// Reads the bench of the folder at `folder`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] for a file that is not one.
    pub fn open(folder: &Path) -> Result<Self> {
        read_part(&folder.join(BENCH))
    }

    /// One line a trojan, network and method: medians.
    pub fn scores_csv(&self) -> String {
        let line = |row: &ScoreRow| {
            let steps = row.steps.map_or_else(String::new, |steps| steps.to_string());
            let randomized: Vec<String> = row.randomized.iter().map(|value| format!("{value:.4}")).collect();
            format!(
                "{},{},{},{},{steps},{},{:.5},{:.5},{:.4},{},{:.3}\n",
                quoted(&row.trojan),
                row.kind.word(),
                row.secret,
                row.on,
                row.method,
                row.median_l1,
                row.median_correlation,
                row.success,
                randomized.join(" "),
                row.seconds
            )
        };
        let head = "trojan,type,secret,on,steps,method,l1,correlation,success,randomized,seconds\n";
        self.rows.iter().map(line).fold(head.to_owned(), |text, line| text + &line)
    }

    /// Seconds of `method` on the ANN, or on the spiking network at every T together, over all trojans.
    pub fn seconds_of(&self, method: &str, is_spiking: bool) -> f64 {
        let own = self.rows.iter().filter(|row| row.method == method && row.steps.is_some() == is_spiking);
        own.map(|row| row.seconds).sum()
    }

    /// Median over trojans of the median scores of `method` on the ANN (`None`) or the spiking network after `steps`:
    /// distance and correlation.
    pub fn of_method(&self, method: &str, steps: Option<usize>) -> Option<(f64, f64)> {
        let own: Vec<&ScoreRow> = self.rows.iter().filter(|row| row.method == method && row.steps == steps).collect();
        let of = |value: &dyn Fn(&ScoreRow) -> f64| median(&own.iter().map(|row| value(row)).collect::<Vec<_>>());
        (!own.is_empty()).then(|| (of(&|row| row.median_l1), of(&|row| row.median_correlation)))
    }
}

/// Reads a part of a bench, or its file.
///
/// # Errors
/// [`Error::Io`]; [`Error::File`] with the line that is wrong.
pub(super) fn read_part<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, error))?;
    serde_json::from_str(&text).map_err(|error| Error::file(path, format!("line {}", error.line()), error.to_string()))
}
