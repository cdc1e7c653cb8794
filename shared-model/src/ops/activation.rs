//! The activation between the two layers of an MLP.

use super::{has_fused_form, values};
use crate::Result;
use crate::config::Activation;
use crate::fused;
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

/// # Shapes
/// - `x`: any; returns the same
pub(crate) fn activation(x: &Tensor, kind: Activation) -> Result<Tensor> {
    if has_fused_form(x) {
        return Ok(x.contiguous()?.apply_op1_no_bwd(&ActivationOp(kind))?);
    }
    composite(x, kind)
}

pub(super) fn composite(x: &Tensor, kind: Activation) -> Result<Tensor> {
    Ok(match kind {
        Activation::QuickGelu => (x * candle_nn::ops::sigmoid(&(x * 1.702)?)?)?,
        Activation::Gelu => x.gelu_erf()?,
        Activation::TanhGelu => x.gelu()?,
    })
}

struct ActivationOp(Activation);

impl CustomOp1 for ActivationOp {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let x = values::slice(x, layout)?;
        let mut y = vec![0f32; x.len()];
        fused::activation(self.0, x, &mut y);
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }
}
