//! The gradients of a step.

use anyhow::{Result, bail, ensure};
use candle_core::{CpuStorage, Device, Storage, Tensor};
use dermake_engine::{ParameterLayout, Span};
use rayon::prelude::*;
use std::sync::Arc;

/// Gradients of the total loss, f32.
#[derive(Clone, Debug)]
pub struct Gradients {
    layout: Arc<ParameterLayout>,
    flat: Tensor,
}

impl Gradients {
    /// `flat` `[layout.n_trained()]` f32.
    pub(super) fn new(layout: Arc<ParameterLayout>, flat: Tensor) -> Self {
        Self { layout, flat }
    }

    /// The flat array, f32.
    pub fn flat(&self) -> &Tensor {
        &self.flat
    }

    /// The gradient of one parameter.
    ///
    /// # Errors
    /// If the model has no parameter `name`, or the parameter is locked.
    pub fn get(&self, name: &str) -> Result<Tensor> {
        let span = self.layout.span(name)?;
        ensure!(span.start < self.layout.n_trained(), "{name} is locked and has no gradient");
        view(&self.flat, span)
    }

    /// The L2 norm over all gradients together, summed in f64.
    pub fn norm(&self) -> Result<f64> {
        const VALUES_PER_TASK: usize = 1 << 16;
        let flat = self.flat.to_device(&Device::Cpu)?;
        let (storage, _) = flat.storage_and_layout();
        let Storage::Cpu(CpuStorage::F32(values)) = &*storage else { bail!("expected gradients in f32") };
        let squares = |values: &[f32]| values.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>();
        let parts: Vec<f64> = values.par_chunks(VALUES_PER_TASK).map(squares).collect();
        Ok(parts.iter().sum::<f64>().sqrt())
    }
}

/// A view of one parameter of a flat array.
pub(super) fn view(flat: &Tensor, span: &Span) -> Result<Tensor> {
    Ok(flat.narrow(0, span.start, span.n_values())?.reshape(span.shape.as_slice())?)
}
