//! Geometry of a two-dimensional convolution: sizes, strides, padding, dilation and groups.

use crate::compute::simd::lanes::LANES;
use crate::network::Op;

/// Fraction of a tile's places that must be outputs; with less, several images are computed together.
const MIN_USE: f64 = 0.92;
/// Places that weights beyond [`MAX_RESIDENT`] are read for at least.
const MIN_PLACES: usize = 128;
/// Weights that stay in a common L2 cache.
const MAX_RESIDENT: usize = 1 << 18;
const MAX_IMAGES: usize = 16;

/// Sizes of a convolution of `[C, H, W]` with weights `[C_out, C/groups, kH, kW]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Input shape `[C, H, W]`.
    pub input: [usize; 3],
    /// C_out
    pub out_channels: usize,
    /// `[kH, kW]`
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    /// `[top, left, bottom, right]`
    pub padding: [usize; 4],
    pub dilation: [usize; 2],
    pub groups: usize,
}

impl Geometry {
    /// The sizes of a convolution node whose input has shape `[C, H, W]`; `None` for other nodes.
    pub fn of(op: &Op, input: &[usize]) -> Option<Self> {
        let Op::Conv2d { weight, stride, padding, dilation, groups, .. } = op else { return None };
        let &[c, h, w] = input else { return None };
        let [out_channels, _, rows, columns] = weight.shape[..] else { return None };
        let (stride, padding, dilation) = (*stride, *padding, *dilation);
        let (input, kernel) = ([c, h, w], [rows, columns]);
        Some(Self { input, out_channels, kernel, stride, padding, dilation, groups: *groups })
    }
    /// Output shape `[C_out, H_out, W_out]`; without rows or columns if the kernel does not fit in the padded input.
    pub fn output(&self) -> [usize; 3] {
        let size = |axis: usize| {
            let padded = self.input[axis + 1] + self.padding[axis] + self.padding[axis + 2];
            let reach = self.dilation[axis] * (self.kernel[axis].max(1) - 1) + 1;
            padded.checked_sub(reach).map_or(0, |rest| rest / self.stride[axis] + 1)
        };
        [self.out_channels, size(0), size(1)]
    }
    /// Input values of one image, C·H·W.
    pub fn input_len(&self) -> usize {
        self.input.iter().product()
    }
    /// Output values of one image.
    pub fn output_len(&self) -> usize {
        self.output().iter().product()
    }
    /// Input channels of one group.
    pub fn group_channels(&self) -> usize {
        self.input[0] / self.groups
    }
    /// Output channels of one group.
    pub fn group_outputs(&self) -> usize {
        self.out_channels / self.groups
    }
    /// Weights of one output channel: C/groups · kH · kW.
    pub fn taps(&self) -> usize {
        self.group_channels() * self.kernel[0] * self.kernel[1]
    }
    /// Multiplications of one image.
    pub fn multiplications(&self) -> usize {
        self.output_len() * self.taps()
    }
    /// The number of images whose places together fill tiles and are worth reading the weights for.
    pub fn best_images(&self) -> usize {
        let [_, height, width] = self.output();
        let places = (height * width).max(1);
        let min_places = if self.out_channels * self.taps() > MAX_RESIDENT { MIN_PLACES } else { 1 };
        let is_enough = |images: &usize| {
            let used = images * places;
            (used >= min_places || places >= 64) && used as f64 >= MIN_USE * (used.div_ceil(LANES) * LANES) as f64
        };
        (1..MAX_IMAGES).find(is_enough).unwrap_or(MAX_IMAGES)
    }
}
