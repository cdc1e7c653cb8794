//! Layer norm over rows, `(x - mean) / sqrt(variance + eps) * weight + bias`, and its gradient.

use super::ROWS_PER_TASK;
use crate::config::TORCH_NORM_EPS;
use crate::lanes::{self, widest};
use crate::parallel::{for_each_chunk, map_chunks};

/// Computes `y = (x - mean) / sqrt(variance + eps) * weight + bias` for each row.
///
/// # Shapes
/// - `x`, `y`: `[T, D]`
/// - `weight`, `bias`: `[D]`
///
/// # Panics
/// When the lengths do not fit.
pub fn layer_norm(x: &[f32], weight: &[f32], bias: &[f32], eps: f32, y: &mut [f32]) {
    let width = weight.len();
    assert!(x.len() == y.len() && bias.len() == width && x.len().is_multiple_of(width.max(1)));
    let task_len = ROWS_PER_TASK * width;
    for_each_chunk(y, task_len, |task, y| {
        let x = &x[task * task_len..][..y.len()];
        for (y, x) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
            normalize(x, weight, bias, eps, y);
        }
    });
}

widest! {
    /// Computes one row of [`layer_norm`], on the calling thread.
    pub fn normalize(x: &[f32], weight: &[f32], bias: &[f32], eps: f32, y: &mut [f32]) {
        let (mean, inverse) = moments(x, eps);
        for (((y, &x), &w), &b) in y.iter_mut().zip(x).zip(weight).zip(bias) {
            *y = (x - mean) * inverse * w + b;
        }
    }
}

/// Computes the gradient of [`layer_norm`] with PyTorch's epsilon, which all trained models have.
///
/// With n the normalized row and h = gradient * weight, dx = (h - mean(h) - n mean(h n)) / deviation. `residual`, the
/// gradient that reaches x past the norm, is added to dx.
///
/// # Shapes
/// - `x`, `residual`: `[T, D]`
/// - `gradient`: `[T, D]`, the gradient of `y` on entry and that of `x` on return
/// - `d_weight`, `d_bias`: `[D]`; the sums over the rows are added to them
///
/// # Panics
/// When the lengths do not fit.
pub fn layer_norm_gradient(
    x: &[f32],
    weight: &[f32],
    residual: Option<&[f32]>,
    gradient: &mut [f32],
    d_weight: &mut [f32],
    d_bias: &mut [f32],
) {
    let width = weight.len();
    assert!(x.len() == gradient.len() && residual.is_none_or(|residual| residual.len() == x.len()));
    assert!(d_weight.len() == width && d_bias.len() == width && x.len().is_multiple_of(width.max(1)));
    let task_len = ROWS_PER_TASK * width;
    let sums = map_chunks(gradient, task_len, |task, gradient| {
        let mut sums = vec![0f32; 2 * width];
        let (d_weight, d_bias) = sums.split_at_mut(width);
        let x = &x[task * task_len..][..gradient.len()];
        let residual = residual.map(|residual| &residual[task * task_len..][..x.len()]);
        for (row, (gradient, x)) in gradient.chunks_exact_mut(width).zip(x.chunks_exact(width)).enumerate() {
            row_gradient(x, weight, gradient, d_weight, d_bias);
            if let Some(residual) = residual {
                let residual = &residual[row * width..][..width];
                gradient.iter_mut().zip(residual).for_each(|(gradient, residual)| *gradient += residual);
            }
        }
        sums
    });
    for sums in sums {
        let (weight_sums, bias_sums) = sums.split_at(width);
        d_weight.iter_mut().zip(weight_sums).for_each(|(sum, part)| *sum += part);
        d_bias.iter_mut().zip(bias_sums).for_each(|(sum, part)| *sum += part);
    }
}

widest! {
    /// One row of [`layer_norm_gradient`], without the residual.
    fn row_gradient(x: &[f32], weight: &[f32], gradient: &mut [f32], d_weight: &mut [f32], d_bias: &mut [f32]) {
        let (mean, inverse) = moments(x, TORCH_NORM_EPS);
        let width = x.len() as f32;
        for ((((gradient, &x), &w), d_weight), d_bias) in
            gradient.iter_mut().zip(x).zip(weight).zip(d_weight.iter_mut()).zip(d_bias.iter_mut())
        {
            let g = *gradient;
            *d_weight += g * (x - mean) * inverse;
            *d_bias += g;
            *gradient = g * w;
        }
        let mean_h = lanes::sum(gradient) / width;
        let mean_hn = centered_dot(gradient, x, mean) * inverse / width;
        for (gradient, &x) in gradient.iter_mut().zip(x) {
            *gradient = (*gradient - mean_h - (x - mean) * inverse * mean_hn) * inverse;
        }
    }
}

/// Mean and 1 / sqrt(variance + eps) of a row.
#[inline(always)]
fn moments(x: &[f32], eps: f32) -> (f32, f32) {
    let width = x.len() as f32;
    let mean = lanes::sum(x) / width;
    let squares = lanes::fold(x, 0.0, |lane, x| lane + (x - mean) * (x - mean), |a, b| a + b);
    (mean, 1.0 / (squares / width + eps).sqrt())
}

/// Sum of `h (x - mean)`.
#[inline(always)]
fn centered_dot(h: &[f32], x: &[f32], mean: f32) -> f32 {
    let mut sums = [0f32; 16];
    let (h_chunks, x_chunks) = (h.chunks_exact(16), x.chunks_exact(16));
    let tail: f32 = h_chunks.remainder().iter().zip(x_chunks.remainder()).map(|(&h, &x)| h * (x - mean)).sum();
    for (h, x) in h_chunks.zip(x_chunks) {
        for lane in 0..16 {
            sums[lane] += h[lane] * (x[lane] - mean);
        }
    }
    sums.iter().sum::<f32>() + tail
}
