//! Notifications: notes and errors shown to the user.

use serde::{Deserialize, Serialize};

/// A text for the user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    pub level: NotificationLevel,
    pub text: String,
}

/// Severity of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotificationLevel {
    /// A remark about a change or its consequences.
    Note,
    /// A failed request; the lab is unchanged.
    Error,
}
