//! Background export of panes: one thread per export, with a progress bar and a cancel button.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;

use egui::{Align2, Area, Context, Frame, Id, Margin, ProgressBar, Rect, Ui};

use super::OffscreenPane;
use super::offscreen::png;
use crate::Error;
use crate::files::write_bytes;
use crate::lab::engine::OwnThreads;
use crate::lab::{Lab, Message, Notification, NotificationLevel};
use crate::ui::state::pane_export::{Exported, PaneExport, PaneExportProgress};
use crate::ui::texts::export as texts;
use crate::ui::types::export_format::{ExportFormat, FigureTheme};
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_frame::picture_wanted;

impl PaneExport {
    /// Starts to write `pane` to `path`, as the window of `ctx` shows it, in the `theme` of figures.
    pub fn begin(ctx: &Context, lab: &Lab, pane: Pane, theme: FigureTheme, format: ExportFormat, path: &Path) -> Self {
        let path = path.to_owned();
        Self::start(ctx, lab, (pane, theme), texts::exporting(pane, format), move |offscreen, lab, progress| {
            write(offscreen, lab, format, &path, progress).map(|()| Exported::File(path))
        })
    }

    /// Starts to copy `pane` to the clipboard as a picture.
    pub fn copy(ctx: &Context, lab: &Lab, pane: Pane, theme: FigureTheme) -> Self {
        Self::start(ctx, lab, (pane, theme), texts::copy_picture(pane), |offscreen, lab, _| {
            Ok(Exported::Picture(offscreen.image(lab)))
        })
    }

    /// Starts `work` on the pane, drawn off screen.
    fn start(
        ctx: &Context,
        lab: &Lab,
        (pane, theme): (Pane, FigureTheme),
        name: String,
        work: impl FnOnce(&mut OffscreenPane, &mut Lab, &PaneExportProgress) -> crate::Result<Exported> + Send + 'static,
    ) -> Self {
        let (sender, outcome) = channel();
        let progress = PaneExportProgress { ctx: Some(ctx.clone()), ..PaneExportProgress::default() };
        let (offscreen, mut lab, own) = (OffscreenPane::of_window(ctx, pane), lab.offscreen_copy(), progress.clone());
        lab.view.dark = theme.is_dark(lab.view.dark);
        let mut offscreen = if theme == FigureTheme::White { offscreen.on_white() } else { offscreen };
        let export = move || {
            // The window's snapshot covers only visible panes; a pane behind another tab needs more parts.
            let (t, control) = (lab.cursor(), own.control().clone());
            let write = || lab.set_step(t, &control).and_then(|()| work(&mut offscreen, &mut lab, &own));
            let result = OwnThreads::Exports.install(write);
            // The receiver is gone: the program is shutting down.
            let _ = sender.send(result);
            own.ctx.iter().for_each(Context::request_repaint);
        };
        // Without a thread the channel closes at once, and the export reports a failure.
        let thread = std::thread::Builder::new().name("spikescope-export".into()).spawn(export).ok();
        Self { name, progress, outcome, thread }
    }

    /// Messages about the result, once the export has ended.
    fn result_messages(&self, ctx: &Context) -> Option<Vec<Message>> {
        use std::sync::mpsc::TryRecvError;
        let (level, text) = match self.outcome.try_recv() {
            Ok(Ok(Exported::Picture(picture))) => {
                let text = texts::picture_copied(&self.name, picture.size);
                ctx.copy_image(picture);
                (NotificationLevel::Note, text)
            }
            Ok(Ok(Exported::File(path))) => {
                let notification = Notification { level: NotificationLevel::Note, text: texts::exported(&path) };
                return Some(vec![Message::Notify(notification), Message::FileWritten(path)]);
            }
            Ok(Err(Error::Cancelled)) => (NotificationLevel::Note, texts::STOPPED.into()),
            Ok(Err(error)) => (NotificationLevel::Error, error.to_string()),
            Err(TryRecvError::Disconnected) => (NotificationLevel::Error, texts::FAILED.into()),
            Err(TryRecvError::Empty) => return None,
        };
        Some(vec![Message::Notify(Notification { level, text })])
    }
}

/// Writes the pane to `path` in `format`.
///
/// # Errors
/// If the system refuses to write the file, or if the export is cancelled.
pub fn write(
    offscreen: &mut OffscreenPane,
    lab: &mut Lab,
    format: ExportFormat,
    path: &Path,
    progress: &PaneExportProgress,
) -> crate::Result<()> {
    match format {
        ExportFormat::Png => write_bytes(path, &png(&offscreen.image(lab))?),
        ExportFormat::Svg => write_bytes(path, offscreen.svg(lab).as_bytes()),
        ExportFormat::Csv => write_bytes(path, offscreen.csv(lab)?.as_bytes()),
        ExportFormat::Gif => super::animation::gif(offscreen, lab, path, progress),
        ExportFormat::Frames => super::animation::step_images(offscreen, lab, path, progress),
    }
}

/// Draws exports of panes and runs in progress in a corner of `room`, and pushes messages for those that have ended.
///
/// Starts the copy that a pane or a menu wants, in the `theme` of figures.
pub fn show(
    ui: &Ui,
    lab: &Lab,
    theme: FigureTheme,
    room: Rect,
    exports: &mut Vec<PaneExport>,
    messages: &mut Vec<Message>,
) {
    let wanted = ui.data_mut(|data| data.remove_temp::<Option<Pane>>(picture_wanted())).flatten();
    exports.extend(wanted.map(|pane| PaneExport::copy(ui.ctx(), lab, pane, theme)));
    exports.retain(|export| {
        let result_messages = export.result_messages(ui.ctx());
        let in_progress = result_messages.is_none();
        messages.extend(result_messages.into_iter().flatten());
        in_progress
    });
    if exports.is_empty() && lab.exports.is_empty() {
        return;
    }
    // The corner opposite to that of the messages, below the tabs: a row is too wide to stand beside a message.
    let place = room.shrink(12.0).left_top() + egui::vec2(0.0, 24.0);
    Area::new(Id::unique("exports")).pivot(Align2::LEFT_TOP).fixed_pos(place).show(ui.ctx(), |ui| {
        Frame::popup(ui.style()).inner_margin(Margin::same(8)).show(ui, |ui| {
            for export in exports.iter() {
                let done = export.progress.per_mille.load(Ordering::Relaxed) as f32 / 1000.0;
                if progress_row(ui, &export.name, done) {
                    export.progress.control.cancel();
                }
            }
            for export in &lab.exports {
                if progress_row(ui, &texts::writing(&export.path), export.fraction) {
                    messages.push(Message::StopExport(export.number));
                }
            }
        });
    });
}

/// Draws one export with its progress. Returns whether the user cancels it.
fn progress_row(ui: &mut Ui, name: &str, done: f32) -> bool {
    ui.horizontal(|ui| {
        ui.label(name);
        ui.add(ProgressBar::new(done).desired_width(140.0).show_percentage());
        ui.button(texts::STOP).clicked()
    })
    .inner
}
