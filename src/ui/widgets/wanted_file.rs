//! File request of a pane: left by a button, taken by the window, which owns the dialogs.

use egui::{Id, Ui};

use crate::ui::types::file_request::FileRequest;

fn id() -> Id {
    Id::unique("file wanted by a pane")
}

/// Asks for a file or folder.
pub fn ask(ui: &Ui, request: FileRequest) {
    ui.data_mut(|data| data.insert_temp(id(), Some(request)));
}

/// Takes the request of the pane that was drawn.
pub fn take(ui: &Ui) -> Option<FileRequest> {
    ui.data_mut(|data| data.remove_temp::<Option<FileRequest>>(id()).flatten())
}
