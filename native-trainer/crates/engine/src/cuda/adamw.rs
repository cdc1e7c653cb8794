//! AdamW over flat arrays on a GPU, with the gradients' norm.

use super::flat::with_values;
use super::gpu::Gpu;
use super::launch::{Arg, Launch, int, long};
use super::signatures::{ADAMW_PER_BLOCK, SQUARES_PER_PART};
use crate::adamw::{AdamWConfig, AdamWGroup, AdamWStep};
use anyhow::{Result, ensure};
use candle_core::Tensor;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView};

/// Updates flat f32 parameters and moments in place; returns the L2 norm of the gradients, before clipping.
///
/// When the norm is not finite, nothing is changed. The norm is the only value that is read back.
///
/// # Errors
/// When an array is not f32 on a GPU, or the lengths differ.
pub fn adamw_step(
    parameters: &Tensor,
    first: &Tensor,
    second: &Tensor,
    gradients: &Tensor,
    step: &AdamWStep<'_>,
) -> Result<f64> {
    let gpu = Gpu::of(parameters.device().as_cuda_device()?)?;
    let n = parameters.elem_count();
    for tensor in [first, second, gradients] {
        ensure!(tensor.elem_count() == n, "an array of {} values for {n} parameters", tensor.elem_count());
    }
    for tensor in [parameters, first, second] {
        // A copy would be updated instead.
        ensure!(tensor.is_contiguous(), "the optimizer was given a strided tensor");
    }
    // The kernel writes three of these arrays. Nothing else does at the time: the stream's order says so on the GPU, and
    // on the host the optimizer is borrowed exclusively.
    let address = |tensor: &Tensor| with_values(tensor, |values: CudaView<'_, f32>| Ok(gpu.at(&values)));
    with_values(gradients, |values: CudaView<'_, f32>| {
        let sum_of_squares = sum_of_squares(&gpu, gpu.at(&values), n)?;
        let AdamWConfig { beta1, beta2, eps, weight_decay, clip_norm } = *step.config;
        let [correction1, correction2] = step.corrections();
        let max_norm = clip_norm.unwrap_or(0.0);
        for AdamWGroup { range, is_decayed, rate_factor } in step.groups {
            let n = range.len();
            let of_group = |tensor: &Tensor| -> Result<Arg> { address(&tensor.narrow(0, range.start, n)?) };
            let (parameters, first, second) = (of_group(parameters)?, of_group(first)?, of_group(second)?);
            let gradients = gpu.at(&values.slice(range.clone()));
            let n_decayed = if *is_decayed { n } else { 0 };
            let arrays = [parameters, first, second, gradients, long(n), long(n_decayed), gpu.at(&sum_of_squares)];
            let rate = step.learning_rate * rate_factor;
            let constants = [max_norm, rate, beta1, beta2, eps, weight_decay, correction1, correction2];
            let args = [&arrays[..], &constants.map(Arg::Double)].concat();
            gpu.launch("adamw", Launch::of_blocks(n.div_ceil(ADAMW_PER_BLOCK))?, &args)?;
        }
        let squares = gpu.stream().clone_dtoh(&sum_of_squares)?;
        gpu.stream().synchronize()?;
        Ok(squares[0].sqrt())
    })
}

/// The sum of the squares of `n` f32 values, one f64 on the GPU.
fn sum_of_squares(gpu: &Gpu, values: Arg, n: usize) -> Result<CudaSlice<f64>> {
    let n_parts = n.div_ceil(SQUARES_PER_PART);
    let (partial, sum): (CudaSlice<f64>, CudaSlice<f64>) = (gpu.buffer(n_parts)?, gpu.buffer(1)?);
    gpu.launch("sum_of_squares", Launch::of_blocks(n_parts)?, &[values, gpu.at(&partial), long(n)])?;
    gpu.launch("sum_of_squares_finish", Launch::of_blocks(1)?, &[gpu.at(&partial), gpu.at(&sum), int(n_parts)?])?;
    Ok(sum)
}
