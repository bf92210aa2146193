//! The window: hands the lab's news and the person's wishes to and fro, asks for files, takes dropped ones. Draws nothing
//! itself but the hint while something is dragged over it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use egui::{Align2, Color32, Context, FontId, LayerId, Order};

use super::autosave::Autosave;
use super::file_dialog::{FileDialogs, NativeDialogs};
use super::shell;
use super::state::pane_export::PaneExport;
use super::state::window::WindowState;
use super::texts::file_dialog as dialog_texts;
use super::types::file_request::FileRequest;
use super::types::pane::Pane;
use crate::data::images::is_image;
use crate::lab::storage::store::Store;
use crate::lab::{Lab, Message, Notification, NotificationLevel};
use crate::ui::texts::window as texts;
use crate::{Error, Result};

/// A file that was chosen, and what for.
type Answered = (FileRequest, Option<PathBuf>);

/// The window with its lab.
pub struct App {
    lab: Lab,
    window: WindowState,
    dialogs: Box<dyn FileDialogs>,
    /// Files that were chosen, and what for.
    answers: (Sender<Answered>, Receiver<Answered>),
    title: String,
    /// Keeps the session for the next start, where there is a place for it.
    keeper: Option<Autosave>,
}

/// Opens the window on `lab` and returns when it is closed; `store` keeps the session for the next start. A `fresh` one is
/// compared with no run of an earlier start.
///
/// # Errors
/// When the system offers no window to draw in.
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
        // Before the reason stand places in the sources of the window library, which help nobody here.
        let text = error.to_string();
        let reason = text.rsplit(": ").next().unwrap_or(&text);
        Error::Invalid(texts::no_window(reason))
    })
}

impl App {
    /// The window's side of `lab`, drawn in `ctx`.
    pub fn new(lab: Lab, ctx: &Context) -> Self {
        let waker = ctx.clone();
        lab.set_waker(Arc::new(move || waker.request_repaint()));
        Self {
            lab,
            window: WindowState::default(),
            dialogs: Box::new(NativeDialogs),
            answers: channel(),
            title: String::new(),
            keeper: None,
        }
    }

    /// Asks for files through `dialogs` instead of the system's.
    pub fn with_dialogs(mut self, dialogs: impl FileDialogs + 'static) -> Self {
        self.dialogs = Box::new(dialogs);
        self
    }

    /// Keeps the session in `store`, and takes from it what was opened lately.
    pub fn with_store(mut self, store: Option<Store>) -> Self {
        self.keeper = store.map(Autosave::new);
        if let Some(keeper) = &mut self.keeper {
            keeper.restore_runs(&mut self.lab);
            // What the command line opened is newer.
            let opened = std::mem::replace(&mut self.lab.recent, keeper.recent());
            self.lab.recent.take_over(&opened);
            self.window.hints = keeper.hints();
            self.window.clicks = keeper.clicks();
        }
        self
    }

    /// The lab in the window.
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// Asks for the files that were wished for.
    fn ask_for_files(&mut self, ctx: &Context) {
        for ask in std::mem::take(&mut self.window.file_requests) {
            let (sender, ctx) = (self.answers.0.clone(), ctx.clone());
            let answer = move |path| {
                // A closed ear means that the program is ending.
                let _ = sender.send((ask, path));
                ctx.request_repaint();
            };
            self.dialogs.ask(ask, Box::new(answer));
        }
    }

    /// Messages of dialogs that were answered and files that were dropped.
    fn files(&mut self, ctx: &Context) -> Vec<Message> {
        let mut messages = Vec::new();
        for (ask, path) in self.answers.1.try_iter() {
            let Some(path) = path else {
                let text = dialog_texts::NONE.into();
                messages.push(Message::Notify(Notification { level: NotificationLevel::Error, text }));
                continue;
            };
            if ask == FileRequest::SaveSession {
                messages.push(Message::SetLayout(self.window.saved_layout()));
            }
            if let FileRequest::Export(pane, format) = ask {
                self.window.exports.push(PaneExport::begin(ctx, &self.lab, pane, format, &path));
            }
            messages.extend(ask.message(path));
        }
        let dropped = ctx.input(|input| input.raw.dropped_files.clone());
        // Where there is a canvas in sight, a single picture is meant for it.
        let canvas = self.window.layout.docks.is_visible(self.lab.view.workspace, Pane::Draw) && dropped.len() == 1;
        messages.extend(dropped.into_iter().map(|file| match file.path().to_owned() {
            path if canvas && is_image(&path) => Message::DrawPicture(path),
            path => Message::OpenPath(path),
        }));
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
        self.lab.poll();
        let messages = self.files(ctx);
        if !messages.is_empty() {
            self.lab.update(messages);
        }
        if self.lab.advance(ctx.input(|input| input.stable_dt.min(0.1))) {
            ctx.request_repaint();
        }
        self.retitle(ctx);
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        // The store is dropped with the window and writes what it has.
        if let Some(keeper) = &mut self.keeper {
            keeper.keep(&self.lab, &self.window);
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
            // What was asked is on the screen with the next frame.
            ui.ctx().request_repaint();
        }
        if let Some(keeper) = &mut self.keeper {
            let news = keeper.tick(ui.ctx(), &self.lab, &self.window);
            self.lab.update(news);
        }
    }
}

/// A veil over the window while files are held over it.
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
