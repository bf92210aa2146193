//! What was opened lately: pairs of network and data, sessions, recipes.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::data::Scaling;
use crate::data::digits::Drawing;
use crate::experiment::settings::Settings;
use crate::network::open::BUILTIN_PREFIX;

/// As many are remembered.
const KEPT: usize = 12;

/// Something that was opened and can be opened again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecentItem {
    /// A network and the data that it ran on.
    Subject {
        model: String,
        data: String,
        scaling: Scaling,
    },
    Session(PathBuf),
    Recipe(PathBuf),
}

/// What was opened lately, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecentFiles(Vec<RecentItem>);

impl RecentItem {
    /// The network and data of a run, unless all of it is bundled.
    pub fn subject(settings: &Settings) -> Option<Self> {
        let bundled = settings.model.starts_with(BUILTIN_PREFIX) && settings.data.starts_with(BUILTIN_PREFIX);
        if Drawing::is_drawing_spec(&settings.data) {
            return None;
        }
        let Settings { model, data, scaling, .. } = settings;
        (!bundled).then(|| Self::Subject { model: model.clone(), data: data.clone(), scaling: scaling.clone() })
    }

    /// Where it lies, whole.
    pub fn place(&self) -> String {
        match self {
            Self::Subject { model, data, .. } => format!("{model}\n{data}"),
            Self::Session(path) | Self::Recipe(path) => path.display().to_string(),
        }
    }

    /// Whether the two open the same files.
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Subject { model: a, data: b, .. }, Self::Subject { model: c, data: d, .. }) => (a, b) == (c, d),
            (a, b) => a == b,
        }
    }
}

impl RecentFiles {
    /// Remembers `opened` as the newest.
    pub fn add(&mut self, opened: RecentItem) {
        self.0.retain(|known| !known.same(&opened));
        self.0.insert(0, opened);
        self.0.truncate(KEPT);
    }
    /// Remembers all of `newer` as newer.
    pub fn take_over(&mut self, newer: &Self) {
        newer.0.iter().rev().for_each(|opened| self.add(opened.clone()));
    }
    /// The one at `index`, counted from the newest.
    pub fn get(&self, index: usize) -> Option<&RecentItem> {
        self.0.get(index)
    }
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stands_first_and_only_once() {
        let mut recent = RecentFiles::default();
        for k in 0..20 {
            recent.add(RecentItem::Session(format!("{k}.json").into()));
        }
        recent.add(RecentItem::Session("15.json".into()));
        assert_eq!((recent.len(), recent.get(0).unwrap().place()), (KEPT, "15.json".into()));
        assert_eq!(recent.0.iter().filter(|o| o.place() == "15.json").count(), 1);
        let text = serde_json::to_string(&recent).unwrap();
        assert_eq!(serde_json::from_str::<RecentFiles>(&text).unwrap(), recent);
    }

    #[test]
    fn what_is_bundled_need_not_be_remembered() {
        assert!(RecentItem::subject(&Settings::demo()).is_none());
        let own = Settings { model: "a/net.onnx".into(), data: "idx:b/x,b/y".into(), ..Settings::default() };
        assert_eq!(RecentItem::subject(&own).unwrap().place(), "a/net.onnx\nidx:b/x,b/y");
    }
}
