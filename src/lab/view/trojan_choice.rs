//! What the *Trojans* pane shows: its section, folders, and who answers the quiz.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The sections of the pane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrojanSection {
    /// Success over the steps of the run, and after conversion by each recipe.
    #[default]
    Success,
    /// Syntheses.
    Gallery,
    /// The blind question.
    Quiz,
}

/// What the pane shows; saved with the view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct TrojanChoice {
    pub section: TrojanSection,
    /// Folder of `trojan synthesize`.
    pub syntheses: Option<PathBuf>,
    /// Folder of `trojan rediscover`.
    pub rediscovery: Option<PathBuf>,
    /// The trojan of the gallery, by its name; `None`: the first.
    pub shown: Option<String>,
    /// Who answers the quiz.
    pub judge: String,
}

impl Default for TrojanChoice {
    fn default() -> Self {
        Self {
            section: TrojanSection::default(),
            syntheses: None,
            rediscovery: None,
            shown: None,
            judge: "person".to_owned(),
        }
    }
}
