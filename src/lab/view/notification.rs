//! Notifications for the user.

use serde::{Deserialize, Serialize};

/// Something the person should read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    pub level: Level,
    pub text: String,
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Something that was done to the network and what follows from it.
    Note,
    /// Something that was refused; the lab stays as it was.
    Error,
}
