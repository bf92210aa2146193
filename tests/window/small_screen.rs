//! Small screens: 1366 × 768 pixels at 150 % show every pane and dialog, if need be by scrolling.

use crate::desk;
use egui::epaint::{Shape, TextShape};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use spikescope::lab::{Lab, Message, Notification, NotificationLevel, Workspace};
use spikescope::ui::shell;
use spikescope::ui::state::window::{MaximizedPane, WindowState};
use spikescope::ui::types::pane::Pane;

use crate::desk::{Desk, click};

const SIZE: egui::Vec2 = egui::vec2(911.0, 512.0);
const PIXELS_PER_POINT: f32 = 1.5;

/// The window at the size of the screen, on a lab without a run or with one.
fn small(lab: Lab) -> Harness<'static, Desk> {
    let draw = |ui: &mut egui::Ui, desk: &mut Desk| {
        let mut messages = Vec::new();
        shell::show(ui, &desk.lab, &mut desk.window, &mut messages);
        desk.lab.update(messages);
        desk.lab.wait_until_idle();
    };
    let desk = Desk { lab, window: WindowState::default() };
    let builder = Harness::builder().with_size(SIZE).with_pixels_per_point(PIXELS_PER_POINT);
    let mut harness = builder.build_ui_state(draw, desk);
    harness.run_ok();
    harness
}

fn lab() -> Lab {
    let settings = spikescope::experiment::Settings { samples: 0..12, calibrate: 0..64, ..Default::default() };
    Lab::open(settings).unwrap()
}

/// Every text of the last frame.
fn texts(harness: &Harness<'_, Desk>) -> Vec<TextShape> {
    fn collect(shape: &Shape, all: &mut Vec<TextShape>) {
        match shape {
            Shape::Text(text) => all.push(text.clone()),
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, all)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    harness.output().shapes.iter().for_each(|shape| collect(&shape.shape, &mut all));
    all
}

/// A text of several rows whose words are stretched to the width.
fn justified(harness: &Harness<'_, Desk>) -> Vec<String> {
    let stretched = |text: &TextShape| text.galley.job.justify && text.galley.rows.len() > 1;
    texts(harness).iter().filter(|text| stretched(text)).map(|text| text.galley.job.text.clone()).collect()
}

/// Names of buttons and fields that lie outside the window.
fn outside(harness: &Harness<'_, Desk>) -> Vec<String> {
    let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, SIZE).expand(1.0);
    let all = harness.root().children_recursive();
    let named = all.filter(|node| node.accesskit_node().label().is_some_and(|label| !label.is_empty()));
    let beyond = named.filter(|node| !screen.contains_rect(node.rect()) && node.rect().is_positive());
    beyond.filter_map(|node| node.accesskit_node().label()).collect()
}

#[test]
fn menus_and_lists_fit_and_no_text_is_justified() {
    let mut harness = small(lab());
    assert_eq!(justified(&harness), [] as [String; 0]);
    for name in ["File", "Edit", "View", "Go", "Help", "Network: digits-cnn", "Data: digits", "Recipe"] {
        let before = outside(&harness);
        harness.get_all_by_label(name).next().unwrap().click();
        harness.run_ok();
        assert_eq!(justified(&harness), [] as [String; 0], "{name}");
        let beyond: Vec<_> = outside(&harness).into_iter().filter(|label| !before.contains(label)).collect();
        assert!(beyond.is_empty(), "{name}: {beyond:?}");
        harness.key_press(egui::Key::Escape);
        harness.run_ok();
    }
}

#[test]
fn dialogs_lie_within_the_window() {
    type Open = fn(&mut WindowState);
    let dialogs: [(&str, Open); 4] = [
        ("glossary", |window| window.glossary_open = true),
        ("keys", |window| window.keys_open = true),
        ("about", |window| window.about_open = true),
        ("paste", |window| window.paste = Some(String::new())),
    ];
    for (name, open) in dialogs {
        let mut harness = small(lab());
        open(&mut harness.state_mut().window);
        harness.run_ok();
        assert_eq!(justified(&harness), [] as [String; 0], "{name}");
        let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, SIZE).expand(1.0);
        let memory_rects = harness.ctx.memory(|memory| {
            let layers: Vec<_> = memory.layer_ids().filter(|layer| layer.order >= egui::Order::Middle).collect();
            layers.iter().filter_map(|layer| memory.area_rect(layer.id)).collect::<Vec<_>>()
        });
        assert!(memory_rects.iter().all(|rect| screen.contains_rect(*rect)), "{name}: {memory_rects:?}");
        harness.key_press(egui::Key::Escape);
        harness.run_ok();
        let window = &harness.state().window;
        let open = window.glossary_open || window.keys_open || window.about_open || window.paste.is_some();
        assert!(!open, "{name} is closed by Esc");
    }
}

#[test]
fn a_maximized_pane_shows_its_end_by_scrolling() {
    let mut harness = small(lab());
    for pane in Pane::ALL {
        let window = &mut harness.state_mut().window;
        window.layout.docks.add_beside(Workspace::Explore, pane, Pane::Mismatch);
        let among = window.layout.docks.visible_panes(Workspace::Explore);
        window.maximized = Some(MaximizedPane { pane, workspace: Workspace::Explore, among });
        harness.run_ok();
        assert_eq!(justified(&harness), [] as [String; 0], "{pane:?}");
        let bottom = harness.get_by_label("Step back").rect().top();
        let middle = egui::pos2(SIZE.x * 0.3, bottom - 60.0);
        harness.hover_at(middle);
        for _ in 0..4 {
            harness.event(egui::Event::MouseWheel {
                unit: egui::MouseWheelUnit::Point,
                delta: egui::vec2(0.0, -4000.0),
                phase: egui::TouchPhase::Move,
                modifiers: egui::Modifiers::NONE,
                source: egui::MouseWheelSource::Unknown,
            });
            harness.run_ok();
        }
        // Of the controls none lies below the panes.
        let all = harness.root().children_recursive();
        let buttons = all.filter(|node| node.accesskit_node().role() == egui::accesskit::Role::Button);
        let below = buttons.filter(|node| node.rect().top() > bottom - 4.0 && node.rect().top() > SIZE.y);
        let below: Vec<_> = below.filter_map(|node| node.accesskit_node().label()).collect();
        assert!(below.is_empty(), "{pane:?}: {below:?}");
    }
}

#[test]
fn the_list_of_messages_grows_to_its_texts() {
    let mut harness = small(lab());
    let long = |k: usize| format!("Message {k} {}", "of several words that need more than one line ".repeat(2));
    for k in 1..=3 {
        let text = long(k);
        harness.state_mut().lab.update([Message::Notify(Notification { level: NotificationLevel::Error, text })]);
        harness.run_ok();
    }
    harness.run_ok();
    let end = harness.get_by_label("Step back").rect().top();
    for k in 1..=3 {
        let start = format!("Message {k} ");
        let all = harness.root().children_recursive();
        let shown: Vec<egui::Rect> = all
            .filter(|node| node.accesskit_node().value().is_some_and(|value| value.starts_with(&start)))
            .map(|node| node.rect())
            .collect();
        assert!(
            !shown.is_empty() && shown.iter().all(|rect| rect.bottom() < end && rect.top() > 0.0),
            "{k}: {shown:?}"
        );
    }
}

#[test]
fn f6_and_tab_lead_through_the_regions_and_text_size_has_keys() {
    let mut harness = desk::desk();
    let mut focused = Vec::new();
    for _ in 0..4 {
        harness.key_press(egui::Key::F6);
        harness.run_ok();
        harness.key_press(egui::Key::Tab);
        harness.run_ok();
        focused.push(harness.ctx.memory(|memory| memory.focused()));
    }
    focused.dedup();
    assert!(focused.len() >= 3 && focused.iter().all(Option::is_some), "{focused:?}");
    let before = harness.ctx.zoom_factor();
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Plus);
    harness.run_ok();
    let larger = harness.ctx.zoom_factor();
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Minus);
    harness.run_ok();
    assert!(larger > before && (harness.ctx.zoom_factor() - before).abs() < 1e-3);
    click(&mut harness, "Help");
    assert!(harness.query_by_label_contains("About").is_some());
    harness.key_press(egui::Key::Escape);
    harness.run_ok();
    assert!(harness.query_by_label_contains("About Spikescope").is_none(), "Esc closes the menu");
}
