//! Events of the trojan jobs: folders that were read, syntheses and judgements in progress.

use std::path::PathBuf;
use std::sync::Arc;

use crate::Result;
use crate::trojan::gallery::SynthesisFolder;
use crate::trojan::quiz::Answer;
use crate::trojan::rediscover::Bench;

/// What a trojan job reports.
pub enum TrojanEvent {
    /// Progress of the job of this number.
    Progress { number: u64, stage: &'static str, fraction: f32 },
    /// The folder of syntheses was read, with the answers that it has.
    Syntheses { path: PathBuf, result: Result<(Arc<SynthesisFolder>, Vec<Answer>)> },
    /// The folder of a rediscovery was read.
    Rediscovery { path: PathBuf, result: Result<Arc<Bench>> },
    /// The job of this number has ended; with new answers of the automatic judge.
    Finished { number: u64, folder: PathBuf, result: Result<Vec<Answer>> },
}
