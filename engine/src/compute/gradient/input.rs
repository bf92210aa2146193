//! Gradient of a convolution with respect to its input: convolutions with flipped and transposed weights.
//!
//! With a stride of s rows, input row `s·j + r` meets only the kernel rows ky for which `r + top − ky·dilation` is a
//! multiple of s. So there is one convolution of stride 1 for every remainder r of the rows and every remainder of the
//! columns; their outputs are interleaved.

use crate::compute::convolution::{Convolution, Epilogue, Geometry};
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};

/// The convolutions that give the gradient of the input.
#[derive(Clone, Debug)]
pub struct InputGradient {
    geometry: Geometry,
    parts: Vec<Part>,
}

/// The input's rows and columns of one pair of remainders.
#[derive(Clone, Debug)]
struct Part {
    rows: Taps,
    columns: Taps,
    /// `None` where no tap reaches the input.
    convolution: Option<Convolution>,
}

/// The kernel's rows, or columns, that meet the input at one remainder.
#[derive(Clone, Debug, PartialEq)]
struct Taps {
    remainder: usize,
    /// Input rows of this remainder.
    size: usize,
    /// Rows of the kernel, in the order of the flipped kernel.
    taps: Vec<usize>,
    dilation: usize,
    /// Zeros before and after the rows of the output's gradient.
    padding: [usize; 2],
}

impl Taps {
    /// The taps of every remainder along `axis`; `None` if a padding would be negative.
    fn of(geometry: &Geometry, axis: usize) -> Option<Vec<Self>> {
        let (stride, dilation) = (geometry.stride[axis], geometry.dilation[axis]);
        let (kernel, before) = (geometry.kernel[axis], geometry.padding[axis]);
        let (input, output) = (geometry.input[axis + 1], geometry.output()[axis + 1]);
        let one = |remainder: usize| {
            let size = (input + stride - 1).saturating_sub(remainder) / stride;
            let meets = |tap: &usize| (remainder + before) as isize - (tap * dilation) as isize;
            let mut taps: Vec<usize> = (0..kernel).filter(|tap| meets(tap) % stride as isize == 0).collect();
            let (Some(&first), Some(&last)) = (taps.first(), taps.last()) else {
                return Some(Self { remainder, size, taps, dilation: 1, padding: [0; 2] });
            };
            let count = taps.len() as isize;
            // Neighboring taps are a fixed number of the output's rows apart; the last one is where a row begins.
            let dilation = if count > 1 { (last - first) * dilation / stride / (taps.len() - 1) } else { 1 };
            let top = -meets(&last) / stride as isize;
            let bottom = size as isize - output as isize - top + (count - 1) * dilation as isize;
            taps.reverse();
            let padding = [usize::try_from(top).ok()?, usize::try_from(bottom).ok()?];
            Some(Self { remainder, size, taps, dilation, padding })
        };
        (0..stride).map(one).collect()
    }
}

impl InputGradient {
    /// Whether the gradient has this form. It has not where the padding is larger than the reach of the kernel.
    pub fn is_possible(geometry: &Geometry) -> bool {
        geometry.output_len() > 0 && (0..2).all(|axis| Taps::of(geometry, axis).is_some())
    }

    /// For `weights` `[C_out, C/groups, kH, kW]`; `None` if it is not possible.
    pub fn new(geometry: Geometry, weights: &[f32]) -> Option<Self> {
        Self::with(geometry, weights, Convolution::new)
    }

    /// As [`InputGradient::new`], in Winograd's form where that is faster; see [`Convolution::fastest`].
    pub fn fastest(geometry: Geometry, weights: &[f32]) -> Option<Self> {
        Self::with(geometry, weights, Convolution::fastest)
    }

    fn with(geometry: Geometry, weights: &[f32], form: fn(Geometry, &[f32]) -> Convolution) -> Option<Self> {
        let (rows, columns) = (Taps::of(&geometry, 0)?, Taps::of(&geometry, 1)?);
        let pairs = rows.iter().flat_map(|rows| columns.iter().map(move |columns| (rows, columns)));
        let parts = pairs.filter(|(rows, columns)| rows.size > 0 && columns.size > 0).map(|(rows, columns)| {
            let convolution = (!rows.taps.is_empty() && !columns.taps.is_empty())
                .then(|| convolution(&geometry, weights, rows, columns, form));
            Part { rows: rows.clone(), columns: columns.clone(), convolution }
        });
        let parts = parts.collect();
        Some(Self { geometry, parts })
    }

    /// Images that are best computed at once.
    pub fn images(&self) -> usize {
        let images = self.parts.iter().filter_map(|part| part.convolution.as_ref()).map(Convolution::images);
        images.max().unwrap_or(1)
    }

    /// The gradient of `images` inputs `[images][C, H, W]` for that of their outputs, `[images][C_out, H_out, W_out]`;
    /// `buffer` is memory that is reused from call to call.
    pub fn run(&self, gradient: &[f32], images: usize, out: &mut [f32], buffer: &mut Vec<f32>) {
        if let [Part { convolution: Some(convolution), .. }] = self.parts.as_slice()
            && self.geometry.stride == [1, 1]
        {
            return convolution.forward(gradient, images, Epilogue::default(), out);
        }
        let lens: Vec<usize> = self.parts.iter().map(|part| part.len(&self.geometry) * images).collect();
        let total: usize = lens.iter().sum();
        if buffer.len() < total {
            buffer.resize(total, 0.0);
        }
        let mut rest = &mut buffer[..total];
        let mut planes: Vec<&[f32]> = Vec::with_capacity(self.parts.len());
        for (part, &len) in self.parts.iter().zip(&lens) {
            let (values, behind) = std::mem::take(&mut rest).split_at_mut(len);
            rest = behind;
            match &part.convolution {
                Some(convolution) => convolution.forward(gradient, images, Epilogue::default(), values),
                None => values.fill(0.0),
            }
            planes.push(values);
        }
        dispatch(Interleave { of: self, planes: &planes, out });
    }
}

impl Part {
    /// Values of one image.
    fn len(&self, geometry: &Geometry) -> usize {
        geometry.input[0] * self.rows.size * self.columns.size
    }
}

/// The convolution of one part: its inputs are the outputs' gradients.
fn convolution(
    geometry: &Geometry,
    weights: &[f32],
    rows: &Taps,
    columns: &Taps,
    form: fn(Geometry, &[f32]) -> Convolution,
) -> Convolution {
    let [_, height, width] = geometry.output();
    let [_, kernel_columns] = geometry.kernel;
    let (inputs, outputs, groups) = (geometry.group_channels(), geometry.group_outputs(), geometry.groups);
    let transposed = Geometry {
        input: [geometry.out_channels, height, width],
        out_channels: geometry.input[0],
        kernel: [rows.taps.len(), columns.taps.len()],
        stride: [1, 1],
        padding: [rows.padding[0], columns.padding[0], rows.padding[1], columns.padding[1]],
        dilation: [rows.dilation, columns.dilation],
        groups,
    };
    let mut flipped = Vec::with_capacity(geometry.input[0] * transposed.taps());
    let kernel = geometry.kernel[0] * kernel_columns;
    for group in 0..groups {
        for c in 0..inputs {
            for o in 0..outputs {
                let from = &weights[((group * outputs + o) * inputs + c) * kernel..][..kernel];
                for ky in &rows.taps {
                    flipped.extend(columns.taps.iter().map(|kx| from[ky * kernel_columns + kx]));
                }
            }
        }
    }
    form(transposed, &flipped)
}

/// Puts the planes of all parts `[images][C][rows][columns]` together, `[images][C, H, W]`.
struct Interleave<'a> {
    of: &'a InputGradient,
    planes: &'a [&'a [f32]],
    out: &'a mut [f32],
}

impl Kernel for Interleave<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { of: InputGradient { geometry, parts }, planes, out } = self;
        let [_, height, width] = geometry.input;
        let [stride_rows, stride] = geometry.stride;
        let per_row = stride.min(width);
        for (parts, planes) in parts.chunks(per_row).zip(planes.chunks(per_row)) {
            let Taps { remainder, size: rows, .. } = parts[0].rows;
            for (plane, out) in out.chunks_exact_mut(height * width).enumerate() {
                for row in 0..rows {
                    let out = &mut out[(row * stride_rows + remainder) * width..][..width];
                    let line = |k: usize| {
                        let columns = parts[k].columns.size;
                        &planes[k][(plane * rows + row) * columns..][..columns]
                    };
                    if per_row == 2 && stride == 2 {
                        let (even, odd) = (line(0), line(1));
                        let (pairs, last) = out.as_chunks_mut::<2>();
                        pairs.iter_mut().zip(even.iter().zip(odd)).for_each(|(to, (&a, &b))| *to = [a, b]);
                        last.iter_mut().zip(even.last()).for_each(|(to, from)| *to = *from);
                    } else {
                        for k in 0..per_row {
                            let to = out[parts[k].columns.remainder..].iter_mut().step_by(stride);
                            to.zip(line(k)).for_each(|(to, from)| *to = *from);
                        }
                    }
                }
            }
        }
    }
}
