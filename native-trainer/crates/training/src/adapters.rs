//! Low-rank adapters (LoRA, arXiv 2106.09685): `W + alpha / rank * B A`, of which `A` and `B` alone are trained.
//!
//! The model always has the merged matrices, so evaluation and checkpoints need nothing else. Their gradients `dW` give
//! `dB = alpha / rank * dW A^T` and `dA = alpha / rank * B^T dW`.

use super::gradients::{Gradients, view};
use super::lock::Lock;
use super::low_rank::{A, B, LowRank, rows_of};
use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use dermake_engine::{ParameterLayout, Span};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shared_model::config::ClipConfig;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The adapters of one model.
pub struct Adapters {
    layout: Arc<ParameterLayout>,
    /// All A and B, flat, f32.
    values: Tensor,
    adapted: Vec<Adapted>,
    /// alpha / rank
    factor: f64,
}

/// A matrix with its adapter.
struct Adapted {
    /// Where it starts in the flat arrays of the model.
    start: usize,
    /// `[n_out, n_in]` as the run found it.
    base: Tensor,
    a: Span,
    b: Span,
}

impl Adapters {
    /// Adapters that change nothing yet: B is 0.
    ///
    /// # Errors
    /// Those of [`LowRank::layout`].
    pub fn new(
        recipe: &LowRank,
        config: &ClipConfig,
        lock: &Lock,
        model: &ParameterLayout,
        masters: &Tensor,
    ) -> Result<Self> {
        let layout = recipe.layout(config, lock, model)?;
        let mut rng = ChaCha8Rng::seed_from_u64(recipe.seed);
        let (mut values, mut adapted) = (vec![0f32; layout.len()], Vec::new());
        for (block, matrix) in recipe.places(config, lock) {
            let (start, shape) = rows_of(model, &block, matrix)?;
            let span = |name: &str| layout.span(&format!("{block}.{}.{name}", matrix.name())).cloned();
            let (a, b) = (span(A)?, span(B)?);
            let bound = 1.0 / (shape[1] as f32).sqrt();
            values[a.range()].fill_with(|| rng.random_range(-bound..bound));
            let base = masters.narrow(0, start, shape[0] * shape[1])?.force_contiguous()?.reshape(&shape)?;
            adapted.push(Adapted { start, base, a, b });
        }
        Ok(Self {
            values: Tensor::from_vec(values, layout.len(), masters.device())?,
            layout: Arc::new(layout),
            adapted,
            factor: recipe.alpha.map_or(1.0, |alpha| alpha / recipe.rank as f64),
        })
    }

    pub fn layout(&self) -> &Arc<ParameterLayout> {
        &self.layout
    }

    /// All A and B, flat, at the places of [`Self::layout`].
    pub fn values(&self) -> &Tensor {
        &self.values
    }

    /// The gradients of A and B from those of the model.
    pub fn gradients(&self, of_model: &Gradients) -> Result<Gradients> {
        let flat = self.values.zeros_like()?;
        for Adapted { start, base, a, b } in &self.adapted {
            let of_matrix = of_model.flat().narrow(0, *start, base.elem_count())?.reshape(base.dims())?;
            let (a_values, b_values) = (self.view(a)?, self.view(b)?);
            let of_b = (of_matrix.matmul(&a_values.t()?.contiguous()?)? * self.factor)?;
            let of_a = (b_values.t()?.contiguous()?.matmul(&of_matrix)? * self.factor)?;
            flat.slice_set(&of_a.flatten_all()?, 0, a.start)?;
            flat.slice_set(&of_b.flatten_all()?, 0, b.start)?;
        }
        Ok(Gradients::new(self.layout.clone(), flat))
    }

    /// Puts the sums of matrices and adapters into the flat parameters of the model.
    pub fn merge(&self, masters: &Tensor) -> Result<()> {
        for Adapted { start, base, a, b } in &self.adapted {
            let update = (self.view(b)?.matmul(&self.view(a)?)? * self.factor)?;
            masters.slice_set(&(base + update)?.flatten_all()?, 0, *start)?;
        }
        Ok(())
    }

    fn view(&self, span: &Span) -> Result<Tensor> {
        view(&self.values, span)
    }

    /// All A and B by their keys, for a checkpoint.
    pub fn tensors(&self) -> Result<BTreeMap<String, Tensor>> {
        self.layout.iter().map(|(name, span)| Ok((name.to_string(), self.view(span)?))).collect()
    }

    /// Sets all A and B.
    ///
    /// # Errors
    /// When one is missing or has another shape; nothing has changed then.
    pub fn set(&self, tensors: &BTreeMap<String, Tensor>) -> Result<()> {
        let mut values = vec![0f32; self.layout.len()];
        for (name, span) in self.layout.iter() {
            let tensor = tensors.get(name).with_context(|| format!("there is no adapter {name}"))?;
            ensure!(tensor.dims() == span.shape, "{name} is {:?}, expected {:?}", tensor.dims(), span.shape);
            let tensor = tensor.to_device(&Device::Cpu)?.flatten_all()?;
            values[span.range()].copy_from_slice(&tensor.to_vec1::<f32>()?);
        }
        let len = values.len();
        Ok(self.values.slice_set(&Tensor::from_vec(values, len, self.values.device())?, 0, 0)?)
    }
}
