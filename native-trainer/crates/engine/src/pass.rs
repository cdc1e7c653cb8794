//! Passes over flat weights on the device that has them.

use super::cpu::CpuOps;
#[cfg(feature = "cuda")]
use super::cuda;
use super::ops::Pass;
use super::rounding::Rounding;
use anyhow::{Result, bail};
use candle_core::{CpuStorage, Storage, Tensor};

/// The flat weights of a model.
#[derive(Clone, Copy, Debug)]
pub struct FlatWeights<'a> {
    /// f32
    pub masters: &'a Tensor,
    /// What is computed with instead, at lower precision. On the CPU, f32 that hold bf16 or f16 values.
    pub copies: Option<&'a Tensor>,
    /// The format of the copies and of activations.
    pub rounding: Rounding,
}

impl FlatWeights<'_> {
    /// Runs a forward pass.
    ///
    /// # Errors
    /// When the pass fails, or there are no operations for the device.
    pub fn run<P: Pass>(&self, pass: P) -> Result<P::Output> {
        let (storage, _) = self.copies.unwrap_or(self.masters).storage_and_layout();
        let (master_storage, _) = self.masters.storage_and_layout();
        match (&*storage, &*master_storage) {
            (Storage::Cpu(CpuStorage::F32(weights)), Storage::Cpu(CpuStorage::F32(masters))) => {
                pass.run(&mut CpuOps::new(weights, masters, &mut [], self.rounding))
            }
            #[cfg(feature = "cuda")]
            (Storage::Cuda(_), _) => Ok(cuda::run(self.masters, self.copies, None, pass)?.0),
            _ => bail!("a pass needs weights on the CPU or on a CUDA device"),
        }
    }

    /// Runs a pass, and returns the flat gradients that it added up, f32: those of the first `n_trained` values.
    ///
    /// # Errors
    /// When the pass fails, or there are no operations for the device.
    pub fn run_with_gradients<P: Pass>(&self, n_trained: usize, pass: P) -> Result<(P::Output, Tensor)> {
        let (storage, _) = self.copies.unwrap_or(self.masters).storage_and_layout();
        let (master_storage, _) = self.masters.storage_and_layout();
        match (&*storage, &*master_storage) {
            (Storage::Cpu(CpuStorage::F32(weights)), Storage::Cpu(CpuStorage::F32(masters))) => {
                let mut gradients = vec![0f32; n_trained];
                let output = pass.run(&mut CpuOps::new(weights, masters, &mut gradients, self.rounding))?;
                let len = gradients.len();
                Ok((output, Tensor::from_vec(gradients, len, self.masters.device())?))
            }
            #[cfg(feature = "cuda")]
            (Storage::Cuda(_), _) => {
                let (output, gradients) = cuda::run(self.masters, self.copies, Some(n_trained), pass)?;
                Ok((output, gradients.expect("a pass with gradients returns them")))
            }
            _ => bail!("a pass needs weights on the CPU or on a CUDA device"),
        }
    }
}
