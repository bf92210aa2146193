//! Draw pane: what both networks answer to a drawing, for classes, class maps and boxes.

use crate::segmenter;
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use spikescope::convert::Recipe;
use spikescope::data::digits::Drawing;
use spikescope::experiment::Settings;
use spikescope::lab::{Lab, Message};
use spikescope::ui::types::pane::Pane;

/// A stroke across the canvas.
fn stroke() -> Message {
    let mut drawing = Drawing::default();
    drawing.begin_stroke([8.0, 6.0]);
    (7..22).for_each(|y| _ = drawing.line_to([8.0 + y as f32 / 3.0, y as f32]));
    Message::SetDrawing(Box::new(drawing))
}

/// The texts of the pane for `lab`, joined.
fn texts(lab: &Lab, size: egui::Vec2) -> String {
    let draw = |ui: &mut egui::Ui| Pane::Draw.show(ui, lab, &mut Vec::new());
    let mut harness = Harness::builder().with_size(size).build_ui(draw);
    harness.run_ok();
    let all = harness.root().children_recursive();
    let words = all.flat_map(|node| [node.accesskit_node().label(), node.accesskit_node().value()]);
    words.flatten().collect::<Vec<_>>().join("\n")
}

#[test]
fn a_segmentation_network_answers_with_named_maps() {
    let folder = tempfile::tempdir().unwrap();
    let settings = segmenter(folder.path(), 2);
    let mut lab = Lab::open(settings).unwrap();
    let named: Vec<String> = lab.run.as_ref().unwrap().samples.targets.masks().unwrap().class_names.clone();
    lab.update([stroke(), Message::EndGesture]);
    lab.wait_until_idle();
    assert!(lab.notifications.is_empty(), "{:?}", lab.notifications);
    let run = lab.run.as_ref().unwrap();
    assert!(run.scene.is_none() && run.class_name(1) == named[1], "the names of the scenes stay");
    let shown = texts(&lab, egui::vec2(500.0, 360.0));
    assert!(shown.contains("of the pixels the same class") && shown.contains("SNN after 4 steps"), "{shown}");
    assert!(named.iter().any(|name| shown.contains(name)), "{shown}");
    assert!(!shown.contains("ANN (above)"), "no bars of classes: {shown}");
}

#[test]
fn a_drawing_has_the_class_names_of_the_data_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    for (class, level) in [("circle", 40u8), ("line", 200)] {
        std::fs::create_dir_all(images.join(class)).unwrap();
        for k in 0..3u8 {
            let image = image::GrayImage::from_pixel(28, 28, image::Luma([level + k]));
            image.save(images.join(class).join(format!("{k}.png"))).unwrap();
        }
    }
    let settings = Settings {
        data: format!("images:{}", images.display()),
        samples: 0..4,
        calibrate: 0..6,
        recipe: Recipe { steps: 4, ..Settings::demo().recipe },
        ..Settings::demo()
    };
    let mut lab = Lab::open(settings).unwrap();
    lab.update([stroke(), Message::EndGesture]);
    lab.wait_until_idle();
    let names = lab.run.as_ref().unwrap().samples.class_names.clone();
    assert_eq!(names[..2], ["circle", "line"]);
}

#[test]
fn boxes_are_counted_and_compared() {
    let settings = Settings { model: "builtin:scenes-det".into(), data: "builtin:scenes".into(), ..Settings::demo() };
    let mut settings = Settings { samples: 0..1, calibrate: 1..3, ..settings };
    settings.recipe = Recipe { steps: 2, ..Recipe::default() };
    let mut lab = Lab::open(settings).unwrap();
    lab.update([stroke(), Message::EndGesture]);
    lab.wait_until_idle();
    let shown = texts(&lab, egui::vec2(240.0, 420.0));
    assert!(shown.contains("box") && shown.contains("of them where the ANN has one"), "{shown}");
}
