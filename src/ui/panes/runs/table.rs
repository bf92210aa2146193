//! Table of past runs: numbers, names, sources and changes, with buttons to restore, compare, star and remove.

use egui::{Button, Grid, Ui};

use crate::lab::Message;
use crate::lab::history::run_history::PastRun;
use crate::ui::texts::format::{format_percent, format_seconds, source_file_name};
use crate::ui::texts::output_agreement::agreement_labels;
use crate::ui::texts::panes::runs as texts;
use crate::ui::widgets::pane_frame;

/// Minimum and maximum width of a change's text, and width of the columns before it, in points.
const CHANGE_WIDTHS: std::ops::RangeInclusive<f32> = 90.0..=1200.0;
const NUMBERS_WIDTH: f32 = 570.0;
/// Maximum width of the names of network and data, in points.
const SOURCE_WIDTH: f32 = 96.0;

/// Which runs the table lists.
#[derive(Clone, Copy, Default)]
struct Filter {
    network: bool,
    starred: bool,
}

/// Draws the choice of the runs to list, and returns them.
pub(super) fn filtered<'a>(ui: &mut Ui, past: &'a [PastRun], now: &PastRun) -> Vec<&'a PastRun> {
    let id = ui.scope_id().with("filter");
    let mut filter: Filter = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    if pane_frame::has_controls(ui) {
        ui.horizontal_wrapped(|ui| {
            ui.checkbox(&mut filter.network, texts::ONLY_NETWORK).on_hover_text(texts::ONLY_NETWORK_HINT);
            ui.checkbox(&mut filter.starred, texts::ONLY_STARRED).on_hover_text(texts::ONLY_STARRED_HINT);
        });
        ui.data_mut(|data| data.insert_temp(id, filter));
    }
    let listed = |one: &&PastRun| {
        (!filter.network || one.settings.model == now.settings.model) && (!filter.starred || one.starred)
    };
    past.iter().filter(listed).collect()
}

/// Draws the runs, newest first. The text of a change comes last, so that numbers are visible
/// without scrolling. The pane is `width` points wide.
pub(super) fn show(
    ui: &mut Ui,
    list: &[&PastRun],
    now: &PastRun,
    other: Option<&PastRun>,
    width: f32,
    messages: &mut Vec<Message>,
) {
    let change = (width - NUMBERS_WIDTH).clamp(*CHANGE_WIDTHS.start(), *CHANGE_WIDTHS.end());
    let columns = texts::COLUMNS;
    Grid::new("runs").striped(true).num_columns(columns.len()).min_col_width(0.0).spacing([12.0, 4.0]).show(ui, |ui| {
        columns.iter().for_each(|name| _ = ui.small(*name));
        ui.end_row();
        let mut earlier = false;
        for &one in list.iter().rev() {
            if one.earlier && !std::mem::replace(&mut earlier, true) {
                ui.label("");
                if pane_frame::has_controls(ui) {
                    forget_button(ui, messages);
                } else {
                    ui.label("");
                }
                (2..columns.len() - 1).for_each(|_| _ = ui.label(""));
                ui.small(texts::EARLIER);
                ui.end_row();
            }
            let here = one.number == now.number;
            let back = ui.add(Button::selectable(here, texts::number(one.number, one.starred)));
            back.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, here, texts::go_back(one.number)));
            let hint = match one.earlier {
                true => texts::ANEW,
                false => texts::AT_ONCE,
            };
            if back.on_hover_text(hint).clicked() && !here {
                messages.push(Message::RestoreRun(one.number));
            }
            let chosen = other.is_some_and(|other| other.number == one.number);
            if !pane_frame::has_controls(ui) {
                ui.small(if chosen { texts::COMPARED } else { "" });
            } else {
                compare_button(ui, one, here, chosen, messages);
            }
            more_button(ui, one, messages);
            ui.label(one.settings.recipe.steps.to_string());
            let share = format_percent(one.final_score());
            match one.ann_accuracy {
                Some(_) => ui.label(share).on_hover_text(texts::RIGHT_HINT),
                None => {
                    let words = agreement_labels(one.outputs);
                    ui.label(texts::alike(&share, words.short)).on_hover_text(words.hint)
                }
            };
            ui.label(format!("{:.3}", one.mean_mismatch()));
            ui.label(format_seconds(one.seconds));
            for source in [&one.settings.model, &one.settings.data] {
                ui.scope(|ui| {
                    ui.set_max_width(SOURCE_WIDTH);
                    ui.add(egui::Label::new(source_file_name(source)).truncate()).on_hover_text(source);
                });
            }
            let words = if one.changed.is_empty() { texts::FIRST } else { &one.changed };
            let words = texts::named(&one.name, words);
            ui.scope(|ui| {
                ui.set_max_width(change);
                ui.add(egui::Label::new(&words).truncate())
                    .on_hover_text(words.clone() + "\n" + &one.settings.recipe.description());
            });
            ui.end_row();
        }
    });
}

fn forget_button(ui: &mut Ui, messages: &mut Vec<Message>) {
    let forget = ui.small_button(texts::FORGET).on_hover_text(texts::FORGET_HINT);
    forget.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, texts::FORGET_NAME));
    if forget.clicked() {
        messages.push(Message::ForgetRuns);
    }
}

/// Draws the menu with name, star and removal of a run.
fn more_button(ui: &mut Ui, one: &PastRun, messages: &mut Vec<Message>) {
    if !pane_frame::has_controls(ui) {
        ui.label("");
        return;
    }
    // A click into the name must not close the menu.
    let config =
        egui::containers::menu::MenuConfig::new().close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    let (button, _) = egui::containers::menu::MenuButton::new("…").config(config).ui(ui, |ui| {
        ui.horizontal(|ui| {
            ui.label(texts::NAME);
            let mut name = one.name.clone();
            let field = ui.add(egui::TextEdit::singleline(&mut name).desired_width(160.0));
            field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, texts::name_of(one.number)));
            if field.changed() {
                messages.push(Message::NameRun { number: one.number, name });
            }
            if field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter)) {
                ui.close();
            }
        });
        let mut starred = one.starred;
        if ui.checkbox(&mut starred, texts::STAR).on_hover_text(texts::STAR_HINT).changed() {
            messages.push(Message::StarRun { number: one.number, starred });
        }
        if ui.button(texts::REMOVE).clicked() {
            messages.push(Message::RemoveRun(one.number));
            ui.close();
        }
    });
    button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, texts::more(one.number)));
}

fn compare_button(ui: &mut Ui, one: &PastRun, here: bool, chosen: bool, messages: &mut Vec<Message>) {
    let button = ui.add_enabled(!here, Button::selectable(chosen, texts::COMPARE));
    button.widget_info(|| {
        let name = texts::compare_with(one.number);
        egui::WidgetInfo::selected(egui::Role::Button, !here, chosen, name)
    });
    if button.clicked() {
        messages.push(Message::CompareWith((!chosen).then_some(one.number)));
    }
}
