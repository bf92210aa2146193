//! Up to sixteen values of a slice as a vector, for the ends of rows.

use super::isa::Isa;
use super::lanes::LANES;

/// The first sixteen values of `from`, zeros behind its end.
#[inline(always)]
pub fn load_part<I: Isa>(from: &[f32]) -> I::V {
    match from.first_chunk() {
        Some(from) => I::load_slice(from),
        None => {
            let mut values = [0.0; LANES];
            copy_part(&mut values, from);
            I::load_slice(&values)
        }
    }
}

/// Stores as many of the sixteen values as `to` has room for.
#[inline(always)]
pub fn store_part<I: Isa>(value: I::V, to: &mut [f32]) {
    match to.first_chunk_mut() {
        Some(to) => I::store_slice(value, to),
        None => {
            let mut values = [0.0; LANES];
            I::store_slice(value, &mut values);
            copy_part(to, &values);
        }
    }
}

/// Copies the shorter of both, less than sixteen values; a call of `memcpy` would take longer than the copy.
#[inline(always)]
fn copy_part(to: &mut [f32], from: &[f32]) {
    let (from_fours, from_rest) = from.as_chunks::<4>();
    let (to_fours, to_rest) = to.as_chunks_mut::<4>();
    let fours = from_fours.len().min(to_fours.len());
    to_fours.iter_mut().zip(from_fours).for_each(|(to, from)| *to = *from);
    let from_rest = if from_fours.len() > fours { from_fours[fours].as_slice() } else { from_rest };
    let to_rest = if to_fours.len() > fours { to_fours[fours].as_mut_slice() } else { to_rest };
    to_rest.iter_mut().zip(from_rest).for_each(|(to, from)| *to = *from);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::simd::dispatch;
    use crate::compute::simd::isa::Kernel;

    struct Copy<'a>(&'a [f32], &'a mut [f32]);

    impl Kernel for Copy<'_> {
        type Output = ();
        #[inline(always)]
        fn run<I: Isa>(self) {
            store_part::<I>(load_part::<I>(self.0), self.1);
        }
    }

    #[test]
    fn parts_of_any_length_are_copied_and_zeros_behind_them() {
        let values: Vec<f32> = (1..=20).map(|v| v as f32).collect();
        for from in 0..=20 {
            for to in 0..=20 {
                let mut out = vec![-1.0; to];
                dispatch(Copy(&values[..from], &mut out));
                for (k, &value) in out.iter().enumerate() {
                    let want = if k >= LANES { -1.0 } else { values[..from].get(k).copied().unwrap_or(0.0) };
                    assert_eq!(value, want, "{from} to {to} at {k}");
                }
            }
        }
    }
}
