//! Findings pane: what the conversion changed in the network and what looks wrong, with fixes.
//!
//! The same list as behind the badge in the header, with the whole text of each finding.

use egui::{ScrollArea, Ui};

use crate::convert::Finding;
use crate::convert::findings::{FindingGroup, group_by_kind};
use crate::export::results_table::quoted;
use crate::lab::{Lab, Message};
use crate::ui::texts::panes::findings as texts;
use crate::ui::texts::{layers, shared};
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{finding_list, pane_frame, pane_parts};

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let Some((run, findings)) = finding_list::of_lab(lab) else {
        return pane_parts::empty(ui, shared::no_run(false, lab.job.is_some(), texts::EMPTY));
    };
    let groups = group_by_kind(&findings);
    let counts = layers::findings_by_severity(finding_list::counts(&groups));
    let page = PaneHeader {
        of: Pane::Findings,
        title: texts::TITLE,
        explanation: explain(&groups, &counts),
        description: texts::describe(&counts),
    };
    pane_parts::pane_ui(
        ui,
        &page,
        || csv(&findings),
        |ui| {
            if pane_frame::has_sentences(ui) {
                ui.label(&counts);
            }
            if groups.is_empty() {
                return pane_parts::empty(ui, layers::AS_IT_IS);
            }
            let rows = ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                for (index, group) in groups.iter().enumerate() {
                    ui.push_id(index, |ui| finding_list::group_ui(ui, run, group, true, messages));
                }
            });
            pane_frame::remember_cut(ui, &rows);
        },
    );
}

fn explain(groups: &[FindingGroup<'_>], counts: &str) -> String {
    let fixes = groups.iter().filter(|group| group.finding.fix.is_some()).count();
    let first = groups.first().map(|group| texts::first(&group.to_string())).unwrap_or_default();
    texts::explain(counts, fixes, &first)
}

/// A row for each finding, the most serious first.
fn csv(findings: &[Finding]) -> String {
    let mut text = String::from("severity,kind,layer,text,fix\n");
    for finding in findings {
        let layer = finding.layer.as_deref().unwrap_or_default();
        let fix = finding.fix.as_ref().map(|fix| fix.label()).unwrap_or_default();
        let cells = [finding.severity.as_str(), finding.kind, layer, &finding.text, &fix];
        text += &(cells.map(quoted).join(",") + "\n");
    }
    text
}
