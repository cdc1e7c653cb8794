//! Passes over flat weights on a GPU.

use super::element::Element;
use super::flat::CudaOps;
use super::gpu::Gpu;
use crate::ops::Pass;
use anyhow::{Result, bail};
use candle_core::cuda_backend::CudaDType;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use candle_core::{DType, Storage, Tensor};
use half::{bf16, f16};

/// Runs a pass in the precision of the weights; returns the flat gradients that it added up, for the first `n_trained`
/// values.
pub fn run<P: Pass>(
    masters: &Tensor,
    copies: Option<&Tensor>,
    n_trained: Option<usize>,
    pass: P,
) -> Result<(P::Output, Option<Tensor>)> {
    match copies {
        Some(copies) if copies.dtype() == DType::BF16 => run_in::<bf16, P>(copies, masters, n_trained, pass),
        Some(copies) if copies.dtype() == DType::F16 => run_in::<f16, P>(copies, masters, n_trained, pass),
        Some(copies) => bail!("weights of type {:?} on a GPU, expected bf16, f16 or f32", copies.dtype()),
        None => run_in::<f32, P>(masters, masters, n_trained, pass),
    }
}

fn run_in<T: Element, P: Pass>(
    weights: &Tensor,
    masters: &Tensor,
    n_trained: Option<usize>,
    pass: P,
) -> Result<(P::Output, Option<Tensor>)> {
    let gpu = Gpu::of(masters.device().as_cuda_device()?)?;
    let mut gradients = n_trained.map(|n| gpu.stream().alloc_zeros::<f32>(n)).transpose()?;
    let (weight_storage, _) = weights.storage_and_layout();
    let (master_storage, _) = masters.storage_and_layout();
    let (weights, masters) = (slice::<T>(&weight_storage)?, slice::<f32>(&master_storage)?);
    let output = pass.run(&mut CudaOps::new(&gpu, weights, masters, gradients.as_mut()))?;
    let tensor = |gradients: CudaSlice<f32>| {
        let len = gradients.len();
        gpu.tensor(gradients, len)
    };
    Ok((output, gradients.map(tensor)))
}

/// All values of a flat array.
fn slice<T: CudaDType>(storage: &Storage) -> Result<&CudaSlice<T>> {
    match storage {
        Storage::Cuda(storage) => Ok(storage.as_cuda_slice()?),
        _ => bail!("expected weights on a GPU"),
    }
}
