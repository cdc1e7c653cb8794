//! Matrix products of a linear layer, forward and backward.

use super::ROWS_PER_TASK;
use super::matrix::{self, Matrix, Mode};
use crate::lanes::widest;
use crate::output::{Rows, RowsSize};
use crate::parallel::for_each_chunk;
use gemm::Parallelism;

#[cfg(not(target_arch = "wasm32"))]
fn parallelism() -> Parallelism {
    match candle_core::utils::get_num_threads() {
        1 => Parallelism::None,
        threads => Parallelism::Rayon(threads),
    }
}

#[cfg(target_arch = "wasm32")]
fn parallelism() -> Parallelism {
    Parallelism::None
}

/// `out = a b`, or `out += a b`, on all threads.
fn product(a: Matrix<'_>, b: Matrix<'_>, out: &mut [f32], accumulates: bool) {
    let out = Rows::of(out, b.columns());
    matrix::product(a, b, out, Mode { scale: 1.0, accumulates, parallelism: parallelism() });
}

/// `out += scale a b`, on all threads.
///
/// # Panics
/// When the sizes of the matrices do not fit.
pub(crate) fn add_scaled(a: Matrix<'_>, b: Matrix<'_>, scale: f32, out: Rows<'_, f32>) {
    matrix::product(a, b, out, Mode { scale, accumulates: true, parallelism: parallelism() });
}

/// Adds `scale a a^T` to the lower triangle of a square matrix of as many rows as `a`, which begin every `stride` values.
/// What is right of the diagonal means nothing then.
///
/// # Panics
/// When the matrix is not within `values`.
pub(crate) fn add_symmetric(a: Matrix<'_>, scale: f32, values: &mut [f32], stride: usize) {
    /// Few enough that little right of the diagonal is computed, and enough for a fast product.
    const ROWS_AT_ONCE: usize = 256;
    for start in (0..a.rows()).step_by(ROWS_AT_ONCE) {
        let end = (start + ROWS_AT_ONCE).min(a.rows());
        let size = RowsSize { n_rows: end - start, width: end, stride };
        let out = Rows::within(values, start * stride, size);
        add_scaled(a.rows_between(start, end), a.rows_between(0, end).t(), scale, out);
    }
}

/// Returns `x W^T + b`, plus `residual` if there is one.
///
/// # Shapes
/// - `x`: `[T, in]`, `weight`: `[n_out, in]`, `bias`: `[n_out]`, `residual`: `[T, n_out]`
/// - returns `[T, n_out]`
///
/// # Panics
/// When the lengths do not fit.
pub fn linear(x: &[f32], weight: &[f32], n_out: usize, bias: Option<&[f32]>, residual: Option<&[f32]>) -> Vec<f32> {
    let n_in = weight.len() / n_out.max(1);
    let x = Matrix::new(x, n_in);
    let mut y = match residual {
        Some(residual) => residual.to_vec(),
        None => Vec::with_capacity(x.rows() * n_out),
    };
    match (residual, bias) {
        (Some(_), Some(bias)) => for_each_chunk(&mut y, ROWS_PER_TASK * n_out, |_, y| {
            y.chunks_exact_mut(n_out).for_each(|row| row.iter_mut().zip(bias).for_each(|(y, bias)| *y += bias));
        }),
        (None, Some(bias)) => (0..x.rows()).for_each(|_| y.extend_from_slice(bias)),
        (Some(_), None) => {}
        (None, None) => y.resize(x.rows() * n_out, 0.0),
    }
    product(x, Matrix::new(weight, n_in).t(), &mut y, residual.is_some() || bias.is_some());
    y
}

/// Returns `x P`, with a projection that is stored as `[in, out]`.
///
/// # Shapes
/// - `x`: `[T, in]`, `projection`: `[in, n_out]`; returns `[T, n_out]`
///
/// # Panics
/// When the lengths do not fit.
pub fn project(x: &[f32], projection: &[f32], n_out: usize) -> Vec<f32> {
    let projection = Matrix::new(projection, n_out);
    let x = Matrix::new(x, projection.rows());
    let mut y = vec![0f32; x.rows() * n_out];
    product(x, projection, &mut y, false);
    y
}

/// Returns the gradient of a layer's input, `dy W`.
///
/// # Shapes
/// - `gradient`: `[T, n_out]`, `weight`: `[n_out, in]`; returns `[T, in]`
///
/// # Panics
/// When the lengths do not fit.
pub fn input_gradient(gradient: &[f32], weight: &[f32], n_out: usize) -> Vec<f32> {
    let weight = Matrix::new(weight, weight.len() / n_out.max(1));
    let gradient = Matrix::new(gradient, n_out);
    let mut dx = vec![0f32; gradient.rows() * weight.columns()];
    product(gradient, weight, &mut dx, false);
    dx
}

/// Adds `a^T b` to `sum`. With a the gradient of `y` and b the input, this is the gradient of a weight `[out, in]`.
///
/// # Shapes
/// - `a`: `[T, n_rows]`, `b`: `[T, n_columns]`, `sum`: `[n_rows, n_columns]`
///
/// # Panics
/// When the lengths do not fit.
pub fn add_weight_gradient(a: &[f32], b: &[f32], n_rows: usize, sum: &mut [f32]) {
    let a = Matrix::new(a, n_rows);
    let b = Matrix::new(b, sum.len() / n_rows.max(1));
    product(a.t(), b, sum, true);
}

/// Adds the sum over the rows of `x` to `sums`. With x the gradient of `y`, this is the gradient of a bias.
///
/// # Shapes
/// - `x`: `[T, D]`, `sums`: `[D]`
///
/// # Panics
/// When the lengths do not fit.
pub fn add_column_sums(x: &[f32], sums: &mut [f32]) {
    /// One cache line of each row.
    const COLUMNS_PER_TASK: usize = 64;
    let width = sums.len();
    assert!(x.len().is_multiple_of(width.max(1)));
    for_each_chunk(sums, COLUMNS_PER_TASK, |task, sums| add_columns(&x[task * COLUMNS_PER_TASK..], width, sums));
}

widest! {
    /// Adds the first columns of rows that are `stride` apart.
    fn add_columns(x: &[f32], stride: usize, sums: &mut [f32]) {
        for row in x.chunks(stride) {
            sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symmetric_product_is_the_whole_product_left_of_the_diagonal() {
        for (n, inner) in [(1, 3), (96, 700), (256, 5), (600, 64)] {
            let values: Vec<f32> = (0..n * inner).map(|at| ((at * 37 % 101) as f32 - 50.0) / 50.0).collect();
            for a in [Matrix::new(&values, inner), Matrix::new(&values, n).t()] {
                let (mut expected, mut found) = (vec![1f32; n * n], vec![1f32; n * (n + 2)]);
                product(a, a.t(), &mut expected, true);
                add_symmetric(a, 1.0, &mut found, n + 2);
                for (row, expected) in expected.chunks(n).enumerate() {
                    let pairs = found[row * (n + 2)..].iter().zip(&expected[..=row]);
                    let most = pairs.map(|(found, sum)| (found - sum).abs()).fold(0f32, f32::max);
                    assert!(most < 1e-3, "{n} x {inner}: row {row} differs by {most}");
                }
            }
        }
    }
}
