//! The keys of the window. A field that is being typed in keeps its keys to itself.

use egui::{Key, KeyboardShortcut, Modifiers, Ui};

use super::dialog::Ask;
use super::shell::Window;
use crate::lab::{Lab, Message};

pub const OPEN: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::O);
pub const SAVE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::S);
pub const UNDO: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Z);
pub const REDO: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z);
pub const RERUN: KeyboardShortcut = KeyboardShortcut::new(Modifiers::NONE, Key::F5);

/// Turns pressed keys into messages.
pub fn read(ui: &Ui, lab: &Lab, window: &mut Window, out: &mut Vec<Message>) {
    let ctx = ui.ctx();
    let command = |shortcut: &KeyboardShortcut| ctx.input_mut(|input| input.consume_shortcut(shortcut));
    // The longer combination first: Ctrl+Z would take Ctrl+Shift+Z as well.
    for (shortcut, message) in [(REDO, Message::Redo), (UNDO, Message::Undo), (RERUN, Message::Rerun)] {
        if command(&shortcut) {
            out.push(message);
        }
    }
    for (shortcut, ask) in [(OPEN, Ask::OpenNetwork), (SAVE, Ask::SaveSession)] {
        if command(&shortcut) {
            window.asks.push(ask);
        }
    }
    let plain = |key: Key| ctx.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    if plain(Key::F12) {
        window.debug = !window.debug;
    }
    // Space and arrows belong to whatever has the focus: a button, a slider, a text field.
    if ctx.memory(|memory| memory.focused().is_some()) {
        return;
    }
    if plain(Key::Space) {
        out.push(if lab.view.playing { Message::Pause } else { Message::Play });
    }
    for (key, by) in [(Key::ArrowLeft, -1), (Key::ArrowRight, 1)] {
        if plain(key) {
            out.push(Message::StepCursor(by));
        }
    }
    let layers = lab.run.as_ref().map_or(0, |run| run.spiking.layers.len());
    if plain(Key::ArrowUp) && lab.view.layer > 0 {
        out.push(Message::FocusLayer(lab.view.layer - 1));
    }
    if plain(Key::ArrowDown) && lab.view.layer + 1 < layers {
        out.push(Message::FocusLayer(lab.view.layer + 1));
    }
    if plain(Key::Home) {
        out.push(Message::SetCursor(Some(1)));
    }
    if plain(Key::End) {
        out.push(Message::SetCursor(None));
    }
}
