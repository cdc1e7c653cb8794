//! A matrix product with its bias.

use super::{has_fused_form, values};
use crate::Result;
use crate::fused;
use candle_core::{CpuStorage, CustomOp3, Layout, Shape, Tensor};

/// Returns `x W^T + b`.
///
/// # Shapes
/// - `x`: `[M, in]`
/// - `weight`: `[out, in]`, of any memory layout
/// - `bias`: `[out]`
/// - returns `[M, out]`
pub(crate) fn matmul_bias(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    if let (true, Some(bias)) = (has_fused_form(x) && !weight.track_op(), bias) {
        return Ok(x.contiguous()?.apply_op3_no_bwd(&weight.contiguous()?, bias, &MatmulBias)?);
    }
    let y = x.matmul(&weight.t()?)?;
    Ok(match bias {
        Some(bias) => y.broadcast_add(bias)?,
        None => y,
    })
}

/// `x` `[M, K]`, weight `[N, K]`, bias `[N]`.
struct MatmulBias;

impl CustomOp3 for MatmulBias {
    fn name(&self) -> &'static str {
        "matmul_bias"
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
        let ((m, k), (n, weight_k)) = (x_layout.shape().dims2()?, weight_layout.shape().dims2()?);
        let bias = values::slice(bias, bias_layout)?;
        if weight_k != k || bias.len() != n || k == 0 {
            candle_core::bail!("linear layer [{n}, {weight_k}] with bias [{}] on [{m}, {k}]", bias.len());
        }
        let (x, weight) = (values::slice(x, x_layout)?, values::slice(weight, weight_layout)?);
        Ok((CpuStorage::F32(fused::linear(x, weight, n, Some(bias), None)), Shape::from((m, n))))
    }
}
