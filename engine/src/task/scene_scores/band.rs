//! Band of a score that pictures drawn at random with replacement would have (bootstrap, Efron 1979).

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// The same draws for every network and run.
const SEED: u64 = 0xba2d;

/// The part of the draws that lies in the band.
const INSIDE: f64 = 0.95;

/// The band of `score`, a function of `count` drawn pictures by their index, over `draws` draws. `None` where fewer than
/// two pictures, or draws that count, are there.
pub(super) fn band(count: usize, draws: usize, score: impl Fn(&[usize]) -> Option<f64> + Sync) -> Option<[f64; 2]> {
    if count < 2 || draws < 2 {
        return None;
    }
    let of_draw = |draw: usize| {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        rng.set_stream(draw as u64);
        let drawn: Vec<usize> = (0..count).map(|_| rng.random_range(0..count)).collect();
        score(&drawn)
    };
    let mut scores: Vec<f64> = (0..draws).into_par_iter().filter_map(of_draw).collect();
    scores.sort_by(f64::total_cmp);
    let last = scores.len().checked_sub(1)?;
    let at = |part: f64| scores[(part * last as f64).round() as usize];
    (last > 0).then(|| [at((1.0 - INSIDE) / 2.0), at((1.0 + INSIDE) / 2.0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn band_of_a_mean_narrows_with_the_pictures_and_repeats() {
        let of = |count: usize| {
            let mean = |drawn: &[usize]| Some(drawn.iter().map(|k| (k % 2) as f64).sum::<f64>() / drawn.len() as f64);
            band(count, 200, mean).unwrap()
        };
        let (few, many) = (of(10), of(1000));
        assert!(few[0] < 0.35 && few[1] > 0.65 && many[0] > 0.45 && many[1] < 0.55, "{few:?} {many:?}");
        assert_eq!(few, of(10));
        assert_eq!((band(1, 9, |_| Some(1.0)), band(9, 9, |_| None)), (None, None));
    }
}
