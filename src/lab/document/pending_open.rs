//! Pending open: a network or data set that waits for a partner of matching input shape.

use std::path::Path;

use super::job::{MissingSide, PendingOpen};
use super::lab::RunError;
use crate::Error;
use crate::convert::ThresholdRule;
use crate::data::digits::Drawing;
use crate::error::format_shape;
use crate::experiment::Run;
use crate::experiment::settings::Settings;
use crate::lab::{Lab, Notification, NotificationLevel};
use crate::network::architecture_draft::needs_draft;
use crate::network::open::BUILTIN_PREFIX;
use crate::network::zoo::bundled_data;

impl Lab {
    /// The network or data set that waits for a partner, if any, and if none is being opened.
    pub fn apart(&self) -> Option<&PendingOpen> {
        self.pending.as_ref().filter(|_| !self.opens_partner())
    }

    /// Whether `notification` asks for the partner that is being opened.
    pub fn is_answered(&self, notification: &Notification) -> bool {
        self.opens_partner() && self.pending.as_ref().is_some_and(|pending| pending.is_shown_by(notification))
    }

    /// Whether the run in progress opens a partner of what waits.
    fn opens_partner(&self) -> bool {
        self.job.is_some()
            && self.pending.as_ref().is_some_and(|pending| match pending.missing {
                MissingSide::Data => {
                    self.settings.model == pending.settings.model && self.settings.data != pending.settings.data
                }
                MissingSide::Network => {
                    self.settings.data == pending.settings.data && self.settings.model != pending.settings.model
                }
            })
    }

    /// The weights without a known architecture that `notification` is about.
    pub fn undescribed(&self, notification: &Notification) -> Option<&str> {
        self.undescribed.as_ref().filter(|(text, _)| *text == notification.text).map(|(_, source)| source.as_str())
    }

    /// The bundled data of the bundled network that `notification` is about, if it runs on others or waits for some.
    pub fn own_data(&self, notification: &Notification) -> Option<&str> {
        let told = self.own_data.as_ref().filter(|(text, _)| *text == notification.text).map(|(_, data)| data.as_str());
        let waits = || self.apart().filter(|pending| pending.is_shown_by(notification));
        told.or_else(|| {
            waits()
                .filter(|pending| pending.missing == MissingSide::Data)
                .and_then(|pending| own_data(pending.source()))
        })
    }

    /// Notifies the user if a bundled network whose outputs are no classes runs on data of the user, which it does not know.
    pub(super) fn notify_foreign_data(&mut self, run: &Run) {
        let data = &run.settings.data;
        let Some(own) = own_data(&run.settings.model) else { return };
        if run.output_agreement.is_none() || data.starts_with(BUILTIN_PREFIX) || Drawing::is_drawing_spec(data) {
            return;
        }
        let text = format!(
            "'{}' runs on the open data, {data}. It was trained on {}, which come with the program.",
            run.network.original.name,
            own.trim_start_matches(BUILTIN_PREFIX)
        );
        self.notifications.push(Notification { level: NotificationLevel::Note, text: text.clone() });
        self.own_data = Some((text, own.to_owned()));
    }

    /// Retracts that note: the network runs on other data.
    pub(super) fn discard_foreign_data(&mut self) {
        if let Some((text, _)) = self.own_data.take() {
            self.notifications.retain(|notification| notification.text != text);
        }
    }

    /// A requested run failed: notifies the user. A network and data set of different shapes stay pending.
    pub(super) fn on_run_error(&mut self, error: &Error) {
        let Error::ShapeMismatch { network, expected, data, found } = error else {
            let opening = self.run.as_ref().is_none_or(|run| run.settings.has_other_sources(&self.settings));
            let gone = missing_file(error).filter(|_| !opening).map(|path| {
                Error::Invalid(format!(
                    "Cannot read {} again: the file is gone. What was read of it before stays in use; put the file back, \
                     or open another.",
                    path.display()
                ))
            });
            let error = gone.as_ref().unwrap_or(error);
            self.remember_error(error, opening);
            if needs_draft(error) {
                self.undescribed = Some((error.to_string(), self.settings.model.clone()));
            }
            return self.notify_error(error);
        };
        self.discard_pending_open();
        let same_network = self.run.as_ref().is_some_and(|run| run.settings.model == self.settings.model);
        let (missing, shape, text) = if same_network {
            let text = format!(
                "Data loaded; choose a network for {}: '{network}' takes {}, but {data} has {0}.",
                format_shape(found),
                format_shape(expected)
            );
            (MissingSide::Network, found.clone(), text)
        } else {
            let text = format!(
                "Network '{network}' loaded; choose data of {}: {data} has {}.",
                format_shape(expected),
                format_shape(found)
            );
            (MissingSide::Data, expected.clone(), text)
        };
        self.notifications.push(Notification { level: NotificationLevel::Note, text: text.clone() });
        self.pending = Some(PendingOpen { settings: self.settings.clone(), missing, shape, text });
    }

    /// A file did not open: says so until another one is open.
    pub(super) fn on_open_error(&mut self, error: &Error) {
        self.remember_error(error, true);
        self.notify_error(error);
    }

    /// Remembers an error that a later run mends. A file that does not open takes the place of the one before, unless both
    /// were opened together.
    fn remember_error(&mut self, error: &Error, opening: bool) {
        if opening {
            let message = self.message_count;
            let is_older = |error: &RunError| error.opening && error.message != message;
            let older: Vec<_> = self.run_errors.extract_if(.., |error| is_older(error)).collect();
            self.retract_errors(&older);
        }
        self.run_errors.push(RunError { text: error.to_string(), opening, message: self.message_count });
    }

    /// Removes the notifications of `errors`.
    fn retract_errors(&mut self, errors: &[RunError]) {
        self.notifications.retain(|notice| {
            notice.level != NotificationLevel::Error || !errors.iter().any(|error| error.text == notice.text)
        });
    }

    /// Discards the pending open and its notification.
    pub(super) fn discard_pending_open(&mut self) {
        if let Some(pending) = self.pending.take() {
            self.notifications.retain(|notification| !pending.is_shown_by(notification));
        }
    }

    /// `run` is displayed next. Another network or other data end the pending open, except for a drawing, which replaces the
    /// data temporarily.
    pub(super) fn on_run_shown(&mut self, run: &Run) {
        let is_drawing = |settings: &Settings| Drawing::is_drawing_spec(&settings.data);
        let (new, old) = (&run.settings, self.run.as_ref().map(|run| &run.settings));
        let has_other_sources = old
            .is_none_or(|old| old.model != new.model || old.data != new.data && !is_drawing(old) && !is_drawing(new));
        if has_other_sources {
            self.discard_pending_open();
            self.discard_foreign_data();
        }
        // What stopped an earlier run is mended; a file that did not open, only once another one is open.
        let (mended, left): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.run_errors).into_iter().partition(|error| has_other_sources || !error.opening);
        self.run_errors = left;
        self.retract_errors(&mended);
    }

    /// Notifies the user if the separate calibration set `requested` was dropped, because it does not fit the network.
    pub(super) fn notify_dropped_set(&mut self, requested: Option<&str>, run: &Run) {
        if let (Some(set), None) = (requested, &run.settings.calibration_data) {
            let text = format!(
                "The calibration set {set} does not fit '{}': thresholds are now calibrated on the data set itself. Undo \
                 restores both set and network.",
                run.network.original.name
            );
            self.notifications.push(Notification { level: NotificationLevel::Note, text });
        }
    }

    /// Notifies the user if the requested threshold rule was replaced.
    pub(super) fn notify_changed_rule(&mut self, requested_rule: ThresholdRule, run: &Run) {
        let rule = run.settings.recipe.threshold;
        if requested_rule == ThresholdRule::Learned && rule != requested_rule {
            let text = format!(
                "'{}' has no learned thresholds: the recipe now uses threshold {rule}. Undo restores both recipe and \
                 network.",
                run.network.original.name
            );
            self.notifications.push(Notification { level: NotificationLevel::Note, text });
        }
    }
}

/// The bundled data of the bundled network `source`.
fn own_data(source: &str) -> Option<&'static str> {
    source.strip_prefix(BUILTIN_PREFIX).and_then(bundled_data)
}

/// The file that `error` misses.
fn missing_file(error: &Error) -> Option<&Path> {
    match error {
        Error::Io { path, source } if source.kind() == std::io::ErrorKind::NotFound => Some(path),
        _ => None,
    }
}
