//! Trojan jobs: reading folders, making and judging syntheses on threads, and answering the quiz.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::trojan_desk::TrojanJob;
use crate::lab::engine::{EngineEvent, EventSender, TrojanEvent, catch_panic, is_due, spawn};
use crate::lab::{Lab, Notification, NotificationLevel};
use crate::progress::{JobControl, JobEvent};
use crate::trojan::folder::{Planted, source_of};
use crate::trojan::gallery::SynthesisFolder;
use crate::trojan::judge::JUDGE_NAME;
use crate::trojan::quiz::{Answer, judge_all, read_answers, write_answers};
use crate::trojan::rediscover::Bench;
use crate::trojan::synthesis::run::INDEX;
use crate::trojan::synthesis::{Method, SynthesisOptions, synthesize};
use crate::{Error, Result};

/// Pictures that the window asks for, a trojan and method.
const PICTURES: usize = 10;

impl Lab {
    pub(super) fn open_syntheses(&mut self, path: PathBuf) {
        // The same folder is read again: it may have more.
        self.trojans.requested[0] = None;
        self.view.trojans.syntheses = Some(path);
    }

    pub(super) fn open_rediscovery(&mut self, path: PathBuf) {
        self.trojans.requested[1] = None;
        self.view.trojans.rediscovery = Some(path);
    }

    /// Reads the folders that the view names.
    pub(super) fn request_folders(&mut self) {
        let (view, desk) = (&self.view.trojans, &mut self.trojans);
        if desk.asked != view.judge {
            let judge = view.judge.clone();
            desk.ask(&judge);
        }
        let named = [view.syntheses.clone(), view.rediscovery.clone()];
        for (which, path) in named.into_iter().enumerate() {
            if desk.requested[which] == path {
                continue;
            }
            desk.requested[which].clone_from(&path);
            desk.error = None;
            let Some(path) = path else {
                match which {
                    0 => (desk.syntheses, desk.answers, desk.questions) = Default::default(),
                    _ => desk.bench = None,
                }
                continue;
            };
            let sender = self.engine.event_sender();
            let event = match which {
                0 => read_syntheses,
                _ => read_rediscovery,
            };
            if spawn("spikescope-read", move || sender.send(EngineEvent::Trojans(event(path)))).is_some() {
                desk.reading += 1;
            }
        }
    }

    /// Starts making the syntheses of the open network's trojans that the folder at `out` lacks.
    pub(super) fn start_synthesis(&mut self, out: PathBuf) {
        let model = self.finished.as_ref().map_or(&self.settings.model, |run| &run.settings.model);
        let Some(source) = source_of(model) else {
            return self.notify_error(&Error::Invalid(format!(
                "Cannot make syntheses: network {model} was not planted. Open builtin:objects-trojans, or a network of \
                 `spikescope trojan plant`."
            )));
        };
        self.view.trojans.syntheses = Some(out.clone());
        // Read when there is something to read.
        self.trojans.requested[0] = Some(out.clone());
        self.start_trojan_job(out, move |folder, control| {
            let planted = Planted::open(&source)?;
            let trojans = planted.trojans("all")?;
            let options = SynthesisOptions { methods: Method::ALL.to_vec(), trojans, pictures: PICTURES, seed: 0 };
            synthesize(&planted, &options, folder, control).map(|_| Vec::new())
        });
    }

    /// Lets the automatic judge answer all open questions.
    pub(super) fn start_judging(&mut self) {
        let Some(folder) = self.trojans.syntheses.clone() else {
            return self.notify_error(&Error::Invalid(
                "Cannot judge syntheses: no folder is open. Open a folder of `spikescope trojan synthesize`.".into(),
            ));
        };
        let answers = self.trojans.answers.clone();
        self.start_trojan_job(folder.path.clone(), move |path, control| {
            judge_all(path, &folder.index, &Method::ALL, &answers, control)
        });
    }

    fn start_trojan_job(
        &mut self,
        folder: PathBuf,
        work: impl FnOnce(&Path, &JobControl) -> Result<Vec<Answer>> + Send + 'static,
    ) {
        if self.trojans.job.is_some() {
            return self.notify_error(&Error::Invalid(
                "Cannot start: syntheses or judgements are in progress. Stop them first.".into(),
            ));
        }
        self.trojans.jobs += 1;
        let (number, sender) = (self.trojans.jobs, self.engine.event_sender());
        let control = listener(number, sender.clone());
        let (job_control, path) = (control.clone(), folder.clone());
        let thread = spawn("spikescope-trojan", move || {
            let result = catch_panic(|| work(&path, &job_control));
            sender.send(EngineEvent::Trojans(TrojanEvent::Finished { number, folder: path, result }));
        });
        match thread {
            Some(thread) => {
                let thread = Some(thread);
                self.trojans.job = Some(TrojanJob { number, folder, stage: "", fraction: 0.0, control, thread });
            }
            None => self.notify_error(&Error::Internal("no thread available for syntheses".into())),
        }
    }

    /// Answers the question on the screen by its option `option`, and writes all answers to the folder.
    pub(super) fn answer_quiz(&mut self, option: usize) {
        let judge = self.view.trojans.judge.trim().to_owned();
        let desk = &mut self.trojans;
        let (Some(folder), Some(question)) = (desk.syntheses.clone(), desk.questions.first()) else { return };
        if judge.is_empty() || judge == JUDGE_NAME {
            let text = format!("Cannot answer as '{judge}': that is no name of a person. Enter your name.");
            return self.notify_error(&Error::Invalid(text));
        }
        desk.answers.push(question.answer(&folder.index, &judge, option, None));
        let written = write_answers(&folder.path, &desk.answers);
        desk.questions.remove(0);
        if let Err(error) = written {
            self.notify_error(&error);
        }
    }

    pub(super) fn on_trojan_event(&mut self, event: TrojanEvent) {
        let desk = &mut self.trojans;
        match event {
            TrojanEvent::Progress { number, stage, fraction } => {
                if let Some(job) = desk.job.as_mut().filter(|job| job.number == number) {
                    (job.stage, job.fraction) = (stage, fraction);
                }
            }
            TrojanEvent::Syntheses { path, result } => {
                desk.reading = desk.reading.saturating_sub(1);
                if desk.requested[0].as_ref() != Some(&path) {
                    return;
                }
                match result {
                    Ok((folder, answers)) => (desk.syntheses, desk.answers) = (Some(folder), answers),
                    Err(error) => {
                        (desk.syntheses, desk.answers) = (None, Vec::new());
                        desk.error = Some(error.to_string());
                    }
                }
                let judge = self.view.trojans.judge.clone();
                self.trojans.ask(&judge);
            }
            TrojanEvent::Rediscovery { path, result } => {
                desk.reading = desk.reading.saturating_sub(1);
                if desk.requested[1].as_ref() == Some(&path) {
                    match result {
                        Ok(bench) => desk.bench = Some((path, bench)),
                        Err(error) => (desk.bench, desk.error) = (None, Some(error.to_string())),
                    }
                }
            }
            TrojanEvent::Finished { number, folder, result } => {
                desk.job.take_if(|job| job.number == number);
                match result {
                    Ok(given) if !given.is_empty() => {
                        // The person may have answered meanwhile.
                        desk.answers.extend(given);
                        if let Err(error) = write_answers(&folder, &desk.answers) {
                            self.notify_error(&error);
                        }
                    }
                    Ok(_) => self.open_syntheses(folder),
                    Err(Error::Cancelled) => {
                        let text = format!("Stopped. What is finished is in {}.", folder.display());
                        self.notifications.push(Notification { level: NotificationLevel::Note, text });
                        if folder.join(INDEX).is_file() {
                            self.open_syntheses(folder);
                        }
                    }
                    Err(error) => self.notify_error(&error),
                }
            }
        }
    }
}

fn read_syntheses(path: PathBuf) -> TrojanEvent {
    let result = catch_panic(|| {
        let folder = SynthesisFolder::open(&path, &JobControl::default())?;
        Ok((Arc::new(folder), read_answers(&path)?))
    });
    TrojanEvent::Syntheses { path, result }
}

fn read_rediscovery(path: PathBuf) -> TrojanEvent {
    let result = catch_panic(|| Bench::open(&path).map(Arc::new));
    TrojanEvent::Rediscovery { path, result }
}

/// The control of job `number`, whose progress goes to the lab.
fn listener(number: u64, sender: EventSender) -> JobControl {
    let last = Mutex::new(Instant::now());
    JobControl::with_listener(move |event| {
        if let JobEvent::Progress { stage, fraction } = event
            && is_due(&last)
        {
            sender.send(EngineEvent::Trojans(TrojanEvent::Progress { number, stage, fraction }));
        }
    })
}
