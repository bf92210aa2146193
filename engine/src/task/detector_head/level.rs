//! One level of a described head: its outputs, strides and prior boxes.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::box_coding::Coding;
use super::head_text::HeadText;
use super::layout::Order;
use crate::Result;

/// Largest number of pixels per cell.
const MAX_STRIDE: usize = 4096;

/// A part of the values of a box in an output that holds all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The four values of the box.
    Box,
    /// One score of any object, by which those of the classes are multiplied.
    Objectness,
    /// The scores of the classes, and of the background.
    Class,
}

/// The outputs of one level.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Level {
    /// Names of the outputs.
    #[serde(default)]
    pub class: Option<Spanned<String>>,
    #[serde(rename = "box", default)]
    pub boxes: Option<Spanned<String>>,
    #[serde(default)]
    pub center: Option<Spanned<String>>,
    /// Name of the one output that holds all values of each box, in place of the others.
    #[serde(default)]
    pub output: Option<Spanned<String>>,
    /// The order of its parts.
    #[serde(default)]
    pub values: Option<Spanned<Vec<Part>>>,
    /// Pixels per cell; several if the output has the cells of several grids one after the other. Not needed for corners.
    #[serde(default)]
    pub stride: Option<Strides>,
    /// Width and height of the prior boxes of each cell in pixels, the same for each grid or one list for each; without
    /// them one prior of one cell.
    #[serde(default)]
    pub priors: Option<Priors>,
    /// Order of the values, where the shape of an output fits several.
    #[serde(default)]
    pub layout: Option<Spanned<Order>>,
}

/// Pixels per cell of one grid or of several.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "stride must be a whole number of pixels from 1 to 4096, as in 8, or a list, as in [8, 16]"
)]
pub enum Strides {
    One(usize),
    Many(Vec<usize>),
}

/// Prior boxes of a level.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "priors must be a list of [width, height], or one such list for each stride")]
pub enum Priors {
    Same(Vec<[f32; 2]>),
    OfGrid(Vec<Vec<[f32; 2]>>),
}

impl Level {
    /// Checks what the level states, for boxes of `coding`.
    ///
    /// # Errors
    /// [`Error::File`] with the line.
    pub(super) fn check(&self, coding: Coding, head: &HeadText) -> Result<()> {
        let is_combined = match (&self.output, &self.class, &self.boxes, &self.center) {
            (Some(_), None, None, None) => true,
            (None, Some(_), Some(_), _) => false,
            _ => {
                let reason = "a level names either an output that holds all values, or its outputs class and box";
                return Err(head.error(self.place(), reason));
            }
        };
        if let Some(values) = &self.values {
            let count = |part: Part| values.get_ref().iter().filter(|own| **own == part).count();
            if !is_combined || count(Part::Box) != 1 || count(Part::Class) != 1 || count(Part::Objectness) > 1 {
                let reason = "values is the order of box, class and perhaps objectness in the one output of a level";
                return Err(head.error(values.span(), reason));
            }
        }
        let strides = self.strides();
        if let Some(bad) = strides.iter().find(|stride| !(1..=MAX_STRIDE).contains(*stride)) {
            return Err(head.error(self.place(), format!("its stride is {bad}; it must be 1 to {MAX_STRIDE}")));
        }
        if strides.is_empty() && !matches!(coding, Coding::Corners | Coding::Cxcywh) {
            return Err(head.error(self.place(), "this level states no stride"));
        }
        if self.priors.is_none() && matches!(coding, Coding::Yolov3 | Coding::Yolov5) {
            return Err(head.error(self.place(), "this level states no priors (anchors), which its coding needs"));
        }
        let is_size = |side: &f32| side.is_finite() && *side > 0.0;
        if (0..strides.len().max(1)).any(|grid| {
            let priors = self.priors_of(grid);
            self.priors.is_some() && priors.is_empty() || priors.iter().flatten().any(|side| !is_size(side))
        }) {
            let reason = "its priors must be one list of [width, height] above 0, or one for each stride";
            return Err(head.error(self.place(), reason));
        }
        Ok(())
    }

    /// The names of its outputs.
    pub fn output_names(&self) -> impl Iterator<Item = &Spanned<String>> {
        [&self.class, &self.boxes, &self.center, &self.output].into_iter().flatten()
    }

    /// Where it names its first output.
    pub fn place(&self) -> Range<usize> {
        self.output_names().next().map_or(0..0, Spanned::span)
    }

    /// The strides of its grids.
    pub fn strides(&self) -> Vec<usize> {
        match &self.stride {
            None => Vec::new(),
            Some(Strides::One(stride)) => vec![*stride],
            Some(Strides::Many(strides)) => strides.clone(),
        }
    }

    /// The stated priors of grid `grid`, in pixels.
    pub fn priors_of(&self, grid: usize) -> &[[f32; 2]] {
        match &self.priors {
            None => &[],
            Some(Priors::Same(priors)) => priors,
            Some(Priors::OfGrid(of)) => of.get(grid).map_or(&[], Vec::as_slice),
        }
    }
}
