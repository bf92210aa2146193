//! Operators that make values: constants, shapes, ranges, triangular and diagonal matrices.

use super::data_type::DataType;
use super::index::{MAX_ELEMENTS, count, is_bounded};
use super::operator::{Built, Operator, Site};
use super::stored::Stored;

/// `Shape` and `Size`, which depend only on the shape of the input.
pub fn shape(site: &Site) -> Built {
    let from = site.shape(0)?;
    if site.node.op_type == "Size" {
        return Operator::constant(DataType::I64, vec![], vec![count(from) as f64]);
    }
    let rank = from.len() as i64;
    let clamped = |at: i64| (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank) as usize;
    let (start, end) = (clamped(site.int("start", 0)), clamped(site.int("end", rank)));
    let dims = from.get(start..end).unwrap_or_default();
    Operator::constant(DataType::I64, vec![dims.len()], dims.iter().map(|&dim| dim as f64).collect())
}

/// `ConstantOfShape`.
pub fn constant_of_shape(site: &Site) -> Built {
    let (data_type, value) = match site.tensor("value") {
        Some(tensor) => {
            let stored = Stored::new(tensor, std::path::Path::new(""))?;
            (stored.data_type, stored.at(0))
        }
        None => (DataType::F32, 0.0),
    };
    let wanted = site.constant_ints(0)?.ok_or("its shape is missing")?;
    let shape: Option<Vec<usize>> = wanted.iter().map(|&dim| usize::try_from(dim).ok()).collect();
    Operator::one(data_type, shape.ok_or("its shape is invalid")?, move |_, _| value)
}

/// `Range`.
pub fn range(site: &Site) -> Built {
    site.ignore(&["stash_type"]);
    let data_type = site.data_type(0)?;
    let number = |k| Ok::<_, String>(site.constant(k)?.and_then(|v| v.first().copied()).ok_or("a limit is missing")?);
    let (start, limit, step) = (number(0)?, number(1)?, number(2)?);
    if step == 0.0 {
        return Err("its step is 0".into());
    }
    let length = (data_type.round(limit - start) / step).ceil().max(0.0);
    if length.is_nan() || length > MAX_ELEMENTS as f64 {
        return Err("it is too long".into());
    }
    Operator::one(data_type, vec![length as usize], move |index, _| start + index as f64 * step)
}

/// `Trilu`: the upper or lower triangle of matrices.
pub fn triangle(site: &Site) -> Built {
    let kind = site.kind(0)?.clone();
    let Some((_, &[rows, columns])) = kind.shape.split_last_chunk() else {
        return Err("its input is no matrix".into());
    };
    let upper = site.flag("upper", true);
    let diagonal = site.constant_ints(1)?.and_then(|k| k.first().copied()).unwrap_or(0);
    Operator::one(kind.data_type, kind.shape, move |index, fetch| {
        let (row, column) = ((index / columns % rows) as i64, (index % columns) as i64);
        let distance = (column - row).saturating_sub(diagonal);
        if if upper { distance >= 0 } else { distance <= 0 } { fetch.input(0, index) } else { 0.0 }
    })
}

/// `EyeLike`.
pub fn eye_like(site: &Site) -> Built {
    let &[rows, columns] = site.shape(0)? else {
        return Err("its input is no matrix".into());
    };
    let data_type = match site.int("dtype", 0) {
        0 => site.data_type(0)?,
        code => DataType::from_code(code).ok_or_else(|| format!("data type {code} is not known"))?,
    };
    let diagonal = site.int("k", 0);
    Operator::one(data_type, vec![rows, columns], move |index, _| {
        let distance = (index % columns) as i64 - (index / columns) as i64;
        f64::from(u8::from(distance == diagonal))
    })
}

/// The value of a `Constant` node given by an attribute of numbers; stored tensors are read where they are.
pub fn numbers(site: &Site) -> Result<Stored<'static>, String> {
    let (data_type, numbers, is_list) = if site.has("value_float") {
        (DataType::F32, vec![site.float("value_float", 0.0)], false)
    } else if site.has("value_int") {
        (DataType::I64, vec![site.int("value_int", 0) as f64], false)
    } else if let Some(list) = site.floats("value_floats") {
        (DataType::F32, list.iter().map(|&v| f64::from(v)).collect(), true)
    } else if let Some(list) = site.ints("value_ints") {
        (DataType::I64, list.iter().map(|&v| v as f64).collect::<Vec<f64>>(), true)
    } else {
        return Err("a constant without numbers".into());
    };
    let shape = if is_list { vec![numbers.len()] } else { vec![] };
    if is_bounded(&shape) { Ok(Stored::owned(data_type, shape, numbers)) } else { Err("it is too long".into()) }
}
