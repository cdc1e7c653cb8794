//! Compares batches that are copied while others are read with what was given.

use super::super::flat::CudaOps;
use super::super::gpu::Gpu;
use super::super::uploads::{N_SLOTS, PixelUploads};
use super::compare::Finding;
use crate::cpu::CpuOps;
use crate::ops::{Ops, PatchCut};
use crate::rounding::Rounding;
use anyhow::Result;
use candle_core::{CudaDevice, Device, Tensor};

const SHAPE: [usize; 4] = [3, 3, 32, 32];
const N_BATCHES: usize = 7;

/// Cuts each of some batches into patches while the next one is copied, and compares the patches with the CPU's.
///
/// # Errors
/// When a copy or a kernel fails.
pub fn compare_uploads(device: &CudaDevice, seed: u64) -> Result<Vec<Finding>> {
    let len: usize = SHAPE.iter().product();
    let batch =
        |number: usize| -> Vec<u8> { (0..len).map(|at| ((at * at + number * 89) as u64 ^ seed) as u8).collect() };
    let cut = PatchCut { patch_size: 8, mean: [0.1, 0.2, 0.3], std: [0.4, 0.5, 0.6] };
    let gpu = Gpu::of(device)?;
    let no_weights = gpu.upload(&[0f32])?;
    let mut ops = CudaOps::new(&gpu, &no_weights, &no_weights, None);
    let uploads = PixelUploads::new(&Device::Cuda(device.clone()), SHAPE)?;
    uploads.start(0, &batch(0))?;
    let mut found = Vec::new();
    for number in 0..N_BATCHES {
        if number + 1 < N_BATCHES {
            uploads.start((number + 1) % N_SLOTS, &batch(number + 1))?;
        }
        found.push(ops.patches(&uploads.pixels(number % N_SLOTS)?, &cut)?);
        uploads.release(number % N_SLOTS)?;
    }
    let findings = found.into_iter().enumerate().map(|(number, patches)| {
        let found = gpu.stream().clone_dtoh(&patches)?;
        gpu.stream().synchronize()?;
        let pixels = Tensor::from_vec(batch(number), &SHAPE[..], &Device::Cpu)?;
        let expected = CpuOps::new(&[], &[], &mut [], Rounding::None).patches(&pixels, &cut)?;
        Ok(Finding::new(format!("batch {number}, copied during another"), &found, &expected, 1e-6))
    });
    findings.collect()
}
