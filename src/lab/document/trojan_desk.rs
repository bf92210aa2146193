//! Trojan desk: what the *Trojans* pane shows of its folders, the open questions of the quiz, and the job in progress.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::progress::JobControl;
use crate::trojan::gallery::SynthesisFolder;
use crate::trojan::quiz::{Answer, Question};
use crate::trojan::rediscover::Bench;
use crate::trojan::synthesis::Method;

/// Syntheses or judgements in progress.
pub struct TrojanJob {
    pub(super) number: u64,
    pub folder: PathBuf,
    pub stage: &'static str,
    /// 0 to 1.
    pub fraction: f32,
    pub(super) control: JobControl,
    pub(super) thread: Option<JoinHandle<()>>,
}

impl Drop for TrojanJob {
    /// Whoever closes the window waits for no synthesis, but for the file that is being written.
    fn drop(&mut self) {
        self.control.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic was reported as an event.
            let _ = thread.join();
        }
    }
}

/// What the pane shows of its folders.
#[derive(Default)]
pub struct TrojanDesk {
    pub syntheses: Option<Arc<SynthesisFolder>>,
    pub bench: Option<(PathBuf, Arc<Bench>)>,
    /// Why a folder cannot be shown.
    pub error: Option<String>,
    /// All answers of the folder of syntheses.
    pub answers: Vec<Answer>,
    /// The open questions of whoever answers, the next one first.
    pub questions: Vec<Question>,
    pub job: Option<TrojanJob>,
    /// Whose questions these are.
    pub(super) asked: String,
    /// Folders that are being read or were read.
    pub(super) requested: [Option<PathBuf>; 2],
    pub(super) reading: usize,
    pub(super) jobs: u64,
}

impl TrojanDesk {
    /// Whether a job or a reader is at work.
    pub fn is_busy(&self) -> bool {
        self.job.is_some() || self.reading > 0
    }

    /// Cancels the job in progress.
    pub(super) fn stop(&self) {
        if let Some(job) = &self.job {
            job.control.cancel();
        }
    }

    /// A copy of what is shown, without jobs.
    pub(super) fn shown(&self) -> Self {
        Self {
            syntheses: self.syntheses.clone(),
            bench: self.bench.clone(),
            error: self.error.clone(),
            answers: self.answers.clone(),
            questions: self.questions.clone(),
            asked: self.asked.clone(),
            requested: self.requested.clone(),
            ..Self::default()
        }
    }

    /// Lists the open questions of `judge`.
    pub(super) fn ask(&mut self, judge: &str) {
        self.asked = judge.to_owned();
        let open = self
            .syntheses
            .as_ref()
            .map(|folder| Question::open_ones(&folder.index, &Method::ALL, &self.answers, judge, 0));
        match open.unwrap_or_else(|| Ok(Vec::new())) {
            Ok(questions) => self.questions = questions,
            Err(error) => (self.questions, self.error) = (Vec::new(), Some(error.to_string())),
        }
    }
}
