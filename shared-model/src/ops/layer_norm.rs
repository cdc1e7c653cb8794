//! Layer norm over the last axis.

use super::has_fused_form;
use crate::Result;
use crate::weights::{Placement, Weights};
use candle_core::{D, DType, Module, Tensor};

/// Epsilon of every layer norm of CLIP.
const EPS: f32 = 1e-5;

/// `(x - mean) / sqrt(variance + eps) * weight + bias` over the last axis.
pub(crate) struct LayerNorm {
    /// `[D]`
    weight: Tensor,
    /// `[D]`
    bias: Tensor,
}

impl LayerNorm {
    pub fn load(weights: &Weights, prefix: &str, placement: &Placement) -> Result<Self> {
        Ok(Self {
            weight: weights.tensor(&format!("{prefix}.weight"), placement)?,
            bias: weights.tensor(&format!("{prefix}.bias"), placement)?,
        })
    }

    /// # Shapes
    /// - `x`: `[.., D]`; returns the same
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if has_fused_form(x) {
            return Ok(x.contiguous()?.apply_op3(&self.weight, &self.bias, fused::LayerNorm)?);
        }
        let is_tracked = [x, &self.weight, &self.bias].iter().any(|tensor| tensor.track_op());
        if is_tracked {
            return self.composite(x);
        }
        Ok(candle_nn::LayerNorm::new(self.weight.clone(), self.bias.clone(), EPS.into()).forward(x)?)
    }

    /// The values of both parameters, for code that works on rows itself.
    pub fn rows(&self) -> Result<NormRows> {
        Ok(NormRows { weight: self.weight.to_vec1()?, bias: self.bias.to_vec1()? })
    }

    /// Of operations that candle can differentiate, in f32 whatever the dtype of `x`.
    pub(super) fn composite(&self, x: &Tensor) -> Result<Tensor> {
        let width = x.dim(D::Minus1)? as f64;
        let wide = x.to_dtype(DType::F32)?;
        let centered = wide.broadcast_sub(&(wide.sum_keepdim(D::Minus1)? / width)?)?;
        let variance = (centered.sqr()?.sum_keepdim(D::Minus1)? / width)?;
        let normalized = centered.broadcast_div(&(variance + f64::from(EPS))?.sqrt()?)?.to_dtype(x.dtype())?;
        Ok(normalized.broadcast_mul(&self.weight)?.broadcast_add(&self.bias)?)
    }
}

/// A layer norm of rows in memory.
pub(crate) struct NormRows {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl NormRows {
    /// # Shapes
    /// - `x`, `y`: `[D]`
    pub fn normalize(&self, x: &[f32], y: &mut [f32]) {
        fused::normalize(x, &self.weight, &self.bias, y);
    }
}

mod fused {
    use super::EPS;
    use crate::lanes;
    use crate::ops::values;
    use crate::parallel::{for_each_chunk, map_tasks};
    use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

    /// Rows that one task takes; fixed, so that sums over rows do not depend on the number of threads.
    const ROWS_PER_TASK: usize = 64;

    /// `x` `[.., D]`, weight `[D]`, bias `[D]`.
    pub struct LayerNorm;

    impl CustomOp3 for LayerNorm {
        fn name(&self) -> &'static str {
            "layer_norm"
        }

        fn cpu_fwd(
            &self,
            x: &CpuStorage,
            x_layout: &Layout,
            weight: &CpuStorage,
            weight_layout: &Layout,
            bias: &CpuStorage,
            bias_layout: &Layout,
        ) -> Result<(CpuStorage, Shape)> {
            let x = values::slice(x, x_layout)?;
            let weight = values::slice(weight, weight_layout)?;
            let bias = values::slice(bias, bias_layout)?;
            let width = weight.len();
            let mut y = vec![0f32; x.len()];
            let task_len = ROWS_PER_TASK * width;
            for_each_chunk(&mut y, task_len, |task, y| {
                let x = &x[task * task_len..][..y.len()];
                for (y, x) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
                    normalize(x, weight, bias, y);
                }
            });
            Ok((CpuStorage::F32(y), x_layout.shape().clone()))
        }

        fn bwd(
            &self,
            x: &Tensor,
            weight: &Tensor,
            _bias: &Tensor,
            _y: &Tensor,
            grad: &Tensor,
        ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
            let width = weight.elem_count();
            let (dx, dw, db) = values::with(x, |x_values| {
                values::with(weight, |w| values::with(grad, |g| Ok(gradients(x_values, w, g))))
            })?;
            let device = x.device();
            Ok((
                Some(Tensor::from_vec(dx, x.shape(), device)?),
                Some(Tensor::from_vec(dw, width, device)?),
                Some(Tensor::from_vec(db, width, device)?),
            ))
        }
    }

    /// One row.
    pub fn normalize(x: &[f32], weight: &[f32], bias: &[f32], y: &mut [f32]) {
        let (mean, inverse) = moments(x);
        for (((y, &x), &w), &b) in y.iter_mut().zip(x).zip(weight).zip(bias) {
            *y = (x - mean) * inverse * w + b;
        }
    }

    /// Gradients of `x`, weight and bias.
    fn gradients(x: &[f32], weight: &[f32], grad: &[f32]) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
        let width = weight.len();
        let task_len = ROWS_PER_TASK * width;
        let parts = map_tasks(x.len().div_ceil(task_len), |task| {
            let range = task * task_len..((task + 1) * task_len).min(x.len());
            let (x, grad) = (&x[range.clone()], &grad[range]);
            let (mut dx, mut dw, mut db) = (vec![0f32; x.len()], vec![0f32; width], vec![0f32; width]);
            let rows = dx.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(grad.chunks_exact(width));
            for ((dx, x), grad) in rows {
                row_gradient(dx, x, weight, grad, &mut dw, &mut db);
            }
            (dx, dw, db)
        });
        let mut dx = Vec::with_capacity(x.len());
        let (mut dw, mut db) = (vec![0f32; width], vec![0f32; width]);
        for (dx_part, dw_part, db_part) in parts {
            dx.extend(dx_part);
            dw.iter_mut().zip(dw_part).for_each(|(sum, part)| *sum += part);
            db.iter_mut().zip(db_part).for_each(|(sum, part)| *sum += part);
        }
        (dx, dw, db)
    }

    /// With n the normalised row and h = grad * weight: dx = (h - mean(h) - n * mean(h * n)) / deviation.
    fn row_gradient(dx: &mut [f32], x: &[f32], weight: &[f32], grad: &[f32], dw: &mut [f32], db: &mut [f32]) {
        let (mean, inverse) = moments(x);
        let width = x.len() as f32;
        for ((((h, &x), &w), &g), (dw, db)) in
            dx.iter_mut().zip(x).zip(weight).zip(grad).zip(dw.iter_mut().zip(db.iter_mut()))
        {
            *h = g * w;
            *dw += g * (x - mean) * inverse;
            *db += g;
        }
        let mean_h = lanes::sum(dx) / width;
        let mean_hn = centered_dot(dx, x, mean) * inverse / width;
        for (dx, &x) in dx.iter_mut().zip(x) {
            *dx = (*dx - mean_h - (x - mean) * inverse * mean_hn) * inverse;
        }
    }

    /// Mean and 1 / sqrt(variance + eps) of a row.
    fn moments(x: &[f32]) -> (f32, f32) {
        let width = x.len() as f32;
        let mean = lanes::sum(x) / width;
        let squares = lanes::fold(x, 0.0, |lane, x| lane + (x - mean) * (x - mean), |a, b| a + b);
        (mean, 1.0 / (squares / width + EPS).sqrt())
    }

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
}
