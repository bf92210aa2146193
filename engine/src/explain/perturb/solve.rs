//! Weighted regressions with an intercept: least squares of smallest norm, and the lasso.

/// Pivots below this share of the largest count as 0.
const TINY: f64 = 1e-11;
/// Sweeps of coordinate descent at most, and the change at which they end.
const MAX_SWEEPS: usize = 10_000;
const CHANGE: f64 = 1e-9;

/// The coefficients β (without the intercept c) that minimize Σ wᵢ(yᵢ − c − xᵢ·β)². Where rows leave them undecided, the
/// ones of smallest norm.
pub fn least_squares(x: &[Vec<f64>], y: &[f64], weights: &[f64]) -> Vec<f64> {
    let (x, y) = centered(x, y, weights);
    let count = x.first().map_or(0, Vec::len);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    if x.len() > count {
        let mut gram = vec![vec![0.0; count]; count];
        let mut right = vec![0.0; count];
        for (x, y) in x.iter().zip(&y) {
            for (i, &a) in x.iter().enumerate().filter(|(_, a)| **a != 0.0) {
                right[i] += a * y;
                gram[i].iter_mut().zip(x).for_each(|(sum, b)| *sum += a * b);
            }
        }
        if let Some(solved) = Cholesky::new(gram.clone()).full(&right) {
            return solved;
        }
        // Undecided all the same: a ridge far below the data has nearly the smallest norm.
        let ridge = 1e-10 * (0..count).map(|i| gram[i][i]).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
        (0..count).for_each(|i| gram[i][i] += ridge);
        return Cholesky::new(gram).solve(&right);
    }
    // β = Xᵀα of the rows that are independent: the others say nothing more.
    let gram: Vec<Vec<f64>> = x.iter().map(|a| x.iter().map(|b| dot(a, b)).collect()).collect();
    let alpha = Cholesky::new(gram).solve(&y);
    let mut beta = vec![0.0; count];
    x.iter().zip(alpha).for_each(|(x, alpha)| beta.iter_mut().zip(x).for_each(|(beta, x)| *beta += alpha * x));
    beta
}

/// The coefficients that minimize Σ wᵢ(yᵢ − c − xᵢ·β)²/(2n) + α‖β‖₁, the weights scaled to a sum of n.
pub fn lasso(x: &[Vec<f64>], y: &[f64], weights: &[f64], alpha: f64) -> Vec<f64> {
    let n = x.len() as f64;
    let total: f64 = weights.iter().sum();
    let weights: Vec<f64> = weights.iter().map(|w| w * n / total.max(f64::MIN_POSITIVE)).collect();
    let (x, mut rest) = centered(x, y, &weights);
    let count = x.first().map_or(0, Vec::len);
    let columns: Vec<Vec<f64>> = (0..count).map(|j| x.iter().map(|row| row[j]).collect()).collect();
    let squares: Vec<f64> = columns.iter().map(|column| column.iter().map(|v| v * v).sum()).collect();
    let mut beta = vec![0.0f64; count];
    for _ in 0..MAX_SWEEPS {
        let (mut moved, mut largest) = (0.0f64, 0.0f64);
        for (j, column) in columns.iter().enumerate().filter(|(j, _)| squares[*j] > 0.0) {
            let slope = column.iter().zip(&rest).map(|(x, r)| x * r).sum::<f64>() + squares[j] * beta[j];
            let new = slope.signum() * (slope.abs() - n * alpha).max(0.0) / squares[j];
            let step = new - beta[j];
            if step != 0.0 {
                rest.iter_mut().zip(column).for_each(|(r, x)| *r -= step * x);
                beta[j] = new;
            }
            moved = moved.max(step.abs());
            largest = largest.max(new.abs());
        }
        if moved <= CHANGE * largest {
            break;
        }
    }
    beta
}

/// `x` and `y` less their weighted means, times the root of the weights.
fn centered(x: &[Vec<f64>], y: &[f64], weights: &[f64]) -> (Vec<Vec<f64>>, Vec<f64>) {
    let total: f64 = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let count = x.first().map_or(0, Vec::len);
    let mut means = vec![0.0; count];
    for (x, w) in x.iter().zip(weights) {
        means.iter_mut().zip(x).for_each(|(mean, x)| *mean += w / total * x);
    }
    let mean: f64 = y.iter().zip(weights).map(|(y, w)| w / total * y).sum();
    let row = |(x, w): (&Vec<f64>, &f64)| x.iter().zip(&means).map(|(x, mean)| (x - mean) * w.sqrt()).collect();
    let rows = x.iter().zip(weights).map(row).collect();
    (rows, y.iter().zip(weights).map(|(y, w)| (y - mean) * w.sqrt()).collect())
}

/// P·A·Pᵀ = L·Lᵀ of a positive semidefinite matrix, as far as its rank goes.
struct Cholesky {
    /// Columns of L, from the pivot on in the order of `order`.
    lower: Vec<Vec<f64>>,
    order: Vec<usize>,
    rank: usize,
}

impl Cholesky {
    fn new(mut a: Vec<Vec<f64>>) -> Self {
        let n = a.len();
        let mut order: Vec<usize> = (0..n).collect();
        let scale = (0..n).map(|i| a[i][i]).fold(0.0, f64::max);
        // Diagonals differ by the weights of rows: each is measured by what it was.
        let start: Vec<f64> = (0..n).map(|i| a[i][i].max(scale * f64::EPSILON)).collect();
        let mut lower = vec![vec![0.0; n]; n];
        let mut rank = n;
        for k in 0..n {
            let left = |&j: &usize| a[order[j]][order[j]] / start[order[j]];
            let pivot = (k..n).max_by(|i, j| left(i).total_cmp(&left(j))).unwrap_or(k);
            order.swap(k, pivot);
            let p = order[k];
            if a[p][p] <= TINY * start[p].max(f64::MIN_POSITIVE) {
                rank = k;
                break;
            }
            let root = a[p][p].sqrt();
            let column: Vec<f64> = (0..n).map(|i| a[i][p] / root).collect();
            for j in k + 1..n {
                let row = order[j];
                let factor = column[row];
                if factor != 0.0 {
                    (k + 1..n).for_each(|i| a[row][order[i]] -= factor * column[order[i]]);
                }
            }
            lower[k] = column;
        }
        Self { lower, order, rank }
    }

    /// The solution for `right` if the matrix has full rank.
    fn full(&self, right: &[f64]) -> Option<Vec<f64>> {
        (self.rank == self.order.len()).then(|| self.solve(right))
    }

    /// The solution on the pivots; 0 elsewhere.
    fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut solved = right.to_vec();
        for k in 0..self.rank {
            let p = self.order[k];
            solved[p] /= self.lower[k][p];
            let value = solved[p];
            self.order[k + 1..self.rank].iter().for_each(|&i| solved[i] -= self.lower[k][i] * value);
        }
        for k in (0..self.rank).rev() {
            let p = self.order[k];
            let sum: f64 = self.order[k + 1..self.rank].iter().map(|&i| self.lower[k][i] * solved[i]).sum();
            solved[p] = (solved[p] - sum) / self.lower[k][p];
        }
        self.order[self.rank..].iter().for_each(|&i| solved[i] = 0.0);
        solved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: &[f64], b: &[f64]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6)
    }

    #[test]
    fn a_plane_is_found_with_any_weights() {
        let x: Vec<Vec<f64>> = (0..9).map(|i| vec![f64::from(i % 3), f64::from(i / 3), f64::from(i * i % 5)]).collect();
        let y: Vec<f64> = x.iter().map(|x| 2.0 + 3.0 * x[0] - x[1] + 0.5 * x[2]).collect();
        let weights: Vec<f64> = (0..9).map(|i| if i == 0 { 1e6 } else { f64::from(i) }).collect();
        assert!(near(&least_squares(&x, &y, &weights), &[3.0, -1.0, 0.5]));
    }

    #[test]
    fn what_rows_leave_open_is_as_small_as_possible() {
        // Two rows: only the direction (1, 1, 0) is seen. With the intercept, 2 = β₁ + β₂.
        let x = [vec![1.0, 1.0, 5.0], vec![0.0, 0.0, 5.0]];
        assert!(near(&least_squares(&x, &[3.0, 1.0], &[1e6, 1e6]), &[1.0, 1.0, 0.0]));
        // The same more often than there are unknowns.
        let x: Vec<Vec<f64>> = (0..8).map(|i| x[i % 2].clone()).collect();
        let y: Vec<f64> = (0..8).map(|i| [3.0, 1.0][i % 2]).collect();
        assert!(near(&least_squares(&x, &y, &[1.0; 8]), &[1.0, 1.0, 0.0]));
    }

    #[test]
    fn the_lasso_shrinks_and_leaves_out() {
        // Orthogonal columns: each coefficient is soft-thresholded by n·α/‖x‖².
        let x: Vec<Vec<f64>> =
            [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]].iter().map(|r| r.to_vec()).collect();
        let y: Vec<f64> = x.iter().map(|x| 1.0 + 2.0 * x[0] + 0.05 * x[1]).collect();
        assert!(near(&lasso(&x, &y, &[3.0; 4], 0.1), &[1.9, 0.0]));
        assert_eq!(lasso(&x, &y, &[1.0; 4], 10.0), [0.0, 0.0]);
    }
}
