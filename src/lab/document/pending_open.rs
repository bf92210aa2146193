//! A network and data that do not fit together: one of them waits until the other is opened. And what opening a network
//! changes of the recipe, in a sentence.

use super::job::{MissingSide, PendingOpen};
use crate::Error;
use crate::convert::ThresholdRule;
use crate::data::digits::Drawing;
use crate::error::format_shape;
use crate::experiment::Run;
use crate::experiment::settings::Settings;
use crate::lab::{Lab, Notification, NotificationLevel};

impl Lab {
    /// What was opened and waits for a partner that fits.
    pub fn apart(&self) -> Option<&PendingOpen> {
        self.pending.as_ref()
    }

    /// The settings asked for were refused: tells why. A network and data that only do not fit together are kept.
    pub(super) fn missed(&mut self, error: &Error) {
        let Error::ShapeMismatch { network, wants, data, has } = error else { return self.refuse(error) };
        self.forget_apart();
        let same_network = self.run.as_ref().is_some_and(|run| run.settings.model == self.settings.model);
        let (missing, shape, text) = if same_network {
            let text = format!(
                "Data loaded; choose a network for {}: '{network}' takes {}, but {data} has {0}.",
                format_shape(has),
                format_shape(wants)
            );
            (MissingSide::Network, has.clone(), text)
        } else {
            let text = format!(
                "Network '{network}' loaded; choose data of {}: {data} has {}.",
                format_shape(wants),
                format_shape(has)
            );
            (MissingSide::Data, wants.clone(), text)
        };
        self.notifications.push(Notification { level: NotificationLevel::Note, text: text.clone() });
        self.pending = Some(PendingOpen { settings: self.settings.clone(), missing, shape, text });
    }

    /// Lets what waits go, and the notice of it.
    pub(super) fn forget_apart(&mut self) {
        if let Some(apart) = self.pending.take() {
            self.notifications.retain(|notice| !apart.is_shown_by(notice));
        }
    }

    /// `run` comes on the screen in answer to the settings `asked`. Another network or other data end the wait, but for a
    /// drawing, which only stands in for data.
    pub(super) fn on_run_shown(&mut self, run: &Run) {
        let drawn = |settings: &Settings| Drawing::is_drawing_spec(&settings.data);
        let (new, old) = (&run.settings, self.run.as_ref().map(|run| &run.settings));
        let other = old.is_none_or(|old| old.model != new.model || old.data != new.data && !drawn(old) && !drawn(new));
        if other {
            self.forget_apart();
        }
    }

    /// Says that the threshold rule `asked` for had to give way.
    pub(super) fn tell_fitted(&mut self, asked: ThresholdRule, run: &Run) {
        let rule = run.settings.recipe.threshold;
        if asked == ThresholdRule::Learned && rule != asked {
            let text = format!(
                "'{}' has no learned thresholds: the recipe now uses threshold {rule}. Undo restores both recipe and \
                 network.",
                run.network.original.name
            );
            self.notifications.push(Notification { level: NotificationLevel::Note, text });
        }
    }
}
