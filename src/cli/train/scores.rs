//! Scores that choose the best weights in training: mean IoU of masks, average precision of boxes.

use std::path::PathBuf;

use crate::data::Samples;
use crate::data::samples::targets::VOID;
use crate::data::scenes::coco::{Category, CocoDetection, GroundTruth, Id, ObjectBox, Picture};
use crate::network::Network;
use crate::task::detector_head::{HeadDecoder, HeadDescription, HeadText};
use crate::task::scores::boxes::score_boxes;
use crate::task::scores::masks::Confusion;
use crate::{Error, Result};

/// Index of average precision at the overlap 0.5 among COCO's figures.
const AP50: usize = 1;

/// Mean intersection over union of class maps, `[C, H, W]` each.
pub(super) fn mask_score(outputs: &mut dyn Iterator<Item = (usize, Vec<f32>)>, samples: &Samples) -> Result<f32> {
    let Some(masks) = samples.targets.masks() else { return Ok(0.0) };
    let plane = (masks.height * masks.width).max(1);
    let mut confusion = None;
    for (index, logits) in outputs {
        let classes = logits.len() / plane;
        let confusion = confusion.get_or_insert_with(|| Confusion::new(classes, Some(u64::from(VOID))));
        // The largest logit of every pixel, the first of equals.
        let (mut best, mut predicted) = (logits[..plane].to_vec(), vec![0u8; plane]);
        for (class, scores) in logits.chunks_exact(plane).enumerate().skip(1) {
            for ((best, predicted), score) in best.iter_mut().zip(&mut predicted).zip(scores) {
                if score > best {
                    (*best, *predicted) = (*score, class as u8);
                }
            }
        }
        confusion.add(masks.of_sample(index), &predicted).map_err(Error::Invalid)?;
    }
    Ok(confusion.and_then(|confusion| confusion.scores().miou).unwrap_or(0.0) as f32)
}

/// Scores boxes that a head describes.
pub(super) struct BoxScorer {
    decoder: HeadDecoder,
    /// Width and height of the input in pixels.
    size: [f64; 2],
}

impl BoxScorer {
    /// For the outputs of `network` and the description `head`.
    pub(super) fn new(network: &Network, head: &str) -> Result<Self> {
        let text = HeadText { path: PathBuf::from(format!("{}.head.toml", network.name)), text: head.to_owned() };
        let decoder = HeadDecoder::new(HeadDescription::parse(&text)?, &text, network)?;
        let size = match *network.input_shape() {
            [_, height, width] => [width as f64, height as f64],
            _ => [1.0; 2],
        };
        Ok(Self { decoder, size })
    }

    /// COCO's average precision at the overlap 0.5; 0 without objects.
    pub(super) fn score(&self, outputs: &mut dyn Iterator<Item = (usize, Vec<f32>)>, samples: &Samples) -> Result<f32> {
        let Some(boxes) = samples.targets.boxes() else { return Ok(0.0) };
        let id = |index: usize| Id::Number(index as i64 + 1);
        let categories = boxes.class_names.iter().enumerate();
        let mut truth = GroundTruth {
            categories: categories.map(|(index, name)| Category { id: id(index), name: name.clone() }).collect(),
            ..GroundTruth::default()
        };
        let mut found = Vec::new();
        for (index, output) in outputs {
            let picture = truth.pictures.len() as u32;
            truth.pictures.push(Picture { id: id(index), file_name: String::new(), size: self.size.map(Some) });
            let own = boxes.of_sample.get(index).map_or(&[][..], Vec::as_slice);
            truth.objects.extend(own.iter().map(|target| ObjectBox {
                picture,
                category: u32::from(target.class),
                bbox: target.xywh(),
                area: f64::from(target.area),
                is_crowd: target.is_crowd,
            }));
            let known = self.decoder.boxes(&output).into_iter().filter(|b| b.class < boxes.class_names.len());
            found.extend(known.map(|b| {
                let [width, height] = self.size;
                let [left, right] = [b.left, b.right].map(|x| f64::from(x) * width);
                let [top, bottom] = [b.top, b.bottom].map(|y| f64::from(y) * height);
                let bbox = [left, top, right - left, bottom - top];
                CocoDetection { picture, category: b.class as u32, bbox, score: f64::from(b.score) }
            }));
        }
        Ok(score_boxes(&truth, &found)?.stats[AP50].max(0.0) as f32)
    }
}
