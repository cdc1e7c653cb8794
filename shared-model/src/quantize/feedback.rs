//! Rounding with error feedback: the error of each weight is made up for by those that are rounded after it.
//!
//! As GPTQ (Frantar et al., 2022), in the equivalent form of Babai's nearest plane: with the covariance of the inputs as
//! `L L^T`, columns are rounded from the last to the first.

use super::cholesky::{BLOCK, Cholesky};
use super::grid::Grid;
use crate::fused::{Matrix, add_scaled};
use crate::output::{Rows, RowsSize};
use crate::parallel::map_chunks;

/// Rounds weights `[out, in]` to the values of a grid; returns codes and values.
///
/// `factor` is that of the covariance of the inputs in the order of `order`, which has the column of each position.
pub(super) fn round(weights: &[f32], order: &[usize], factor: &Cholesky, grid: &Grid) -> (Vec<i8>, Vec<f32>) {
    let n = order.len();
    let n_rows = weights.len() / n;
    let (mut codes, mut values) = (vec![0i8; weights.len()], vec![0f32; weights.len()]);
    // For each position, the errors so far times their factors there.
    let mut sums = vec![0f32; weights.len()];
    for start in (0..n).step_by(BLOCK).rev() {
        let end = (start + BLOCK).min(n);
        let rounded = map_chunks(&mut sums, n, |row, sums| {
            let mut block = Block { codes: Vec::new(), values: Vec::new(), errors: vec![0.0; end - start] };
            for position in (start..end).rev() {
                let (column, factors) = (order[position], factor.row(position));
                let weight = weights[row * n + column];
                let (code, value) = grid.nearest(row, column, weight + sums[position] / factors[position]);
                let error = weight - value;
                let before = sums[start..position].iter_mut().zip(&factors[start..position]);
                before.for_each(|(sum, factor)| *sum += error * factor);
                block.codes.push(code);
                block.values.push(value);
                block.errors[position - start] = error;
            }
            block
        });
        for (row, block) in rounded.iter().enumerate() {
            for (at, position) in (start..end).rev().enumerate() {
                codes[row * n + order[position]] = block.codes[at];
                values[row * n + order[position]] = block.values[at];
            }
        }
        if start > 0 && n_rows > 0 {
            let errors: Vec<f32> = rounded.into_iter().flat_map(|block| block.errors).collect();
            let rest = Rows::within(&mut sums, 0, RowsSize { n_rows, width: start, stride: n });
            add_scaled(Matrix::new(&errors, end - start), factor.left_of(start, end), 1.0, rest);
        }
    }
    (codes, values)
}

/// A row's weights of a block of positions, from the last to the first; `errors` from the first to the last.
struct Block {
    codes: Vec<i8>,
    values: Vec<f32>,
    errors: Vec<f32>,
}
