//! Elementwise functions of constants whose shapes are broadcast as in NumPy.

use super::strided::Strides;
use crate::error::format_shape;

/// The common shape of broadcast `shapes`.
///
/// # Errors
/// The shapes, if they have none.
pub fn common_dims(shapes: &[&[usize]]) -> Result<Vec<usize>, String> {
    let rank = shapes.iter().map(|shape| shape.len()).max().unwrap_or(0);
    let side = |shape: &[usize], k: usize| (k + shape.len()).checked_sub(rank).map_or(1, |k| shape[k]);
    let common = |k: usize| {
        let mut sides = shapes.iter().map(|shape| side(shape, k)).filter(|&side| side != 1);
        let first = sides.next().unwrap_or(1);
        sides.all(|side| side == first).then_some(first)
    };
    (0..rank).map(common).collect::<Option<_>>().ok_or_else(|| {
        let texts: Vec<String> = shapes.iter().map(|shape| format_shape(shape)).collect();
        format!("constants of shapes {} do not match", texts.join(" and "))
    })
}

/// `f` of `a` and `b`, whose shapes are broadcast to `dims`.
pub fn zip<A: Copy, B: Copy, R>(
    (a, a_dims): (&[A], &[usize]),
    (b, b_dims): (&[B], &[usize]),
    dims: &[usize],
    f: impl Fn(A, B) -> R,
) -> Vec<R> {
    if a_dims == b_dims {
        return a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect();
    }
    let sides = [Strides::broadcast(a_dims, dims), Strides::broadcast(b_dims, dims)];
    let (dims, [a_strides, b_strides]) = Strides::merged(dims, sides);
    let count = dims.iter().product();
    let mut out = Vec::with_capacity(count);
    if count == 0 {
        return out;
    }
    let (inner, outer) = dims.split_last().map_or((1, &[][..]), |(&inner, outer)| (inner, outer));
    let step = |strides: &Strides| strides.0.last().copied().unwrap_or(0) as usize;
    let steps = (step(&a_strides), step(&b_strides));
    let mut index = vec![0; outer.len()];
    loop {
        let at = |strides: &Strides| index.iter().zip(&strides.0).map(|(&i, &s)| i * s as usize).sum::<usize>();
        let (a, b) = (&a[at(&a_strides)..], &b[at(&b_strides)..]);
        match steps {
            (1, 1) => out.extend(a.iter().zip(b).take(inner).map(|(&a, &b)| f(a, b))),
            (1, 0) => out.extend(a.iter().take(inner).map(|&a| f(a, b[0]))),
            (0, 1) => out.extend(b.iter().take(inner).map(|&b| f(a[0], b))),
            (s, t) => out.extend((0..inner).map(|i| f(a[i * s], b[i * t]))),
        }
        if !super::strided::advance(&mut index, outer) {
            return out;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_broadcast_from_the_last_dimension() {
        assert_eq!(common_dims(&[&[3, 1], &[4]]), Ok(vec![3, 4]));
        assert_eq!(common_dims(&[&[], &[2, 1, 5], &[3, 1]]), Ok(vec![2, 3, 5]));
        assert!(common_dims(&[&[3], &[4]]).unwrap_err().contains('3'));
        let sum =
            |a: (&[i32], &[usize]), b: (&[i32], &[usize])| zip(a, b, &common_dims(&[a.1, b.1]).unwrap(), |a, b| a + b);
        assert_eq!(sum((&[10, 20], &[2, 1]), (&[1, 2, 3], &[3])), [11, 12, 13, 21, 22, 23]);
        assert_eq!(sum((&[1, 2, 3, 4], &[2, 2]), (&[10], &[])), [11, 12, 13, 14]);
        assert_eq!(
            sum((&[1, 2, 3, 4], &[2, 2, 1]), (&[10, 20, 30], &[1, 3])),
            [11, 21, 31, 12, 22, 32, 13, 23, 33, 14, 24, 34]
        );
        assert!(sum((&[], &[0, 2]), (&[1, 2], &[2])).is_empty());
    }
}
