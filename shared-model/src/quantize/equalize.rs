//! Shifts and scales of columns with which a product loses least to quantization.
//!
//! Both sides of a product are rounded. Large columns of activations coarsen the others of their block; large columns of
//! weights the others of their row or block. A scale that moves from the one to the other changes nothing but this
//! (SmoothQuant, Xiao et al., 2023; AWQ, Lin et al., 2024), and a shift takes the part of a column that is always there
//! out of it (Outlier Suppression+, Wei et al., 2023). What is chosen has the least expected error.

use super::block::Move;
use super::columns::{means, sample, square_sums};
use crate::kernels::int8::Rounding;
use crate::lanes;
use crate::parallel::map_tasks;
use crate::weights::code_bits::CodeBits;
use crate::weights::{WeightFormat, int4};

/// Rows of activations that a choice is made on.
const N_SAMPLED: usize = 256;
/// Exponents that are tried for the size of activations, and for that of weights.
const ACTIVATION_EXPONENTS: [f32; 7] = [0.0, 0.2, 0.4, 0.5, 0.6, 0.8, 1.0];
const WEIGHT_EXPONENTS: [f32; 4] = [0.0, 0.25, 0.5, 0.75];
/// Scales are within this and its inverse, relative to their mean.
const LARGEST_SCALE: f32 = 1e4;
/// Share of the squared error of rounded weights that is left with error feedback.
const LEFT_BY_FEEDBACK: f32 = 0.3;
/// Factors of one column that are tried at a time.
const FACTORS: [f32; 4] = [0.5, 0.75, 1.4, 2.0];
/// The same of scales that are powers of two.
const EXPONENT_FACTORS: [f32; 4] = [0.25, 0.5, 2.0, 4.0];
/// Share of the expected error that is left at most where exponents pay.
const MOST_LEFT: f32 = 0.95;
/// Columns whose scales are improved one by one, and how often.
const N_IMPROVED: usize = 24;
const N_ROUNDS: usize = 2;

/// A product whose sides are rounded.
pub(super) struct Product<'a> {
    /// `[rows, in]`
    pub activations: &'a [f32],
    /// `[out, in]`
    pub weights: &'a [f32],
    pub n_in: usize,
    /// How activations are rounded.
    pub rounding: Rounding,
    /// The format of the weights, and their bits in int4.
    pub format: (WeightFormat, CodeBits),
}

impl Product<'_> {
    /// Chooses shifts and scales.
    pub fn choose(&self) -> Move {
        let shift = means(self.activations, self.n_in);
        let costs = Costs::of(self, &shift);
        let (_, scale) = costs.choose(|scale| scale, FACTORS);
        Move { shift, scale }
    }

    /// Chooses scales for columns that cannot be shifted: powers of two, whose exponents it returns. `None` where nothing
    /// is gained.
    ///
    /// None is below one: the weights of a column that is quiet in the calibration would become coarse, and another
    /// photo may be loud in it.
    pub fn choose_exponents(&self) -> Option<Vec<i8>> {
        let costs = Costs::of(self, &vec![0.0; self.n_in]);
        let power_of_two = |scale: f32| scale.max(1.0).log2().round().exp2();
        let (error, scale) = costs.choose(power_of_two, EXPONENT_FACTORS);
        let is_less = error < costs.error(&vec![1.0; self.n_in]) * MOST_LEFT;
        is_less.then(|| scale.into_iter().map(|scale| scale.log2() as i8).collect())
    }
}

impl Costs<'_> {
    /// Returns the least error, and its scales: those that `round` makes of what sizes suggest, the largest columns then
    /// multiplied by `factors`.
    fn choose(&self, round: fn(f32) -> f32, factors: [f32; 4]) -> (f32, Vec<f32>) {
        let candidates: Vec<Vec<f32>> = ACTIVATION_EXPONENTS
            .iter()
            .flat_map(|&a| WEIGHT_EXPONENTS.map(|b| self.scales(a, b).into_iter().map(round).collect()))
            .chain([vec![1.0; self.product.n_in]])
            .collect();
        let errors = map_tasks(candidates.len(), |at| self.error(&candidates[at]));
        let (mut error, mut scale) = candidates
            .into_iter()
            .zip(errors)
            .map(|(scale, error)| (error, scale))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .expect("there are candidates");
        let largest = self.largest_columns();
        for _ in 0..N_ROUNDS {
            for &column in &largest {
                let before = scale[column];
                let tried = map_tasks(factors.len(), |at| {
                    let mut scale = scale.clone();
                    scale[column] = round(before * factors[at]);
                    self.error(&scale)
                });
                for (factor, found) in factors.into_iter().zip(tried) {
                    if found < error {
                        (error, scale[column]) = (found, round(before * factor));
                    }
                }
            }
        }
        (error, scale)
    }
}

/// What the expected error of a product depends on.
struct Costs<'a> {
    product: &'a Product<'a>,
    /// Sampled rows of activations without their means, `[rows, in]`.
    sample: Vec<f32>,
    /// Of each column of activations.
    variances: Vec<f32>,
    /// Sum of the squared weights of each column.
    squares: Vec<f32>,
}

impl<'a> Costs<'a> {
    fn of(product: &'a Product<'a>, shift: &[f32]) -> Self {
        let n_in = product.n_in;
        let mut sample = sample(product.activations, n_in, N_SAMPLED);
        for row in sample.chunks_exact_mut(n_in) {
            row.iter_mut().zip(shift).for_each(|(x, shift)| *x -= shift);
        }
        let n_sampled = (sample.len() / n_in).max(1) as f32;
        let variance = |(sum, mean): (f32, f32)| (sum / n_sampled - mean * mean).max(0.0);
        let variances = square_sums(&sample, n_in).into_iter().zip(means(&sample, n_in)).map(variance).collect();
        Self { sample, variances, squares: square_sums(product.weights, n_in), product }
    }

    /// Scales from the sizes of the columns on both sides, their geometric mean 1.
    fn scales(&self, activation_exponent: f32, weight_exponent: f32) -> Vec<f32> {
        let logarithm = |square: f32| square.max(f32::MIN_POSITIVE).ln() / 2.0;
        let of = |(variance, square): (&f32, &f32)| match *variance > 0.0 && *square > 0.0 {
            true => activation_exponent * logarithm(*variance) - weight_exponent * logarithm(*square),
            false => f32::NAN, // a column that is always the same
        };
        let logarithms: Vec<f32> = self.variances.iter().zip(&self.squares).map(of).collect();
        let known = logarithms.iter().filter(|value| value.is_finite());
        let mean = known.clone().sum::<f32>() / (known.count().max(1) as f32);
        let scale = |value: f32| if value.is_finite() { (value - mean).exp() } else { 1.0 };
        logarithms.into_iter().map(|value| scale(value).clamp(1.0 / LARGEST_SCALE, LARGEST_SCALE)).collect()
    }

    /// Columns that matter most for the ranges of their blocks, on either side.
    fn largest_columns(&self) -> Vec<usize> {
        let mut columns: Vec<usize> = (0..self.product.n_in).collect();
        let size = |column: usize| self.variances[column] * self.squares[column];
        columns.sort_by(|&a, &b| size(b).total_cmp(&size(a)));
        columns.truncate(N_IMPROVED);
        columns
    }

    /// The expected squared error of the product, in a unit of its own.
    fn error(&self, scale: &[f32]) -> f32 {
        self.activation_error(scale) + self.weight_error(scale) * LEFT_BY_FEEDBACK
    }

    fn activation_error(&self, scale: &[f32]) -> f32 {
        let Product { n_in, rounding, .. } = *self.product;
        let (block_width, steps) = (rounding.block_width, rounding.steps());
        let inverse: Vec<f32> = scale.iter().map(|scale| 1.0 / scale).collect();
        let mut ranges = vec![0f32; n_in.div_ceil(block_width)];
        let mut scaled = vec![0f32; n_in];
        for row in self.sample.chunks_exact(n_in) {
            scaled
                .iter_mut()
                .zip(row.iter().zip(&inverse))
                .for_each(|(scaled, (x, inverse))| *scaled = x * inverse);
            for (sum, block) in ranges.iter_mut().zip(scaled.chunks(block_width)) {
                let range = lanes::max(block, 0.0) - lanes::min(block, 0.0);
                *sum += range * range;
            }
        }
        let n_rows = (self.sample.len() / n_in).max(1) as f32;
        let weight_squares: Vec<f32> =
            self.squares.iter().zip(scale).map(|(square, scale)| square * scale * scale).collect();
        let blocks = ranges.iter().zip(weight_squares.chunks(block_width));
        blocks.map(|(sum, squares)| sum / n_rows / (steps * steps) * squares.iter().sum::<f32>()).sum()
    }

    fn weight_error(&self, scale: &[f32]) -> f32 {
        let Product { n_in, weights, format: (format, bits), .. } = *self.product;
        let variances: Vec<f32> =
            self.variances.iter().zip(scale).map(|(variance, scale)| variance / (scale * scale)).collect();
        let all: f32 = variances.iter().sum();
        let of_block: Vec<f32> = variances.chunks(int4::BLOCK).map(|block| block.iter().sum()).collect();
        let is_int4 = format == WeightFormat::Int4;
        let levels = bits.n_negative() as f32;
        let mut scaled = vec![0f32; n_in];
        let mut error = 0.0;
        let stride = (weights.len() / n_in / N_SAMPLED).max(1);
        for row in weights.chunks_exact(n_in).step_by(stride) {
            scaled
                .iter_mut()
                .zip(row.iter().zip(scale))
                .for_each(|(scaled, (weight, scale))| *scaled = weight * scale);
            if is_int4 {
                let mut of_row = 0f32;
                for (block, variance) in scaled.chunks(int4::BLOCK).zip(&of_block) {
                    let step = lanes::largest_magnitude(block) / levels;
                    of_row = of_row.max(step);
                    error += step * step * variance;
                }
                // The bytes that they become.
                let step = of_row * levels / 127.0;
                error += step * step * all;
            } else {
                let step = lanes::largest_magnitude(&scaled) / 127.0;
                error += step * step * all;
            }
        }
        error * stride as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::ActivationBits;

    /// Returns values that look random, from -1 to 1.
    fn noise(at: usize) -> f32 {
        (at as u32).wrapping_mul(2_654_435_769).rotate_left(15).wrapping_mul(2_246_822_519) as i32 as f32
            / 2f32.powi(31)
    }

    #[test]
    fn a_column_that_is_large_in_some_rows_gets_an_exponent_of_its_size() {
        let (n_rows, n_in, hot) = (3 * N_SAMPLED, 256, 70);
        let is_hot = |row: usize| row % 3 != 1;
        let value = |at: usize| {
            let is_large = at % n_in == hot && is_hot(at / n_in);
            noise(at) * if is_large { 2.0 } else { 1.0 } + if is_large { 64.0 } else { 0.0 }
        };
        let activations: Vec<f32> = (0..n_rows * n_in).map(value).collect();
        let weights: Vec<f32> = (0..64 * n_in).map(|at| noise(at + 1)).collect();
        let rounding = Rounding { block_width: n_in, bits: ActivationBits::Seven };
        for format in [WeightFormat::Int8, WeightFormat::Int4] {
            let product = Product {
                activations: &activations,
                weights: &weights,
                n_in,
                rounding,
                format: (format, CodeBits::Four),
            };
            let exponents = product.choose_exponents().unwrap();
            assert!((1..=6).contains(&exponents[hot]), "{format:?}: {}", exponents[hot]);
            let others = exponents.iter().enumerate().filter(|(column, _)| *column != hot);
            assert_eq!(others.map(|(_, &exponent)| exponent).max(), Some(0), "{format:?}");
        }
    }
}
