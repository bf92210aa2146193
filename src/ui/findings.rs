//! Findings: what the conversion did to the network, what looks wrong in the run, and a button where one click mends it.

use egui::{RichText, Ui};

use super::tones::tones;
use crate::convert::Finding;
use crate::lab::{Message, Run};
use crate::measure::Report;

/// Draws the findings; `wrong` is what is wrong with the recipe, if anything.
pub fn show(ui: &mut Ui, run: &Run, report: &Report, wrong: Option<&Finding>, out: &mut Vec<Message>) {
    let silent: Vec<String> = report
        .layers
        .iter()
        .filter(|layer| layer.spikes == 0)
        .map(|layer| format!("{}: no neuron fires on any sample up to t = {}", layer.name, report.steps))
        .collect();
    let notes: Vec<String> = run.model.notes.iter().map(|note| format!("{}: {}", note.layer, note.text)).collect();
    let alarms = silent.len() + usize::from(wrong.is_some());
    let count = alarms + notes.len();
    let title = if count == 0 { "Findings: none".to_owned() } else { format!("Findings ({count})") };
    // Another identity when something is wrong: it opens then, however it was left before.
    let header = egui::CollapsingHeader::new(title).id_salt(("findings", alarms > 0)).default_open(alarms > 0);
    header.show(ui, |ui| {
        if count == 0 {
            ui.weak("The network was converted as it is.");
        }
        let colour = tones(ui).error;
        if let Some(finding) = wrong {
            ui.label(RichText::new(&finding.text).small().color(colour));
            if let Some(rule) = finding.mend {
                let button = ui.small_button(format!("Use thresholds: {rule}"));
                if button.on_hover_text("Mends this finding; undo takes it back").clicked() {
                    out.extend([Message::SetThreshold(rule), Message::EndGesture]);
                }
            }
        }
        for text in silent {
            ui.label(RichText::new(text).small().color(colour));
        }
        for text in notes {
            ui.label(RichText::new(text).small());
        }
    });
}
