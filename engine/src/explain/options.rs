//! The numbers of an explanation.

use serde::{Deserialize, Serialize};

use super::backward::lrp::LrpRule;
use super::method::Method;
use super::quadrature::Quadrature;
use crate::{Error, Result};

/// The most that `budget` may be.
const MAX_BUDGET: usize = 1_000_000;

/// The numbers of all methods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct ExplainOptions {
    /// Side of the square patches that are one feature; `None`: as many pixels as make at most 8 patches a side.
    pub patches: Option<usize>,
    /// Side of occlusion's window and the step from window to window; `None`: two patches and one, or 3 and 1.
    pub window: Option<usize>,
    pub stride: Option<usize>,
    /// Points, draws, orders or rows of the methods that have such a number; `None`: [`ExplainOptions::budget_of`].
    pub budget: Option<usize>,
    pub quadrature: Quadrature,
    pub lrp: LrpRule,
    /// The layer of guided Grad-CAM and of spike counts; `None`: the last convolution.
    pub layer: Option<String>,
    pub seed: u64,
}

impl Default for ExplainOptions {
    fn default() -> Self {
        Self {
            patches: None,
            window: None,
            stride: None,
            budget: None,
            quadrature: Quadrature::GaussLegendre,
            lrp: LrpRule::default(),
            layer: None,
            seed: 0,
        }
    }
}

impl ExplainOptions {
    /// Points of integrated gradients, draws of gradient SHAP, orders of Shapley sampling, rows of KernelSHAP and LIME.
    ///
    /// The defaults are captum's, but 200 rows in place of 25: fewer rows than features leave a regression undecided.
    pub fn budget_of(&self, method: Method) -> usize {
        self.budget.unwrap_or(match method {
            Method::IntegratedGradients => 50,
            Method::GradientShap => 5,
            Method::KernelShap | Method::Lime => 200,
            _ => 25,
        })
    }

    /// The side of a patch in an image of `height` and `width`: each pixel where there are at most 256.
    pub fn patch_side(&self, height: usize, width: usize) -> usize {
        let default = if height * width <= 256 { 1 } else { height.max(width).div_ceil(8) };
        self.patches.unwrap_or(default)
    }

    /// Side and stride of occlusion's window, cut to the image.
    pub fn window_of(&self, height: usize, width: usize) -> (usize, usize) {
        let (side, stride) = match self.patch_side(height, width) {
            _ if self.patches.is_none() && height * width <= 256 => (3, 1),
            patch => (2 * patch, patch),
        };
        let side = self.window.unwrap_or(side.min(height).min(width));
        (side, self.stride.unwrap_or(if self.window.is_some() { 1 } else { stride.min(side) }))
    }

    /// Checks the numbers against the size of the images.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the option.
    pub fn validate(&self, height: usize, width: usize) -> Result<()> {
        let invalid = |text: String| Err(Error::Invalid(text));
        if let Some(budget) = self.budget.filter(|budget| !(1..=MAX_BUDGET).contains(budget)) {
            return invalid(format!("Cannot use budget {budget}. Use a number from 1 to {MAX_BUDGET}."));
        }
        let side = height.max(width);
        if let Some(patches) = self.patches.filter(|patches| !(1..=side).contains(patches)) {
            return invalid(format!(
                "Cannot use patches of {patches}: an image has {height}×{width} pixels. Use a side from 1 to {side}."
            ));
        }
        let (window, stride) = self.window_of(height, width);
        if window == 0 || window > height.min(width) {
            return invalid(format!(
                "Cannot use a window of {window}: an image has {height}×{width} pixels. Use a side from 1 to {}.",
                height.min(width)
            ));
        }
        if stride == 0 || stride > window {
            return invalid(format!(
                "Cannot use stride {stride} of a window of {window}: pixels would be left out. Use 1 to {window}."
            ));
        }
        self.lrp.validate()
    }
}
