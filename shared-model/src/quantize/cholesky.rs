//! Cholesky factors of symmetric matrices, and the systems that they solve.

use crate::fused::{Matrix, add_scaled, add_symmetric};
use crate::output::{Rows, RowsSize};
use crate::parallel::for_each_chunk;

/// Columns that are computed one by one before matrix products do the rest.
pub(super) const BLOCK: usize = 64;

/// A lower triangular matrix L with `L L^T = A`.
pub(super) struct Cholesky {
    /// `[n, n]`; what is above the diagonal means nothing.
    factor: Vec<f32>,
    n: usize,
}

impl Cholesky {
    /// Factors the symmetric matrix `a` `[n, n]`, of which the lower triangle is read. `None` if it is not positive
    /// definite.
    pub fn of(mut a: Vec<f32>, n: usize) -> Option<Self> {
        for start in (0..n).step_by(BLOCK) {
            let end = (start + BLOCK).min(n);
            factor_block(&mut a, n, start, end)?;
            let (top, below) = a.split_at_mut(end * n);
            for_each_chunk(below, n, |_, row| forward(row, top, n, start, end));
            let panel = columns(below, n, start, end);
            if !panel.is_empty() {
                add_symmetric(Matrix::new(&panel, end - start), -1.0, &mut below[end..], n);
            }
        }
        Some(Self { factor: a, n })
    }

    /// Returns a row of L up to its diagonal.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.factor[row * self.n..][..row + 1]
    }

    /// Returns, for each column of `order`, what is left of its variance where all columns before it are known.
    pub fn conditional_variances(&self, order: &[usize]) -> Vec<f32> {
        let mut variances = vec![0.0; self.n];
        for (position, &column) in order.iter().enumerate() {
            variances[column] = self.row(position)[position].powi(2);
        }
        variances
    }

    /// Returns the rows from `start` to `end` of L, left of column `start`.
    pub fn left_of(&self, start: usize, end: usize) -> Matrix<'_> {
        Matrix::strided(&self.factor[start * self.n..], end - start, start, self.n)
    }

    /// Replaces the rows B `[m, n]` with X, where `X A = B`.
    pub fn solve(&self, b: &mut [f32]) {
        let n = self.n;
        let n_rows = b.len() / n.max(1);
        for start in (0..n).step_by(BLOCK) {
            let end = (start + BLOCK).min(n);
            for_each_chunk(b, n, |_, row| forward(row, &self.factor, n, start, end));
            let solved = columns(b, n, start, end);
            if end < n && n_rows > 0 {
                let below = Matrix::strided(&self.factor[end * n + start..], n - end, end - start, n);
                let rest = Rows::within(b, end, RowsSize { n_rows, width: n - end, stride: n });
                add_scaled(Matrix::new(&solved, end - start), below.t(), -1.0, rest);
            }
        }
        for start in (0..n).step_by(BLOCK).rev() {
            let end = (start + BLOCK).min(n);
            for_each_chunk(b, n, |_, row| self.backward(row, start, end));
            let solved = columns(b, n, start, end);
            if start > 0 && n_rows > 0 {
                let rest = Rows::within(b, 0, RowsSize { n_rows, width: start, stride: n });
                add_scaled(Matrix::new(&solved, end - start), self.left_of(start, end), -1.0, rest);
            }
        }
    }

    fn backward(&self, row: &mut [f32], start: usize, end: usize) {
        for at in (start..end).rev() {
            let factors = self.row(at);
            row[at] /= factors[at];
            let value = row[at];
            row[start..at].iter_mut().zip(&factors[start..at]).for_each(|(x, factor)| *x -= value * factor);
        }
    }
}

/// Factors the block of `a` on the diagonal.
fn factor_block(a: &mut [f32], n: usize, start: usize, end: usize) -> Option<()> {
    for at in start..end {
        let (before, rest) = a.split_at_mut(at * n);
        let row = &mut rest[..n];
        forward(row, before, n, start, at);
        let square = row[at] - dot(&row[start..at], &row[start..at]);
        if square.is_nan() || square <= 0.0 {
            return None;
        }
        row[at] = square.sqrt();
    }
    Some(())
}

/// Solves `x L^T = row` for the columns from `start` to `end`, where those before `start` are subtracted already.
fn forward(row: &mut [f32], factor: &[f32], n: usize, start: usize, end: usize) {
    for at in start..end {
        let factors = &factor[at * n..][..at + 1];
        let sum = dot(&row[start..at], &factors[start..at]);
        row[at] = (row[at] - sum) / factors[at];
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Copies the columns from `start` to `end` of rows of `n` values.
fn columns(rows: &[f32], n: usize, start: usize, end: usize) -> Vec<f32> {
    rows.chunks_exact(n).flat_map(|row| &row[start..end]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of both signs that nothing relates.
    fn noise(n: usize) -> Vec<f32> {
        let mut state = 3u64;
        let mut draw = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        };
        (0..n).map(|_| draw()).collect()
    }

    #[test]
    fn a_solved_system_gives_its_right_side() {
        for n in [1, 5, BLOCK, 2 * BLOCK + 9] {
            let rows = noise(2 * n * n);
            let at = |row: usize, column: usize| -> f32 {
                let sum = (0..2 * n).map(|k| rows[k * n + row] * rows[k * n + column]).sum::<f32>();
                sum + if row == column { 1.0 } else { 0.0 }
            };
            let a: Vec<f32> = (0..n * n).map(|index| at(index / n, index % n)).collect();
            let b = noise(3 * n);
            let mut x = b.clone();
            let factor = Cholesky::of(a.clone(), n).unwrap();
            factor.solve(&mut x);
            for (row, wanted) in x.chunks(n).zip(b.chunks(n)) {
                for column in 0..n {
                    let found: f32 = (0..n).map(|k| row[k] * a[k * n + column]).sum();
                    assert!((found - wanted[column]).abs() < 2e-3, "{n}: {found}, expected {}", wanted[column]);
                }
            }
        }
    }

    #[test]
    fn what_is_not_positive_definite_has_no_factor() {
        assert!(Cholesky::of(vec![1.0, 2.0, 2.0, 1.0], 2).is_none());
        assert!(Cholesky::of(vec![f32::NAN], 1).is_none());
    }
}
