//! Messages and findings over the panes.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use spikescope::lab::{Message, Notification, NotificationLevel};

use super::rect;
use crate::desk::{Desk, click, desk};

#[test]
fn messages_grow_to_their_text_and_cover_no_panel() {
    let mut harness = desk();
    let long = format!("Cannot open 'a.onnx': {}. Use `spikescope check`.", ["a reason of many words"; 9].join("; "));
    for text in ["The first message.", long.as_str()] {
        let text = text.to_owned();
        harness.state_mut().lab.update([Message::Notify(Notification { level: NotificationLevel::Error, text })]);
    }
    harness.run_ok();
    let inspector = rect(&harness, "Inspector");
    let shown: Vec<egui::Rect> =
        harness.get_all_by_label_contains("a reason of many words").map(|node| node.rect()).collect();
    assert_eq!(shown.len(), 9);
    let last = rect(&harness, "Use `spikescope check`.");
    let first = rect(&harness, "The first message.");
    for text in shown.iter().chain([&last, &first]) {
        assert!(text.right() < inspector.left() && text.bottom() < 760.0 && text.top() > 60.0, "{text}");
    }
    assert!(shown.windows(2).all(|pair| pair[0].bottom() <= pair[1].top()), "one below the other");
    assert!(first.top() > last.bottom(), "the newest stands at the top");
    click(&mut harness, "Dismiss all");
    assert!(harness.state().lab.notifications.is_empty());
}

#[test]
fn errors_that_are_mended_go_away() {
    let mut harness = desk();
    let change = |harness: &mut Harness<'static, Desk>, message: Message| {
        harness.state_mut().lab.update([message, Message::EndGesture]);
        harness.run_ok();
        let errors = harness.state().lab.notifications.iter().filter(|n| n.level == NotificationLevel::Error);
        errors.map(|notice| notice.text.clone()).collect::<Vec<_>>()
    };
    let missing = change(&mut harness, Message::OpenPath("/nowhere/absent.onnx".into()));
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert_eq!(change(&mut harness, Message::SetSteps(6)), missing, "another T opens no file");
    assert!(change(&mut harness, Message::OpenModel("builtin:digits-cnn".into())).is_empty());
}
