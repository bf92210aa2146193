//! Constant folding: evaluates nodes whose inputs are all constant.
//!
//! Exporters leave such nodes in the graph to compute shapes or to transpose weights.

use super::constant::{Constant, Numbers};
use super::elementwise::expression::{Binary, Unary};
use super::proto::NodeProto;

/// Maximum number of values of a folded constant.
const MAX_VALUES: usize = 1 << 20;

/// The value of `node`, whose inputs are all constants (absent optional ones are `None`); `Ok(None)` if this operation is
/// not folded.
///
/// # Errors
/// The reason why the operation cannot be evaluated.
pub fn fold(node: &NodeProto, inputs: &[Option<&Constant>]) -> Result<Option<Constant>, String> {
    let Some(x) = inputs.first().copied().flatten() else { return Ok(None) };
    let ints = |k: usize| inputs.get(k).copied().flatten().and_then(Constant::as_ints);
    let value = match node.op_type.as_str() {
        "Identity" | "Dropout" => x.clone(),
        "Cast" => match (node.int("to", 1), &x.numbers) {
            (6 | 7, Numbers::Float(values)) => {
                Constant { dims: x.dims.clone(), numbers: Numbers::Int(values.iter().map(|&v| v as i64).collect()) }
            }
            (1 | 10 | 11, Numbers::Int(_)) => Constant { dims: x.dims.clone(), numbers: Numbers::Float(x.floats()) },
            _ => x.clone(),
        },
        "Shape" => Constant::ints(x.dims.iter().map(|&d| d as i64).collect()),
        "Gather" => return gather(x, inputs.get(1).copied().flatten(), node.int("axis", 0)).map(Some),
        "Concat" => return concat(inputs).map(Some),
        "Unsqueeze" | "Squeeze" | "Flatten" | "Reshape" => {
            Constant { dims: vec![x.len()], ..x.clone() }.reshaped(node, x, ints(1))?
        }
        "Slice" => return slice(x, node, ints(1), ints(2)).map(Some),
        "Transpose" => return transpose(x, node.ints("perm")).map(Some),
        "Where" => {
            return select_where(x, inputs.get(1).copied().flatten(), inputs.get(2).copied().flatten()).map(Some);
        }
        "Equal" | "Less" | "Greater" | "LessOrEqual" | "GreaterOrEqual" | "And" | "Or" | "Mod" | "Pow" => {
            let Some(y) = inputs.get(1).copied().flatten() else { return Ok(None) };
            broadcast(x, y, relation(&node.op_type))?
        }
        "Not" => map(x, |v| f64::from(v == 0.0)),
        "Expand" => {
            let dims = ints(1).ok_or("no target shape")?;
            let dims: Option<Vec<usize>> = dims.iter().map(|&d| usize::try_from(d).ok()).collect();
            let ones = Constant::filled(dims.ok_or("an invalid target shape")?)?;
            broadcast(x, &ones, |a, b| a * b)?
        }
        "Range" => {
            let at = |k: usize| inputs.get(k).copied().flatten().and_then(Constant::scalar);
            let (Some(from), Some(to), Some(step)) = (at(0), at(1), at(2)) else { return Ok(None) };
            let count = ((to - from) / step).ceil().max(0.0);
            if !count.is_finite() || count > MAX_VALUES as f64 {
                return Err("a range of invalid length".into());
            }
            let values: Vec<f64> = (0..count as usize).map(|k| from + k as f64 * step).collect();
            let dims = vec![values.len()];
            match x.numbers {
                Numbers::Int(_) => Constant { dims, numbers: Numbers::Int(values.iter().map(|&v| v as i64).collect()) },
                Numbers::Float(_) => {
                    Constant { dims, numbers: Numbers::Float(values.iter().map(|&v| v as f32).collect()) }
                }
            }
        }
        "ReduceProd" => {
            let product = x.as_ints().and_then(|v| v.iter().try_fold(1i64, |p, &v| p.checked_mul(v)));
            let dims = if node.int("keepdims", 1) != 0 { vec![1; x.dims.len()] } else { vec![] };
            Constant { dims, numbers: Numbers::Int(vec![product.ok_or("a product that overflows")?]) }
        }
        "Size" => Constant { dims: vec![], numbers: Numbers::Int(vec![x.len() as i64]) },
        "ConstantOfShape" => {
            let dims = x.as_ints().ok_or("a shape that is not a list of integers")?;
            let dims: Option<Vec<usize>> = dims.iter().map(|&d| usize::try_from(d).ok()).collect();
            let count = dims
                .as_ref()
                .and_then(|d| d.iter().try_fold(1usize, |n, &d| n.checked_mul(d)))
                .filter(|&n| n <= MAX_VALUES);
            let (dims, count) = dims.zip(count).ok_or("a constant of an invalid shape")?;
            let value = node.tensor("value").and_then(|t| Constant::read(t, std::path::Path::new("")).ok());
            let numbers = match value.as_ref().map(|v| (&v.numbers, v.scalar())) {
                Some((Numbers::Int(_), Some(v))) => Numbers::Int(vec![v as i64; count]),
                Some((Numbers::Float(_), Some(v))) => Numbers::Float(vec![v as f32; count]),
                _ => Numbers::Float(vec![0.0; count]),
            };
            Constant { dims, numbers }
        }
        op => match (Unary::of(op), Binary::of(op), inputs.get(1).copied().flatten()) {
            (_, Some(binary), Some(y)) => elementwise(binary, x, y)?,
            (Some(Unary::Neg), ..) => map(x, |v| -v),
            (Some(Unary::Floor), ..) => map(x, f64::floor),
            (Some(Unary::Ceil), ..) => map(x, f64::ceil),
            _ if op == "Sqrt" => map(x, f64::sqrt),
            _ => return Ok(None),
        },
    };
    Ok(Some(value))
}

impl Constant {
    /// A constant of ones.
    fn filled(dims: Vec<usize>) -> Result<Self, String> {
        let count = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&n| n <= MAX_VALUES);
        let count = count.ok_or("a constant of an invalid shape")?;
        Ok(Self { dims, numbers: Numbers::Int(vec![1; count]) })
    }
    /// This flat constant with the dimensions after a squeeze, unsqueeze, flatten or reshape of `from`.
    fn reshaped(mut self, node: &NodeProto, from: &Self, argument: Option<Vec<i64>>) -> Result<Self, String> {
        self.dims = match node.op_type.as_str() {
            "Reshape" => {
                let target = argument.or_else(|| node.ints("shape").map(<[i64]>::to_vec)).ok_or("no target shape")?;
                super::reshape::resolve(&from.dims, &target)?
            }
            "Flatten" => {
                let axis = node.int("axis", 1).clamp(0, from.dims.len() as i64) as usize;
                vec![from.dims[..axis].iter().product(), from.dims[axis..].iter().product()]
            }
            "Unsqueeze" => {
                let axes = argument.or_else(|| node.ints("axes").map(<[i64]>::to_vec)).ok_or("no axes")?;
                super::reshape::unsqueezed(&from.dims, &axes)?
            }
            _ => {
                let axes = argument.or_else(|| node.ints("axes").map(<[i64]>::to_vec));
                super::reshape::squeezed(&from.dims, axes.as_deref())?
            }
        };
        Ok(self)
    }
    fn select(&self, dims: Vec<usize>, indices: impl Iterator<Item = usize> + Clone) -> Option<Self> {
        let numbers = match &self.numbers {
            Numbers::Float(v) => Numbers::Float(indices.map(|i| v.get(i).copied()).collect::<Option<_>>()?),
            Numbers::Int(v) => Numbers::Int(indices.map(|i| v.get(i).copied()).collect::<Option<_>>()?),
        };
        Some(Self { dims, numbers })
    }
}

fn map(x: &Constant, f: impl Fn(f64) -> f64) -> Constant {
    let numbers = match &x.numbers {
        Numbers::Float(v) => Numbers::Float(v.iter().map(|&v| f(f64::from(v)) as f32).collect()),
        Numbers::Int(v) => Numbers::Int(v.iter().map(|&v| f(v as f64) as i64).collect()),
    };
    Constant { dims: x.dims.clone(), numbers }
}

/// Elementwise arithmetic; integers stay exact if the shapes are equal or one side is a single element.
fn elementwise(op: Binary, x: &Constant, y: &Constant) -> Result<Constant, String> {
    let (max_len, dims) = if x.len() >= y.len() { (x.len(), &x.dims) } else { (y.len(), &y.dims) };
    if (x.dims != y.dims || x.len() != max_len) && x.len() != 1 && y.len() != 1 {
        return broadcast(x, y, |a, b| op.apply(a, b));
    }
    let at = |len: usize, i: usize| if len == 1 { 0 } else { i };
    let numbers = match (&x.numbers, &y.numbers) {
        (Numbers::Int(a), Numbers::Int(b)) => {
            let value_at = |i: usize| {
                let (a, b) = (a[at(a.len(), i)], b[at(b.len(), i)]);
                match op {
                    Binary::Add => a.checked_add(b),
                    Binary::Sub => a.checked_sub(b),
                    Binary::Mul => a.checked_mul(b),
                    Binary::Div => a.checked_div(b),
                    Binary::Min => Some(a.min(b)),
                    Binary::Max => Some(a.max(b)),
                }
            };
            Numbers::Int(
                (0..max_len)
                    .map(value_at)
                    .collect::<Option<_>>()
                    .ok_or("integer arithmetic overflows or divides by 0")?,
            )
        }
        _ => {
            let (a, b) = (x.floats(), y.floats());
            let value_at = |i: usize| op.apply(f64::from(a[at(a.len(), i)]), f64::from(b[at(b.len(), i)])) as f32;
            Numbers::Float((0..max_len).map(value_at).collect())
        }
    };
    Ok(Constant { dims: dims.clone(), numbers })
}

/// `Gather`: values at `indices` along `axis`.
fn gather(x: &Constant, indices: Option<&Constant>, axis: i64) -> Result<Constant, String> {
    let selected = indices.and_then(Constant::as_ints).ok_or("indices that are not constant integers")?;
    let selected_dims = indices.map(|i| i.dims.clone()).unwrap_or_default();
    let axis = if x.dims.is_empty() { 0 } else { super::reshape::axis(axis, x.dims.len())? };
    let n = x.dims.get(axis).copied().unwrap_or(1);
    let position =
        |&i: &i64| usize::try_from(if i < 0 { i.saturating_add(n as i64) } else { i }).ok().filter(|&i| i < n);
    let positions: Vec<usize> =
        selected.iter().map(position).collect::<Option<_>>().ok_or_else(|| format!("an index outside 0..{n}"))?;
    let before: usize = x.dims.iter().take(axis).product();
    let after: usize = x.dims.iter().skip(axis + 1).product();
    if before.saturating_mul(positions.len()).saturating_mul(after) > MAX_VALUES {
        return Err("gathering more values than any constant has".into());
    }
    let outer = (0..before).flat_map(|b| positions.iter().map(move |&p| (b * n + p) * after));
    let all: Vec<usize> = outer.flat_map(|start| start..start + after).collect();
    let mut dims: Vec<usize> = x.dims.iter().take(axis).copied().collect();
    dims.extend(selected_dims);
    dims.extend(x.dims.iter().skip(axis + 1));
    x.select(dims, all.into_iter()).ok_or_else(|| "a damaged constant".into())
}

/// `Where`: values of `yes` where `condition` holds, of `no` elsewhere.
fn select_where(condition: &Constant, yes: Option<&Constant>, no: Option<&Constant>) -> Result<Constant, String> {
    let (yes, no) = yes.zip(no).ok_or("a choice between values that are not constants")?;
    let chosen = broadcast(condition, yes, |c, y| if c != 0.0 { y } else { 0.0 })?;
    let other = broadcast(condition, no, |c, n| if c != 0.0 { 0.0 } else { n })?;
    let both = broadcast(&chosen, &other, |a, b| a + b)?;
    let both_int = matches!((&yes.numbers, &no.numbers), (Numbers::Int(_), Numbers::Int(_)));
    let numbers = both.as_ints().filter(|_| both_int).map_or(both.numbers, Numbers::Int);
    Ok(Constant { dims: both.dims, numbers })
}

/// The function of a comparison or logic operator, 1 for true.
fn relation(op: &str) -> fn(f64, f64) -> f64 {
    match op {
        "Equal" => |a, b| f64::from(a == b),
        "Less" => |a, b| f64::from(a < b),
        "Greater" => |a, b| f64::from(a > b),
        "LessOrEqual" => |a, b| f64::from(a <= b),
        "GreaterOrEqual" => |a, b| f64::from(a >= b),
        "And" => |a, b| f64::from(a != 0.0 && b != 0.0),
        "Or" => |a, b| f64::from(a != 0.0 || b != 0.0),
        "Mod" => |a, b| if b == 0.0 { 0.0 } else { a.rem_euclid(b) },
        _ => f64::powf,
    }
}

/// Applies `f` to values whose shapes are broadcast as in NumPy; integers if both inputs are.
fn broadcast(x: &Constant, y: &Constant, f: impl Fn(f64, f64) -> f64) -> Result<Constant, String> {
    let rank = x.dims.len().max(y.dims.len());
    let side = |c: &Constant, k: usize| (k + c.dims.len()).checked_sub(rank).map_or(1, |k| c.dims[k]);
    let shape_error = || {
        format!(
            "arithmetic on constants of shapes {} and {}",
            crate::error::format_shape(&x.dims),
            crate::error::format_shape(&y.dims)
        )
    };
    let broadcast_dim = |k: usize| match (side(x, k), side(y, k)) {
        (a, b) if a == b => Some(a),
        (1, b) => Some(b),
        (a, 1) => Some(a),
        _ => None,
    };
    let dims: Vec<usize> = (0..rank).map(broadcast_dim).collect::<Option<_>>().ok_or_else(shape_error)?;
    let count =
        dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&n| n <= MAX_VALUES).ok_or_else(shape_error)?;
    let index = |c: &Constant, mut i: usize| {
        let (mut at, mut stride) = (0, 1);
        for k in (0..rank).rev() {
            let n = side(c, k);
            at += if n == 1 { 0 } else { i % dims[k] * stride };
            stride *= n;
            i /= dims[k].max(1);
        }
        at
    };
    let number = |c: &Constant, i: usize| match &c.numbers {
        Numbers::Float(v) => v.get(i).map_or(0.0, |&v| f64::from(v)),
        Numbers::Int(v) => v.get(i).map_or(0.0, |&v| v as f64),
    };
    let values = (0..count).map(|i| f(number(x, index(x, i)), number(y, index(y, i))));
    let numbers = match (&x.numbers, &y.numbers) {
        (Numbers::Int(_), Numbers::Int(_)) => Numbers::Int(values.map(|v| v as i64).collect()),
        _ => Numbers::Float(values.map(|v| v as f32).collect()),
    };
    Ok(Constant { dims, numbers })
}

fn concat(inputs: &[Option<&Constant>]) -> Result<Constant, String> {
    let mut all = Vec::new();
    for part in inputs {
        let part = part.filter(|p| p.dims.len() <= 1).and_then(Constant::as_ints);
        all.extend(part.ok_or("joining constants that are not lists of integers")?);
    }
    Ok(Constant::ints(all))
}

fn slice(x: &Constant, node: &NodeProto, starts: Option<Vec<i64>>, ends: Option<Vec<i64>>) -> Result<Constant, String> {
    let start = starts.or_else(|| node.ints("starts").map(<[i64]>::to_vec));
    let end = ends.or_else(|| node.ints("ends").map(<[i64]>::to_vec));
    let (Some(&[start]), Some(&[end]), [n]) = (start.as_deref(), end.as_deref(), x.dims.as_slice()) else {
        return Err("slicing constants of more than one dimension is not supported".into());
    };
    let position = |i: i64| (if i < 0 { i.saturating_add(*n as i64) } else { i }).clamp(0, *n as i64) as usize;
    let (start, end) = (position(start), position(end).max(position(start)));
    x.select(vec![end - start], start..end).ok_or_else(|| "a slice beyond its constant".into())
}

fn transpose(x: &Constant, perm: Option<&[i64]>) -> Result<Constant, String> {
    let rank = x.dims.len();
    let perm: Vec<usize> = match perm {
        Some(perm) => perm.iter().map(|&p| usize::try_from(p).unwrap_or(rank)).collect(),
        None => (0..rank).rev().collect(),
    };
    let mut sorted = perm.clone();
    sorted.sort_unstable();
    if sorted != (0..rank).collect::<Vec<_>>() {
        return Err(format!("permutation {perm:?} of a constant of rank {rank}"));
    }
    let dims: Vec<usize> = perm.iter().map(|&p| x.dims[p]).collect();
    let strides: Vec<usize> = (0..rank).map(|axis| x.dims[axis + 1..].iter().product()).collect();
    let position = |i: usize| {
        let (mut rest, mut position) = (i, 0);
        for axis in (0..rank).rev() {
            position += rest % dims[axis] * strides[perm[axis]];
            rest /= dims[axis];
        }
        position
    };
    x.select(dims.clone(), (0..x.len()).map(position)).ok_or_else(|| "a damaged constant".into())
}
