//! The arrangement of panes in the middle of the screen: one tree of tabs and splits for each workspace. A person drags,
//! closes and adds panes; what they made of it is saved with the session.

use egui::{Response, Role, ScrollArea, Ui, WidgetInfo, WidgetText};
use egui_tiles::{
    Behavior, Container, Linear, LinearDir, SimplificationOptions, Tabs, TileId, Tiles, Tree, UiResponse,
};
use serde::{Deserialize, Serialize};

use super::dialog::Ask;
use super::export::{self, Format};
use super::fading::fade;
use super::panes::dress::{self, Dress};
use super::panes::{self, Pane};
use super::{texts, tones};
use crate::experiment::Parts;
use crate::lab::{Lab, Message, Workspace};

/// The arrangements of all workspaces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Docks {
    explore: Tree<Pane>,
    teach: Tree<Pane>,
    tune: Tree<Pane>,
}

impl Default for Docks {
    fn default() -> Self {
        Self {
            explore: standard(Workspace::Explore),
            teach: standard(Workspace::Teach),
            tune: standard(Workspace::Tune),
        }
    }
}

impl Docks {
    /// Draws the panes of the workspace in view, with a frame around `point`.
    pub fn show(&mut self, ui: &mut Ui, lab: &Lab, point: Option<Pane>, asks: &mut Vec<Ask>, out: &mut Vec<Message>) {
        let tree = self.tree_mut(lab.view.workspace);
        if tree.root().is_none() {
            ui.centered_and_justified(|ui| ui.weak(texts::window::ALL_CLOSED));
            return;
        }
        tree.ui(&mut Faces { lab, point, asks, out }, ui);
    }

    /// What the panes read whose tabs are in front in `workspace`.
    pub fn seen(&self, workspace: Workspace) -> Parts {
        let tree = self.tree(workspace);
        tree.active_tiles().into_iter().filter_map(|tile| tree.tiles.get_pane(&tile)?.part()).collect()
    }

    /// Whether `pane` is somewhere in `workspace`.
    pub fn contains(&self, workspace: Workspace, pane: Pane) -> bool {
        self.tree(workspace).tiles.find_pane(&pane).is_some()
    }

    /// Whether `pane` is in `workspace` and not behind another tab.
    pub fn in_sight(&self, workspace: Workspace, pane: Pane) -> bool {
        let tree = self.tree(workspace);
        tree.tiles.find_pane(&pane).is_some_and(|tile| tree.active_tiles().contains(&tile))
    }

    /// The panes of `workspace` that are not behind another tab.
    pub fn all_in_sight(&self, workspace: Workspace) -> Vec<Pane> {
        let tree = self.tree(workspace);
        tree.active_tiles().into_iter().filter_map(|tile| tree.tiles.get_pane(&tile).copied()).collect()
    }

    /// Adds `pane` to `workspace`, or brings its tab to the front.
    pub fn add(&mut self, workspace: Workspace, pane: Pane) {
        let tree = self.tree_mut(workspace);
        if tree.tiles.find_pane(&pane).is_none() {
            let tile = tree.tiles.insert_pane(pane);
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

    /// Adds `pane` to `workspace` as a tab in front of `beside`, or brings its tab to the front.
    pub fn add_beside(&mut self, workspace: Workspace, pane: Pane, beside: Pane) {
        let tree = self.tree_mut(workspace);
        let place = tree.tiles.find_pane(&beside).and_then(|tile| tree.tiles.parent_of(tile));
        if let (Some(place), None) = (place, tree.tiles.find_pane(&pane)) {
            let tile = tree.tiles.insert_pane(pane);
            tree.move_tile_to_container(tile, place, 0, false);
        }
        self.add(workspace, pane);
    }

    /// Takes `pane` out of `workspace`.
    pub fn remove(&mut self, workspace: Workspace, pane: Pane) {
        let tree = self.tree_mut(workspace);
        if let Some(tile) = tree.tiles.find_pane(&pane) {
            tree.remove_recursively(tile);
        }
    }

    /// Brings `workspace` back to how it came.
    pub fn reset(&mut self, workspace: Workspace) {
        *self.tree_mut(workspace) = standard(workspace);
    }

    fn tree(&self, workspace: Workspace) -> &Tree<Pane> {
        match workspace {
            Workspace::Explore => &self.explore,
            Workspace::Teach => &self.teach,
            Workspace::Tune => &self.tune,
        }
    }

    fn tree_mut(&mut self, workspace: Workspace) -> &mut Tree<Pane> {
        match workspace {
            Workspace::Explore => &mut self.explore,
            Workspace::Teach => &mut self.teach,
            Workspace::Tune => &mut self.tune,
        }
    }
}

/// How `workspace` is arranged until a person changes it.
fn standard(workspace: Workspace) -> Tree<Pane> {
    let mut tiles = Tiles::default();
    let root = match workspace {
        // What is wrong (above), and why (below).
        Workspace::Explore => {
            let curve = tabs(&mut tiles, &[Pane::TCurve, Pane::Race, Pane::History, Pane::Delay, Pane::Energy]);
            let ledger = tabs(&mut tiles, &[Pane::Ledger]);
            let where_ = tabs(&mut tiles, &[Pane::Mismatch, Pane::OffsetSpikes, Pane::Unevenness]);
            let one = tabs(&mut tiles, &[Pane::Membrane, Pane::Raster, Pane::Threshold, Pane::Transfer, Pane::Initial]);
            let above = split(&mut tiles, LinearDir::Horizontal, [curve, ledger], 0.5);
            let below = split(&mut tiles, LinearDir::Horizontal, [where_, one], 0.5);
            split(&mut tiles, LinearDir::Vertical, [above, below], 0.44)
        }
        // One neuron, large; its staircase beside it, and a canvas. The lessons stand beside the panes.
        Workspace::Teach => {
            let membrane = tabs(&mut tiles, &[Pane::Bench, Pane::Membrane]);
            let transfer = tabs(&mut tiles, &[Pane::Transfer, Pane::Mismatch, Pane::Unevenness]);
            let draw = tabs(&mut tiles, &[Pane::Draw, Pane::Raster, Pane::OffsetSpikes]);
            let right = split(&mut tiles, LinearDir::Vertical, [transfer, draw], 0.5);
            split(&mut tiles, LinearDir::Horizontal, [membrane, right], 0.54)
        }
        // The threshold by eye, and what it does to the curve.
        Workspace::Tune => {
            let threshold = tabs(&mut tiles, &[Pane::Threshold, Pane::Initial]);
            let curve = tabs(&mut tiles, &[Pane::TCurve, Pane::Race, Pane::History, Pane::Delay, Pane::Energy]);
            let ledger = tabs(&mut tiles, &[Pane::Ledger]);
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

/// How the tree draws its tabs and panes.
struct Faces<'a> {
    lab: &'a Lab,
    point: Option<Pane>,
    asks: &'a mut Vec<Ask>,
    out: &'a mut Vec<Message>,
}

impl Faces<'_> {
    /// As what the pane can be taken along.
    fn export_menu(&mut self, ui: &mut Ui, pane: Pane) {
        let copy = ui.button(texts::export::COPY).on_hover_text(texts::export::COPY_HINT);
        copy.widget_info(|| WidgetInfo::labeled(Role::Button, true, texts::panes::parts::copy_csv(pane.title())));
        if copy.clicked() {
            ui.data_mut(|data| data.insert_temp(panes::copy_wanted(pane), true));
        }
        for format in Format::ALL {
            let item = ui.button(texts::window::export_as(texts::export::format(format)));
            if item.on_hover_text(texts::export::hint(format)).clicked() {
                self.asks.push(Ask::Export(pane, format));
            }
        }
    }
}

impl Behavior<Pane> for Faces<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _tile: TileId, pane: &mut Pane) -> UiResponse {
        // What sticks out of it makes the pane no larger.
        let whole = ui.max_rect();
        ui.painter().rect_filled(whole, 0.0, ui.visuals().panel_fill);
        egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 6)).show(ui, |ui| {
            export::note_size(ui, *pane);
            if pane.of_run() {
                fade(ui, self.lab);
            }
            let room = ui.available_size();
            let (dress, height) = Dress::docked(ui.ctx(), *pane, room.y);
            dress.put_on(ui.ctx());
            if height > room.y {
                // Its plot would be nothing: rather one that is scrolled.
                ScrollArea::vertical().id_salt(*pane).auto_shrink(false).show(ui, |ui| {
                    let layout = egui::Layout::top_down(egui::Align::Min);
                    let size = egui::vec2(ui.available_width(), height);
                    ui.allocate_ui_with_layout(size, layout, |ui| {
                        ui.set_min_size(size);
                        panes::show(ui, *pane, self.lab, self.out);
                    });
                });
            } else {
                panes::show(ui, *pane, self.lab, self.out);
            }
            Dress::default().put_on(ui.ctx());
        });
        if self.point == Some(*pane) {
            tones::point_at(ui, whole);
        }
        UiResponse::None
    }
    fn tab_title_for_pane(&mut self, pane: &Pane) -> WidgetText {
        pane.title().into()
    }
    fn on_tab_button(&mut self, tiles: &mut Tiles<Pane>, tile: TileId, tab: Response) -> Response {
        if let Some(&pane) = tiles.get_pane(&tile) {
            tab.context_menu(|ui| self.export_menu(ui, pane));
        }
        tab
    }
    fn top_bar_right_ui(&mut self, tiles: &Tiles<Pane>, ui: &mut Ui, _: TileId, tabs: &Tabs, _: &mut f32) {
        let Some(&pane) = tabs.active.and_then(|tile| tiles.get_pane(&tile)) else { return };
        let name = texts::window::export(pane.title());
        // Narrow: the room belongs to the tabs.
        ui.spacing_mut().item_spacing.x = 3.0;
        ui.spacing_mut().button_padding.x = 4.0;
        let menu = ui.menu_button("…", |ui| self.export_menu(ui, pane)).response;
        menu.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        menu.on_hover_text(name);
        let help = ui.small_button("?");
        help.widget_info(|| WidgetInfo::labeled(Role::Button, true, texts::panes::parts::explain(pane.title())));
        ui.data_mut(|data| data.insert_temp(panes::help_of(pane), help.id));
        if export::size_of(ui.ctx(), pane).is_some_and(|size| dress::is_low(size.y)) {
            let on = dress::is_unfolded(ui.ctx(), pane);
            let more = ui.selectable_label(on, "+").on_hover_text(texts::panes::UNFOLD);
            more.widget_info(|| WidgetInfo::selected(Role::Button, true, on, texts::panes::unfold(pane.title())));
            if more.clicked() {
                dress::unfold(ui.ctx(), pane, !on);
            }
        }
    }
    fn is_tab_closable(&self, tiles: &Tiles<Pane>, tile: TileId) -> bool {
        tiles.get_pane(&tile).is_some()
    }
    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: true, ..SimplificationOptions::default() }
    }
    fn gap_width(&self, _style: &egui::Style) -> f32 {
        3.0
    }
    fn tab_bar_height(&self, _style: &egui::Style) -> f32 {
        24.0
    }
    fn min_size(&self) -> f32 {
        120.0
    }
    fn tab_bar_color(&self, visuals: &egui::Visuals) -> egui::Color32 {
        visuals.extreme_bg_color
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Part;

    #[test]
    fn an_arrangement_survives_the_session_file() {
        let mut docks = Docks::default();
        docks.remove(Workspace::Explore, Pane::Ledger);
        let text = serde_json::to_value(&docks).unwrap();
        let back: Docks = serde_json::from_value(text).unwrap();
        assert!(!back.contains(Workspace::Explore, Pane::Ledger));
        assert!(back.contains(Workspace::Tune, Pane::Ledger));
    }

    #[test]
    fn only_what_is_in_front_is_seen() {
        let mut docks = Docks::default();
        assert!(!docks.seen(Workspace::Explore).has(Part::Threshold));
        docks.add(Workspace::Explore, Pane::Threshold);
        let seen = docks.seen(Workspace::Explore);
        assert!(seen.has(Part::Threshold) && !seen.has(Part::Initial));
        docks.add(Workspace::Explore, Pane::Initial);
        let seen = docks.seen(Workspace::Explore);
        assert!(!seen.has(Part::Threshold) && seen.has(Part::Initial), "the same tabs, another in front");
    }

    #[test]
    fn a_pane_that_was_closed_can_be_added_again() {
        let mut docks = Docks::default();
        for pane in Pane::ALL {
            docks.remove(Workspace::Explore, pane);
        }
        docks.add(Workspace::Explore, Pane::Raster);
        docks.add(Workspace::Explore, Pane::Ledger);
        assert!(docks.contains(Workspace::Explore, Pane::Raster) && docks.contains(Workspace::Explore, Pane::Ledger));
        docks.reset(Workspace::Explore);
        docks.add_beside(Workspace::Explore, Pane::Boxes, Pane::Mismatch);
        let shown = docks.all_in_sight(Workspace::Explore);
        assert!(shown.contains(&Pane::Boxes) && !shown.contains(&Pane::Mismatch) && shown.len() == 4, "{shown:?}");
        assert!(docks.contains(Workspace::Explore, Pane::TCurve));
    }
}
