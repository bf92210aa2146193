//! Resize and Upsample: interpolation along every axis, with coordinates in 32 bits as onnxruntime has them.

use super::index::{self, count, ravel, unravel};
use super::operator::{Built, Operator, Site};

/// Coefficient a of cubic convolution, unless it is stated.
const CUBIC_A: f32 = -0.75;

/// Distance from halfway that onnxruntime takes as halfway, because the coordinate has rounding errors itself.
const TIE: f32 = 1e-6;

/// How numbers between those of the input are found.
struct Method {
    mode: &'static str,
    coordinates: &'static str,
    nearest: &'static str,
    cubic_a: f64,
    /// Whether positions outside the input have no weight in cubic interpolation.
    excludes_outside: bool,
    /// The number outside the input, for `tf_crop_and_resize`.
    outside: f64,
}

/// One axis.
#[derive(Clone)]
struct Line {
    input: usize,
    output: usize,
    scale: f32,
    /// Start and end of the region of interest, as fractions of the input.
    region: [f32; 2],
}

/// `Resize` and `Upsample`.
pub fn resize(site: &Site) -> Built {
    let kind = site.kind(0)?.clone();
    let is_old = site.node.op_type == "Upsample" || site.opset < 11;
    let method = Method {
        mode: site.choice("mode", &["nearest", "linear", "cubic"])?,
        coordinates: match is_old {
            true => "asymmetric",
            false => site.choice(
                "coordinate_transformation_mode",
                &[
                    "half_pixel",
                    "half_pixel_symmetric",
                    "pytorch_half_pixel",
                    "align_corners",
                    "asymmetric",
                    "tf_half_pixel_for_nn",
                    "tf_crop_and_resize",
                ],
            )?,
        },
        nearest: match is_old {
            true => "simple",
            false => site.choice("nearest_mode", &["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])?,
        },
        cubic_a: site.float("cubic_coeff_a", CUBIC_A),
        excludes_outside: site.flag("exclude_outside", false),
        outside: site.float("extrapolation_value", 0.0),
    };
    if site.flag("antialias", false) && method.mode != "nearest" {
        return Err("antialiasing is not known".into());
    }
    if method.excludes_outside && method.mode == "linear" {
        return Err("exclude_outside is only known for cubic interpolation".into());
    }
    let lines = lines(site, &kind.shape, is_old, method.coordinates == "tf_crop_and_resize")?;
    let shape: Vec<usize> = lines.iter().map(|line| line.output).collect();
    let (from, to) = (kind.shape, shape.clone());
    // Here the standard and onnxruntime differ: it copies, and aligns the corners of the whole output.
    if from == to && lines.iter().any(|line| line.scale != 1.0) {
        return Err("scales that change no size are not defined".into());
    }
    let is_fraction = |line: &Line| line.scale * line.input as f32 != line.output as f32;
    if method.coordinates == "align_corners" && lines.iter().any(is_fraction) {
        return Err("aligned corners with scales of a fraction of a pixel are not defined".into());
    }
    if count(&from) == 0 && count(&to) > 0 {
        return Err("its input is empty".into());
    }
    Operator::one(kind.data_type, shape, move |index, fetch| {
        let mut taps = vec![(0usize, 1.0f64)];
        for (line, at) in lines.iter().zip(unravel(index, &to)) {
            let Some(along) = method.taps(line, at) else { return method.outside };
            taps = taps
                .iter()
                .flat_map(|&(i, weight)| {
                    along.iter().map(move |&(k, w)| (ravel(&[i, k], &[0, line.input]), weight * w))
                })
                .collect();
        }
        taps.iter().map(|&(i, weight)| weight * fetch.input(0, i)).sum()
    })
}

/// The axes with their scales, from the inputs or attributes that state scales, sizes and the region.
fn lines(site: &Site, shape: &[usize], is_old: bool, has_region: bool) -> Result<Vec<Line>, String> {
    let rank = shape.len();
    let axes = match site.ints("axes") {
        Some(axes) => index::axes(axes, rank)?,
        None => (0..rank).collect(),
    };
    let policy = site.choice("keep_aspect_ratio_policy", &["stretch", "not_larger", "not_smaller"])?;
    let (regions_at, scales_at, sizes_at) = if is_old { (usize::MAX, 1, usize::MAX) } else { (1, 2, 3) };
    let present = |k: usize| site.optional(k).is_some_and(|kind| count(&kind.shape) > 0);
    let list = |k: usize| if present(k) { site.constant(k) } else { Ok(None) };
    let stated = site.floats("scales").map(|scales| scales.iter().map(|&s| f64::from(s)).collect());
    let scales: Option<Vec<f64>> = list(scales_at)?.or(stated);
    let sizes = list(sizes_at)?;
    let regions = if has_region { list(regions_at)? } else { None };
    let mut lines: Vec<Line> =
        shape.iter().map(|&dim| Line { input: dim, output: dim, scale: 1.0, region: [0.0, 1.0] }).collect();
    if let Some(regions) = &regions {
        let fits = regions.len() == 2 * axes.len();
        let halves = regions.split_at_checked(axes.len()).filter(|_| fits).ok_or("its region does not fit")?;
        for ((&axis, &start), &end) in axes.iter().zip(halves.0).zip(halves.1) {
            lines[axis].region = [start as f32, end as f32];
        }
    }
    match (scales, sizes) {
        (Some(scales), None) if scales.len() == axes.len() => {
            for (&axis, &scale) in axes.iter().zip(&scales) {
                let line = &mut lines[axis];
                if !(scale.is_finite() && scale > 0.0) {
                    return Err(format!("scale {scale} is not positive"));
                }
                line.scale = scale as f32;
                line.output = (line.scale * line.input as f32) as usize;
                // The standard scales the region, onnxruntime the whole input.
                if line.region != [0.0, 1.0] {
                    return Err("scales together with a region are not known".into());
                }
            }
        }
        (None, Some(sizes)) if sizes.len() == axes.len() => {
            for (&axis, &size) in axes.iter().zip(&sizes) {
                let line = &mut lines[axis];
                line.output = size as usize;
                line.scale = if line.input == 0 { 1.0 } else { line.output as f32 / line.input as f32 };
            }
            if policy != "stretch" {
                let scales = axes.iter().map(|&axis| lines[axis].scale);
                let scale = if policy == "not_larger" {
                    scales.fold(f32::MAX, f32::min)
                } else {
                    scales.fold(f32::MIN_POSITIVE, f32::max)
                };
                for &axis in &axes {
                    lines[axis].scale = scale;
                    lines[axis].output = (scale * lines[axis].input as f32).round() as usize;
                }
            }
        }
        _ => return Err("neither its scales nor its sizes fit its input".into()),
    }
    if lines.iter().any(|line| line.scale == 1.0 && line.region != [0.0, 1.0]) {
        return Err("a region of an axis that keeps its size is not known".into());
    }
    Ok(lines)
}

impl Method {
    /// Weights of input positions for output position `at`; `None` outside the input.
    fn taps(&self, line: &Line, at: usize) -> Option<Vec<(usize, f64)>> {
        if line.scale == 1.0 {
            return Some(vec![(at, 1.0)]);
        }
        let x = self.source(line, at as f32);
        let last = line.input.saturating_sub(1);
        if self.coordinates == "tf_crop_and_resize" && (x < 0.0 || x > last as f32) {
            return None;
        }
        let clamped = |k: f32| (k.max(0.0) as usize).min(last);
        Some(match self.mode {
            "nearest" => vec![(clamped(self.round(x, line.scale)), 1.0)],
            "linear" => {
                let x = x.min(last as f32).max(0.0);
                let low = x.floor();
                let part = x - low;
                vec![(clamped(low), f64::from(1.0 - part)), (clamped(low + 1.0), f64::from(part))]
            }
            _ => {
                let low = x.floor();
                let mut taps = self.cubic(f64::from(x - low), low as i64, line.input as i64);
                let sum: f64 = taps.iter().map(|tap| tap.1).sum();
                if self.excludes_outside {
                    taps.iter_mut().for_each(|tap| tap.1 /= sum);
                }
                taps
            }
        })
    }

    /// The four taps of cubic convolution at `low + t` (Keys 1981, equation 4).
    fn cubic(&self, t: f64, low: i64, length: i64) -> Vec<(usize, f64)> {
        let a = self.cubic_a;
        let near = |t: f64| ((a + 2.0) * t - (a + 3.0)) * t * t + 1.0;
        let far = |t: f64| ((a * t - 5.0 * a) * t + 8.0 * a) * t - 4.0 * a;
        let weights = [far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)];
        let tap = |(k, weight): (i64, f64)| {
            let position = low - 1 + k;
            let is_outside = position < 0 || position >= length;
            let weight = if is_outside && self.excludes_outside { 0.0 } else { weight };
            (position.clamp(0, length - 1) as usize, weight)
        };
        (0..).zip(weights).map(tap).collect()
    }

    /// Coordinate in the input of output position `x`.
    fn source(&self, line: &Line, x: f32) -> f32 {
        let (input, output, scale) = (line.input as f32, line.output as f32, line.scale);
        let [start, end] = line.region;
        match self.coordinates {
            "asymmetric" => x / scale,
            "tf_half_pixel_for_nn" => (x + 0.5) / scale,
            "pytorch_half_pixel" if output <= 1.0 => 0.0,
            "align_corners" if output == 1.0 => 0.0,
            "align_corners" => x * (input - 1.0) / (output - 1.0),
            "tf_crop_and_resize" if output > 1.0 => {
                start * (input - 1.0) + (x * (end - start) * (input - 1.0)) / (output - 1.0)
            }
            "tf_crop_and_resize" => (0.5 * f64::from(start + end) * f64::from(input - 1.0)) as f32,
            "half_pixel_symmetric" => {
                let offset = input / 2.0 * (1.0 - output / (scale * input));
                (f64::from(offset) + (f64::from(x) + 0.5) / f64::from(scale) - 0.5) as f32
            }
            _ => (x + 0.5) / scale - 0.5,
        }
    }

    fn round(&self, x: f32, scale: f32) -> f32 {
        let is_tie = (x - x.floor() - 0.5).abs() <= TIE;
        match self.nearest {
            // Of operator sets before 11.
            "simple" if scale < 1.0 => x.ceil(),
            "simple" => x.trunc(),
            "floor" => x.floor(),
            "ceil" => x.ceil(),
            "round_prefer_floor" if is_tie => x.floor(),
            "round_prefer_ceil" if is_tie => x.ceil(),
            _ => x.round(),
        }
    }
}
