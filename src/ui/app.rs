//! Application: connects the lab with the window, file dialogs, dropped files and autosave.
//!
//! Draws nothing itself except the hint while files are dragged over the window.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

use egui::{Align2, Color32, Context, FontId, LayerId, Order};

use super::autosave::Autosave;
use super::file_dialog::{FileDialogs, NativeDialogs};
use super::shell;
use super::state::pane_export::PaneExport;
use super::state::window::WindowState;
use super::texts::popups::file_dialog as dialog_texts;
use super::types::file_request::FileRequest;
use super::types::pane::Pane;
use crate::data::images::is_image;
use crate::lab::storage::store::Store;
use crate::lab::{Lab, Message, Notification, NotificationLevel};
use crate::ui::texts::window as texts;
use crate::{Error, Result};

/// Time until a frame that settles what the frame before has changed. News of a run come more often, so that it is rarely an
/// additional frame.
const SETTLE_TIME: Duration = Duration::from_millis(100);

/// Chosen files and the request that they answer.
type ChosenFiles = (FileRequest, Option<Vec<PathBuf>>);

/// The window and its lab.
pub struct App {
    lab: Lab,
    window: WindowState,
    dialogs: Box<dyn FileDialogs>,
    /// Chosen files and their requests, sent by dialog threads.
    chosen_files: (Sender<ChosenFiles>, Receiver<ChosenFiles>),
    /// Alive while a dialog is open.
    open_dialog: Weak<()>,
    title: String,
    /// Autosave, if the application has a storage folder.
    autosave: Option<Autosave>,
}

/// Opens the window on `lab` and returns when it is closed. `store` saves the session for the next start. With `fresh`,
/// the run is not compared with a run of an earlier start.
///
/// # Errors
/// If the system provides no window to draw in.
pub fn open(lab: Lab, store: Option<Store>, fresh: bool) -> Result<()> {
    let viewport = egui::ViewportBuilder::default()
        .with_title(texts::TITLE)
        .with_app_id("spikescope")
        .with_inner_size([1280.0, 800.0])
        .with_min_inner_size([960.0, 600.0])
        .with_drag_and_drop(true);
    let options = eframe::NativeOptions { viewport, renderer: eframe::Renderer::Glow, ..Default::default() };
    let create = |context: &eframe::CreationContext<'_>| {
        let mut app = App::new(lab, &context.egui_ctx).with_store(store);
        if fresh {
            app.lab.update([Message::CompareWith(None)]);
        }
        Ok(Box::new(app) as _)
    };
    eframe::run_native("spikescope", options, Box::new(create)).map_err(|error| {
        // The part before the reason names source locations in the windowing library. It does not help the user.
        let text = error.to_string();
        let reason = text.rsplit(": ").next().unwrap_or(&text);
        Error::Invalid(texts::no_window(reason))
    })
}

impl App {
    /// Creates the application for `lab`, drawn in `ctx`.
    pub fn new(lab: Lab, ctx: &Context) -> Self {
        let waker = ctx.clone();
        lab.set_waker(Arc::new(move || waker.request_repaint()));
        Self {
            lab,
            window: WindowState::default(),
            dialogs: Box::new(NativeDialogs),
            chosen_files: channel(),
            open_dialog: Weak::new(),
            title: String::new(),
            autosave: None,
        }
    }

    /// Uses `dialogs` instead of the system's file dialogs.
    pub fn with_dialogs(mut self, dialogs: impl FileDialogs + 'static) -> Self {
        self.dialogs = Box::new(dialogs);
        self
    }

    /// Saves the session in `store` and loads the recent files from it.
    pub fn with_store(mut self, store: Option<Store>) -> Self {
        self.autosave = store.map(Autosave::new);
        if let Some(autosave) = &mut self.autosave {
            autosave.restore_runs(&mut self.lab);
            // Files opened by the command line are newer.
            let opened = std::mem::replace(&mut self.lab.recent, autosave.recent());
            self.lab.recent.take_over(&opened);
            self.window.hints = autosave.hints();
            self.window.clicks = autosave.clicks();
        }
        self
    }

    /// The lab of this window.
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// Opens a dialog for every file request of this frame.
    fn ask_for_files(&mut self, ctx: &Context) {
        for request in std::mem::take(&mut self.window.file_requests) {
            if self.open_dialog.strong_count() > 0 {
                let text = dialog_texts::ONE_AT_A_TIME.into();
                let notification = Notification { level: NotificationLevel::Note, text };
                self.lab.update([Message::Notify(notification)]);
                continue;
            }
            let (sender, ctx) = (self.chosen_files.0.clone(), ctx.clone());
            let is_open = Arc::new(());
            self.open_dialog = Arc::downgrade(&is_open);
            let answer = move |paths| {
                // The receiver is gone: the program is shutting down.
                let _ = sender.send((request, paths));
                drop(is_open);
                ctx.request_repaint();
            };
            self.dialogs.show_several(request, Box::new(answer));
        }
    }

    /// Messages from answered dialogs and from dropped files.
    fn files(&mut self, ctx: &Context) -> Vec<Message> {
        let mut messages = Vec::new();
        for (request, paths) in self.chosen_files.1.try_iter() {
            let Some(mut paths) = paths else {
                let text = dialog_texts::NONE.into();
                messages.push(Message::Notify(Notification { level: NotificationLevel::Error, text }));
                continue;
            };
            if request == FileRequest::OpenPictureFiles {
                messages.push(Message::OpenPaths(paths));
                continue;
            }
            // Other requests have one file; there is none if the dialog was cancelled.
            let Some(path) = paths.pop() else { continue };
            if request == FileRequest::SaveSession {
                messages.push(Message::SetLayout(self.window.saved_layout()));
            }
            if let FileRequest::Export(pane, format) = request {
                let theme = self.window.layout.figures;
                self.window.exports.push(PaneExport::begin(ctx, &self.lab, pane, theme, format, &path));
            }
            messages.extend(request.message(path));
        }
        let dropped = ctx.input(|input| input.raw.dropped_files.clone());
        // While a canvas is visible, a single dropped image goes onto it.
        let canvas = self.window.layout.docks.is_visible(self.lab.view.workspace, Pane::Draw) && dropped.len() == 1;
        let paths: Vec<_> = dropped.into_iter().map(|file| file.path().to_owned()).collect();
        messages.extend(match &paths[..] {
            [] => None,
            [path] if canvas && is_image(path) => Some(Message::DrawPicture(path.clone())),
            // A single image stays a path, which the lab opens by its kind.
            [path] => Some(Message::OpenPath(path.clone())),
            _ => Some(Message::OpenPaths(paths)),
        });
        messages
    }

    fn retitle(&mut self, ctx: &Context) {
        let title = match &self.lab.run {
            Some(run) => texts::title(&run.network.original.name),
            None => texts::TITLE.to_owned(),
        };
        if title != self.title {
            ctx.send_viewport_cmd(egui::ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        if self.lab.poll() {
            // Plots place the names of their axes by the numbers of the frame before: one more frame puts them right.
            ctx.request_repaint_after(SETTLE_TIME);
        }
        let messages = self.files(ctx);
        if !messages.is_empty() {
            self.lab.update(messages);
        }
        if self.lab.advance(ctx.input(|input| input.stable_dt.min(0.1))) {
            ctx.request_repaint();
        }
        self.retitle(ctx);
    }

    fn persist_egui_memory(&self) -> bool {
        // It has the size of texts, which a start without projector mode would take over.
        !self.lab.view.projector
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        // The store is dropped with the window and then writes its pending data.
        if let Some(autosave) = &mut self.autosave {
            autosave.save_changes(&self.lab, &self.window);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        if let Some(seconds) = frame.info().cpu_usage {
            self.window.frames.whole(seconds);
        }
        let mut messages = Vec::new();
        shell::show(ui, &self.lab, &mut self.window, &mut messages);
        drop_hint(ui.ctx());
        self.ask_for_files(ui.ctx());
        if !messages.is_empty() {
            self.lab.update(messages);
            // The result of these messages appears in the next frame.
            ui.ctx().request_repaint();
        }
        if let Some(autosave) = &mut self.autosave {
            let notification = autosave.tick(ui.ctx(), &self.lab, &self.window);
            self.lab.update(notification);
        }
    }
}

/// Overlay on the window while files are dragged over it.
fn drop_hint(ctx: &Context) {
    if ctx.input(|input| input.raw.hovered_files.is_empty()) {
        return;
    }
    let painter = ctx.layer_painter(LayerId::new(Order::Foreground, egui::Id::unique("drop hint")));
    let screen = ctx.content_rect();
    painter.rect_filled(screen, 0.0, Color32::from_black_alpha(190));
    let text = texts::DROP;
    painter.text(screen.center(), Align2::CENTER_CENTER, text, FontId::proportional(26.0), Color32::WHITE);
}
