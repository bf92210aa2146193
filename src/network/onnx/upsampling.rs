//! Lowers upsampling layers: transposed convolutions, and resizes with any interpolation.
//!
//! A resize becomes one matrix for rows and one for columns.

use super::lower::Lowering;
use super::node_names;
use super::proto::NodeProto;
use crate::Result;
use crate::network::{NodeId, Op, Weights};

/// Maximum image side of a resize, in pixels.
const MAX_SIDE: usize = 1 << 14;
/// Coefficient a of cubic convolution, the default of ONNX.
const DEFAULT_CUBIC_A: f32 = -0.75;

impl Lowering<'_> {
    pub fn transposed_convolution(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let constant = self.weights(node, 1)?;
        let &[_, _, kernel_height, kernel_width] = constant.dims.as_slice() else {
            let reason = format!(
                "its weights have shape {}; 2-D transposed convolutions are supported",
                crate::error::format_shape(&constant.dims)
            );
            return Err(self.node_error(node, reason));
        };
        let kernel = [kernel_height, kernel_width];
        let stride = self.pair(node, "strides", 1)?;
        let dilation = self.pair(node, "dilations", 1)?;
        let groups = usize::try_from(node.int("group", 1)).unwrap_or(0);
        let longer = node.ints("output_padding").filter(|v| !v.is_empty()).map(<[i64]>::to_vec).unwrap_or(vec![0, 0]);
        let longer: Option<Vec<usize>> =
            longer.iter().map(|&v| usize::try_from(v).ok().filter(|&v| v < 1 << 20)).collect();
        let Some(Ok(mut output_padding)) = longer.map(<[usize; 2]>::try_from) else {
            return Err(self.node_error(node, "output_padding should be two numbers of at least 0"));
        };
        let shape = self.nodes[input].shape.clone();
        let full = |i: usize, longer: usize| {
            let size: usize = shape.get(i + 1).copied().unwrap_or(1);
            size.saturating_sub(1)
                .saturating_mul(stride[i])
                .saturating_add((kernel[i].max(1) - 1).saturating_mul(dilation[i]) + 1 + longer)
        };
        let auto = node.text("auto_pad");
        let output_size = match node.ints("output_shape").filter(|v| !v.is_empty()) {
            Some(&[.., h, w]) => Some([h, w].map(|v| usize::try_from(v).unwrap_or(0))),
            Some(_) => return Err(self.node_error(node, "output_shape should be two numbers")),
            None if auto.starts_with("SAME") => {
                Some([0, 1].map(|i| shape.get(i + 1).copied().unwrap_or(1).saturating_mul(stride[i])))
            }
            None => None,
        };
        let padding = match output_size {
            // The padding follows from this size; missing values are added at the end.
            Some(output_size) => {
                let mut padding = [0; 4];
                for i in 0..2 {
                    output_padding[i] = output_padding[i].max(output_size[i].saturating_sub(full(i, 0)));
                    let total = full(i, output_padding[i]).saturating_sub(output_size[i]);
                    let (small, large) = (total / 2, total - total / 2);
                    (padding[i], padding[i + 2]) = if auto == "SAME_UPPER" { (small, large) } else { (large, small) };
                }
                padding
            }
            None => self.window(node, input, kernel)?.padding,
        };
        let weight = Weights::new(constant.dims.clone(), constant.floats());
        let bias = self.bias(node, 2)?;
        let op = Op::ConvTranspose2d { weight, bias, stride, padding, output_padding, dilation, groups };
        let name = self.layer_name(node, 1);
        self.push(node, name, op, vec![input], &[])
    }

    /// Lowers `Resize` and `Upsample`.
    pub fn resize(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let &[_, height, width] = self.nodes[input].shape.as_slice() else {
            return Err(self.node_error(node, "resizes something that is not an image"));
        };
        let upsample = node.op_type == "Upsample";
        // Resize of operator set 10 has its scales as the input where newer ones have a region.
        let old = upsample || node.input.len() == 2;
        let constant = |k: usize| self.constant_input(node, k).filter(|c| c.len() > 0);
        let scales = constant(if old { 1 } else { 2 })
            .map(|c| c.floats())
            .or_else(|| node.floats("scales").map(<[f32]>::to_vec));
        let sizes = if old { None } else { constant(3).and_then(|c| c.as_ints()) };
        if node.int("antialias", 0) != 0 || !matches!(node.text("keep_aspect_ratio_policy").as_str(), "" | "stretch") {
            return Err(self.node_error(node, "antialiasing and keeping the aspect ratio are not supported"));
        }
        let axes = node.ints("axes").map_or_else(|| vec![0, 1, 2, 3], <[i64]>::to_vec);
        let axis_position = |axis: i64| axes.iter().position(|&a| a == axis || a == axis - 4);
        let is_unchanged = |at: Option<usize>| {
            at.is_none_or(|at| {
                let scale = scales.as_ref().and_then(|s| s.get(at)).is_none_or(|&s| s == 1.0);
                let same = |n: i64| n == self.full_shape(input)[at.min(3)] as i64;
                scale && sizes.as_ref().and_then(|s| s.get(at)).is_none_or(|&n| same(n) || n == 1)
            })
        };
        if !is_unchanged(axis_position(0)) || !is_unchanged(axis_position(1)) {
            return Err(self.node_error(node, "resizes batch or channels"));
        }
        let method = Interpolation {
            mode: node.text("mode"),
            coordinates: match node.text("coordinate_transformation_mode") {
                _ if old => "asymmetric".into(),
                text if text.is_empty() => "half_pixel".into(),
                text => text,
            },
            nearest: match node.text("nearest_mode") {
                _ if old => "floor".into(),
                text if text.is_empty() => "round_prefer_floor".into(),
                text => text,
            },
            cubic: if node.has("cubic_coeff_a") {
                node.float("cubic_coeff_a", DEFAULT_CUBIC_A)
            } else {
                DEFAULT_CUBIC_A
            },
        };
        let side = |axis: i64, from: usize| -> Result<Weights, String> {
            let Some(at) = axis_position(axis) else { return method.matrix(from, from, 1.0) };
            match (scales.as_ref().and_then(|s| s.get(at)), sizes.as_ref().and_then(|s| s.get(at))) {
                (Some(&scale), _) if scale.is_finite() && scale > 0.0 => {
                    method.matrix(from, (from as f64 * f64::from(scale)).floor() as usize, f64::from(scale))
                }
                (None, Some(&size)) => {
                    let size = usize::try_from(size).map_err(|_| "an invalid size".to_owned())?;
                    method.matrix(from, size, size as f64 / from as f64)
                }
                _ => Err("neither its scales nor its sizes are constants".into()),
            }
        };
        let (rows, columns) =
            side(2, height).and_then(|rows| Ok((rows, side(3, width)?))).map_err(|e| self.node_error(node, e))?;
        self.push(node, node_names::of_node(node), Op::Resample { rows, columns }, vec![input], &[])
    }
}

/// Interpolation method of a resize.
struct Interpolation {
    mode: String,
    coordinates: String,
    nearest: String,
    cubic: f32,
}

impl Interpolation {
    /// Interpolation matrix along one side, `[out, from]`: the weight of every old value in every new one.
    fn matrix(&self, from: usize, out: usize, scale: f64) -> Result<Weights, String> {
        if out == 0 || out > MAX_SIDE || from == 0 || from > MAX_SIDE {
            return Err(format!("a resize from {from} to {out} values"));
        }
        let mut data = vec![0.0f32; from * out];
        for (i, row) in data.chunks_mut(from).enumerate() {
            let x = self.source_position(i as f64, from as f64, out as f64, scale)?;
            let clamped = |k: f64| (k.max(0.0) as usize).min(from - 1);
            let low = x.floor();
            let part = (x - low) as f32;
            match self.mode.as_str() {
                "" | "nearest" => row[clamped(self.round(x)?)] = 1.0,
                "linear" | "bilinear" => {
                    row[clamped(low)] += 1.0 - part;
                    row[clamped(low + 1.0)] += part;
                }
                "cubic" => {
                    let a = self.cubic;
                    let near = |t: f32| ((a + 2.0) * t - (a + 3.0)) * t * t + 1.0;
                    let far = |t: f32| ((a * t - 5.0 * a) * t + 8.0 * a) * t - 4.0 * a;
                    let taps = [far(part + 1.0), near(part), near(1.0 - part), far(2.0 - part)];
                    taps.iter().enumerate().for_each(|(k, tap)| row[clamped(low - 1.0 + k as f64)] += tap);
                }
                other => return Err(format!("interpolation '{other}' is not supported")),
            }
        }
        Ok(Weights::new(vec![out, from], data))
    }

    /// Position of new value `i` in coordinates of the old values.
    fn source_position(&self, i: f64, from: f64, out: f64, scale: f64) -> Result<f64, String> {
        Ok(match self.coordinates.as_str() {
            "half_pixel" => (i + 0.5) / scale - 0.5,
            "pytorch_half_pixel" => {
                if out > 1.0 {
                    (i + 0.5) / scale - 0.5
                } else {
                    0.0
                }
            }
            "align_corners" => {
                if out > 1.0 {
                    i * (from - 1.0) / (out - 1.0)
                } else {
                    0.0
                }
            }
            "asymmetric" => i / scale,
            "tf_half_pixel_for_nn" => (i + 0.5) / scale,
            other => return Err(format!("coordinate mode '{other}' is not supported")),
        })
    }

    fn round(&self, x: f64) -> Result<f64, String> {
        Ok(match self.nearest.as_str() {
            "round_prefer_floor" => (x - 0.5).ceil(),
            "round_prefer_ceil" => (x + 0.5).floor(),
            "floor" => x.floor(),
            "ceil" => x.ceil(),
            other => return Err(format!("nearest mode '{other}' is not supported")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolation_weights_sum_to_one() {
        let method = |mode: &str, coordinates: &str| Interpolation {
            mode: mode.into(),
            coordinates: coordinates.into(),
            nearest: "round_prefer_floor".into(),
            cubic: DEFAULT_CUBIC_A,
        };
        let twice = method("nearest", "asymmetric").matrix(2, 4, 2.0).unwrap();
        assert_eq!(*twice.data, [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0]);
        let linear = method("linear", "half_pixel").matrix(2, 4, 2.0).unwrap();
        assert_eq!(*linear.data, [1.0, 0.0, 0.75, 0.25, 0.25, 0.75, 0.0, 1.0]);
        let corners = method("linear", "align_corners").matrix(2, 3, 1.5).unwrap();
        assert_eq!(*corners.data, [1.0, 0.0, 0.5, 0.5, 0.0, 1.0]);
        for coordinates in ["half_pixel", "align_corners", "pytorch_half_pixel"] {
            let cubic = method("cubic", coordinates).matrix(5, 13, 2.6).unwrap();
            cubic.data.chunks(5).for_each(|row| assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5));
        }
        assert!(method("nearest", "tf_crop_and_resize").matrix(2, 4, 2.0).is_err());
        assert!(method("nearest", "asymmetric").matrix(2, 1 << 20, 2.0).is_err());
    }
}
