//! Findings: badge in the header, its list, and their pane.

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use spikescope::convert::ThresholdRule;
use spikescope::lab::{Message, Workspace};
use spikescope::ui::export::OffscreenPane;
use spikescope::ui::types::pane::Pane;

use crate::desk::{Desk, click, desk};
use crate::shown;

#[test]
fn findings_are_counted_in_the_header_and_open_one_by_one() {
    let mut harness = desk();
    let badge = |harness: &Harness<'static, Desk>| {
        let node = harness.get_by_label_contains("Findings:");
        node.accesskit_node().label().unwrap_or_default()
    };
    assert_eq!(badge(&harness), "Findings: 1 note");
    harness.state_mut().lab.update([Message::SetThreshold(ThresholdRule::Max), Message::EndGesture]);
    harness.run_ok();
    assert!(harness.query_by_label("Use thresholds: learned").is_none(), "the list is closed");
    harness.get_by_label_contains("Findings:").click();
    harness.run_ok();
    click(&mut harness, "Use thresholds: learned");
    harness.run_ok();
    assert!(harness.query_by_label("Use thresholds: learned").is_none(), "it is mended");
    assert_eq!(harness.state().lab.undo_sentence().unwrap(), "threshold max to learned");
}

#[test]
fn findings_have_a_pane_with_the_whole_text_and_their_fixes() {
    let mut harness = desk();
    harness.state_mut().lab.update([Message::SetThreshold(ThresholdRule::Max), Message::EndGesture]);
    harness.run_ok();
    harness.get_by_label_contains("Findings:").click();
    harness.run_ok();
    click(&mut harness, "Show as a pane");
    assert!(harness.state().window.layout.docks.is_visible(Workspace::Explore, Pane::Findings));
    let (run, findings) = {
        let lab = &harness.state().lab;
        (lab.run.clone().unwrap(), spikescope::ui::widgets::finding_list::of_lab(lab).unwrap().1)
    };
    assert!(findings.len() >= run.findings.len() && !findings.is_empty());
    let texts = shown::texts(&harness);
    for finding in &findings {
        assert!(texts.iter().any(|(text, _)| text.contains(&finding.text)), "{}", finding.text);
    }
    let table = OffscreenPane::new(Some(Pane::Findings), egui::vec2(600.0, 400.0), 1.0).csv(&harness.state().lab);
    let table = table.unwrap();
    assert_eq!(table.lines().next(), Some("severity,kind,layer,text,fix"));
    assert_eq!(table.lines().count(), 1 + findings.len());
    click(&mut harness, "Use thresholds: learned");
    harness.run_ok();
    assert_eq!(harness.state().lab.undo_sentence().unwrap(), "threshold max to learned");
    assert!(harness.query_by_label("Use thresholds: learned").is_none(), "it is mended");
}
