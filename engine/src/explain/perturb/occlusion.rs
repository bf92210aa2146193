//! Occlusion: a window over all channels slides over the image; a value's mean loss over the windows that cover it.
//!
//! Windows begin at k·stride, k = 0 … ⌈(n − side)/stride⌉ along each axis; the last may hang over and is cut.

use std::ops::Range;

use super::queries::Queries;
use crate::Result;
use crate::attack::ImageForm;

/// Where windows begin along an axis of `size`, cut at its end.
fn windows(size: usize, side: usize, stride: usize) -> Vec<Range<usize>> {
    let count = size.saturating_sub(side).div_ceil(stride.max(1)) + 1;
    (0..count).map(|k| k * stride..(k * stride + side).min(size)).collect()
}

/// The map of every sample, `[N, F]`; `baseline` is one sample.
///
/// # Errors
/// Those of the network.
pub fn occlusion(
    queries: &Queries<'_>,
    form: &ImageForm,
    side: usize,
    stride: usize,
    baseline: &[f32],
) -> Result<Vec<f32>> {
    let (rows, columns) = (windows(form.height, side, stride), windows(form.width, side, stride));
    let places: Vec<Vec<usize>> = rows
        .iter()
        .flat_map(|rows| columns.iter().map(move |columns| (rows, columns)))
        .map(|(rows, columns)| {
            let values = (0..form.channels).flat_map(|channel| {
                let cells = rows.clone().flat_map(|row| columns.clone().map(move |column| (row, column)));
                cells.map(move |(row, column)| form.at(channel, row, column))
            });
            values.collect()
        })
        .collect();
    let (count, samples) = (places.len(), queries.targets.len());
    let whole = queries.unchanged()?;
    let without = queries.ask(
        samples * count,
        |q| q / count,
        |q, values| {
            values.copy_from_slice(queries.sample(q / count));
            places[q % count].iter().for_each(|&value| values[value] = baseline[value]);
        },
    )?;
    let mut cover = vec![0.0f32; queries.width];
    places.iter().flatten().for_each(|&value| cover[value] += 1.0);
    let mut maps = vec![0.0; queries.input.len()];
    let each = maps.chunks_exact_mut(queries.width.max(1)).zip(whole).zip(without.chunks_exact(count));
    for ((map, whole), without) in each {
        for (place, without) in places.iter().zip(without) {
            place.iter().for_each(|&value| map[value] += whole - without);
        }
        map.iter_mut().zip(&cover).for_each(|(value, cover)| *value /= cover.max(1.0));
    }
    Ok(maps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_reach_the_end_and_are_cut_there() {
        assert_eq!(windows(12, 3, 2).last(), Some(&(10..12)));
        assert_eq!(windows(12, 5, 3), [0..5, 3..8, 6..11, 9..12]);
        assert_eq!(windows(3, 3, 1), vec![0..3]);
    }
}
