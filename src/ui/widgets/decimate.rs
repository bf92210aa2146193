//! Decimation of long polylines to the resolution of the screen, without losing peaks.
//!
//! Each column of pixels keeps its first, lowest, highest and last point. It does not know plots.

/// The part of `points` (ascending in x) within `from..=to`, with at most about four points per column. Keeps the
/// points just outside, so that lines leave the frame at the right place. Returns short polylines whole: the bounds that a plot
/// knows are those of its last frame, which ends earlier while T grows.
pub fn decimate(points: &[[f64; 2]], from: f64, to: f64, columns: usize) -> Vec<[f64; 2]> {
    let columns = columns.max(1);
    if points.len() <= 4 * columns {
        return points.to_vec();
    }
    let first = points.partition_point(|p| p[0] < from).saturating_sub(1);
    let last = (points.partition_point(|p| p[0] <= to) + 1).min(points.len());
    let Some(shown) = points.get(first..last) else { return Vec::new() };
    if shown.len() <= 4 * columns {
        return shown.to_vec();
    }
    shown.chunks(shown.len().div_ceil(columns)).flat_map(column).collect()
}

/// First, lowest, highest and last point of one column, in their order, each once.
fn column(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let by_height = |a: &usize, b: &usize| points[*a][1].total_cmp(&points[*b][1]);
    let low = (0..points.len()).min_by(by_height).unwrap_or(0);
    let high = (0..points.len()).max_by(by_height).unwrap_or(0);
    let mut picks = [0, low, high, points.len().saturating_sub(1)];
    picks.sort_unstable();
    let mut kept: Vec<usize> = picks.to_vec();
    kept.dedup();
    kept.into_iter().filter_map(|i| points.get(i).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimation_keeps_extrema_and_short_lines() {
        let mut points: Vec<[f64; 2]> = (0..8192).map(|t| [f64::from(t), f64::from(t).sin()]).collect();
        points[5000][1] = 9.0;
        points[1234][1] = -7.0;
        let shown = decimate(&points, 0.0, 8192.0, 300);
        assert!(shown.len() <= 1200, "{}", shown.len());
        assert!(shown.contains(&[5000.0, 9.0]) && shown.contains(&[1234.0, -7.0]));
        assert!(shown.first() == points.first() && shown.last() == points.last());
        assert!(shown.windows(2).all(|pair| pair[0][0] <= pair[1][0]));
        assert_eq!(decimate(&points[..10], 0.0, 9.0, 300), points[..10]);
        assert_eq!(decimate(&points[..45], 0.0, 16.0, 300), points[..45], "the bounds are of a shorter run");
    }

    #[test]
    fn decimation_keeps_points_just_outside_and_empty_lines() {
        let points: Vec<[f64; 2]> = (0..100).map(|t| [f64::from(t), 0.0]).collect();
        let shown = decimate(&points, 10.5, 12.5, 4);
        assert_eq!(shown.iter().map(|p| p[0]).collect::<Vec<_>>(), [10.0, 11.0, 12.0, 13.0]);
        assert!(decimate(&[], 0.0, 1.0, 10).is_empty());
    }
}
