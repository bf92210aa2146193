//! Reductions over axes: sums, means, extremes, norms, positions of extremes, running sums.

use super::data_type::DataType;
use super::index::{self, Reduction, View, count, strides};
use super::operator::{Built, Kind, Operator, Site};

/// What a reduction does: to every number, to the sum (or other fold) of the numbers, and at the end.
struct Steps {
    each: fn(f64) -> f64,
    start: f64,
    fold: fn(f64, f64) -> f64,
    /// `(folded, number of members)`.
    end: fn(f64, f64) -> f64,
}

fn steps(name: &str) -> Option<Steps> {
    let sum = |each, end| Steps { each, start: 0.0, fold: |a, b| a + b, end };
    Some(match name {
        "ReduceSum" => sum(|x| x, |s, _| s),
        "ReduceMean" => sum(|x| x, |s, n| s / n),
        "ReduceL1" => sum(f64::abs, |s, _| s),
        "ReduceL2" => sum(|x| x * x, |s, _| s.sqrt()),
        "ReduceSumSquare" => sum(|x| x * x, |s, _| s),
        "ReduceLogSum" => sum(|x| x, |s, _| s.ln()),
        "ReduceLogSumExp" => sum(f64::exp, |s, _| s.ln()),
        "ReduceProd" => Steps { each: |x| x, start: 1.0, fold: |a, b| a * b, end: |p, _| p },
        "ReduceMax" => Steps { each: |x| x, start: f64::NEG_INFINITY, fold: |a, b| pick(a, b, b > a), end: |m, _| m },
        "ReduceMin" => Steps { each: |x| x, start: f64::INFINITY, fold: |a, b| pick(a, b, b < a), end: |m, _| m },
        _ => return None,
    })
}

/// The better of two numbers; NaN wins.
fn pick(a: f64, b: f64, b_is_better: bool) -> f64 {
    if b_is_better || b.is_nan() { b } else { a }
}

/// The `Reduce…` operators; `None` for other operators.
pub fn reduce(site: &Site) -> Option<Built> {
    let steps = steps(&site.node.op_type)?;
    Some(build(site, steps))
}

fn build(site: &Site, steps: Steps) -> Built {
    let kind = site.kind(0)?;
    let rank = kind.shape.len();
    let keeps = site.flag("keepdims", true);
    let does_nothing = site.flag("noop_with_empty_axes", false);
    let named = site.ints_of(1, "axes")?.filter(|axes| !axes.is_empty());
    let axes = match named {
        Some(axes) => index::axes(&axes, rank)?,
        None if does_nothing => Vec::new(),
        None => (0..rank).collect(),
    };
    let reduction = Reduction::new(&kind.shape, &axes);
    let (data_type, (lowest, highest)) = (kind.data_type, kind.data_type.limits());
    let is_mean_of_integers = site.node.op_type == "ReduceMean" && !data_type.is_float();
    Operator::one(data_type, shape_after(&kind.shape, &axes, keeps), move |index, fetch| {
        let each = |i| (steps.each)(fetch.input(0, i));
        let folded = reduction.members(index).map(each).fold(steps.start, steps.fold);
        let result = (steps.end)(folded, reduction.size as f64);
        match result {
            _ if is_mean_of_integers => result.trunc(),
            // The extreme of nothing is the limit of an integer type.
            _ if result.is_infinite() && !data_type.is_float() => result.clamp(lowest, highest),
            _ => result,
        }
    })
}

/// `shape` after reduction over `axes`.
fn shape_after(shape: &[usize], axes: &[usize], keeps: bool) -> Vec<usize> {
    let dims = shape.iter().enumerate();
    if keeps {
        dims.map(|(axis, &dim)| if axes.contains(&axis) { 1 } else { dim }).collect()
    } else {
        dims.filter(|(axis, _)| !axes.contains(axis)).map(|(_, &dim)| dim).collect()
    }
}

/// `ArgMax` and `ArgMin`.
pub fn position_of_extreme(site: &Site) -> Built {
    let shape = site.shape(0)?;
    let axis = site.axis(0, shape.len())?;
    let last = site.flag("select_last_index", false);
    let is_max = site.node.op_type == "ArgMax";
    let reduction = Reduction::new(shape, &[axis]);
    let output = shape_after(shape, &[axis], site.flag("keepdims", true));
    Operator::one(DataType::I64, output, move |index, fetch| {
        let mut best = (0, f64::NAN);
        for (k, i) in reduction.members(index).enumerate() {
            let x = fetch.input(0, i);
            let is_better = if is_max { x > best.1 } else { x < best.1 };
            if k == 0 || is_better || last && x == best.1 {
                best = (k, x);
            }
        }
        best.0 as f64
    })
}

/// `CumSum` and `CumProd`, along a constant axis.
pub fn cumulative(site: &Site) -> Built {
    let kind = site.kind(0)?.clone();
    let (exclusive, reverse) = (site.flag("exclusive", false), site.flag("reverse", false));
    let is_sum = site.node.op_type == "CumSum";
    let axis = site.constant_ints(1)?.and_then(|axis| axis.first().copied()).ok_or("its axis is missing")?;
    let axis = index::axis(axis, kind.shape.len())?;
    let (length, step) = (kind.shape[axis], strides(&kind.shape)[axis]);
    Operator::one(kind.data_type, kind.shape, move |index, fetch| {
        let at = index / step % length;
        let first = index - at * step;
        let range = match (reverse, exclusive) {
            (false, false) => 0..at + 1,
            (false, true) => 0..at,
            (true, false) => at..length,
            (true, true) => at + 1..length,
        };
        let numbers = range.map(|k| fetch.input(0, first + k * step));
        if is_sum { numbers.sum() } else { numbers.product() }
    })
}

/// `Softmax`, `LogSoftmax`, `Hardmax`. Before operator set 13 all dimensions from the axis on are one.
pub fn softmax(site: &Site) -> Built {
    let data_type = site.require_float(0)?;
    let shape = site.shape(0)?.to_vec();
    let rank = shape.len();
    let is_old = site.opset < 13;
    let axis = match site.int("axis", if is_old { 1 } else { -1 }) {
        // A vector, which has no axis 1, is flattened to a column.
        axis if is_old && axis == rank as i64 => rank,
        axis => index::axis(axis, rank)?,
    };
    let (outer, rest) = shape.split_at(axis);
    let (length, inner) = match rest.split_first() {
        Some((&length, inner)) if !is_old => (length, count(inner)),
        _ => (count(rest), 1),
    };
    let reduction = Reduction::new(&[count(outer), length, inner], &[1]);
    let groups = vec![count(outer) * inner];
    let mode = site.node.op_type.clone();
    let group = |shape: Vec<usize>| Kind { data_type: DataType::F64, shape };
    let outputs = vec![Kind { data_type, shape }, group(groups.clone()), group(groups)];
    Operator::several(outputs, move |output, index, fetch| {
        let numbers = |group: usize| reduction.members(group).map(|i| fetch.input(0, i));
        match output {
            // The maximum of the group, or its position.
            2 if mode == "Hardmax" => {
                let mut best = (0, f64::NAN);
                for (i, x) in reduction.members(index).zip(numbers(index)) {
                    if x > best.1 || best.1.is_nan() {
                        best = (i, x);
                    }
                }
                best.0 as f64
            }
            2 => numbers(index).fold(f64::NEG_INFINITY, f64::max),
            // The sum of the group.
            1 => {
                let max = fetch.output(2, index);
                numbers(index).map(|x| (x - max).exp()).sum()
            }
            _ => {
                let (x, group) = (fetch.input(0, index), reduction.group(index));
                let max = fetch.output(2, group);
                match mode.as_str() {
                    "Hardmax" => f64::from(u8::from(max == index as f64)),
                    "LogSoftmax" => x - max - fetch.output(1, group).ln(),
                    _ => (x - max).exp() / fetch.output(1, group),
                }
            }
        }
    })
    .map(|operator| operator.with_hidden(2))
}

/// `TopK`: values and positions of the largest or smallest numbers along an axis.
pub fn top_k(site: &Site) -> Built {
    let kind = site.kind(0)?.clone();
    let rank = kind.shape.len();
    let axis = site.axis(-1, rank)?;
    let (largest, _sorted) = (site.flag("largest", true), site.flag("sorted", true));
    let k = match site.constant_ints(1)? {
        Some(list) => list.first().copied(),
        None => site.has("k").then(|| site.int("k", 0)),
    };
    let k = k.and_then(|k| usize::try_from(k).ok()).filter(|&k| k <= kind.shape[axis]).ok_or("k does not fit")?;
    let mut shape = kind.shape.clone();
    shape[axis] = k;
    let reduction = Reduction::new(&kind.shape, &[axis]);
    let mut steps: Vec<isize> = strides(&reduction.kept).iter().map(|&s| s as isize).collect();
    steps.insert(axis, 0);
    let (group, step) = (View::new(&shape, &steps, 0), strides(&shape)[axis]);
    let outputs = [kind.data_type, DataType::I64].map(|t| Kind { data_type: t, shape: shape.clone() });
    Operator::several(outputs.into(), move |output, index, fetch| {
        let mut found: Vec<(usize, f64)> =
            // The sign of a zero does not count.
            reduction.members(group.index(index)).map(|i| fetch.input(0, i) + 0.0).enumerate().collect();
        found.sort_by(|a, b| if largest { b.1.total_cmp(&a.1) } else { a.1.total_cmp(&b.1) });
        let (position, number) = found.get(index / step % k).copied().unwrap_or((0, f64::NAN));
        if output == 0 { number } else { position as f64 }
    })
}
