//! Lowers upsampling layers: transposed convolutions, and resizes with any interpolation.
//!
//! A resize becomes one matrix for rows and one for columns.

use super::interpolation::{DEFAULT_CUBIC_A, Interpolation};
use super::linear_maps::{MAX_SIDE, identity};
use crate::Result;
use crate::network::onnx::lower::Lowering;
use crate::network::onnx::proto::NodeProto;
use crate::network::onnx::shapes::axes;
use crate::network::onnx::{node_names, shapes};
use crate::network::{NodeId, Op, Weights};

impl Lowering<'_> {
    pub(super) fn transposed_convolution(&mut self, node: &NodeProto) -> Result<NodeId> {
        let (weight, spatial) = self.kernel_weights(node)?;
        let kernel = [weight.shape[2], weight.shape[3]];
        let input = self.image_input(node, 0, spatial)?;
        let stride = self.pair(node, "strides", 1, 1)?;
        let dilation = self.pair(node, "dilations", 1, 1)?;
        let mut output_padding = self.pair(node, "output_padding", 0, 0)?;
        let shape = self.nodes[input].shape.clone();
        let full = |i: usize, longer: usize| {
            let size: usize = shape.get(i + 1).copied().unwrap_or(1);
            size.saturating_sub(1)
                .saturating_mul(stride[i])
                .saturating_add((kernel[i].max(1) - 1).saturating_mul(dilation[i]) + 1 + longer)
        };
        let auto = node.text("auto_pad");
        let output_size = match node.ints("output_shape").filter(|v| !v.is_empty()) {
            Some(sizes) => {
                let number = |v: i64| usize::try_from(v).unwrap_or(0);
                match (spatial, sizes) {
                    (1, &[.., length]) => Some([1, number(length)]),
                    (_, &[.., height, width]) => Some([number(height), number(width)]),
                    _ => return Err(self.node_error(node, format!("output_shape should be {spatial} numbers"))),
                }
            }
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
        let bias = self.bias(node, 2)?;
        let groups = usize::try_from(node.int("group", 1)).unwrap_or(0);
        let op = Op::ConvTranspose2d { weight, bias, stride, padding, output_padding, dilation, groups };
        let name = self.layer_name(node, 1);
        let id = self.push(node, name, op, vec![input], &[])?;
        self.without_height(node, id, spatial)
    }

    /// Lowers `Resize` and `Upsample`.
    pub(super) fn resize(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let dims = self.full_shape(input);
        // Before operator set 11, the scales are where newer ones have a region.
        let is_old = node.op_type == "Upsample" || self.opset < 11;
        let has = |k: usize| node.input.get(k).is_some_and(|name| !name.is_empty());
        let constant = |lowering: &Self, k: usize| -> Result<_> {
            match lowering.constant_input(node, k) {
                Some(constant) => Ok(Some(constant).filter(|c| c.len() > 0)),
                None if has(k) => {
                    let reason =
                        format!("its size ('{}') depends on the input. Export with fixed shapes.", node.input[k]);
                    Err(lowering.node_error(node, reason))
                }
                None => Ok(None),
            }
        };
        let scales = constant(self, if is_old { 1 } else { 2 })?
            .map(|c| c.floats().to_vec())
            .or_else(|| node.floats("scales").map(<[f32]>::to_vec));
        let sizes = match is_old {
            true => None,
            false => constant(self, 3)?.and_then(|c| c.as_ints()),
        };
        let list = node.ints("axes").map_or_else(|| (0..dims.len() as i64).collect(), <[i64]>::to_vec);
        axes(&list, dims.len()).map_err(|e| self.node_error(node, e))?;
        let stated = scales.as_ref().map(Vec::len).or(sizes.as_ref().map(Vec::len));
        if stated != Some(list.len()) {
            let reason = format!("has {} scales or sizes for {} dimensions", stated.unwrap_or(0), list.len());
            return Err(self.node_error(node, reason));
        }
        // New size and scale of each dimension.
        let mut changes: Vec<Option<(usize, f32)>> = vec![None; dims.len()];
        let policy = node.text("keep_aspect_ratio_policy");
        let ratio =
            |k: usize, sizes: &[i64]| sizes[k] as f32 / dims[shapes::axis(list[k], dims.len()).unwrap_or(0)] as f32;
        let common = sizes.as_ref().map(|sizes| {
            let ratios = (0..list.len()).map(|k| ratio(k, sizes));
            match policy.as_str() {
                "not_larger" => ratios.fold(f32::INFINITY, f32::min),
                _ => ratios.fold(0.0, f32::max),
            }
        });
        for (k, &axis) in list.iter().enumerate() {
            let at = shapes::axis(axis, dims.len()).map_err(|e| self.node_error(node, e))?;
            let from = dims[at] as f32;
            changes[at] = match (&scales, &sizes) {
                (Some(scales), _) => Some(((from * scales[k]).floor() as usize, scales[k])),
                (None, Some(sizes)) => match (policy.as_str(), common) {
                    ("" | "stretch", _) => Some((usize::try_from(sizes[k]).unwrap_or(0), ratio(k, sizes))),
                    ("not_larger" | "not_smaller", Some(scale)) => Some(((scale * from).round() as usize, scale)),
                    (other, _) => {
                        let reason = format!("its attribute keep_aspect_ratio_policy = '{other}' is not supported");
                        return Err(self.node_error(node, reason));
                    }
                },
                (None, None) => None,
            };
        }
        let method = interpolation(node, is_old);
        let mut maps: Vec<(usize, Weights)> = Vec::new();
        for (at, change) in changes.into_iter().enumerate() {
            let Some((out, scale)) = change.filter(|change| *change != (dims[at], 1.0)) else { continue };
            if !(scale.is_finite() && scale > 0.0) {
                return Err(self.node_error(node, format!("has a scale of {scale}")));
            }
            let Some(axis) = at.checked_sub(usize::from(!self.unbatched.contains(&input))) else {
                return Err(self.node_error(node, "resizes the batch"));
            };
            maps.push((axis, method.matrix(dims[at], out, scale).map_err(|e| self.node_error(node, e))?));
        }
        if maps.is_empty() {
            return Ok(input);
        }
        if maps.iter().all(|(_, map)| map.shape[0] == map.shape[1]) {
            self.note(format!(
                "Node '{}' resizes by scales that change no size; its values are taken as they are, as onnxruntime does.",
                node.name
            ));
            return Ok(input);
        }
        let name = node_names::of_node(node);
        let shape = self.nodes[input].shape.clone();
        if let [_, height, width] = shape[..]
            && maps.iter().all(|(axis, _)| *axis > 0)
            && height.max(width) <= MAX_SIDE
        {
            let side = |axis: usize, n: usize| match maps.iter().find(|(a, _)| *a == axis) {
                Some((_, matrix)) => matrix.clone(),
                None => identity(n),
            };
            let op = Op::Resample { rows: side(1, height), columns: side(2, width) };
            return self.push(node, name, op, vec![input], &[]);
        }
        let mut id = input;
        for (axis, matrix) in maps {
            id = self.mapped_along(node, &name, id, axis, matrix)?;
        }
        Ok(id)
    }
}

/// The method that the attributes of `node` state.
fn interpolation(node: &NodeProto, is_old: bool) -> Interpolation {
    let text = |name: &str, default: &str| match node.text(name) {
        text if text.is_empty() => default.to_owned(),
        text => text,
    };
    Interpolation {
        mode: text("mode", "nearest"),
        coordinates: if is_old { "asymmetric".into() } else { text("coordinate_transformation_mode", "half_pixel") },
        nearest: if is_old { "simple".into() } else { text("nearest_mode", "round_prefer_floor") },
        cubic: node.float("cubic_coeff_a", DEFAULT_CUBIC_A),
        exclude_outside: node.int("exclude_outside", 0) != 0,
        antialias: node.int("antialias", 0) != 0,
    }
}
