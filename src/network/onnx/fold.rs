//! Arithmetic on constants that exporters leave in the graph: shapes put together from pieces, weights turned round.

use super::expression::{Binary, Unary};
use super::proto::NodeProto;
use super::tensor::{Constant, Numbers};

/// The value of `node` when all its inputs are constants (absent optional ones are `None`); `Ok(None)` when this operation
/// is none that is done on constants.
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
        "ConstantOfShape" => {
            let dims = x.as_ints().ok_or("a shape that is no list of integers")?;
            let dims: Option<Vec<usize>> = dims.iter().map(|&d| usize::try_from(d).ok()).collect();
            let count = dims
                .as_ref()
                .and_then(|d| d.iter().try_fold(1usize, |n, &d| n.checked_mul(d)))
                .filter(|&n| n <= 1 << 20);
            let (dims, count) = dims.zip(count).ok_or("a constant of an absurd shape")?;
            let value = node.tensor("value").and_then(|t| t.int64_data.first().copied()).unwrap_or(0);
            Constant { dims, numbers: Numbers::Int(vec![value; count]) }
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
    /// This flat constant with the dimensions that a squeeze, unsqueeze, flatten or reshape of `from` gives.
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
    fn picked(&self, dims: Vec<usize>, indices: impl Iterator<Item = usize> + Clone) -> Option<Self> {
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

/// Elementwise on equal shapes, or with one side of a single element.
fn elementwise(op: Binary, x: &Constant, y: &Constant) -> Result<Constant, String> {
    let (long, dims) = if x.len() >= y.len() { (x.len(), &x.dims) } else { (y.len(), &y.dims) };
    if (x.len() != long && x.len() != 1) || (y.len() != long && y.len() != 1) {
        return Err(format!("arithmetic on constants of shapes {:?} and {:?}", x.dims, y.dims));
    }
    let at = |len: usize, i: usize| if len == 1 { 0 } else { i };
    let numbers = match (&x.numbers, &y.numbers) {
        (Numbers::Int(a), Numbers::Int(b)) => {
            let one = |i: usize| {
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
                (0..long).map(one).collect::<Option<_>>().ok_or("integer arithmetic overflows or divides by 0")?,
            )
        }
        _ => {
            let (a, b) = (x.floats(), y.floats());
            let one = |i: usize| op.apply(f64::from(a[at(a.len(), i)]), f64::from(b[at(b.len(), i)])) as f32;
            Numbers::Float((0..long).map(one).collect())
        }
    };
    Ok(Constant { dims: dims.clone(), numbers })
}

fn gather(x: &Constant, indices: Option<&Constant>, axis: i64) -> Result<Constant, String> {
    let picks = indices.and_then(Constant::as_ints).ok_or("indices that are not constant integers")?;
    if x.dims.len() > 1 || axis > 0 {
        return Err("gathering from constants of more than one dimension is not read".into());
    }
    let n = x.len() as i64;
    let place = |&i: &i64| usize::try_from(if i < 0 { i + n } else { i }).ok();
    let places: Option<Vec<usize>> = picks.iter().map(place).collect();
    let dims = indices.map(|i| i.dims.clone()).unwrap_or_default();
    places.and_then(|p| x.picked(dims, p.into_iter())).ok_or_else(|| format!("an index outside 0..{n}"))
}

fn concat(inputs: &[Option<&Constant>]) -> Result<Constant, String> {
    let mut all = Vec::new();
    for part in inputs {
        let part = part.filter(|p| p.dims.len() <= 1).and_then(Constant::as_ints);
        all.extend(part.ok_or("joining constants that are no lists of integers")?);
    }
    Ok(Constant::ints(all))
}

fn slice(x: &Constant, node: &NodeProto, starts: Option<Vec<i64>>, ends: Option<Vec<i64>>) -> Result<Constant, String> {
    let start = starts.or_else(|| node.ints("starts").map(<[i64]>::to_vec));
    let end = ends.or_else(|| node.ints("ends").map(<[i64]>::to_vec));
    let (Some(&[start]), Some(&[end]), [n]) = (start.as_deref(), end.as_deref(), x.dims.as_slice()) else {
        return Err("slicing constants of more than one dimension is not read".into());
    };
    let place = |i: i64| (if i < 0 { i.saturating_add(*n as i64) } else { i }).clamp(0, *n as i64) as usize;
    let (start, end) = (place(start), place(end).max(place(start)));
    x.picked(vec![end - start], start..end).ok_or_else(|| "a slice outside its constant".into())
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
    let place = |i: usize| {
        let (mut rest, mut place) = (i, 0);
        for axis in (0..rank).rev() {
            place += rest % dims[axis] * strides[perm[axis]];
            rest /= dims[axis];
        }
        place
    };
    x.picked(dims.clone(), (0..x.len()).map(place)).ok_or_else(|| "a damaged constant".into())
}
