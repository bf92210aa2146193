//! Strided copies: transposes, slices and repeats of arrays, at the speed of memory.

/// Side of the square blocks of a transposing copy: two of them fit into the first-level cache.
const BLOCK: usize = 32;

/// Distances between neighbors along each dimension, in values; 0 repeats a value, negative ones go backwards.
#[derive(Clone, Debug, PartialEq)]
pub struct Strides(pub Vec<isize>);

impl Strides {
    /// Strides of a row-major array.
    pub fn of(dims: &[usize]) -> Self {
        Self((0..dims.len()).map(|k| dims[k + 1..].iter().product::<usize>() as isize).collect())
    }
    /// Strides of an array of shape `from` that is broadcast to `dims`.
    pub fn broadcast(from: &[usize], dims: &[usize]) -> Self {
        let own = Self::of(from);
        let first = dims.len().saturating_sub(from.len());
        let stride = |k: usize| match k.checked_sub(first) {
            Some(at) if from[at] != 1 => own.0[at],
            _ => 0,
        };
        Self((0..dims.len()).map(stride).collect())
    }
    /// `dims` without dimensions of 1, and neighboring dimensions joined that all of `sides` walk as one.
    pub fn merged<const N: usize>(dims: &[usize], sides: [Self; N]) -> (Vec<usize>, [Self; N]) {
        let mut joined: Vec<usize> = Vec::new();
        let mut strides: [Vec<isize>; N] = [const { Vec::new() }; N];
        for (k, &n) in dims.iter().enumerate().filter(|(_, n)| **n != 1) {
            let is_joined = !joined.is_empty()
                && (0..N).all(|s| strides[s].last().is_some_and(|&last| last == sides[s].0[k] * n as isize));
            match joined.last_mut() {
                Some(last) if is_joined => {
                    *last *= n;
                    (0..N).for_each(|s| {
                        if let Some(last) = strides[s].last_mut() {
                            *last = sides[s].0[k];
                        }
                    });
                }
                _ => {
                    joined.push(n);
                    (0..N).for_each(|s| strides[s].push(sides[s].0[k]));
                }
            }
        }
        (joined, strides.map(Self))
    }
}

/// The next index below `dims` in row-major order; false after the last one.
pub fn advance(index: &mut [usize], dims: &[usize]) -> bool {
    for (i, &n) in index.iter_mut().zip(dims).rev() {
        *i += 1;
        if *i < n {
            return true;
        }
        *i = 0;
    }
    false
}

/// The array of shape `dims` whose value at an index is `values[offset + index · strides]`.
pub fn copy<T: Copy + Default>(values: &[T], offset: usize, dims: &[usize], strides: Strides) -> Vec<T> {
    let count: usize = dims.iter().product();
    if count == 0 {
        return Vec::new();
    }
    let (dims, [strides]) = Strides::merged(dims, [strides]);
    let (Some((&inner, outer)), Some(&step)) = (dims.split_last(), strides.0.last()) else {
        return vec![values[offset]];
    };
    // A dimension whose values lie side by side, if it is not the last one: both are walked in blocks.
    if let Some(near) = strides.0.iter().position(|&s| s == 1).filter(|_| step != 1) {
        return copy_blocks(values, offset, &dims, &strides.0, near);
    }
    let mut out = Vec::with_capacity(count);
    let mut index = vec![0; outer.len()];
    loop {
        let start = at(offset, &index, &strides.0);
        match step {
            1 => out.extend_from_slice(&values[start..start + inner]),
            0 => out.resize(out.len() + inner, values[start]),
            _ => out.extend((0..inner).map(|i| values[(start as isize + i as isize * step) as usize])),
        }
        if !advance(&mut index, outer) {
            return out;
        }
    }
}

/// The matrix `values` `[rows, columns]`, transposed.
pub fn transposed(values: &[f32], rows: usize, columns: usize) -> std::sync::Arc<Vec<f32>> {
    std::sync::Arc::new(copy(values, 0, &[columns, rows], Strides(vec![1, columns as isize])))
}

/// [`copy`] where dimension `near` has stride 1 and the last one has not.
fn copy_blocks<T: Copy + Default>(
    values: &[T],
    offset: usize,
    dims: &[usize],
    strides: &[isize],
    near: usize,
) -> Vec<T> {
    let mut out = vec![T::default(); dims.iter().product()];
    let last = dims.len() - 1;
    let targets = Strides::of(dims).0;
    let mut outer = dims.to_vec();
    (outer[near], outer[last]) = (1, 1);
    let mut index = vec![0; dims.len()];
    loop {
        let (from, to) = (at(offset, &index, strides), at(0, &index, &targets));
        for row in (0..dims[near]).step_by(BLOCK) {
            for column in (0..dims[last]).step_by(BLOCK) {
                for i in row..(row + BLOCK).min(dims[near]) {
                    let to = to + i * targets[near] as usize;
                    for j in column..(column + BLOCK).min(dims[last]) {
                        out[to + j] = values[(from as isize + i as isize + j as isize * strides[last]) as usize];
                    }
                }
            }
        }
        if !advance(&mut index, &outer) {
            return out;
        }
    }
}

fn at(offset: usize, index: &[usize], strides: &[isize]) -> usize {
    index.iter().zip(strides).fold(offset as isize, |at, (&i, &s)| at + i as isize * s) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same copy, one value at a time.
    fn slow(values: &[u32], offset: usize, dims: &[usize], strides: &[isize]) -> Vec<u32> {
        let mut out = Vec::new();
        let mut index = vec![0; dims.len()];
        loop {
            out.push(values[at(offset, &index, strides)]);
            if !advance(&mut index, dims) {
                return out;
            }
        }
    }

    #[test]
    fn copies_follow_their_strides() {
        let values: Vec<u32> = (0..2 * 40 * 35).collect();
        let cases: [(usize, &[usize], &[isize]); 6] = [
            (0, &[35, 40, 2], &[1, 35, 1400]),
            (0, &[2, 35, 40], &[1400, 1, 35]),
            (34, &[2, 40, 35], &[1400, 35, -1]),
            (7, &[3, 4, 5], &[0, 35, 0]),
            (0, &[40, 2, 35], &[35, 1400, 1]),
            (5, &[1, 1], &[9, 9]),
        ];
        for (offset, dims, strides) in cases {
            let found = copy(&values, offset, dims, Strides(strides.to_vec()));
            assert_eq!(found, slow(&values, offset, dims, strides), "{dims:?} {strides:?}");
        }
        assert_eq!(Strides::merged(&[2, 1, 3, 4], [Strides::of(&[2, 1, 3, 4])]), (vec![24], [Strides(vec![1])]));
    }
}
