//! What both networks find in one picture at one step, kept while it is drawn.

use std::sync::Arc;

use egui::Ui;

use crate::data::samples::targets::VOID;
use crate::data::thumbnail_rgba;
use crate::experiment::Run;
use crate::task::DetectedBox;
use crate::task::scene_scores::SceneScores;
use crate::task::scores::masks::Confusion;

/// Boxes match from this intersection over union on.
const MATCH_IOU: f32 = 0.5;

/// The picture and what is found in it; of ANN, SNN and target in this order.
pub(in crate::ui::panes) struct PictureView {
    /// Width and height in pixels.
    pub size: [usize; 2],
    pub rgba: Vec<u8>,
    pub found: Found,
}

/// Class maps `[H, W]` or boxes.
pub(in crate::ui::panes) enum Found {
    Masks { maps: [Vec<u8>; 3], size: [usize; 2], scores: [Option<f64>; 2] },
    Boxes { boxes: [Vec<DetectedBox>; 3] },
}

/// Which run, sample and step a view is of.
type Key = (usize, usize, usize);

/// The view of `sample` at step `t`, from the frame before if that was of the same.
pub(super) fn view(ui: &Ui, run: &Arc<Run>, sample: usize, t: usize) -> Option<Arc<PictureView>> {
    known_or(ui, egui::Id::unique("scene of the pane"), (Arc::as_ptr(run).addr(), sample, t), || {
        compute(run, sample, t)
    })
}

/// The same for samples without targets, of whose maps or boxes there are none; `None` for outputs of another kind.
pub(in crate::ui::panes) fn view_without_target(
    ui: &Ui,
    run: &Arc<Run>,
    sample: usize,
    t: usize,
) -> Option<Arc<PictureView>> {
    known_or(ui, egui::Id::unique("scene without a target"), (Arc::as_ptr(run).addr(), sample, t), || {
        let (width, height, rgba) = thumbnail_rgba(&run.samples, run.sample_index(sample));
        let found = match run.boxes(sample, t) {
            Some([ann, snn]) => Found::Boxes { boxes: [ann, snn, Vec::new()] },
            None => {
                let of = run.scene_run();
                let [ann, snn] = of.class_maps(sample, t)?;
                let [height, width] = of.sample_size;
                Found::Masks { maps: [ann, snn, Vec::new()], size: [width, height], scores: [None; 2] }
            }
        };
        Some(PictureView { size: [width, height], rgba, found })
    })
}

/// The view at `id` in the frame before, if that was of `key`, else a new one.
fn known_or(
    ui: &Ui,
    id: egui::Id,
    key: Key,
    compute: impl FnOnce() -> Option<PictureView>,
) -> Option<Arc<PictureView>> {
    let known = ui.data(|data| data.get_temp::<(Key, Arc<PictureView>)>(id));
    if let Some((_, view)) = known.filter(|(known, _)| *known == key) {
        return Some(view);
    }
    let view = Arc::new(compute()?);
    ui.data_mut(|data| data.insert_temp(id, (key, view.clone())));
    Some(view)
}

fn compute(run: &Run, sample: usize, t: usize) -> Option<PictureView> {
    let (width, height, rgba) = thumbnail_rgba(&run.samples, run.sample_index(sample));
    let found = match run.scene.as_deref()? {
        SceneScores::Masks(scores) => {
            let of = run.scene_run();
            let masks = run.samples.targets.masks()?;
            let target = masks.of_sample(run.sample_index(sample)).to_vec();
            let maps = [scores.ann_map(&of, sample), scores.snn_map(&of, sample, t), target];
            let score = |map: &[u8]| {
                let mut confusion = Confusion::new(scores.class_names.len(), Some(u64::from(VOID)));
                confusion.add(&maps[2], map).ok()?;
                confusion.scores().miou
            };
            let scores = [score(&maps[0]), score(&maps[1])];
            Found::Masks { maps, size: [masks.width, masks.height], scores }
        }
        SceneScores::Boxes(_) => {
            let [ann, snn] = run.boxes(sample, t)?;
            let boxes = run.samples.targets.boxes()?;
            let [h, w] = run.scene_run().sample_size.map(|side| side as f32);
            let target = boxes.of_sample.get(run.sample_index(sample)).map_or(&[][..], Vec::as_slice).iter();
            let target = target.map(|target| {
                let [left, top, right, bottom] = target.corners;
                let class = usize::from(target.class);
                DetectedBox { class, score: 1.0, left: left / w, top: top / h, right: right / w, bottom: bottom / h }
            });
            Found::Boxes { boxes: [ann, snn, target.collect()] }
        }
    };
    Some(PictureView { size: [width, height], rgba, found })
}

impl PictureView {
    /// Part of the pixels with the target's class, of ANN and SNN; `None` for boxes.
    pub fn pixel_shares(&self) -> Option<[f64; 2]> {
        let Found::Masks { maps, .. } = &self.found else { return None };
        let counted = maps[2].iter().filter(|class| **class != VOID).count().max(1);
        let share = |map: &Vec<u8>| {
            let same = map.iter().zip(&maps[2]).filter(|(a, b)| a == b && **b != VOID).count();
            same as f64 / counted as f64
        };
        Some([share(&maps[0]), share(&maps[1])])
    }
}

/// Whether `found` overlaps one of `others` by half or more.
pub(super) fn has_match(found: &DetectedBox, others: &[DetectedBox]) -> bool {
    others.iter().any(|other| other.iou(found) >= MATCH_IOU)
}

/// The middle of the smallest box around the place `at` (in fractions), else the place.
pub(super) fn middle_of_box(view: &PictureView, at: [f32; 2]) -> [f32; 2] {
    let Found::Boxes { boxes } = &view.found else { return at };
    let area = |b: &DetectedBox| (b.right - b.left) * (b.bottom - b.top);
    let around =
        boxes.iter().flatten().filter(|b| (b.left..=b.right).contains(&at[0]) && (b.top..=b.bottom).contains(&at[1]));
    let smallest = around.min_by(|a, b| area(a).total_cmp(&area(b)));
    smallest.map_or(at, |b| [(b.left + b.right) / 2.0, (b.top + b.bottom) / 2.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_click_is_in_the_middle_of_the_smallest_box_around_it() {
        let boxed = |left, right| DetectedBox { class: 0, score: 1.0, left, top: 0.0, right, bottom: 1.0 };
        let boxes = [vec![boxed(0.0, 1.0)], vec![boxed(0.25, 0.75)], vec![]];
        let view = PictureView { size: [1, 1], rgba: vec![0; 4], found: Found::Boxes { boxes } };
        assert_eq!(middle_of_box(&view, [0.3, 0.9]), [0.5, 0.5]);
        assert_eq!(middle_of_box(&view, [0.8, 0.9]), [0.5, 0.5]);
        assert_eq!(middle_of_box(&view, [1.5, 0.9]), [1.5, 0.9]);
        assert!(has_match(&boxed(0.0, 0.5), &[boxed(0.0, 0.9)]) && !has_match(&boxed(0.0, 0.2), &[boxed(0.0, 0.9)]));
        assert_eq!(view.pixel_shares(), None);
    }
}
