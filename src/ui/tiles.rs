//! Pane area: draws the tree of tabs and splits with egui_tiles.

use egui::{Response, Role, ScrollArea, Ui, WidgetInfo, WidgetText};
use egui_tiles::{Behavior, SimplificationOptions, Tabs, TileId, Tiles, UiResponse};

use crate::lab::{Lab, Message};
use crate::ui::state::pane_layout::PaneLayout;
use crate::ui::theme::colors;
use crate::ui::types::export_format::ExportFormat;
use crate::ui::types::file_request::FileRequest;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_frame::PaneFrame;
use crate::ui::widgets::stale_overlay::dim_if_stale;
use crate::ui::widgets::{pane_frame, wanted_file};
use crate::ui::{panes, texts};

/// Width of a tab beside its name: margins and cross, in points.
const TAB_MARGINS: f32 = 40.0;

/// What a lesson does with panes.
#[derive(Default)]
pub struct LessonMarks {
    /// The pane with a frame around it.
    pub point: Option<Pane>,
    /// Panes that are covered until a question is answered.
    pub covered: Vec<Pane>,
}

/// Draws the panes of the current workspace with the marks of a lesson; or the maximized pane alone.
pub fn show(
    layout: &mut PaneLayout,
    ui: &mut Ui,
    lab: &Lab,
    marks: &LessonMarks,
    maximized: &mut Option<Pane>,
    file_requests: &mut Vec<FileRequest>,
    messages: &mut Vec<Message>,
) {
    let tree = layout.tree_mut(lab.view.workspace);
    if let Some(pane) = maximized.filter(|pane| tree.tiles.find_pane(pane).is_some()) {
        let mut alone = TileBehavior { lab, marks, file_requests, maximized, messages };
        alone.maximized_ui(ui, pane);
        return;
    }
    *maximized = None;
    if tree.root().is_none() {
        ui.centered_and_justified(|ui| ui.weak(texts::window::ALL_CLOSED));
        return;
    }
    tree.ui(&mut TileBehavior { lab, marks, file_requests, maximized, messages }, ui);
}

/// Draws tabs and panes for egui_tiles.
struct TileBehavior<'a> {
    lab: &'a Lab,
    marks: &'a LessonMarks,
    file_requests: &'a mut Vec<FileRequest>,
    /// The pane that fills the area of all panes.
    maximized: &'a mut Option<Pane>,
    messages: &'a mut Vec<Message>,
}

impl TileBehavior<'_> {
    /// Draws one pane over the whole area, below a bar that restores the others.
    fn maximized_ui(&mut self, ui: &mut Ui, pane: Pane) {
        let bar =
            egui::Panel::top("maximized pane").frame(egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 2)));
        bar.show(ui, |ui| {
            ui.horizontal(|ui| {
                let title =
                    ui.add(egui::Label::new(egui::RichText::new(pane.title()).strong()).sense(egui::Sense::click()));
                let restore = ui.button(texts::window::RESTORE).on_hover_text(texts::window::RESTORE_HINT);
                if title.double_clicked() || restore.clicked() {
                    *self.maximized = None;
                }
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    self.pane_buttons(ui, pane);
                    preview_mark(ui, self.lab, pane, ui.available_width());
                });
            });
        });
        egui::CentralPanel::default().frame(egui::Frame::new()).show(ui, |ui| self.framed_pane(ui, pane));
    }

    /// Draws the pane in its frame; one without room for its plot scrolls.
    fn framed_pane(&mut self, ui: &mut Ui, pane: Pane) {
        // Overflowing contents do not enlarge the pane.
        let whole = ui.max_rect();
        ui.painter().rect_filled(whole, 0.0, ui.visuals().panel_fill);
        if self.marks.covered.contains(&pane) {
            ui.centered_and_justified(|ui| ui.add(egui::Label::new(texts::lesson::COVERED).wrap()));
            return;
        }
        copy_when_whole(ui, self.lab, pane);
        egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 6)).show(ui, |ui| {
            pane_frame::remember_size(ui, pane);
            if pane.shows_run() || matches!(pane, Pane::TCurve | Pane::Race) && !follows_job(self.lab) {
                dim_if_stale(ui, self.lab);
            }
            let room = ui.available_size();
            let (pane_frame, height) = PaneFrame::for_tab(ui.ctx(), pane, room.y);
            pane_frame.set(ui.ctx());
            if height > room.y {
                // The plot would have no height, so the pane scrolls instead.
                ScrollArea::vertical().id_salt(pane).auto_shrink(false).show(ui, |ui| {
                    let layout = egui::Layout::top_down(egui::Align::Min);
                    let size = egui::vec2(ui.available_width(), height);
                    ui.allocate_ui_with_layout(size, layout, |ui| {
                        ui.set_min_size(size);
                        panes::show(ui, pane, self.lab, self.messages);
                    });
                });
            } else {
                panes::show(ui, pane, self.lab, self.messages);
            }
            PaneFrame::default().set(ui.ctx());
            self.file_requests.extend(wanted_file::take(ui));
        });
        if self.marks.point == Some(pane) {
            colors::highlight(ui, whole);
        }
    }

    /// Draws the buttons beside the tabs. Those of a covered pane would give away what it hides.
    fn pane_buttons(&mut self, ui: &mut Ui, pane: Pane) {
        let is_free = !self.marks.covered.contains(&pane);
        ui.add_enabled_ui(is_free, |ui| self.buttons(ui, pane));
    }

    /// Draws the menu, the explanation, and the controls of a low pane.
    fn buttons(&mut self, ui: &mut Ui, pane: Pane) {
        let name = texts::window::export(pane.title());
        // Narrow spacing leaves the space for tabs.
        ui.spacing_mut().item_spacing.x = 3.0;
        ui.spacing_mut().button_padding.x = 4.0;
        let menu = ui.menu_button("…", |ui| self.pane_menu(ui, pane)).response;
        menu.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        menu.on_hover_text(name);
        let help = ui.small_button("?");
        help.widget_info(|| WidgetInfo::labeled(Role::Button, true, texts::panes::pane_header::explain(pane.title())));
        ui.data_mut(|data| data.insert_temp(crate::ui::widgets::pane_frame::help_of(pane), help.id));
        if crate::ui::widgets::pane_frame::pane_size(ui.ctx(), pane).is_some_and(|size| pane_frame::is_low(size.y)) {
            let on = pane_frame::is_expanded(ui.ctx(), pane);
            let more = ui.selectable_label(on, "+").on_hover_text(texts::panes::UNFOLD);
            more.widget_info(|| WidgetInfo::selected(Role::Button, true, on, texts::panes::unfold(pane.title())));
            if more.clicked() {
                pane_frame::set_expanded(ui.ctx(), pane, !on);
            }
        }
    }

    /// Menu of the pane: its size, and its export formats.
    fn pane_menu(&mut self, ui: &mut Ui, pane: Pane) {
        let (words, after) = match *self.maximized == Some(pane) {
            true => (texts::window::RESTORE, None),
            false => (texts::window::MAXIMIZE, Some(pane)),
        };
        if ui.button(words).on_hover_text(texts::window::MAXIMIZE_HINT).clicked() {
            *self.maximized = after;
        }
        ui.separator();
        self.export_menu(ui, pane);
    }

    /// Menu of export formats for the pane.
    fn export_menu(&mut self, ui: &mut Ui, pane: Pane) {
        let copy = ui.button(texts::export::COPY).on_hover_text(texts::export::COPY_HINT);
        copy.widget_info(|| WidgetInfo::labeled(Role::Button, true, texts::panes::pane_header::copy_csv(pane.title())));
        if copy.clicked() {
            ui.data_mut(|data| data.insert_temp(pane_frame::copy_asked(pane), true));
        }
        let picture = ui.button(texts::export::COPY_PICTURE).on_hover_text(texts::export::COPY_PICTURE_HINT);
        picture.widget_info(|| WidgetInfo::labeled(Role::Button, true, texts::export::copy_picture(pane)));
        if picture.clicked() {
            ui.data_mut(|data| data.insert_temp(pane_frame::picture_wanted(), Some(pane)));
        }
        for format in ExportFormat::ALL {
            let item = ui.button(texts::window::export_as(texts::export::format(format)));
            if item.on_hover_text(texts::export::hint(format)).clicked() {
                self.file_requests.push(FileRequest::Export(pane, format));
            }
        }
    }
}

/// Whether the T-curve shows the requested run already: its first samples, or the first steps of a longer one.
fn follows_job(lab: &Lab) -> bool {
    lab.prefix_run().is_some() || lab.job.as_ref().is_some_and(|job| !job.partial.curve.is_empty())
}

/// Requests the numbers of `pane` that are asked for; while it shows some of the samples at the time cursor, they wait for all.
fn copy_when_whole(ui: &Ui, lab: &Lab, pane: Pane) {
    let is_preview = lab.cursor_preview_counts().is_some() && pane.shows_layers_at_cursor();
    if !is_preview && ui.data_mut(|data| data.remove_temp::<bool>(pane_frame::copy_asked(pane))).is_some() {
        ui.data_mut(|data| data.insert_temp(pane_frame::copy_wanted(pane), true));
    }
}

/// Says in the bar of a pane, where it covers nothing, that it shows some of the samples. Without `room` points for that it
/// gives the two numbers.
fn preview_mark(ui: &mut Ui, lab: &Lab, pane: Pane, room: f32) {
    // The T-curve says it itself, or shows all samples.
    let shows_some = (pane.shows_run() || pane == Pane::Race) && pane != Pane::TCurve;
    let of_run = lab.preview_counts().filter(|_| shows_some);
    let at_cursor = || lab.cursor_preview_counts().filter(|_| pane.shows_layers_at_cursor());
    let Some((count, of)) = of_run.or_else(at_cursor) else { return };
    let font = egui::TextStyle::Small.resolve(ui.style());
    let words = texts::shared::some_samples(count, of);
    let width = ui.painter().layout_no_wrap(words.clone(), font, egui::Color32::WHITE).size().x;
    let fits = width + ui.spacing().item_spacing.x <= room;
    let text = egui::RichText::new(if fits { words.clone() } else { texts::shared::some_of(count, of) }).small();
    let label = ui.add(egui::Label::new(text).extend());
    label.widget_info(|| WidgetInfo::labeled(Role::Label, true, &words));
    label.on_hover_text(words);
}

/// Width of the tabs of `tabs` side by side, in points: each name with its margins and cross.
fn tabs_width(ui: &Ui, tiles: &Tiles<Pane>, tabs: &Tabs) -> f32 {
    let font = egui::TextStyle::Button.resolve(ui.style());
    let names = tabs.children.iter().filter_map(|tile| tiles.get_pane(tile)).map(|pane| pane.title());
    let one = |name: &str| ui.painter().layout_no_wrap(name.to_owned(), font.clone(), egui::Color32::WHITE).size().x;
    names.map(|name| one(name) + TAB_MARGINS).sum()
}

impl Behavior<Pane> for TileBehavior<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _tile: TileId, pane: &mut Pane) -> UiResponse {
        self.framed_pane(ui, *pane);
        UiResponse::None
    }
    fn tab_title_for_pane(&mut self, pane: &Pane) -> WidgetText {
        pane.title().into()
    }
    fn on_tab_button(&mut self, tiles: &mut Tiles<Pane>, tile: TileId, tab: Response) -> Response {
        if let Some(&pane) = tiles.get_pane(&tile) {
            if !self.marks.covered.contains(&pane) {
                tab.context_menu(|ui| self.pane_menu(ui, pane));
            }
            if tab.double_clicked() {
                *self.maximized = Some(pane);
            }
        }
        tab
    }
    fn top_bar_right_ui(&mut self, tiles: &Tiles<Pane>, ui: &mut Ui, _: TileId, tabs: &Tabs, _: &mut f32) {
        let Some(&pane) = tabs.active.and_then(|tile| tiles.get_pane(&tile)) else { return };
        self.pane_buttons(ui, pane);
        let room = ui.available_width() - tabs_width(ui, tiles, tabs);
        preview_mark(ui, self.lab, pane, room);
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
