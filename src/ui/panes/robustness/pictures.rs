//! Pictures of the robustness pane: image, change, attacked image and gradient, one row per network.

use egui::{Color32, ColorImage, RichText, Ui, vec2};

use crate::attack::ImageForm;
use crate::experiment::Snapshot;
use crate::experiment::attacked::{AttackedSide, RobustnessView};
use crate::ui::texts::panes::robustness as texts;
use crate::ui::texts::shared;
use crate::ui::theme::colormap::Colormap;
use crate::ui::theme::colors::ui_colors;
use crate::ui::widgets::{heat_map, plot_description};

/// Largest and least side of a picture, in points.
const MAX_SIDE: f32 = 200.0;
const MIN_SIDE: f32 = 56.0;
/// Width of a network's name beside its row, in points.
const NAME_WIDTH: f32 = 32.0;

/// Draws both rows.
pub fn show(ui: &mut Ui, snapshot: &Snapshot, view: &RobustnessView) {
    let colors = ui_colors(ui);
    let map = Colormap::new(ui);
    let side =
        ((ui.available_width() - 70.0) / 4.0).min((ui.available_height() - 40.0) / 2.0).clamp(MIN_SIDE, MAX_SIDE);
    let key = (snapshot.id, ui.visuals().dark_mode);
    let cell = |ui: &mut Ui, who: &str, what: &str, make: &dyn Fn() -> ColorImage| {
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            ui.label(RichText::new(what).small());
            let texture = heat_map::texture(ui, &format!("{who} {what}"), key, make);
            let (_, response) = heat_map::image_ui(ui, &texture, vec2(side, side));
            plot_description::describe_plot(&response, &texts::picture_of(what, who), || texts::picture_of(what, who));
        });
    };
    for (who, of, color) in [(shared::ANN, &view.ann, colors.ann), (shared::SNN, &view.snn, colors.snn)] {
        ui.horizontal_top(|ui| {
            let name = ui.label(RichText::new(who).color(color).strong());
            // Both rows begin at the same place.
            ui.add_space((NAME_WIDTH - name.rect.width()).max(0.0));
            cell(ui, who, texts::PICTURE, &|| picture(view.form, &view.image));
            cell(ui, who, texts::PERTURBATION, &|| changes(view, of, map));
            cell(ui, who, texts::ATTACKED, &|| picture(view.form, &of.adversarial));
            cell(ui, who, texts::SLOPES, &|| signed(view.form, &of.gradient, map));
        });
    }
}

/// The image, in color if it has three channels.
fn picture(form: ImageForm, pixels: &[f32]) -> ColorImage {
    let level = |channel: usize, row: usize, column: usize| {
        let channel = if form.channels == 3 { channel } else { 0 };
        (pixels[form.at(channel, row, column)].clamp(0.0, 1.0) * 255.0).round() as u8
    };
    each_pixel(form, |row, column| {
        Color32::from_rgb(level(0, row, column), level(1, row, column), level(2, row, column))
    })
}

/// The change of each pixel, the mean over its channels, against ε.
fn changes(view: &RobustnessView, of: &AttackedSide, map: Colormap) -> ColorImage {
    let eps = view.of.eps.max(of.linf).max(f32::MIN_POSITIVE);
    let changes: Vec<f32> = of.adversarial.iter().zip(&view.image).map(|(a, x)| (a - x) / eps).collect();
    let form = view.form;
    each_pixel(form, |row, column| map.diverging(over_channels(form, &changes, row, column)))
}

/// A signed value per pixel, against the largest.
fn signed(form: ImageForm, values: &[f32], map: Colormap) -> ColorImage {
    let at = |row: usize, column: usize| over_channels(form, values, row, column);
    let all = (0..form.height).flat_map(|row| (0..form.width).map(move |column| (row, column)));
    let largest = all.map(|(row, column)| at(row, column).abs()).fold(f32::MIN_POSITIVE, f32::max);
    each_pixel(form, |row, column| map.diverging(at(row, column) / largest))
}

fn over_channels(form: ImageForm, values: &[f32], row: usize, column: usize) -> f32 {
    (0..form.channels).map(|channel| values[form.at(channel, row, column)]).sum::<f32>() / form.channels.max(1) as f32
}

fn each_pixel(form: ImageForm, color: impl Fn(usize, usize) -> Color32) -> ColorImage {
    let pixels = (0..form.height).flat_map(|row| (0..form.width).map(move |column| (row, column)));
    ColorImage::new([form.width, form.height], pixels.map(|(row, column)| color(row, column)).collect())
}
