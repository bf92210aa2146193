//! Folds products of constant matrices.

use super::Folding;
use super::broadcast::{common_dims, zip};
use super::strided::Strides;
use crate::network::onnx::constant::{Constant, ElementType, Numbers};

/// Maximum number of multiplications of one product: a few seconds.
const MAX_PRODUCTS: u64 = 1 << 34;

impl Folding<'_> {
    /// `MatMul` by the rules of NumPy: the last two dimensions are matrices, those before are broadcast.
    pub(super) fn matrix_product(&self) -> Result<Constant, String> {
        let (a, b) = (self.input(0)?, self.input(1)?);
        let as_matrix = |dims: &[usize], row: bool| match dims {
            [n] if row => vec![1, *n],
            [n] => vec![*n, 1],
            other => other.to_vec(),
        };
        let (a_dims, b_dims) = (as_matrix(&a.dims, true), as_matrix(&b.dims, false));
        let (&[ref a_outer @ .., m, k], &[ref b_outer @ .., k2, n]) = (a_dims.as_slice(), b_dims.as_slice()) else {
            return Err("a product of scalars".into());
        };
        if k != k2 {
            return Err(format!("a product of matrices {m}x{k} and {k2}x{n}"));
        }
        let outer = common_dims(&[a_outer, b_outer])?;
        let mut dims = outer.clone();
        dims.extend((a.dims.len() > 1).then_some(m));
        dims.extend((b.dims.len() > 1).then_some(n));
        let count = self.budget.count(&dims)?;
        bounded(count, k)?;
        let (x, y) = (a.doubles(), b.doubles());
        let (x_strides, y_strides) = (Strides::broadcast(a_outer, &outer), Strides::broadcast(b_outer, &outer));
        let mut out = Vec::with_capacity(count);
        let mut index = vec![0; outer.len()];
        for _ in 0..outer.iter().product::<usize>() {
            let at = |s: &Strides| index.iter().zip(&s.0).map(|(&i, &s)| i * s as usize).sum::<usize>();
            let (x_at, y_at) = (at(&x_strides) * m * k, at(&y_strides) * k * n);
            out.extend(product(&x[x_at..x_at + m * k], &y[y_at..y_at + k * n], [m, k, n]));
            super::strided::advance(&mut index, &outer);
        }
        Ok(Constant { dims, numbers: typed(a, out)? })
    }

    /// `Gemm`: `α·A·B + β·C`.
    pub(super) fn gemm(&self) -> Result<Constant, String> {
        let matrix = |k: usize, attribute: &str| -> Result<(Vec<f64>, [usize; 2]), String> {
            let x = self.input(k)?;
            let &[rows, columns] = x.dims.as_slice() else { return Err(format!("input {k} is not a matrix")) };
            let values = x.doubles();
            Ok(match self.node.int(attribute, 0) {
                0 => (values.to_vec(), [rows, columns]),
                _ => {
                    let strides = Strides(vec![1, columns as isize]);
                    (super::strided::copy(&values, 0, &[columns, rows], strides), [columns, rows])
                }
            })
        };
        let ((x, [m, k]), (y, [k2, n])) = (matrix(0, "transA")?, matrix(1, "transB")?);
        if k != k2 {
            return Err(format!("a product of matrices {m}x{k} and {k2}x{n}"));
        }
        let dims = vec![m, n];
        bounded(self.budget.count(&dims)?, k)?;
        let (alpha, beta) = (f64::from(self.node.float("alpha", 1.0)), f64::from(self.node.float("beta", 1.0)));
        let mut out = product(&x, &y, [m, k, n]);
        out.iter_mut().for_each(|v| *v *= alpha);
        if let Some(c) = self.optional(2) {
            common_dims(&[&c.dims, &dims]).ok().filter(|common| *common == dims).ok_or("a sum that does not fit")?;
            out = zip((&out, &dims), (&c.doubles(), &c.dims), &dims, |v, c| v + beta * c);
        }
        Ok(Constant { dims, numbers: typed(self.input(0)?, out)? })
    }
}

fn bounded(count: usize, k: usize) -> Result<(), String> {
    match (count as u64).checked_mul(k as u64) {
        Some(products) if products <= MAX_PRODUCTS => Ok(()),
        _ => Err("a product of constants that takes too long".into()),
    }
}

/// The product `[m, n]` of `[m, k]` and `[k, n]`.
fn product(x: &[f64], y: &[f64], [m, k, n]: [usize; 3]) -> Vec<f64> {
    let mut out = vec![0.0; m * n];
    if n == 0 || k == 0 {
        return out;
    }
    for (row, sums) in x.chunks(k).zip(out.chunks_mut(n)) {
        for (factor, other) in row.iter().zip(y.chunks(n)) {
            sums.iter_mut().zip(other).for_each(|(sum, v)| *sum += factor * v);
        }
    }
    out
}

/// `values` in the type of `like`.
fn typed(like: &Constant, values: Vec<f64>) -> Result<Numbers, String> {
    match like.element_type() {
        ElementType::Double => Ok(Numbers::Double(values.into())),
        of if of.is_integer() => {
            if values.iter().any(|v| v.abs() > 2f64.powi(53)) {
                return Err("an integer product that overflows".into());
            }
            Ok(Numbers::Int(of, values.iter().map(|&v| of.wrapped(v as i64)).collect::<Vec<_>>().into()))
        }
        of => Ok(Numbers::of_type(of, values.into_iter())),
    }
}
