//! Recent files: the last opened networks with their data, sessions and recipes.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::data::Scaling;
use crate::data::digits::Drawing;
use crate::experiment::settings::Settings;
use crate::network::open::BUILTIN_PREFIX;

/// Maximum number of recent items.
const MAX_ITEMS: usize = 12;

/// An item that was opened and can be opened again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecentItem {
    /// A network and its data set.
    Subject {
        model: String,
        data: String,
        scaling: Scaling,
    },
    Session(PathBuf),
    Recipe(PathBuf),
}

/// Recent items, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecentFiles(Vec<RecentItem>);

impl RecentItem {
    /// The network and data of a run; `None` if both are bundled, or for a drawing.
    pub fn subject(settings: &Settings) -> Option<Self> {
        let bundled = settings.model.starts_with(BUILTIN_PREFIX) && settings.data.starts_with(BUILTIN_PREFIX);
        if Drawing::is_drawing_spec(&settings.data) {
            return None;
        }
        let Settings { model, data, scaling, .. } = settings;
        (!bundled).then(|| Self::Subject { model: model.clone(), data: data.clone(), scaling: scaling.clone() })
    }

    /// Full path or source of the item.
    pub fn place(&self) -> String {
        match self {
            Self::Subject { model, data, .. } => format!("{model}\n{data}"),
            Self::Session(path) | Self::Recipe(path) => path.display().to_string(),
        }
    }

    /// Whether both items open the same files.
    fn opens_same_files(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Subject { model: a, data: b, .. }, Self::Subject { model: c, data: d, .. }) => (a, b) == (c, d),
            (a, b) => a == b,
        }
    }
}

impl RecentFiles {
    /// Adds `opened` as the newest item.
    pub fn add(&mut self, opened: RecentItem) {
        self.0.retain(|known| !known.opens_same_files(&opened));
        self.0.insert(0, opened);
        self.0.truncate(MAX_ITEMS);
    }
    /// Adds all items of `newer` as newer ones.
    pub fn take_over(&mut self, newer: &Self) {
        newer.0.iter().rev().for_each(|opened| self.add(opened.clone()));
    }
    /// The item at `index`, counted from the newest.
    pub fn get(&self, index: usize) -> Option<&RecentItem> {
        self.0.get(index)
    }
    /// Number of items.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_item_is_first_and_occurs_once() {
        let mut recent = RecentFiles::default();
        for k in 0..20 {
            recent.add(RecentItem::Session(format!("{k}.json").into()));
        }
        recent.add(RecentItem::Session("15.json".into()));
        assert_eq!((recent.len(), recent.get(0).unwrap().place()), (MAX_ITEMS, "15.json".into()));
        assert_eq!(recent.0.iter().filter(|o| o.place() == "15.json").count(), 1);
        let text = serde_json::to_string(&recent).unwrap();
        assert_eq!(serde_json::from_str::<RecentFiles>(&text).unwrap(), recent);
    }

    #[test]
    fn bundled_networks_with_bundled_data_are_not_recorded() {
        assert!(RecentItem::subject(&Settings::demo()).is_none());
        let own = Settings { model: "a/net.onnx".into(), data: "idx:b/x,b/y".into(), ..Settings::default() };
        assert_eq!(RecentItem::subject(&own).unwrap().place(), "a/net.onnx\nidx:b/x,b/y");
    }
}
