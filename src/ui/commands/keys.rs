//! Keyboard shortcuts of the window's commands.
//!
//! A focused text field receives its own keys.

use egui::{Key, KeyboardShortcut, Modifiers, Ui};

use crate::lab::{Lab, Message, Workspace};
use crate::ui::state::window::WindowState;
use crate::ui::types::command::Command;
use crate::ui::types::file_request::FileRequest;

const fn plain(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}
const fn ctrl(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}
const fn ctrl_shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), key)
}

/// Longer combinations come first: Ctrl+Z would also match Ctrl+Shift+Z.
const KEYS: [(Command, KeyboardShortcut); 32] = [
    (Command::Palette, ctrl_shift(Key::P)),
    (Command::Redo, ctrl_shift(Key::Z)),
    (Command::Undo, ctrl(Key::Z)),
    (Command::FileDialog(FileRequest::OpenNetwork), ctrl(Key::O)),
    (Command::FileDialog(FileRequest::SaveSession), ctrl(Key::S)),
    (Command::Quit, ctrl(Key::Q)),
    (Command::Workspace(Workspace::Explore), ctrl(Key::Num1)),
    (Command::Workspace(Workspace::Teach), ctrl(Key::Num2)),
    (Command::Workspace(Workspace::Tune), ctrl(Key::Num3)),
    (Command::Theme, ctrl(Key::T)),
    (Command::Layers, ctrl(Key::B)),
    (Command::Inspector, ctrl(Key::I)),
    (Command::Divergence, ctrl(Key::D)),
    (Command::TextLarger, ctrl(Key::Plus)),
    (Command::TextSmaller, ctrl(Key::Minus)),
    (Command::TextNormal, ctrl(Key::Num0)),
    (Command::Keys, KeyboardShortcut::new(Modifiers::SHIFT, Key::F1)),
    (Command::Glossary, plain(Key::F1)),
    (Command::Findings, plain(Key::F4)),
    (Command::Rerun, plain(Key::F5)),
    (Command::NextRegion, plain(Key::F6)),
    (Command::FullScreen, plain(Key::F11)),
    (Command::FrameTimes, plain(Key::F12)),
    (Command::Play, plain(Key::Space)),
    (Command::StepBack, plain(Key::ArrowLeft)),
    (Command::StepForward, plain(Key::ArrowRight)),
    (Command::PreviousLayer, plain(Key::ArrowUp)),
    (Command::NextLayer, plain(Key::ArrowDown)),
    (Command::PreviousSample, plain(Key::PageUp)),
    (Command::NextSample, plain(Key::PageDown)),
    (Command::FirstStep, plain(Key::Home)),
    (Command::LastStep, plain(Key::End)),
];

impl Command {
    /// The shortcut of the command, if it has one.
    pub fn shortcut(self) -> Option<KeyboardShortcut> {
        KEYS.iter().find(|(command, _)| *command == self).map(|(_, keys)| *keys)
    }
}

/// All commands with a shortcut.
pub fn shortcuts() -> impl Iterator<Item = (Command, KeyboardShortcut)> {
    KEYS.into_iter()
}

/// Executes the commands whose shortcuts were pressed.
pub fn handle_shortcuts(ui: &Ui, lab: &Lab, window: &mut WindowState, messages: &mut Vec<Message>) {
    let ctx = ui.ctx();
    // The palette reads its keys itself.
    if window.palette.is_some() || window.paste.is_some() {
        return;
    }
    let windows = window.glossary_open || window.about_open || window.keys_open;
    if window.maximized.is_some() && !windows && !egui::Popup::is_any_open(ctx) && !ctx.text_edit_focused() {
        let escape = ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
        if escape {
            window.maximized = None;
        }
    }
    let typing = ctx.text_edit_focused();
    for (command, keys) in KEYS {
        let function = matches!(keys.logical_key, Key::F1 | Key::F4 | Key::F5 | Key::F6 | Key::F11 | Key::F12);
        let kept = match keys.modifiers == Modifiers::NONE {
            // Space and arrows go to the focused widget: a button, a slider or a text field.
            true => !function && ctx.memory(|memory| memory.focused().is_some()),
            // A text field has its own undo.
            false => typing && matches!(command, Command::Undo | Command::Redo),
        };
        if !kept && ctx.input_mut(|input| input.consume_shortcut(&keys)) {
            command.execute(ctx, lab, window, messages);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_commands_share_a_shortcut() {
        for (k, (command, keys)) in KEYS.iter().enumerate() {
            for (other, same) in &KEYS[..k] {
                assert!(command != other && keys != same, "{command:?} and {other:?}");
            }
        }
    }
}
