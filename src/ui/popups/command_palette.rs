//! Command palette: finds every command by some letters of its label.
//!
//! Arrows choose, Enter executes, Esc closes.

use egui::text::LayoutJob;
use egui::{
    Align, Align2, FontId, Id, Key, Modal, Modifiers, Response, Role, ScrollArea, Sense, TextEdit, TextFormat, Ui,
    WidgetInfo, pos2, vec2,
};

use super::fuzzy::fuzzy_match;
use crate::lab::{Lab, Message};
use crate::ui::state::window::WindowState;
use crate::ui::texts::window as texts;
use crate::ui::theme::colors::{UiColors, ui_colors};
use crate::ui::types::command::Command;

const WIDTH: f32 = 520.0;
const ROW_HEIGHT: f32 = 26.0;
/// Number of visible rows.
const VISIBLE_ROWS: f32 = 13.0;
/// Number of recently used commands at the top.
const MAX_RECENT: usize = 5;

/// A command that matches the typed text.
struct PaletteEntry {
    command: Command,
    words: String,
    /// Character positions of the label that match the typed letters.
    matched_positions: Vec<usize>,
    refusal: Option<&'static str>,
}

/// Draws the palette while it is open.
pub fn show(ui: &Ui, lab: &Lab, window: &mut WindowState, messages: &mut Vec<Message>) {
    let Some(mut palette) = window.palette.take() else { return };
    let ctx = ui.ctx();
    let pressed = |key| ctx.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    let by = i64::from(pressed(Key::ArrowDown)) - i64::from(pressed(Key::ArrowUp))
        + VISIBLE_ROWS as i64 * (i64::from(pressed(Key::PageDown)) - i64::from(pressed(Key::PageUp)));
    let entered = pressed(Key::Enter);
    let area = Modal::default_area(Id::unique("palette")).anchor(Align2::CENTER_TOP, [0.0, 70.0]);
    let modal = Modal::new(Id::unique("palette")).area(area).show(ctx, |ui| {
        ui.set_width(WIDTH);
        let field = TextEdit::singleline(&mut palette.text).desired_width(f32::INFINITY).hint_text(texts::TYPE);
        let field = ui.add(field);
        field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, texts::FIND));
        field.request_focus();
        if field.changed() {
            palette.chosen = 0;
        }
        let found = find(&palette.text, lab, window);
        palette.chosen = move_selection(palette.chosen, by, found.len());
        ui.separator();
        list(ui, &found, palette.chosen, by != 0 || field.changed(), entered)
    });
    let close = modal.should_close();
    match modal.inner {
        Some(command) => {
            window.recent_commands.retain(|given| *given != command);
            window.recent_commands.insert(0, command);
            window.recent_commands.truncate(MAX_RECENT);
            command.execute(ctx, lab, window, messages);
        }
        None if close => {}
        None => window.palette = Some(palette),
    }
}

/// `chosen` moved by some rows, within `count`.
fn move_selection(chosen: usize, by: i64, count: usize) -> usize {
    (chosen as i64 + by).clamp(0, count.saturating_sub(1) as i64) as usize
}

/// Commands that match `text`, best first. For an empty text, recent commands first, then all in list order.
fn find(text: &str, lab: &Lab, window: &WindowState) -> Vec<PaletteEntry> {
    let given = &window.recent_commands;
    let all = Command::all(lab, window).into_iter().filter(|command| *command != Command::Palette);
    let fits = all.filter_map(|command| {
        let words = command.label(lab);
        let (score, matched_positions) = fuzzy_match(text, &words)?;
        let recency =
            given.iter().position(|known| *known == command).map_or(0, |at| MAX_RECENT - at.min(MAX_RECENT - 1));
        let found = PaletteEntry { command, words, matched_positions, refusal: command.disabled_reason(lab) };
        Some(((score, recency), found))
    });
    let mut fits: Vec<_> = fits.collect();
    // A stable sort: equal ranks keep the order of the list.
    fits.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
    fits.into_iter().map(|(_, found)| found).collect()
}

/// Draws the rows. Returns the command that was clicked or confirmed with Enter.
fn list(ui: &mut Ui, found: &[PaletteEntry], chosen: usize, follow: bool, entered: bool) -> Option<Command> {
    let mut given = None;
    if found.is_empty() {
        ui.weak(texts::NO_COMMAND);
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    // Whole rows only, also in a low window.
    let height = (ui.available_height().min(ROW_HEIGHT * VISIBLE_ROWS) / ROW_HEIGHT).floor().max(1.0) * ROW_HEIGHT;
    ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
        for (index, one) in found.iter().enumerate() {
            let response = row(ui, one, index == chosen);
            if index == chosen && follow {
                response.scroll_to_me(None);
            }
            let meant = response.clicked() || index == chosen && entered;
            if meant && one.refusal.is_none() {
                given = Some(one.command);
            }
        }
    });
    given
}

fn row(ui: &mut Ui, found: &PaletteEntry, chosen: bool) -> Response {
    let enabled = found.refusal.is_none();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::click());
    response.widget_info(|| {
        let name = match found.refusal {
            Some(why) => texts::not_now(&found.words, why),
            None => found.words.clone(),
        };
        WidgetInfo::selected(Role::ListBoxOption, enabled, chosen, name)
    });
    if !ui.is_rect_visible(rect) {
        return response;
    }
    let colors = ui_colors(ui);
    if chosen {
        ui.painter().rect_filled(rect, 3.0, colors.accent.gamma_multiply(0.25));
    } else if response.hovered() {
        ui.painter().rect_filled(rect, 3.0, ui.visuals().widgets.hovered.weak_bg_fill);
    }
    let side = match (found.refusal, found.command.shortcut()) {
        (Some(why), _) => why.to_owned(),
        (None, Some(keys)) => ui.ctx().format_shortcut(&keys),
        (None, None) => String::new(),
    };
    let side = ui.painter().layout_no_wrap(side, FontId::proportional(12.0), colors.weak);
    let left = rect.right() - 8.0 - side.size().x;
    let room = left - 8.0 - (rect.left() + 8.0);
    ui.painter().galley(pos2(left, rect.center().y - side.size().y / 2.0), side, colors.weak);
    let words = ui.painter().layout_job(highlighted_label(found, &colors, room));
    ui.painter().galley(pos2(rect.left() + 8.0, rect.center().y - words.size().y / 2.0), words, colors.text);
    response
}

/// The label with the typed letters in the accent color, at most `room` points wide.
fn highlighted_label(found: &PaletteEntry, colors: &UiColors, room: f32) -> LayoutJob {
    let plain = if found.refusal.is_none() { colors.text } else { colors.weak.gamma_multiply(0.7) };
    let mut job = LayoutJob { break_on_newline: false, ..LayoutJob::default() };
    job.wrap = egui::text::TextWrapping::truncate_at_width(room);
    for (place, letter) in found.words.chars().enumerate() {
        let color =
            if found.matched_positions.contains(&place) && found.refusal.is_none() { colors.accent } else { plain };
        let format =
            TextFormat { font_id: FontId::proportional(14.0), color, valign: Align::Center, ..TextFormat::default() };
        job.append(letter.encode_utf8(&mut [0; 4]), 0.0, format);
    }
    job
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recently_used_commands_come_first() {
        let (lab, mut window) = (Lab::default(), WindowState::default());
        window.recent_commands = vec![Command::Theme];
        assert_eq!(find("", &lab, &window)[0].command, Command::Theme);
        assert_eq!(find("", &lab, &window).len(), Command::all(&lab, &window).len());
        window.recent_commands.clear();
        assert_eq!(find("zzqj", &lab, &window).len(), 0);
        assert_eq!(find("light", &lab, &window)[0].command, Command::Theme);
        assert_eq!((move_selection(0, -1, 5), move_selection(3, 13, 5), move_selection(2, 1, 0)), (0, 4, 0));
    }
}
