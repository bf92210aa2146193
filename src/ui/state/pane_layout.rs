//! Pane layout: one egui_tiles tree of tabs and splits per workspace, saved with the session.
//!
//! The user drags, closes and adds panes.

use egui_tiles::{Container, Linear, LinearDir, TileId, Tiles, Tree};
use serde::{Deserialize, Serialize};

use crate::experiment::SnapshotParts;
use crate::lab::Workspace;
use crate::ui::types::pane::Pane;

/// The pane layouts of all workspaces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PaneLayout {
    explore: Tree<Pane>,
    teach: Tree<Pane>,
    tune: Tree<Pane>,
}

impl Default for PaneLayout {
    fn default() -> Self {
        Self {
            explore: default_tree(Workspace::Explore),
            teach: default_tree(Workspace::Teach),
            tune: default_tree(Workspace::Tune),
        }
    }
}

impl PaneLayout {
    /// Snapshot parts that the visible panes of `workspace` need.
    pub fn snapshot_parts(&self, workspace: Workspace) -> SnapshotParts {
        let tree = self.tree(workspace);
        tree.active_tiles().into_iter().filter_map(|tile| tree.tiles.get_pane(&tile)?.part()).collect()
    }

    /// Whether `workspace` contains `pane`.
    pub fn contains(&self, workspace: Workspace, pane: Pane) -> bool {
        self.tree(workspace).tiles.find_pane(&pane).is_some()
    }

    /// Whether `workspace` contains `pane` and no other tab hides it.
    pub fn is_visible(&self, workspace: Workspace, pane: Pane) -> bool {
        let tree = self.tree(workspace);
        tree.tiles.find_pane(&pane).is_some_and(|tile| tree.active_tiles().contains(&tile))
    }

    /// Panes of `workspace` that no other tab hides.
    pub fn visible_panes(&self, workspace: Workspace) -> Vec<Pane> {
        let tree = self.tree(workspace);
        tree.active_tiles().into_iter().filter_map(|tile| tree.tiles.get_pane(&tile).copied()).collect()
    }

    /// Where the window drew `pane` in the last frame, in points; `None` if another tab hides it.
    pub fn rect(&self, workspace: Workspace, pane: Pane) -> Option<egui::Rect> {
        let tree = self.tree(workspace);
        self.is_visible(workspace, pane).then(|| tree.tiles.rect(tree.tiles.find_pane(&pane)?))?
    }

    /// Adds `pane` to `workspace`, or moves its tab to the front.
    ///
    /// The first pane that is added has a place of its own at the end; those after it are tabs there.
    pub fn add(&mut self, workspace: Workspace, pane: Pane) {
        let tree = self.tree_mut(workspace);
        if tree.tiles.find_pane(&pane).is_none() {
            let tile = tree.tiles.insert_pane(pane);
            if let Some((place, count)) = tabs_at_end(tree) {
                tree.move_tile_to_container(tile, place, count, false);
                tree.make_active(|_, tile| matches!(tile, egui_tiles::Tile::Pane(p) if *p == pane));
                return;
            }
            let tabs = tree.tiles.insert_tab_tile(vec![tile]);
            match tree
                .root
                .and_then(|root| tree.tiles.get_container(root).map(|c| c.children_vec().len()).zip(Some(root)))
            {
                Some((count, root)) => tree.move_tile_to_container(tabs, root, count, false),
                None => {
                    let children = tree.root.into_iter().chain([tabs]).collect();
                    tree.root = Some(tree.tiles.insert_horizontal_tile(children));
                }
            }
        }
        tree.make_active(|_, tile| matches!(tile, egui_tiles::Tile::Pane(p) if *p == pane));
    }

    /// Adds `pane` to `workspace` as a tab in front of `beside`, or moves its tab to the front.
    pub fn add_beside(&mut self, workspace: Workspace, pane: Pane, beside: Pane) {
        let tree = self.tree_mut(workspace);
        let place = tree.tiles.find_pane(&beside).and_then(|tile| tree.tiles.parent_of(tile));
        if let (Some(place), None) = (place, tree.tiles.find_pane(&pane)) {
            let tile = tree.tiles.insert_pane(pane);
            tree.move_tile_to_container(tile, place, 0, false);
        }
        self.add(workspace, pane);
    }

    /// Removes `pane` from `workspace`.
    pub fn remove(&mut self, workspace: Workspace, pane: Pane) {
        let tree = self.tree_mut(workspace);
        if let Some(tile) = tree.tiles.find_pane(&pane) {
            tree.remove_recursively(tile);
        }
    }

    /// Resets `workspace` to its default layout.
    pub fn reset(&mut self, workspace: Workspace) {
        *self.tree_mut(workspace) = default_tree(workspace);
    }

    fn tree(&self, workspace: Workspace) -> &Tree<Pane> {
        match workspace {
            Workspace::Explore => &self.explore,
            Workspace::Teach => &self.teach,
            Workspace::Tune => &self.tune,
        }
    }

    pub(crate) fn tree_mut(&mut self, workspace: Workspace) -> &mut Tree<Pane> {
        match workspace {
            Workspace::Explore => &mut self.explore,
            Workspace::Teach => &mut self.teach,
            Workspace::Tune => &mut self.tune,
        }
    }
}

/// The tabs that the root of `tree` ends with, and how many there are.
fn tabs_at_end(tree: &Tree<Pane>) -> Option<(TileId, usize)> {
    let root = tree.root?;
    let last = match tree.tiles.get_container(root)? {
        Container::Tabs(_) => root,
        container => *container.children_vec().last()?,
    };
    match tree.tiles.get_container(last)? {
        Container::Tabs(tabs) => Some((last, tabs.children.len())),
        _ => None,
    }
}

/// The default layout of `workspace`.
fn default_tree(workspace: Workspace) -> Tree<Pane> {
    let mut tiles = Tiles::default();
    let root = match workspace {
        // What is wrong (top), and why (bottom).
        Workspace::Explore => {
            let curve = tabs(&mut tiles, &[Pane::TCurve, Pane::Race, Pane::Runs, Pane::ReadoutWindow, Pane::Energy]);
            let ledger = tabs(&mut tiles, &[Pane::Ledger, Pane::Findings]);
            let where_ = tabs(&mut tiles, &[Pane::Mismatch, Pane::OffsetSpikes, Pane::Unevenness]);
            let one = tabs(
                &mut tiles,
                &[Pane::Membrane, Pane::Raster, Pane::Threshold, Pane::Transfer, Pane::InitialPotential],
            );
            let above = split(&mut tiles, LinearDir::Horizontal, [curve, ledger], 0.5);
            let below = split(&mut tiles, LinearDir::Horizontal, [where_, one], 0.5);
            split(&mut tiles, LinearDir::Vertical, [above, below], 0.44)
        }
        // One large neuron; its staircase and a canvas beside it. The lesson panel is beside the panes.
        Workspace::Teach => {
            let membrane = tabs(&mut tiles, &[Pane::Bench, Pane::Membrane]);
            let transfer = tabs(&mut tiles, &[Pane::Transfer, Pane::Mismatch, Pane::Unevenness]);
            let draw = tabs(&mut tiles, &[Pane::Draw, Pane::Raster, Pane::OffsetSpikes]);
            let right = split(&mut tiles, LinearDir::Vertical, [transfer, draw], 0.5);
            split(&mut tiles, LinearDir::Horizontal, [membrane, right], 0.54)
        }
        // The threshold, and its effect on the T-curve.
        Workspace::Tune => {
            let threshold = tabs(&mut tiles, &[Pane::Threshold, Pane::InitialPotential]);
            let curve = tabs(&mut tiles, &[Pane::TCurve, Pane::Race, Pane::Runs, Pane::ReadoutWindow, Pane::Energy]);
            let ledger = tabs(&mut tiles, &[Pane::Ledger, Pane::Findings]);
            let mismatch = tabs(&mut tiles, &[Pane::Mismatch, Pane::Unevenness, Pane::OffsetSpikes, Pane::Transfer]);
            let left = split(&mut tiles, LinearDir::Vertical, [threshold, ledger], 0.55);
            let right = split(&mut tiles, LinearDir::Vertical, [curve, mismatch], 0.5);
            split(&mut tiles, LinearDir::Horizontal, [left, right], 0.52)
        }
    };
    let name = match workspace {
        Workspace::Explore => "explore",
        Workspace::Teach => "teach",
        Workspace::Tune => "tune",
    };
    Tree::new(egui::Id::unique(("docks", name)), root, tiles)
}

fn tabs(tiles: &mut Tiles<Pane>, panes: &[Pane]) -> TileId {
    let children = panes.iter().map(|&pane| tiles.insert_pane(pane)).collect();
    tiles.insert_tab_tile(children)
}

fn split(tiles: &mut Tiles<Pane>, dir: LinearDir, children: [TileId; 2], first: f32) -> TileId {
    tiles.insert_container(Container::Linear(Linear::new_binary(dir, children, first)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::SnapshotPart;

    #[test]
    fn pane_layout_survives_serialization() {
        let mut layout = PaneLayout::default();
        layout.remove(Workspace::Explore, Pane::Ledger);
        let text = serde_json::to_value(&layout).unwrap();
        let back: PaneLayout = serde_json::from_value(text).unwrap();
        assert!(!back.contains(Workspace::Explore, Pane::Ledger));
        assert!(back.contains(Workspace::Tune, Pane::Ledger));
    }

    #[test]
    fn only_front_tabs_are_visible() {
        let mut layout = PaneLayout::default();
        assert!(!layout.snapshot_parts(Workspace::Explore).has(SnapshotPart::Threshold));
        layout.add(Workspace::Explore, Pane::Threshold);
        let parts = layout.snapshot_parts(Workspace::Explore);
        assert!(parts.has(SnapshotPart::Threshold) && !parts.has(SnapshotPart::Initial));
        layout.add(Workspace::Explore, Pane::InitialPotential);
        let parts = layout.snapshot_parts(Workspace::Explore);
        assert!(
            !parts.has(SnapshotPart::Threshold) && parts.has(SnapshotPart::Initial),
            "the same tabs, another in front"
        );
    }

    #[test]
    fn added_panes_share_one_place() {
        for workspace in [Workspace::Explore, Workspace::Teach, Workspace::Tune] {
            let mut layout = PaneLayout::default();
            let before = layout.visible_panes(workspace).len();
            for pane in [Pane::Train, Pane::Attribution, Pane::Robustness] {
                layout.add(workspace, pane);
                assert!(layout.is_visible(workspace, pane), "{pane:?}");
                assert_eq!(layout.visible_panes(workspace).len(), before + 1, "{workspace:?}: tabs of one place");
            }
            layout.add(workspace, Pane::Train);
            assert!(layout.is_visible(workspace, Pane::Train) && !layout.is_visible(workspace, Pane::Robustness));
        }
    }

    #[test]
    fn closed_pane_can_be_added_again() {
        let mut layout = PaneLayout::default();
        for pane in Pane::ALL {
            layout.remove(Workspace::Explore, pane);
        }
        layout.add(Workspace::Explore, Pane::Raster);
        layout.add(Workspace::Explore, Pane::Ledger);
        assert!(layout.contains(Workspace::Explore, Pane::Raster) && layout.contains(Workspace::Explore, Pane::Ledger));
        layout.reset(Workspace::Explore);
        layout.add_beside(Workspace::Explore, Pane::Boxes, Pane::Mismatch);
        let shown = layout.visible_panes(Workspace::Explore);
        assert!(shown.contains(&Pane::Boxes) && !shown.contains(&Pane::Mismatch) && shown.len() == 4, "{shown:?}");
        assert!(layout.contains(Workspace::Explore, Pane::TCurve));
    }
}
