//! Quantizes the matrix of one layer for the inputs that it will have.

use super::block;
use super::cholesky::Cholesky;
use super::columns::{means, reordered, sample};
use super::grid::{Grid, Scales};
use super::{Options, QuantizedTower, Steps, feedback};
use crate::Result;
use crate::fused::{Matrix, add_symmetric, add_weight_gradient, linear};
use crate::kernels::int8::{Rounding, round_to_levels};
use crate::parallel::for_each_chunk;
use crate::weights::code_bits::CodeBits;
use crate::weights::{ActivationBits, StoredTensor, WeightFormat, Weights};
use candle_core::{Device, Tensor};
use safetensors::Dtype;

/// What is added to the diagonal of the inputs' covariance, as a share of its mean; ten times as much where that is not
/// enough.
const DAMPING: f32 = 0.01;
/// More than this is never needed.
const LARGEST_DAMPING: f32 = 1e3;

/// Rows that the error of the outputs is measured on.
const N_ERROR_ROWS: usize = 1024;

/// A layer before it is quantized.
pub(super) struct Task<'a> {
    pub layer: &'a block::Matrix,
    /// The inputs that it has in the dense model, `[rows, in]`.
    pub dense_inputs: &'a [f32],
    /// The inputs that it has behind the layers that are quantized already, `[rows, in]`.
    pub inputs: Vec<f32>,
    /// The exponents of two by which its columns of inputs are divided before they are rounded.
    pub exponents: Option<&'a [i8]>,
    /// How its activations are rounded.
    pub rounding: Rounding,
    /// Bits of its weights in int4.
    pub code_bits: CodeBits,
    pub options: Options,
}

/// A quantized layer.
pub(super) struct Rounded {
    pub grid: Grid,
    /// `[out, in]`
    pub codes: Vec<i8>,
    /// The weights that they mean.
    pub values: Vec<f32>,
    /// Of the activations that they are for.
    pub activation_bits: ActivationBits,
    pub bias: Vec<f32>,
    /// The error of the outputs on a sample of the inputs, relative to how they differ from their mean.
    pub output_error: f64,
}

impl Rounded {
    /// Adds weight and bias to a tower by their keys; returns them as they are stored.
    ///
    /// `dense` is the layer before.
    pub fn store(
        self,
        [weight, bias]: &[String; 2],
        (dense, exponents): (&block::Matrix, Option<&[i8]>),
        format: WeightFormat,
        tower: &mut QuantizedTower,
    ) -> Result<Weights> {
        let (n_in, n_out) = (dense.n_in(), dense.bias.len());
        let dense = Tensor::from_slice(&dense.weight, (n_out, n_in), &Device::Cpu)?;
        let mut restored = self.values;
        let mut stored = self.grid.store(weight, &self.codes, n_in, self.activation_bits);
        if let Some(exponents) = exponents {
            scale_columns(&mut restored, exponents, -1);
            let bytes: Vec<u8> = exponents.iter().map(|&exponent| exponent as u8).collect();
            let columns = StoredTensor::new(Dtype::I8, &[n_in], bytes.into());
            stored.push((format!("{weight}{}", format.columns_suffix()), columns));
        }
        let restored = Tensor::from_vec(restored, (n_out, n_in), &Device::Cpu)?;
        let stored_bias = StoredTensor::from_tensor(&Tensor::from_slice(&self.bias, n_out, &Device::Cpu)?)?;
        let weights = Weights::from_stored(stored.iter().cloned().chain([(bias.clone(), stored_bias)]));
        tower.add(weight, (stored, restored, format.name()), &dense, Some(self.output_error))?;
        tower.add_full(bias, &self.bias)?;
        Ok(weights)
    }
}

impl Task<'_> {
    pub fn run(mut self) -> Rounded {
        let (n_in, n_out) = (self.layer.n_in(), self.layer.bias.len());
        let mut inputs = std::mem::take(&mut self.inputs);
        let mut outputs = linear(self.dense_inputs, &self.layer.weight, n_out, None, None);
        let mut weights = self.layer.weight.clone();
        if let Some(exponents) = self.exponents {
            scale_columns(&mut inputs, exponents, -1);
            scale_columns(&mut weights, exponents, 1);
        }
        round_to_levels(&mut inputs, n_in, self.rounding);
        let input_means = subtract_means(&mut inputs, n_in);
        // The outputs that are wanted, without their mean.
        let output_means = subtract_means(&mut outputs, n_out);
        let (grid, codes, values) = self.rounded(&weights, &inputs, &outputs);
        let bias = match self.options.steps.correct {
            true => corrected_bias(&self.layer.bias, &values, &input_means, &output_means),
            false => self.layer.bias.clone(),
        };
        let sampled = |rows: &[f32], width| sample(rows, width, N_ERROR_ROWS);
        let found = linear(&sampled(&inputs, n_in), &values, n_out, None, None);
        let output_error = relative_error(&found, &sampled(&outputs, n_out));
        Rounded { grid, codes, values, activation_bits: self.rounding.bits, bias, output_error }
    }

    fn rounded(&self, weights: &[f32], inputs: &[f32], outputs: &[f32]) -> (Grid, Vec<i8>, Vec<f32>) {
        let n_in = self.layer.n_in();
        let Steps { clip, feedback, correct, .. } = self.options.steps;
        let format = (self.options.format, self.code_bits);
        let plain = || {
            let grid = Grid::choose(format, weights, n_in, Scales::Plain);
            let (codes, values) = grid.round(weights, n_in);
            (grid, codes, values)
        };
        if !(clip || feedback || correct) {
            return plain();
        }
        let sums = product_sums(inputs, n_in);
        let Some(Covariance { factor, order, diagonal, .. }) = Covariance::of(&sums, n_in, DAMPING) else {
            return plain();
        };
        let weights = match Covariance::of(&sums, n_in, self.options.fit_damping) {
            Some(covariance) if correct => fitted(weights, outputs, inputs, &covariance),
            _ => weights.to_vec(),
        };
        let importance = if feedback { factor.conditional_variances(&order) } else { diagonal };
        let scales = if clip { Scales::ByError(&importance) } else { Scales::Plain };
        let grid = Grid::choose(format, &weights, n_in, scales);
        let (codes, values) = match feedback {
            true => feedback::round(&weights, &order, &factor, &grid),
            false => grid.round(&weights, n_in),
        };
        (grid, codes, values)
    }
}

/// Multiplies the columns of rows by two to the `sign` times their exponents.
fn scale_columns(rows: &mut [f32], exponents: &[i8], sign: i32) {
    let factors: Vec<f32> = exponents.iter().map(|&exponent| 2f32.powi(sign * i32::from(exponent))).collect();
    for_each_chunk(rows, factors.len(), |_, row| row.iter_mut().zip(&factors).for_each(|(value, by)| *value *= by));
}

/// The covariance of a layer's inputs.
struct Covariance {
    factor: Cholesky,
    /// The column of each position of the factor, from the least variance to the largest.
    order: Vec<usize>,
    /// By column.
    diagonal: Vec<f32>,
    /// What was added to the diagonal, times the number of rows.
    damping: f32,
}

impl Covariance {
    /// Of the sums of [`product_sums`]. `None` for inputs that are always the same.
    fn of(sums: &[f32], n_in: usize, mut share: f32) -> Option<Self> {
        let diagonal: Vec<f32> = (0..n_in).map(|at| sums[at * n_in + at]).collect();
        let mean = diagonal.iter().sum::<f32>() / n_in as f32;
        if !mean.is_normal() {
            return None;
        }
        let mut order: Vec<usize> = (0..n_in).collect();
        order.sort_by(|&a, &b| diagonal[a].total_cmp(&diagonal[b]));
        while share < LARGEST_DAMPING {
            let damping = share * mean;
            let mut ordered = vec![0f32; n_in * n_in];
            for_each_chunk(&mut ordered, n_in, |row, values| {
                for (value, &column) in values.iter_mut().zip(&order[..=row]) {
                    *value = sums[order[row].max(column) * n_in + order[row].min(column)];
                }
                values[row] += damping;
            });
            if let Some(factor) = Cholesky::of(ordered, n_in) {
                return Some(Self { factor, order, diagonal, damping });
            }
            share = (share * 10.0).max(DAMPING);
        }
        None
    }
}

/// The weights whose products with the inputs are nearest to the outputs; where the inputs do not tell, those that the
/// layer has.
fn fitted(weights: &[f32], outputs: &[f32], inputs: &[f32], covariance: &Covariance) -> Vec<f32> {
    let Covariance { factor, order, damping, .. } = covariance;
    let n_in = order.len();
    let mut products: Vec<f32> = weights.iter().map(|weight| weight * damping).collect();
    add_weight_gradient(outputs, inputs, weights.len() / n_in, &mut products);
    let mut fitted = reordered(&products, order);
    factor.solve(&mut fitted);
    let mut position_of = vec![0; n_in];
    order.iter().enumerate().for_each(|(position, &column)| position_of[column] = position);
    reordered(&fitted, &position_of)
}

/// Returns the lower triangle of `x^T x` of rows `[rows, in]`.
fn product_sums(rows: &[f32], n_in: usize) -> Vec<f32> {
    let mut sums = vec![0f32; n_in * n_in];
    add_symmetric(Matrix::new(rows, n_in).t(), 1.0, &mut sums, n_in);
    sums
}

/// The bias with which the mean of the outputs is the dense one.
fn corrected_bias(bias: &[f32], values: &[f32], input_means: &[f32], output_means: &[f32]) -> Vec<f32> {
    let rows = values.chunks_exact(input_means.len());
    let corrected = bias.iter().zip(output_means).zip(rows).map(|((bias, wanted), row)| {
        let found: f64 = row.iter().zip(input_means).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum();
        (f64::from(*bias) + f64::from(*wanted) - found) as f32
    });
    corrected.collect()
}

/// Subtracts the mean of each column from it; returns the means.
fn subtract_means(rows: &mut [f32], width: usize) -> Vec<f32> {
    let means = means(rows, width);
    for_each_chunk(rows, width, |_, row| row.iter_mut().zip(&means).for_each(|(x, mean)| *x -= mean));
    means
}

fn relative_error(found: &[f32], wanted: &[f32]) -> f64 {
    let square = |x: f32| f64::from(x) * f64::from(x);
    let error: f64 = found.iter().zip(wanted).map(|(found, wanted)| square(found - wanted)).sum();
    let norm: f64 = wanted.iter().map(|wanted| square(*wanted)).sum();
    if norm > 0.0 { (error / norm).sqrt() } else { 0.0 }
}
