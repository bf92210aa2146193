//! Gallery of the trojans pane: the pictures that each method made of one trojan, with their success.

use egui::{ColorImage, ComboBox, Label, RichText, Role, Ui, WidgetInfo, vec2};

use crate::export::results_table::quoted;
use crate::lab::{Lab, Message};
use crate::trojan::gallery::{Pictures, SynthesisFolder};
use crate::trojan::synthesis::Method;
use crate::ui::texts::panes::trojans as texts;
use crate::ui::widgets::{heat_map, pane_frame, pane_parts, plot_description};

/// Side of a picture, in points, and pixels between two.
const SIDE: f32 = 56.0;
const GAP: usize = 1;

/// What is shown, in a sentence.
pub fn sentence(lab: &Lab) -> String {
    let Some(folder) = &lab.trojans.syntheses else { return texts::NO_SYNTHESES.to_owned() };
    let Some(item) = shown(lab, folder).and_then(|name| folder.index.items.iter().find(|item| item.trojan == name))
    else {
        return texts::NO_SYNTHESES.to_owned();
    };
    texts::gallery(&item.trojan, item.kind.word(), &item.trigger, &class_name(lab, folder, item.target))
}

/// The name of a class, if the network of the syntheses is the one on the screen.
fn class_name(lab: &Lab, folder: &SynthesisFolder, class: u16) -> String {
    let run = lab.finished.as_ref();
    let own = run.filter(|run| {
        crate::trojan::folder::source_of(&run.settings.model).is_some_and(|source| source == folder.index.planted)
    });
    own.map_or_else(|| class.to_string(), |run| run.class_name(usize::from(class)))
}

/// The trojan that is shown.
fn shown<'a>(lab: &'a Lab, folder: &'a SynthesisFolder) -> Option<&'a str> {
    let chosen = lab.view.trojans.shown.as_deref();
    let known = chosen.filter(|name| folder.index.items.iter().any(|item| item.trojan == *name));
    known.or_else(|| folder.index.items.first().map(|item| item.trojan.as_str()))
}

/// Draws the choice of the trojan, and a line of pictures for each method.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let Some(folder) = &lab.trojans.syntheses else {
        return pane_parts::empty(ui, texts::NO_SYNTHESES);
    };
    let Some(name) = shown(lab, folder) else {
        return pane_parts::empty(ui, texts::NO_SYNTHESES);
    };
    if pane_frame::has_controls(ui) {
        let mut next = Some(name.to_owned());
        let combo = ComboBox::from_id_salt("trojan of the gallery").selected_text(name).show_ui(ui, |ui| {
            let mut known: Vec<&str> = Vec::new();
            for item in &folder.index.items {
                if !known.contains(&item.trojan.as_str()) {
                    known.push(&item.trojan);
                    ui.selectable_value(&mut next, Some(item.trojan.clone()), &item.trojan);
                }
            }
        });
        combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, texts::TROJAN));
        if next.as_deref() != Some(name) {
            let mut choice = lab.view.trojans.clone();
            choice.shown = next;
            messages.push(Message::SetTrojans(Box::new(choice)));
        }
        if !lab.trojans.questions.is_empty() {
            ui.add(Label::new(RichText::new(texts::REVEALS).small().weak()).wrap());
        }
    }
    ui.add(Label::new(sentence(lab)).wrap());
    for method in Method::ALL {
        let items = folder.index.items.iter().zip(&folder.pictures).enumerate();
        for (k, (item, pictures)) in items.filter(|(_, (item, _))| item.trojan == name && item.method == method.word())
        {
            let mean = item.success.iter().sum::<f32>() / item.success.len().max(1) as f32;
            ui.add_space(2.0);
            ui.small(texts::item(method.title(), f64::from(mean)));
            match pictures {
                Ok(pictures) => sheet(ui, &texts::sheet(method.title()), (folder, k), pictures, SIDE),
                Err(reason) => _ = ui.add(Label::new(RichText::new(reason).small()).wrap()),
            }
        }
    }
}

/// Draws the pictures of item `item` side by side, in as many lines as they need.
pub fn sheet(ui: &mut Ui, name: &str, (folder, item): (&SynthesisFolder, usize), pictures: &Pictures, side: f32) {
    let [count, _, height, width] = pictures.shape;
    if pictures.values.is_empty() {
        return;
    }
    let columns = ((ui.available_width() / side) as usize).clamp(1, count.max(1));
    let lines = count.div_ceil(columns);
    let size = [columns * (width + GAP) - GAP, (lines * (height + GAP)).saturating_sub(GAP)];
    let background = ui.visuals().panel_fill;
    let key = (&folder.path, item, columns, pictures.shape, background, pictures.values.first().map(|v| v.to_bits()));
    let make = || {
        let mut image = ColorImage::filled(size, background);
        for picture in 0..count {
            let (left, top) = (picture % columns * (width + GAP), picture / columns * (height + GAP));
            for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                let [r, g, b] = pictures.color(picture, y, x);
                image.pixels[(top + y) * size[0] + left + x] = egui::Color32::from_rgb(r, g, b);
            }
        }
        image
    };
    let texture = heat_map::texture(ui, &format!("syntheses-{item}"), key, make);
    let room = vec2(columns as f32 * side, lines as f32 * side);
    let (_, response) = heat_map::image_ui(ui, &texture, room);
    plot_description::describe_plot(&response, name, || name.to_owned());
}

/// Success of every synthesis.
pub fn csv(lab: &Lab) -> String {
    if lab.trojans.syntheses.is_none() {
        return String::new();
    }
    let mut table = "trojan,type,trigger,method,picture,success,seconds\n".to_owned();
    for item in lab.trojans.syntheses.iter().flat_map(|folder| &folder.index.items) {
        for (k, success) in item.success.iter().enumerate() {
            table += &format!(
                "{},{},{},{},{k},{success:.4},{:.2}\n",
                quoted(&item.trojan),
                item.kind.word(),
                item.trigger,
                item.method,
                item.seconds
            );
        }
    }
    table
}
