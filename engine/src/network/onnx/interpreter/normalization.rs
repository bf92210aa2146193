//! Normalizations: by stored statistics, by those of the values themselves, and by neighboring channels.

use super::data_type::DataType;
use super::index::{self, Reduction, View, count};
use super::operator::{Built, Kind, Operator, Site};

/// `BatchNormalization` as in inference. Its further outputs, which only training has, are unknown.
pub fn batch(site: &Site) -> Built {
    site.ignore(&["momentum", "training_mode", "is_test"]);
    if !site.flag("spatial", true) {
        return Err("spatial = 0 normalizes every value on its own".into());
    }
    let epsilon = site.float("epsilon", 1e-5);
    let kind = site.kind(0)?.clone();
    let Some(&channels) = kind.shape.get(1).or(kind.shape.first()) else {
        return Err("its input has no dimension".into());
    };
    // A vector has one channel.
    let channels = if kind.shape.len() < 2 { 1 } else { channels };
    for k in 1..5 {
        site.kind(k)?;
        site.require_count(k, channels)?;
    }
    let plane = count(kind.shape.get(2..).unwrap_or_default());
    Operator::one(kind.data_type, kind.shape, move |index, fetch| {
        let channel = index / plane % channels;
        let [scale, shift, mean, variance] = [1, 2, 3, 4].map(|k| fetch.input(k, channel));
        (fetch.input(0, index) - mean) / (variance + epsilon).sqrt() * scale + shift
    })
}

/// A normalization by the mean and variance of groups of elements.
struct Statistics {
    reduction: Reduction,
    epsilon: f64,
    /// Whether the mean is subtracted (not so for the root mean square).
    centers: bool,
}

/// An operator that normalizes by `statistics`, then scales and shifts by inputs 1 and 2 at the indices of the views. Its
/// outputs are: `y`, mean and inverse deviation in shape `groups`, and in 64 bits variance and mean.
fn normalized(
    site: &Site,
    statistics: Statistics,
    groups: Vec<usize>,
    scale: Option<View>,
    shift: Option<View>,
) -> Built {
    site.require_float(0)?;
    let of_groups = |data_type| Kind { data_type, shape: groups.clone() };
    let [single, double] = [DataType::F32, DataType::F64].map(of_groups);
    let outputs = vec![site.kind(0)?.clone(), single.clone(), single, double.clone(), double];
    Operator::several(outputs, move |output, index, fetch| {
        let x = |i: usize| fetch.input(0, i);
        let (reduction, n) = (&statistics.reduction, statistics.reduction.size as f64);
        let deviation = |group: usize| (fetch.output(3, group) + statistics.epsilon).sqrt();
        match output {
            0 => {
                let group = reduction.group(index);
                let y = (x(index) - fetch.output(4, group)) / deviation(group);
                let y = scale.as_ref().map_or(y, |view| y * fetch.input(1, view.index(index)));
                shift.as_ref().map_or(y, |view| y + fetch.input(2, view.index(index)))
            }
            1 => fetch.output(4, index),
            2 => 1.0 / deviation(index),
            3 => {
                let mean = fetch.output(4, index);
                reduction.members(index).map(|i| (x(i) - mean) * (x(i) - mean)).sum::<f64>() / n
            }
            _ if statistics.centers => reduction.members(index).map(x).sum::<f64>() / n,
            _ => 0.0,
        }
    })
    // Only LayerNormalization has outputs for mean and deviation.
    .map(|operator| operator.with_hidden(if site.node.op_type == "LayerNormalization" { 2 } else { 4 }))
}

/// `InstanceNormalization` and `GroupNormalization`.
pub fn instance_or_group(site: &Site) -> Built {
    site.ignore(&["stash_type"]);
    let epsilon = site.float("epsilon", 1e-5);
    let is_group = site.node.op_type == "GroupNormalization";
    let &[samples, channels, ref spatial @ ..] = site.shape(0)? else {
        return Err("its input has fewer than two dimensions".into());
    };
    let groups = if is_group { usize::try_from(site.int("num_groups", 0)).unwrap_or(0) } else { channels };
    if groups == 0 || channels % groups != 0 {
        return Err(format!("{channels} channels do not make {groups} groups"));
    }
    let plane = count(spatial);
    let size = channels / groups * plane;
    // Before operator set 21 scale and shift are those of a group.
    let is_of_group = is_group && site.opset < 21;
    let (numbers, repeats) = if is_of_group { (groups, size) } else { (channels, plane) };
    for k in [1, 2] {
        site.kind(k)?;
        site.require_count(k, numbers)?;
    }
    let view = View::new(&[samples, numbers, repeats], &[0, 1, 0], 0);
    let reduction = Reduction::new(&[samples * groups, size], &[1]);
    let statistics = Statistics { reduction, epsilon, centers: true };
    normalized(site, statistics, vec![samples * groups], Some(view.clone()), Some(view))
}

/// `LayerNormalization` and `RMSNormalization`.
pub fn layer(site: &Site) -> Built {
    site.ignore(&["stash_type"]);
    let epsilon = site.float("epsilon", 1e-5);
    let shape = site.shape(0)?;
    let axis = site.axis(-1, shape.len())?;
    let centers = site.node.op_type == "LayerNormalization";
    let view = |k| site.optional(k).map(|kind| View::broadcast(&kind.shape, shape)).transpose();
    let (scale, shift) = (view(1)?, view(2)?);
    let (outer, inner) = shape.split_at(axis);
    let reduction = Reduction::new(&[count(outer), count(inner)], &[1]);
    let groups = outer.iter().copied().chain(inner.iter().map(|_| 1)).collect();
    normalized(site, Statistics { reduction, epsilon, centers }, groups, scale, shift)
}

/// `MeanVarianceNormalization`.
pub fn mean_variance(site: &Site) -> Built {
    let shape = site.shape(0)?;
    let axes = index::axes(site.ints("axes").unwrap_or(&[0, 2, 3]), shape.len())?;
    // The standard divides by the deviation plus 1e-9, which is no difference in 32 bits unless all values are equal.
    let reduction = Reduction::new(shape, &axes);
    let groups = reduction.kept.clone();
    normalized(site, Statistics { reduction, epsilon: 1e-18, centers: true }, groups, None, None)
}

/// `LpNormalization`.
pub fn lp(site: &Site) -> Built {
    let kind = site.kind(0)?.clone();
    site.require_float(0)?;
    let axis = site.axis(-1, kind.shape.len())?;
    let is_first = match site.int("p", 2) {
        1 => true,
        2 => false,
        p => return Err(format!("p = {p} is not known")),
    };
    let reduction = Reduction::new(&kind.shape, &[axis]);
    let norms = Kind { data_type: DataType::F64, shape: vec![count(&reduction.kept)] };
    Operator::several(vec![kind, norms], move |output, index, fetch| {
        if output == 1 {
            let numbers = reduction.members(index).map(|i| fetch.input(0, i));
            return if is_first { numbers.map(f64::abs).sum() } else { numbers.map(|x| x * x).sum::<f64>().sqrt() };
        }
        let (x, norm) = (fetch.input(0, index), fetch.output(1, reduction.group(index)));
        if norm == 0.0 { 0.0 } else { x / norm }
    })
    .map(|operator| operator.with_hidden(1))
}

/// `LRN`: local response normalization over neighboring channels.
pub fn local_response(site: &Site) -> Built {
    let kind = site.kind(0)?.clone();
    let (alpha, beta) = (site.float("alpha", 1e-4), site.float("beta", 0.75));
    let bias = site.float("bias", 1.0);
    let size = usize::try_from(site.int("size", 0)).ok().filter(|&s| s > 0).ok_or("its size is missing")?;
    let &[_, channels, ref spatial @ ..] = kind.shape.as_slice() else {
        return Err("its input has fewer than two dimensions".into());
    };
    let plane = count(spatial);
    let (before, after) = ((size - 1) / 2, size / 2);
    Operator::one(kind.data_type, kind.shape, move |index, fetch| {
        let channel = index / plane % channels;
        let first = index - channel * plane;
        let neighbors = channel.saturating_sub(before)..(channel.saturating_add(after).saturating_add(1)).min(channels);
        let sum: f64 = neighbors.map(|c| fetch.input(0, first + c * plane)).map(|x| x * x).sum();
        fetch.input(0, index) / (bias + alpha / size as f64 * sum).powf(beta)
    })
}
