//! The operations of a transformer block.
//!
//! For f32 on the CPU, each is one candle operation over a kernel of [`crate::fused`]. Elsewhere (CUDA, bf16, f16), and
//! where candle tracks gradients, each is composed of candle's operations. The trainer calls the kernels itself;
//! candle's gradients are the reference of its tests.
//!
//! A block whose matrices are all packed is one operation, [`fused_block`].

mod activation;
mod attention;
mod fused_block;
mod layer_norm;
mod matmul_bias;
mod short_attention;

pub(crate) use activation::activation;
pub(crate) use attention::attention;
pub(crate) use fused_block::{FusedBlock, Workspace};
pub(crate) use layer_norm::LayerNorm;
pub(crate) use matmul_bias::matmul_bias;

use candle_core::Tensor;

/// Returns whether the fused CPU operations support this tensor. They have no gradient in candle.
fn has_fused_form(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == candle_core::DType::F32 && !x.track_op()
}

/// Access to the values of contiguous f32 tensors on the CPU.
mod values {
    use candle_core::{CpuStorage, Layout, Result};

    /// Returns the values of a custom operation's argument, which the caller has made contiguous.
    pub fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
        match layout.contiguous_offsets() {
            Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
            None => {
                candle_core::bail!("a fused operation was given a strided tensor of shape {:?}", layout.shape())
            }
        }
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
