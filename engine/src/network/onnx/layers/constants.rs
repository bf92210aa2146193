//! Lowers combinations of layers with constant arrays: joins, choices, and one factor and offset per value.

use crate::Result;
use crate::error::format_shape;
use crate::network::onnx::constant::Constant;
use crate::network::onnx::lower::{LoweredValue, Lowering};
use crate::network::onnx::proto::NodeProto;
use crate::network::onnx::shapes::axis;
use crate::network::onnx::{folding, node_names};
use crate::network::{NodeId, Op};

impl Lowering<'_> {
    /// Lowers `Concat` of layers, and of layers with constants: zeros become padding, other numbers are added to it.
    pub(super) fn concat(&mut self, node: &NodeProto) -> Result<NodeId> {
        let values = (0..node.input.len()).map(|k| self.value(node, k)).collect::<Result<Vec<_>>>()?;
        let name = node_names::of_node(node);
        let mut parts: Vec<(NodeId, [Vec<Constant>; 2])> = Vec::new();
        let mut before = Vec::new();
        for (k, value) in values.into_iter().enumerate() {
            match (value, parts.last_mut()) {
                (LoweredValue::Constant(constant), None) => before.push((*constant).clone()),
                (LoweredValue::Constant(constant), Some((_, [_, after]))) => after.push((*constant).clone()),
                _ => parts.push((self.layer_input(node, k)?, [std::mem::take(&mut before), Vec::new()])),
            }
        }
        let Some(&(first, _)) = parts.first() else { return Err(self.node_error(node, "joins no layers")) };
        let rank = self.full_shape(first).len();
        let at = axis(node.int("axis", 1), rank).map_err(|e| self.node_error(node, e))?;
        let mut ids = Vec::new();
        for (id, [before, after]) in parts {
            let dims = self.full_shape(id);
            if dims.len() != rank {
                let shapes = format!("{} and {}", format_shape(&self.full_shape(first)), format_shape(&dims));
                return Err(self.node_error(node, format!("joins shapes {shapes}")));
            }
            ids.push(self.extended_by(node, &name, id, at, &before, &after)?);
        }
        if let [only] = ids[..] {
            return Ok(only);
        }
        let has_batch = ids.iter().any(|id| !self.unbatched.contains(id));
        let Some(at) = at.checked_sub(usize::from(has_batch)) else {
            return Err(self.node_error(node, "joins along the batch"));
        };
        if has_batch && ids.iter().any(|id| self.unbatched.contains(id)) {
            return Err(self.node_error(node, "joins layers with and without a batch dimension"));
        }
        if let Some((sources, perm)) = self.common_order(&ids) {
            let joined = self.push(node, name.clone(), Op::Concat { axis: perm[at] }, sources, &[])?;
            return self.with_layout(node, format!("{name}.order"), joined, perm);
        }
        self.joined(node, &name, &ids, at)
    }

    /// The layers `ids` joined along axis `at` of the sample shape, of any number of dimensions.
    pub(super) fn joined(&mut self, node: &NodeProto, name: &str, ids: &[NodeId], at: usize) -> Result<NodeId> {
        let shape = self.nodes[ids[0]].shape.clone();
        if shape.len() <= 4 {
            return self.push(node, name.to_owned(), Op::Concat { axis: at }, ids.to_vec(), &[]);
        }
        let fits = |&id: &NodeId| {
            let other = &self.nodes[id].shape;
            other.len() == shape.len() && (0..shape.len()).all(|k| k == at || other[k] == shape[k])
        };
        if !ids.iter().all(fits) {
            return Err(self.node_error(node, "joins shapes that do not match"));
        }
        // Dimensions before and after the axis count as one each.
        let product = |dims: &[usize]| dims.iter().product::<usize>();
        let (outer, inner) = (product(&shape[..at]), product(&shape[at + 1..]));
        let mut views = Vec::new();
        let mut target = shape.clone();
        target[at] = 0;
        for &id in ids {
            let n = self.nodes[id].shape[at];
            target[at] += n;
            views.push(self.push(node, format!("{name}.view"), Op::Reshape, vec![id], &[outer, n, inner])?);
        }
        let joined = self.push(node, name.to_owned(), Op::Concat { axis: 1 }, views, &[])?;
        self.push(node, format!("{name}.shape"), Op::Reshape, vec![joined], &target)
    }

    /// `id` with constants before and after it along axis `at` of its dimensions in the file.
    fn extended_by(
        &mut self,
        node: &NodeProto,
        name: &str,
        id: NodeId,
        at: usize,
        before: &[Constant],
        after: &[Constant],
    ) -> Result<NodeId> {
        if before.is_empty() && after.is_empty() {
            return Ok(id);
        }
        let dims = self.full_shape(id);
        let fits = |c: &Constant| {
            c.dims.len() == dims.len() && (0..dims.len()).all(|k| k == at || c.dims[k] == dims[k]) && c.dims[at] > 0
        };
        if let Some(wrong) = before.iter().chain(after).find(|c| !fits(c)) {
            let shapes = format!("{} and {}", format_shape(&dims), format_shape(&wrong.dims));
            return Err(self.node_error(node, format!("joins shapes {shapes} along dimension {at}")));
        }
        let is_batched = !self.unbatched.contains(&id);
        let Some(sample_axis) = at.checked_sub(usize::from(is_batched)) else {
            return Err(self.node_error(node, "joins along the batch"));
        };
        // The batch of a constant is that of the file; each sample gets the same numbers only if it is 1.
        if is_batched && self.batch != 1 {
            return Err(self.node_error(node, "joins a layer with constants for each sample of a batch"));
        }
        let shape = self.nodes[id].shape.clone();
        if shape.len() > 4 {
            return Err(self.node_error(node, "joins a layer of more than four dimensions with constants"));
        }
        let length = |constants: &[Constant]| constants.iter().map(|c| c.dims[at]).sum::<usize>();
        let (mut pad_before, mut pad_after) = (vec![0; shape.len()], vec![0; shape.len()]);
        (pad_before[sample_axis], pad_after[sample_axis]) = (length(before), length(after));
        let op = Op::Pad { before: pad_before, after: pad_after };
        let padded = self.push(node, name.to_owned(), op, vec![id], &[])?;
        // The constants, with zeros in the place of the layer.
        let outer: usize = shape[..sample_axis].iter().product();
        let own: usize = shape[sample_axis..].iter().product();
        let parts: Vec<_> = before
            .iter()
            .map(|c| Some(c.floats()))
            .chain([None])
            .chain(after.iter().map(|c| Some(c.floats())))
            .collect();
        let mut numbers = Vec::with_capacity(self.nodes[padded].len());
        for row in 0..outer {
            for part in &parts {
                match part {
                    Some(values) => {
                        let block = values.len() / outer.max(1);
                        numbers.extend_from_slice(&values[row * block..(row + 1) * block]);
                    }
                    None => numbers.resize(numbers.len() + own, 0.0),
                }
            }
        }
        self.scaled(node, name, padded, None, Some(numbers))
    }

    /// `scale · x + shift` with a number for each value of `id`, row-major; absent ones are 1 and 0. Numbers that are equal
    /// within each channel become one per channel.
    pub(super) fn scaled(
        &mut self,
        node: &NodeProto,
        name: &str,
        id: NodeId,
        scale: Option<Vec<f32>>,
        shift: Option<Vec<f32>>,
    ) -> Result<NodeId> {
        let scale = scale.filter(|scale| scale.iter().any(|&s| s != 1.0));
        let shift = shift.filter(|shift| shift.iter().any(|&s| s != 0.0));
        if scale.is_none() && shift.is_none() {
            return Ok(id);
        }
        let shape = self.nodes[id].shape.clone();
        let len: usize = shape.iter().product();
        let channels = shape.first().copied().unwrap_or(1);
        let place = len / channels.max(1);
        let is_even = |values: &Option<Vec<f32>>| {
            values.as_ref().is_none_or(|values| values.chunks(place.max(1)).all(|c| c.iter().all(|v| *v == c[0])))
        };
        if is_even(&scale) && is_even(&shift) {
            let per_channel = |values: Option<Vec<f32>>, default: f32| match values {
                Some(values) => values.chunks(place.max(1)).map(|c| c[0]).collect(),
                None => vec![default; channels],
            };
            let op = Op::Affine { scale: per_channel(scale, 1.0), shift: per_channel(shift, 0.0) };
            return self.push(node, format!("{name}.constants"), op, vec![id], &[]);
        }
        let flat = self.push(node, format!("{name}.flat"), Op::Reshape, vec![id], &[len])?;
        let op = Op::Affine {
            scale: scale.unwrap_or_else(|| vec![1.0; len]),
            shift: shift.unwrap_or_else(|| vec![0.0; len]),
        };
        let affine = self.push(node, format!("{name}.constants"), op, vec![flat], &[])?;
        self.push(node, format!("{name}.back"), Op::Reshape, vec![affine], &shape)
    }

    /// Lowers `Where` with a constant condition: each side times 1 or 0.
    pub(super) fn select_where(&mut self, node: &NodeProto) -> Result<NodeId> {
        let Some(condition) = self.constant_input(node, 0) else {
            return Err(self.node_error(node, "its condition depends on the input, which is not supported"));
        };
        let name = node_names::of_node(node);
        let mut shapes = vec![condition.dims.clone()];
        for k in [1, 2] {
            shapes.push(match self.value(node, k)? {
                LoweredValue::Constant(constant) => constant.dims.clone(),
                _ => {
                    let id = self.layer_input(node, k)?;
                    self.full_shape(id)
                }
            });
        }
        let shapes: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
        let dims = folding::common_dims(&shapes).map_err(|e| self.node_error(node, e))?;
        let mut sides = Vec::new();
        for k in [1, 2] {
            let chosen = |c: f32| if (c != 0.0) == (k == 1) { 1.0 } else { 0.0 };
            let mask = |lowering: &Self| -> Result<Vec<f32>> {
                let condition = lowering.per_sample(node, &condition, &dims)?;
                Ok(condition.iter().map(|&c| chosen(c)).collect())
            };
            match self.value(node, k)? {
                LoweredValue::Constant(constant) => {
                    let mask = mask(self)?;
                    let values = self.per_sample(node, &constant, &dims)?;
                    // A value that is not chosen may be infinite.
                    let masked = values.iter().zip(mask).map(|(v, m)| if m == 0.0 { 0.0 } else { *v }).collect();
                    sides.push((None, Some(masked)));
                }
                _ => {
                    let id = self.layer_input(node, k)?;
                    let id = self.expanded(node, &name, id, &dims)?;
                    let mask = mask(self)?;
                    sides.push((Some((id, mask)), None));
                }
            }
        }
        match <[_; 2]>::try_from(sides) {
            Ok([(Some((id, mask)), None), (None, shift)] | [(None, shift), (Some((id, mask)), None)]) => {
                self.scaled(node, &name, id, Some(mask), shift)
            }
            Ok([(Some((a, mask_a)), None), (Some((b, mask_b)), None)]) => {
                let a = self.scaled(node, &name, a, Some(mask_a), None)?;
                let b = self.scaled(node, &name, b, Some(mask_b), None)?;
                self.push(node, name, Op::Add, vec![a, b], &[])
            }
            _ => Err(self.node_error(node, "chooses between constants, which is not supported")),
        }
    }

    /// The numbers of `constant`, broadcast to `dims` of the file, for one sample.
    pub(super) fn per_sample(&self, node: &NodeProto, constant: &Constant, dims: &[usize]) -> Result<Vec<f32>> {
        let (constant, target) = if self.batch == 1 {
            (constant.clone(), dims)
        } else {
            let own = match constant.dims.split_first() {
                Some((1, rest)) if constant.dims.len() == dims.len() => constant.with_dims(rest.to_vec()),
                _ if constant.dims.len() < dims.len() => constant.clone(),
                _ => return Err(self.node_error(node, "combines a layer with constants for each sample of a batch")),
            };
            (own, &dims[1..])
        };
        self.budget.count(target).map_err(|e| self.node_error(node, e))?;
        Ok(folding::expanded(&constant, target).floats().to_vec())
    }
}
