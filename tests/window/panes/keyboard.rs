//! Keyboard: regions, menus, windows that close by Escape.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use spikescope::ui::commands::keys::shortcuts;

use crate::desk::{Desk, click, desk};

#[test]
fn f6_visits_the_regions_and_every_shortcut_stands_in_a_menu() {
    let mut harness = desk();
    let mut seen = Vec::new();
    for _ in 0..6 {
        harness.key_press(egui::Key::F6);
        harness.run_ok();
        let focused = harness.ctx.memory(|memory| memory.focused()).expect("a region has the focus");
        seen.push(focused);
    }
    let mut different = seen.clone();
    different.sort_unstable_by_key(|id| id.value());
    different.dedup();
    assert_eq!(different.len(), 6, "top, samples, layers, panes, inspector, time");
    harness.key_press(egui::Key::F6);
    harness.run_ok();
    assert_eq!(harness.ctx.memory(|memory| memory.focused()), Some(seen[0]), "and again from the top");
    harness.key_press(egui::Key::Tab);
    harness.run_ok();
    let file = harness.get_by_label("File").rect();
    let focused = harness.ctx.memory(|memory| memory.focused()).and_then(|id| harness.ctx.read_response(id)).unwrap();
    assert_eq!(focused.rect.center(), file.center(), "Tab goes to its first control");
    // Every shortcut is shown by an item of a menu.
    let mut found = std::collections::HashSet::new();
    for menu in ["File", "Edit", "View", "Go", "Help"] {
        click(&mut harness, menu);
        for (command, _) in shortcuts() {
            let label = command.label(&harness.state().lab);
            if harness.query_all_by_label_contains(&label).next().is_some() {
                found.insert(command);
            }
        }
        harness.key_press(egui::Key::Escape);
        harness.run_ok();
    }
    for (command, _) in shortcuts() {
        assert!(found.contains(&command), "{command:?}");
    }
}

#[test]
fn windows_over_the_panes_close_by_escape_and_text_grows() {
    let mut harness = desk();
    let shown = |harness: &Harness<'static, Desk>| {
        harness.query_all_by_label("Close what is on top, or restore a maximized pane").next().is_some()
    };
    harness.key_press_modifiers(egui::Modifiers::SHIFT, egui::Key::F1);
    harness.run_ok();
    assert!(shown(&harness) && !harness.state().window.glossary_open);
    harness.key_press(egui::Key::Escape);
    harness.run_ok();
    assert!(!shown(&harness));
    click(&mut harness, "Help");
    click(&mut harness, "About Spikescope");
    harness.get_by_label_contains("License: ");
    harness.key_press(egui::Key::Escape);
    harness.run_ok();
    assert!(!harness.state().window.about_open);
    let before = harness.ctx.zoom_factor();
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Plus);
    harness.run_ok();
    assert!(harness.ctx.zoom_factor() > before);
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Num0);
    harness.run_ok();
    assert_eq!(harness.ctx.zoom_factor(), 1.0);
}
