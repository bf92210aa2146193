//! A training in progress, and what is known of its epochs.

use std::path::PathBuf;
use std::thread::JoinHandle;

use super::plan::{TrainingPlan, checkpoint_of};
use crate::progress::JobControl;
use crate::train::{InputGradient, TrainProgress};

/// One finished epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// From 1.
    pub number: usize,
    pub loss: f32,
    /// Fraction of the training samples that were predicted correctly.
    pub accuracy: Option<f32>,
    /// Accuracy on the samples held out.
    pub held_out: f32,
    pub gradient: Option<InputGradient>,
}

/// Where a training is.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainingState {
    Running,
    Finished,
    /// Stopped by the user.
    Stopped,
    Failed(String),
}

/// A training.
pub struct Training {
    /// Unique number within the session.
    pub number: u64,
    pub plan: TrainingPlan,
    /// Where the network is written.
    pub out: PathBuf,
    pub epochs: Vec<Epoch>,
    /// The last batch.
    pub at: Option<TrainProgress>,
    pub state: TrainingState,
    /// Held-out accuracy and epoch of the best weights, once they are written.
    pub best: Option<(f32, usize)>,
    pub(in crate::lab) control: JobControl,
    pub(in crate::lab) thread: Option<JoinHandle<()>>,
}

impl Training {
    /// Takes note of `at`. Epochs that a checkpoint repeats keep what was known of their gradients.
    pub fn note(&mut self, at: TrainProgress) {
        self.at = Some(at);
        let Some(held_out) = at.score else { return };
        let epoch = Epoch { number: at.epoch, loss: at.loss, accuracy: at.accuracy, held_out, gradient: at.gradient };
        match self.epochs.iter_mut().find(|known| known.number == at.epoch) {
            Some(known) => *known = Epoch { gradient: epoch.gradient.or(known.gradient), ..epoch },
            None => self.epochs.push(epoch),
        }
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.state == TrainingState::Running
    }

    /// Whether it was stopped and can go on.
    pub fn can_resume(&self) -> bool {
        self.state == TrainingState::Stopped && checkpoint_of(&self.out).is_file()
    }

    /// Whether its network can be opened.
    pub fn has_network(&self) -> bool {
        self.best.is_some() && !self.is_running()
    }
}

impl Drop for Training {
    /// Stops it, and waits until its files are complete.
    fn drop(&mut self) {
        self.control.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic was reported as an event.
            let _ = thread.join();
        }
    }
}
