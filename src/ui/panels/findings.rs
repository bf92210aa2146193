//! Findings badge: how many findings of each severity; a click opens their list.

use egui::style::StyleModifier;
use egui::{
    Align, Button, Layout, Popup, PopupCloseBehavior, Rect, Response, Role, ScrollArea, TextStyle, Ui, WidgetInfo,
    pos2, vec2,
};

use crate::convert::Severity;
use crate::convert::findings::group_by_kind;
use crate::lab::{Lab, Message};
use crate::ui::state::window::{WindowState, findings_popup};
use crate::ui::texts::layers as texts;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::finding_list::{SEVERITIES, counts, group_ui, of_lab, severity_icon};

/// Width of an icon and its gap in the badge, in points.
const ICON_WIDTH: f32 = 18.0;
/// Width of the list, in points.
const WIDTH: f32 = 460.0;

/// Draws the badge with the number of findings of each severity; it opens the list.
pub fn badge(ui: &mut Ui, lab: &Lab, window: &mut WindowState, messages: &mut Vec<Message>) {
    let Some((run, findings)) = of_lab(lab) else { return };
    let groups = group_by_kind(&findings);
    let counts = counts(&groups);
    let words = texts::findings_by_severity(counts);
    let shown: Vec<_> = SEVERITIES.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect();
    let button = badge_button(ui, if shown.is_empty() { &[(Severity::Note, 0)] } else { &shown });
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &words));
    let button = button.on_hover_text(&words);
    let height = 0.7 * ui.ctx().content_rect().height();
    let popup = Popup::menu(&button).id(findings_popup()).close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    popup.layout(Layout::top_down(Align::Min)).style(StyleModifier::default()).show(|ui| {
        ui.set_width(WIDTH.min(ui.ctx().content_rect().width() - 40.0));
        ui.horizontal(|ui| {
            ui.strong(&words);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.button(texts::AS_PANE).on_hover_text(texts::AS_PANE_HINT).clicked() {
                    window.layout.docks.add(lab.view.workspace, Pane::Findings);
                    ui.close();
                }
            });
        });
        if groups.is_empty() {
            ui.weak(texts::AS_IT_IS);
        }
        ScrollArea::vertical().max_height(height).show(ui, |ui| {
            for (index, group) in groups.iter().enumerate() {
                // What can be fixed is open from the beginning, so that its button is one click away.
                ui.push_id(index, |ui| group_ui(ui, run, group, group.finding.fix.is_some(), messages));
            }
        });
    });
}

/// Draws a button with an icon and a number for each severity.
fn badge_button(ui: &mut Ui, counts: &[(Severity, usize)]) -> Response {
    let font = TextStyle::Button.resolve(ui.style());
    let color = ui.visuals().text_color();
    let numbers: Vec<_> = counts
        .iter()
        .map(|(severity, count)| (*severity, ui.painter().layout_no_wrap(count.to_string(), font.clone(), color)))
        .collect();
    let width = numbers.iter().map(|(_, number)| ICON_WIDTH + number.size().x + 8.0).sum::<f32>() + 4.0;
    let button = ui.add(Button::new("").min_size(vec2(width, 22.0)));
    let mut x = button.rect.left() + 6.0;
    for (severity, number) in numbers {
        let (icon, icon_color) = severity_icon(ui, severity);
        let rect = Rect::from_min_size(pos2(x, button.rect.top()), vec2(ICON_WIDTH - 3.0, button.rect.height()));
        icon.paint(ui.painter(), rect, icon_color);
        let at = pos2(x + ICON_WIDTH, button.rect.center().y - number.size().y / 2.0);
        x = at.x + number.size().x + 8.0;
        ui.painter().galley(at, number, color);
    }
    button
}
