//! Layer norm over the last axis.

use super::{has_fused_form, values};
use crate::Result;
use crate::fused;
use crate::weights::{Placement, Weights};
use candle_core::{CpuStorage, CustomOp3, D, DType, Layout, Module, Shape, Tensor};

/// `(x - mean) / sqrt(variance + eps) * weight + bias` over the last axis.
pub(crate) struct LayerNorm {
    /// `[D]`
    weight: Tensor,
    /// `[D]`
    bias: Tensor,
    eps: f32,
}

impl LayerNorm {
    pub fn load(weights: &Weights, prefix: &str, eps: f32, placement: &Placement) -> Result<Self> {
        Ok(Self {
            eps,
            weight: weights.tensor(&format!("{prefix}.weight"), placement)?,
            bias: weights.tensor(&format!("{prefix}.bias"), placement)?,
        })
    }

    /// # Shapes
    /// - `x`: `[.., D]`; returns the same
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if [x, &self.weight, &self.bias].iter().any(|tensor| tensor.track_op()) {
            return self.composite(x);
        }
        if has_fused_form(x) {
            return Ok(x.contiguous()?.apply_op3_no_bwd(
                &self.weight,
                &self.bias,
                &LayerNormOp { eps: self.eps },
            )?);
        }
        Ok(candle_nn::LayerNorm::new(self.weight.clone(), self.bias.clone(), self.eps.into()).forward(x)?)
    }

    /// The values of both parameters, for code that works on rows itself.
    pub fn rows(&self) -> Result<NormRows> {
        let values = |parameter: &Tensor| parameter.to_dtype(DType::F32)?.to_vec1();
        Ok(NormRows { weight: values(&self.weight)?, bias: values(&self.bias)?, eps: self.eps })
    }

    /// Of operations that candle can differentiate, in f32 whatever the dtype of `x`.
    pub(super) fn composite(&self, x: &Tensor) -> Result<Tensor> {
        let width = x.dim(D::Minus1)? as f64;
        let wide = x.to_dtype(DType::F32)?;
        let centered = wide.broadcast_sub(&(wide.sum_keepdim(D::Minus1)? / width)?)?;
        let variance = (centered.sqr()?.sum_keepdim(D::Minus1)? / width)?;
        let normalized = centered.broadcast_div(&(variance + f64::from(self.eps))?.sqrt()?)?.to_dtype(x.dtype())?;
        Ok(normalized.broadcast_mul(&self.weight)?.broadcast_add(&self.bias)?)
    }
}

/// A layer norm of rows in memory.
pub(crate) struct NormRows {
    weight: Vec<f32>,
    bias: Vec<f32>,
    eps: f32,
}

impl NormRows {
    /// # Shapes
    /// - `x`, `y`: `[D]`
    pub fn normalize(&self, x: &[f32], y: &mut [f32]) {
        fused::normalize(x, &self.weight, &self.bias, self.eps, y);
    }

    /// Returns the direction in which a part of `x` adds to the dot product of `y` and `direction`: that product is the
    /// sum of the parts' own ones, plus that of the bias. The deviation by which the norm divides is that of all of `x`.
    ///
    /// # Shapes
    /// - `x`: `[D]`, the sum of the parts
    /// - `direction`: `[D]`; returns `[D]`
    pub fn direction_of_parts(&self, x: &[f32], direction: &[f32]) -> Vec<f32> {
        let mean_of = |x: &[f32]| x.iter().sum::<f32>() / x.len().max(1) as f32;
        let mean = mean_of(x);
        let squares: Vec<f32> = x.iter().map(|x| (x - mean).powi(2)).collect();
        let deviation = (mean_of(&squares) + self.eps).sqrt();
        let scaled: Vec<f32> = self.weight.iter().zip(direction).map(|(w, d)| w * d / deviation).collect();
        let mean = mean_of(&scaled);
        scaled.iter().map(|x| x - mean).collect()
    }
}

struct LayerNormOp {
    eps: f32,
}

impl CustomOp3 for LayerNormOp {
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
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let x = values::slice(x, x_layout)?;
        let mut y = vec![0f32; x.len()];
        let (weight, bias) = (values::slice(weight, weight_layout)?, values::slice(bias, bias_layout)?);
        if bias.len() != weight.len() || !x.len().is_multiple_of(weight.len().max(1)) {
            candle_core::bail!("layer norm of width {} and {} on {:?}", weight.len(), bias.len(), x_layout.shape());
        }
        fused::layer_norm(x, weight, bias, self.eps, &mut y);
        Ok((CpuStorage::F32(y), x_layout.shape().clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_products_of_parts_add_up_to_that_of_the_whole() {
        let norm =
            NormRows { weight: vec![1.5, -0.5, 2.0, 0.1, 0.7], bias: vec![0.3, -1.0, 0.0, 2.0, 0.5], eps: 1e-5 };
        let parts = [[3.0f32, -1.0, 0.5, 2.0, 7.0], [-2.0, 4.0, 0.25, 1.0, -1.5]];
        let direction = [0.4f32, 1.0, -2.0, 0.3, 0.9];
        let x: Vec<f32> = parts[0].iter().zip(parts[1]).map(|(a, b)| a + b).collect();
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let mut y = vec![0f32; 5];
        norm.normalize(&x, &mut y);
        let of_parts = norm.direction_of_parts(&x, &direction);
        let sum: f32 = parts.iter().map(|part| dot(part, &of_parts)).sum();
        let expected = dot(&y, &direction) - dot(&norm.bias, &direction);
        assert!((sum - expected).abs() < 1e-4, "{sum}, expected {expected}");
    }
}
