//! Starts, stops and resumes the training of the *Train* pane, on a thread of its own.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::lab::engine::{EngineEvent, catch_panic, is_due, spawn};
use crate::lab::storage::store;
use crate::lab::training::{Training, TrainingState};
use crate::lab::{Lab, Message};
use crate::progress::JobControl;
use crate::train::TrainResult;
use crate::{Error, Result};

impl Lab {
    /// Trains the plan of the view into a new file of `folder`, or of the state folder.
    pub(super) fn start_training(&mut self, folder: Option<PathBuf>) {
        if self.training.as_ref().is_some_and(Training::is_running) {
            let reason = "Cannot start a training: another one is running. Stop it first.";
            return self.notify_error(&Error::Invalid(reason.into()));
        }
        let plan = self.view.training.clone();
        let folder = folder.or_else(|| Some(store::folder()?.join("trained")));
        let out = match folder {
            Some(folder) => plan.new_file(&folder),
            None => Err(Error::Invalid("Cannot start a training: there is no folder for its network.".into())),
        };
        match out {
            Ok(out) => {
                let number = self.training.as_ref().map_or(0, |last| last.number + 1);
                self.training = Some(Training {
                    number,
                    plan,
                    out,
                    epochs: Vec::new(),
                    at: None,
                    state: TrainingState::Running,
                    best: None,
                    control: JobControl::default(),
                    thread: None,
                });
                self.run_training(false);
            }
            Err(error) => self.notify_error(&error),
        }
    }

    /// Goes on with the training that was stopped.
    pub(super) fn resume_training(&mut self) {
        if self.training.as_ref().is_some_and(Training::can_resume) {
            self.run_training(true);
        }
    }

    /// Stops the training after its batch.
    pub(super) fn stop_training(&mut self) {
        if let Some(training) = &self.training {
            training.control.cancel();
        }
    }

    /// Opens the network that was trained, with the test samples of its data.
    pub(super) fn open_trained(&mut self) {
        let Some(training) = self.training.as_ref().filter(|training| training.has_network()) else { return };
        let (out, data) = (training.out.display().to_string(), training.plan.test_data());
        let same = self.settings.data == data;
        self.apply(Message::OpenModel(out));
        if !same {
            self.apply(Message::OpenData(data));
        }
    }

    /// Starts the thread of the training.
    fn run_training(&mut self, resume: bool) {
        let sender = self.engine.event_sender();
        let Some(training) = &mut self.training else { return };
        training.state = TrainingState::Running;
        training.control = JobControl::default();
        let (number, plan, out, control) =
            (training.number, training.plan.clone(), training.out.clone(), training.control.clone());
        let work = move || {
            let last = Mutex::new(Instant::now());
            let progress = |at: crate::train::TrainProgress| {
                if at.score.is_some() || is_due(&last) {
                    sender.send(EngineEvent::TrainingProgress { number, at });
                }
                if control.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let result = catch_panic(|| plan.carry_out(&out, resume, progress));
            sender.send(EngineEvent::TrainingFinished { number, result: Box::new(result) });
        };
        match spawn("spikescope-train", work) {
            Some(thread) => training.thread = Some(thread),
            None => training.state = TrainingState::Failed("no thread available".into()),
        }
    }

    pub(super) fn on_training_progress(&mut self, number: u64, at: crate::train::TrainProgress) {
        if let Some(training) = self.training.as_mut().filter(|training| training.number == number) {
            training.note(at);
        }
    }

    pub(super) fn on_training_finished(&mut self, number: u64, result: Result<TrainResult>) {
        let Some(training) = self.training.as_mut().filter(|training| training.number == number) else { return };
        match result {
            Ok(trained) => {
                training.best = Some((trained.score, trained.epoch));
                training.state = if trained.stopped { TrainingState::Stopped } else { TrainingState::Finished };
            }
            Err(error) => training.state = TrainingState::Failed(error.to_string()),
        }
    }

    /// Blocks until no training is running.
    pub fn wait_for_training(&mut self) {
        while self.training.as_ref().is_some_and(Training::is_running) {
            if let Some(event) = self.engine.wait(Duration::from_millis(100)) {
                self.on_engine_event(event);
                self.request_work();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::data::npz::{NpzData, write_npz};
    use crate::lab::training::TrainingPlan;

    /// Two classes of 8x8 images, a bright left or right half.
    fn data(folder: &Path) -> String {
        let pixel = |k: usize| if (k % 8 >= 4) == (k / 64 % 2 == 1) { 0.9 } else { 0.1 + (k * 37 % 11) as f32 / 40.0 };
        let values: Vec<f32> = (0..120 * 64).map(pixel).collect();
        let labels: Vec<i32> = (0..120).map(|k| k % 2).collect();
        let path = folder.join("halves.npz");
        let arrays = [("x", &[120, 1, 8, 8][..], NpzData::F32(&values)), ("y", &[120][..], NpzData::I32(&labels))];
        write_npz(&path, &arrays).unwrap();
        format!("npz:{}", path.display())
    }

    fn start(lab: &mut Lab, plan: &TrainingPlan, folder: &Path) {
        lab.update([Message::SetTraining(Box::new(plan.clone())), Message::StartTraining(Some(folder.to_owned()))]);
    }

    #[test]
    fn a_stopped_training_goes_on_to_the_same_bytes_and_opens() {
        let folder = tempfile::tempdir().unwrap();
        let data = data(folder.path());
        let plan = TrainingPlan { data, epochs: 6, steps: 4, sparse_gradient: 0.001, ..TrainingPlan::default() };
        let mut lab = Lab::default();
        start(&mut lab, &plan, &folder.path().join("whole"));
        lab.wait_for_training();
        let whole = lab.training.take().unwrap();
        assert_eq!(whole.state, TrainingState::Finished);
        assert_eq!(whole.epochs.len(), 6);
        assert!(whole.epochs.iter().all(|epoch| epoch.gradient.is_some_and(|g| g.density > 0.0 && g.density <= 1.0)));
        start(&mut lab, &plan, &folder.path().join("parts"));
        // Stopped after some epoch; if the machine was so busy that it ended before, it is finished.
        while lab.training.as_ref().is_some_and(|training| training.epochs.is_empty()) {
            lab.poll();
            std::thread::sleep(Duration::from_millis(1));
        }
        lab.update([Message::StopTraining]);
        lab.wait_for_training();
        let training = lab.training.as_ref().unwrap();
        assert!(training.has_network(), "{:?}", training.state);
        if training.can_resume() {
            lab.update([Message::ResumeTraining]);
            lab.wait_for_training();
        }
        let parts = lab.training.as_ref().unwrap();
        assert_eq!(parts.state, TrainingState::Finished);
        assert_eq!(parts.epochs.len(), 6);
        assert_eq!(std::fs::read(&parts.out).unwrap(), std::fs::read(&whole.out).unwrap());
        assert!(!parts.out.with_extension("checkpoint").exists());
        lab.update([Message::OpenTrained]);
        lab.wait_until_idle();
        assert_eq!(lab.run.as_ref().unwrap().steps(), 4, "{:?}", lab.notifications);
    }

    #[test]
    fn what_cannot_be_trained_is_said_in_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let mut lab = Lab::default();
        let plan = TrainingPlan { data: "npz:/no/such/file.npz".into(), ..TrainingPlan::default() };
        start(&mut lab, &plan, folder.path());
        lab.wait_for_training();
        let TrainingState::Failed(reason) = &lab.training.as_ref().unwrap().state else { panic!("it was trained") };
        assert!(reason.contains("file.npz"), "{reason}");
    }
}
