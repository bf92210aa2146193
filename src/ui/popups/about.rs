//! *About* and the list of keyboard shortcuts, as windows over the panes.

use egui::{Context, Grid, Key, Label, Modifiers, ScrollArea, Ui, Window as Card};

use crate::lab::Lab;
use crate::ui::commands::keys::shortcuts;
use crate::ui::state::window::WindowState;
use crate::ui::texts::popups::about as texts;

/// Draws the windows that are open.
pub fn show(ui: &Ui, lab: &Lab, window: &mut WindowState) {
    let (mut about, mut keys) = (window.about_open, window.keys_open);
    if (about || keys) && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
        (about, keys) = (false, false);
    }
    card(ui.ctx(), texts::ABOUT, &mut about, |ui| {
        ui.heading(texts::NAME_AND_VERSION);
        ui.add(Label::new(texts::DESCRIPTION).wrap());
        ui.label(texts::LICENSE);
        ui.add(Label::new(texts::DOCUMENTATION).wrap());
    });
    card(ui.ctx(), texts::KEYS, &mut keys, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            Grid::new("keys").num_columns(2).spacing([18.0, 6.0]).striped(true).show(ui, |ui| {
                for (command, shortcut) in shortcuts() {
                    ui.strong(ui.ctx().format_shortcut(&shortcut));
                    ui.label(command.name(lab));
                    ui.end_row();
                }
                for (keys, meaning) in texts::OTHER_KEYS {
                    ui.strong(keys);
                    ui.label(meaning);
                    ui.end_row();
                }
            });
        });
    });
    (window.about_open, window.keys_open) = (about, keys);
}

fn card(ctx: &Context, title: &str, open: &mut bool, body: impl FnOnce(&mut Ui)) {
    let card = Card::new(title).open(open).default_pos([340.0, 120.0]).default_size([440.0, 420.0]).collapsible(false);
    card.show(ctx, body);
}
