//! Drawing: runs the user's drawing in place of the data set, which returns afterwards.
//!
//! A drawing is one sample; thresholds stay calibrated on the data set before it.

use std::path::Path;

use crate::data::digits::Drawing;
use crate::data::images;
use crate::lab::view::view_state::DataBeforeDrawing;
use crate::lab::{Lab, Message};

impl Lab {
    /// The drawing that the lab runs, if any.
    pub fn drawing(&self) -> Option<Drawing> {
        Drawing::from_spec(&self.settings.data)
    }

    /// Whether a drawing replaces a data set that can be restored.
    pub fn shows_drawing(&self) -> bool {
        self.view.before_drawing.is_some() && Drawing::is_drawing_spec(&self.settings.data)
    }

    pub(super) fn draw(&mut self, drawing: &Drawing) {
        if !Drawing::is_drawing_spec(&self.settings.data) {
            let s = &self.settings;
            let data_before = DataBeforeDrawing {
                data: s.data.clone(),
                samples: s.samples.clone(),
                calibration_data: s.calibration_data.clone(),
            };
            self.view.before_drawing = Some(data_before);
        }
        self.change(|s| {
            if !Drawing::is_drawing_spec(&s.data) {
                // Calibration stays on the earlier data: one drawing is no calibration set.
                s.calibration_data.get_or_insert_with(|| s.data.clone());
            }
            s.data = drawing.to_string();
            s.samples = 0..1;
        });
    }

    pub(super) fn draw_image(&mut self, path: &Path) {
        match images::read_grayscale(path).and_then(|image| Drawing::from_picture(&image)) {
            Ok(drawing) => {
                self.draw(&drawing);
                self.update([Message::EndGesture]);
            }
            Err(error) => self.notify_error(&error),
        }
    }

    pub(super) fn leave_drawing(&mut self) {
        if !Drawing::is_drawing_spec(&self.settings.data) {
            return;
        }
        if let Some(data_before) = self.view.before_drawing.take() {
            self.change_once(|s| {
                (s.data, s.samples, s.calibration_data) =
                    (data_before.data, data_before.samples, data_before.calibration_data);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Settings;

    fn lab() -> Lab {
        Lab::open(Settings { samples: 0..6, calibrate: 0..32, ..Settings::demo() }).unwrap()
    }

    #[test]
    fn a_drawing_runs_on_the_same_thresholds_and_leaving_it_restores_the_settings() {
        let mut lab = lab();
        let (before, theta) = (lab.settings.clone(), lab.run.as_ref().unwrap().spiking.layers[0].theta.clone());
        let mut drawing = Drawing::default();
        drawing.begin_stroke([14.0, 4.0]);
        for y in 5..24 {
            drawing.line_to([14.0, y as f32]);
            lab.update([Message::SetDrawing(Box::new(drawing.clone()))]);
        }
        lab.update([Message::EndGesture]);
        lab.wait_until_idle();
        assert!(lab.notifications.is_empty(), "{:?}", lab.notifications);
        let run = lab.run.clone().unwrap();
        assert_eq!((run.recording.samples, run.labels.len()), (1, 0));
        assert_eq!(run.spiking.layers[0].theta, theta);
        assert_eq!(lab.drawing(), Some(drawing));
        assert_eq!(lab.undo_sentence().unwrap(), "builtin:digits to a drawing of 1 stroke");
        lab.update([Message::LeaveDrawing]);
        lab.wait_until_idle();
        assert_eq!(lab.settings, before);
        assert_eq!(lab.run.as_ref().unwrap().settings, before);
        lab.update([Message::Undo]);
        lab.wait_until_idle();
        assert_eq!(lab.drawing().map(|drawing| drawing.strokes.len()), Some(1), "undone: the drawing is back");
    }

    #[test]
    fn an_image_is_placed_on_the_canvas_and_an_unreadable_one_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seven.png");
        image::GrayImage::from_fn(60, 80, |x, y| image::Luma([if y < 15 || x > 45 { 0 } else { 255 }]))
            .save(&path)
            .unwrap();
        let mut lab = lab();
        lab.update([Message::DrawPicture(path)]);
        assert!(lab.drawing().is_some_and(|drawing| drawing.under.is_some()), "{:?}", lab.notifications);
        lab.update([Message::DrawPicture(folder.path().join("absent.png"))]);
        assert!(lab.notifications.last().unwrap().text.contains("absent.png"));
    }
}
