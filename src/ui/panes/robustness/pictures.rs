//! Pictures of the robustness pane: image, change, attacked image and gradient, one row per network.
//!
//! Of event recordings a row has the frame at the time cursor, or the sum over time ([`event_frames`]).

use egui::{Color32, ColorImage, Label, RichText, Ui, vec2};

use super::event_frames::{self, ShownFrames};
use crate::attack::ImageForm;
use crate::experiment::Snapshot;
use crate::experiment::attacked::RobustnessView;
use crate::ui::panes::recording::picture::EventPicture;
use crate::ui::texts::panes::robustness as texts;
use crate::ui::texts::shared;
use crate::ui::theme::colormap::Colormap;
use crate::ui::theme::colors::{event_colors, ui_colors};
use crate::ui::widgets::{heat_map, plot_description};

/// Largest and least side of a picture, in points.
const MAX_SIDE: f32 = 200.0;
const MIN_SIDE: f32 = 56.0;
/// Width of a network's name beside its row, in points.
const NAME_WIDTH: f32 = 32.0;

/// Draws both rows; of event recordings the frames `shown`.
pub fn show(ui: &mut Ui, snapshot: &Snapshot, view: &RobustnessView, shown: ShownFrames) {
    let (colors, event_colors) = (ui_colors(ui), event_colors(ui));
    let (both, ground) = (ui.visuals().text_color(), ui.visuals().extreme_bg_color);
    let map = Colormap::new(ui);
    let side =
        ((ui.available_width() - 70.0) / 4.0).min((ui.available_height() - 40.0) / 2.0).clamp(MIN_SIDE, MAX_SIDE);
    let key = (snapshot.id, ui.visuals().dark_mode, shown);
    let cell = |ui: &mut Ui, (who, what, caption): (&str, &str, &str), make: &dyn Fn() -> ColorImage| {
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            // A long caption keeps to its picture.
            ui.set_max_width(side);
            ui.add(Label::new(RichText::new(caption).small()).truncate());
            let texture = heat_map::texture(ui, &format!("{who} {what}"), key, make);
            let (_, response) = heat_map::image_ui(ui, &texture, vec2(side, side));
            plot_description::describe_plot(&response, &texts::picture_of(what, who), || texts::picture_of(what, who));
        });
    };
    for (who, of, color) in [(shared::ANN, &view.ann, colors.ann), (shared::SNN, &view.snn, colors.snn)] {
        let (picture_of, values_of) = (
            |pixels: &[f32]| match view.has_counts() {
                true => EventPicture::of_planes(&event_frames::planes(of, pixels, shown), event_frames::size(of))
                    .image(event_colors, both, ground),
                false => picture(of.form, pixels),
            },
            |values: &[f32]| event_frames::over_planes(of, values, shown),
        );
        let image = match view.has_counts() {
            true => event_frames::caption(of, shown),
            false => texts::PICTURE.to_owned(),
        };
        ui.horizontal_top(|ui| {
            let name = ui.label(RichText::new(who).color(color).strong());
            // Both rows begin at the same place.
            ui.add_space((NAME_WIDTH - name.rect.width()).max(0.0));
            cell(ui, (who, texts::PICTURE, &image), &|| picture_of(&of.image));
            cell(ui, (who, texts::PERTURBATION, texts::PERTURBATION), &|| {
                let changes: Vec<f32> = of.adversarial.iter().zip(&of.image).map(|(a, x)| a - x).collect();
                let least = if shown == ShownFrames::Sum { 0.0 } else { view.of.eps.max(of.linf) };
                signed(of.form, &values_of(&changes), least, map)
            });
            cell(ui, (who, texts::ATTACKED, texts::ATTACKED), &|| picture_of(&of.adversarial));
            cell(ui, (who, texts::SLOPES, texts::SLOPES), &|| signed(of.form, &values_of(&of.gradient), 0.0, map));
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

/// A signed value per pixel `[H·W]`, against the largest, or `least` if that is larger.
fn signed(form: ImageForm, values: &[f32], least: f32, map: Colormap) -> ColorImage {
    let largest = values.iter().map(|value| value.abs()).fold(least.max(f32::MIN_POSITIVE), f32::max);
    each_pixel(form, |row, column| map.diverging(values[row * form.width + column] / largest))
}

fn each_pixel(form: ImageForm, color: impl Fn(usize, usize) -> Color32) -> ColorImage {
    let pixels = (0..form.height).flat_map(|row| (0..form.width).map(move |column| (row, column)));
    ColorImage::new([form.width, form.height], pixels.map(|(row, column)| color(row, column)).collect())
}
