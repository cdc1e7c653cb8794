//! The operations of a transformer block that decide its speed, each with a gradient.
//!
//! For f32 on the CPU, native and wasm, each is one fused candle operation with a backward pass of its own: inference
//! and training run the same code. Elsewhere (CUDA, bf16) each is composed of candle's operations: of its fused kernels
//! while no gradient is asked for, and of differentiable ones otherwise, because candle's fused layer norm and softmax
//! have no backward and silently stop the gradient.
//!
//! A tower whose matrices are all int8 is not trained: there a block is one operation, [`int8_block`].

mod activation;
mod attention;
mod exp;
mod int8_block;
mod layer_norm;
mod matmul_bias;
mod short_attention;

pub(crate) use activation::activation;
pub(crate) use attention::attention;
pub(crate) use int8_block::{Int8Block, Workspace};
pub(crate) use layer_norm::LayerNorm;
pub(crate) use matmul_bias::matmul_bias;
pub(crate) use short_attention::short_attention;

use candle_core::Tensor;

/// Whether the fused CPU operations of this module serve this tensor.
fn has_fused_form(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == candle_core::DType::F32
}

/// Access to the values of contiguous f32 tensors on the CPU.
mod values {
    use candle_core::{CpuStorage, Layout, Result, Storage, Tensor};

    /// The values behind a custom operation's argument, which the caller has made contiguous.
    pub fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
        match layout.contiguous_offsets() {
            Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
            None => {
                candle_core::bail!("a fused operation was given a strided tensor of shape {:?}", layout.shape())
            }
        }
    }

    /// Runs `read` on the values of a tensor.
    pub fn with<R>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> Result<R>) -> Result<R> {
        let tensor = tensor.contiguous()?;
        let (storage, layout) = tensor.storage_and_layout();
        match &*storage {
            Storage::Cpu(storage) => read(slice(storage, layout)?),
            _ => candle_core::bail!("a fused CPU operation was given a tensor on {:?}", tensor.device()),
        }
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
