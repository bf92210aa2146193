//! Notifications for the user.

use serde::{Deserialize, Serialize};

/// Something the person should read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    pub level: NotificationLevel,
    pub text: String,
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotificationLevel {
    /// Something that was done to the network and what follows from it.
    Note,
    /// Something that was refused; the lab stays as it was.
    Error,
}
