//! Linear quantization, per tensor, per axis or per block, and its inverse.

use super::data_type::DataType;
use super::index::{count, ravel, unravel};
use super::operator::{Built, Operator, Site};

/// The element of scale and zero point for every element of the input.
enum Granularity {
    Tensor,
    /// `(elements between neighbors along the axis, length of the axis)`.
    Axis(usize, usize),
    /// Shape of the input, that of the scale, axis, block size.
    Block(Vec<usize>, Vec<usize>, usize, usize),
}

impl Granularity {
    fn of(site: &Site) -> Result<Self, String> {
        let (x, scale) = (site.shape(0)?, site.shape(1)?);
        if site.optional(2).is_some_and(|zero| count(&zero.shape) != count(scale)) {
            return Err("scale and zero point have different shapes".into());
        }
        let axis = site.int("axis", 1);
        let block = usize::try_from(site.int("block_size", 0)).map_err(|_| "block_size is negative")?;
        if count(scale) == 1 && block == 0 {
            return Ok(Self::Tensor);
        }
        let axis = super::index::axis(axis, x.len())?;
        if block == 0 {
            if scale != [x[axis]] {
                return Err(format!("{} scales for {} elements of the axis", count(scale), x[axis]));
            }
            return Ok(Self::Axis(count(&x[axis + 1..]), x[axis]));
        }
        let fits = scale.len() == x.len()
            && (0..x.len()).all(|a| scale[a] == if a == axis { x[a].div_ceil(block) } else { x[a] });
        if fits {
            Ok(Self::Block(x.to_vec(), scale.to_vec(), axis, block))
        } else {
            Err("its blocks do not fit".into())
        }
    }

    fn index(&self, index: usize) -> usize {
        match self {
            Self::Tensor => 0,
            Self::Axis(inner, length) => index / inner % length,
            Self::Block(x, scale, axis, block) => {
                let mut at = unravel(index, x);
                at[*axis] /= block;
                ravel(&at, scale)
            }
        }
    }
}

/// The type of attribute `output_dtype`, if it is stated.
fn stated_type(site: &Site, name: &'static str) -> Result<Option<DataType>, String> {
    match site.int(name, 0) {
        0 => Ok(None),
        code => DataType::from_code(code).map(Some).ok_or_else(|| format!("data type {code} is not known")),
    }
}

/// `QuantizeLinear`.
pub fn quantize(site: &Site) -> Built {
    site.ignore(&["saturate"]);
    let granularity = Granularity::of(site)?;
    let zero_type = site.optional(2).map(|kind| kind.data_type);
    let to = zero_type.or(stated_type(site, "output_dtype")?).unwrap_or(DataType::U8);
    let precision = stated_type(site, "precision")?.unwrap_or(site.data_type(1)?);
    let (lowest, highest) = to.limits();
    let has_zero = zero_type.is_some();
    Operator::one(to, site.shape(0)?.to_vec(), move |index, fetch| {
        let at = granularity.index(index);
        let quotient = precision.round(fetch.input(0, index) / fetch.input(1, at));
        let zero = if has_zero { fetch.input(2, at) } else { 0.0 };
        (quotient.round_ties_even() + zero).clamp(lowest, highest)
    })
}

/// `DequantizeLinear`.
pub fn dequantize(site: &Site) -> Built {
    let granularity = Granularity::of(site)?;
    let has_zero = site.optional(2).is_some();
    let to = stated_type(site, "output_dtype")?.unwrap_or(site.data_type(1)?);
    Operator::one(to, site.shape(0)?.to_vec(), move |index, fetch| {
        let at = granularity.index(index);
        let zero = if has_zero { fetch.input(2, at) } else { 0.0 };
        (fetch.input(0, index) - zero) * fetch.input(1, at)
    })
}
