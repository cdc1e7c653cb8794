//! The model while it is being trained: flat parameters, the engine's towers over them, and a model for inference.

use super::adapters::Adapters;
pub use super::gradients::Gradients;
use super::gradients::view;
use super::lock::Lock;
use super::low_rank::LowRank;
use super::parameters::{LOGIT_BIAS, LOGIT_SCALE, n_values, parameters};
use super::place::Tower;
use anyhow::{Context, Result, ensure};
use candle_core::{DType, Device, Tensor};
use dermake_device::free_bytes;
use dermake_engine::{FlatWeights, InferenceTowers, ParameterLayout, Rounding, TextEngine, VisionEngine};
use shared_model::config::ClipConfig;
use shared_model::tokenizer::{CLIP_MERGES_GZ, Tokenizer};
use shared_model::weights::{Placement, Weights};
use shared_model::{TextTower, VisionTower, ZeroShotModel};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Parameters in f32 and, at lower precision, the copies that the towers compute with.
pub struct TrainedModel {
    pub config: ClipConfig,
    pub layout: Arc<ParameterLayout>,
    /// Flat, f32.
    masters: Tensor,
    /// Views of `masters` by open_clip key.
    parameters: BTreeMap<String, Tensor>,
    /// What is trained in place of the parameters.
    adapters: Option<Adapters>,
    /// Flat, at lower precision than f32: copies that are computed with. On the CPU, which multiplies neither bf16 nor
    /// f16, they are f32 that hold values of these.
    copies: Option<Tensor>,
    rounding: Rounding,
    /// The engine's towers.
    pub vision: VisionEngine,
    pub text: TextEngine,
    pub placement: Placement,
    /// Bytes that were free when the model had been loaded, as far as a run should take them.
    pub free_bytes: u64,
}

/// Memory of a device for a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceMemory {
    /// For activations.
    pub free_bytes: u64,
    /// Of a value of an activation, and of a parameter's copy where there is one.
    pub value_bytes: usize,
    pub is_gpu: bool,
}

impl DeviceMemory {
    /// The memory of one of `n_ranks` ranks on this computer; GPUs are not shared.
    pub(super) fn of_rank(self, n_ranks: usize) -> Self {
        if self.is_gpu { self } else { Self { free_bytes: self.free_bytes / n_ranks as u64, ..self } }
    }
}

impl TrainedModel {
    /// Copies a checkpoint's tensors into parameters.
    ///
    /// # Errors
    /// When a tensor is missing, unexpected or misshapen, all of them named.
    pub fn new(weights: Weights, config: &ClipConfig, placement: &Placement) -> Result<Self> {
        Self::with_lock(weights, config, placement, &Lock::default())
    }

    /// The same, of which a part is locked.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn with_lock(
        mut weights: Weights,
        config: &ClipConfig,
        placement: &Placement,
        lock: &Lock,
    ) -> Result<Self> {
        #[cfg(feature = "cuda")]
        if placement.device.is_cuda() {
            dermake_engine::cuda::check_heads(config, placement.dtype)?;
        }
        weights.fit_positions(config)?;
        weights.check(&parameters(config), &[])?;
        let layout = Arc::new(lock.layout(config));
        let values = layout.flattened(&weights)?;
        drop(weights);
        let no_memory = "the parameters do not fit into the device's memory";
        let masters = Tensor::from_vec(values, layout.len(), &placement.device).context(no_memory)?;
        let rounding = Rounding::of(placement.dtype)?;
        let copies = rounding.copy_of(&masters).context(no_memory)?;
        let computed_with = copies.as_ref().unwrap_or(&masters);
        let placement = Placement { device: placement.device.clone(), dtype: computed_with.dtype() };
        let parameters = layout.iter().map(|(name, span)| Ok((name.to_string(), view(&masters, span)?)));
        let states = if placement.device.is_cpu() { 0 } else { BYTES_OF_STEPS * layout.n_trained() as u64 };
        Ok(Self {
            config: config.clone(),
            parameters: parameters.collect::<Result<_>>()?,
            adapters: None,
            vision: VisionEngine::new(&layout, config)?.with_locked(lock.of(Tower::Image)),
            text: TextEngine::new(&layout, config)?.with_locked(lock.of(Tower::Text)),
            layout,
            masters,
            copies,
            rounding,
            free_bytes: free_bytes(&placement.device).saturating_sub(states),
            placement,
        })
    }

    /// The same, of which low-rank adapters are trained; `lock` is [`LowRank::lock`] of the recipe's.
    ///
    /// # Errors
    /// Those of [`Adapters::new`].
    pub fn with_adapters(mut self, recipe: &LowRank, lock: &Lock) -> Result<Self> {
        self.adapters = Some(Adapters::new(recipe, &self.config, lock, &self.layout, &self.masters)?);
        Ok(self)
    }

    pub fn adapters(&self) -> Option<&Adapters> {
        self.adapters.as_ref()
    }

    /// What the optimizer changes, flat, and its places: the parameters, or the adapters.
    pub fn trained(&self) -> (&Tensor, &Arc<ParameterLayout>) {
        match &self.adapters {
            Some(adapters) => (adapters.values(), adapters.layout()),
            None => (&self.masters, &self.layout),
        }
    }

    /// The gradients of what the optimizer changes.
    ///
    /// # Errors
    /// When an operation fails.
    pub fn trained_gradients(&self, gradients: Gradients) -> Result<Gradients> {
        match &self.adapters {
            Some(adapters) => adapters.gradients(&gradients),
            None => Ok(gradients),
        }
    }

    /// Follows an update of the optimizer: merges the adapters, or keeps the logit scale in its bounds.
    ///
    /// # Errors
    /// When an operation fails.
    pub fn follow_update(&self) -> Result<()> {
        match &self.adapters {
            Some(adapters) => {
                adapters.merge(&self.masters)?;
                self.refresh()
            }
            None => self.clamp_logit_scale(),
        }
    }

    /// The model of one of `n_ranks` ranks on this computer, which share its memory.
    pub(super) fn sharing_memory(self, n_ranks: usize) -> Self {
        let (free_bytes, value_bytes) = (self.free_bytes, self.value_bytes());
        let memory = DeviceMemory { free_bytes, value_bytes, is_gpu: !self.device().is_cpu() };
        Self { free_bytes: memory.of_rank(n_ranks).free_bytes, ..self }
    }

    pub fn device(&self) -> &Device {
        &self.placement.device
    }

    /// The parameters by open_clip key, f32: views of the flat array.
    pub fn parameters(&self) -> &BTreeMap<String, Tensor> {
        &self.parameters
    }

    /// All parameters as one flat array, f32, at the places of `layout`.
    pub fn flat_parameters(&self) -> &Tensor {
        &self.masters
    }

    /// Sets one parameter; call [`Self::refresh`] afterwards.
    ///
    /// # Errors
    /// When there is no such parameter, or `value` has another shape.
    pub fn set_parameter(&self, name: &str, value: &Tensor) -> Result<()> {
        let span = self.layout.span(name)?;
        ensure!(value.dims() == span.shape, "{name} is {:?}, expected {:?}", value.dims(), span.shape);
        let value = value.to_device(self.device())?.to_dtype(DType::F32)?.flatten_all()?.force_contiguous()?;
        Ok(self.masters.slice_set(&value, 0, span.start)?)
    }

    /// Bytes of a value of an activation.
    pub fn value_bytes(&self) -> usize {
        self.placement.dtype.size_in_bytes()
    }

    /// Updates the copies that the towers compute with; must be called after parameters changed.
    pub fn refresh(&self) -> Result<()> {
        match (&self.copies, self.rounding.copy_of(&self.masters)?) {
            (Some(copies), Some(copy)) => Ok(copies.slice_set(&copy, 0, 0)?),
            _ => Ok(()),
        }
    }

    /// The logarithm of the logit scale.
    pub fn log_logit_scale(&self) -> Result<f64> {
        // The layout has a place for it in every model, and `new` has checked that it is there.
        // A copy of one value: reading a view back from a GPU would bring the whole array.
        Ok(f64::from(self.parameters[LOGIT_SCALE].force_contiguous()?.to_scalar::<f32>()?))
    }

    /// The bias of the logits, which a model for `siglip` has.
    pub fn logit_bias(&self) -> Result<Option<f64>> {
        let bias = self.parameters.get(LOGIT_BIAS);
        bias.map(|bias| Ok(f64::from(bias.force_contiguous()?.to_scalar::<f32>()?))).transpose()
    }

    /// Keeps the logarithm of the logit scale in [0, ln 100].
    pub fn clamp_logit_scale(&self) -> Result<()> {
        let value = self.parameters[LOGIT_SCALE].clamp(0f32, 100f32.ln())?;
        self.set_parameter(LOGIT_SCALE, &value)?;
        self.refresh()
    }

    /// The model for inference, over the same values: on a GPU by the engine, on the CPU by the towers of the library.
    ///
    /// # Errors
    /// When the tokenizer cannot be read.
    pub fn for_inference(&self) -> Result<ZeroShotModel> {
        let (config, placement) = (&self.config, &self.placement);
        let tokenizer = Tokenizer::from_merges_gz(CLIP_MERGES_GZ, config.text.context_length)?;
        if placement.device.is_cpu() {
            let computed_with = self.copies.as_ref().unwrap_or(&self.masters);
            let live = self.layout.iter().map(|(name, span)| Ok((name.to_string(), view(computed_with, span)?)));
            let weights = Weights::from_live(live.collect::<Result<Vec<_>>>()?);
            let vision = VisionTower::load(&weights, config, placement).context("vision tower")?;
            let text = TextTower::load(&weights, config, placement).context("text tower")?;
            return Ok(ZeroShotModel::from_towers(vision, text, config.clone(), tokenizer, placement.clone()));
        }
        let towers = InferenceTowers::over(self.flat_weights(), self.vision.clone(), self.text.clone());
        Ok(ZeroShotModel::from_engine(Box::new(towers), config.clone(), tokenizer, true, placement.clone()))
    }

    /// Parameters in the form that the engine's passes read.
    pub fn flat_weights(&self) -> FlatWeights<'_> {
        FlatWeights { masters: &self.masters, copies: self.copies.as_ref(), rounding: self.rounding }
    }
}

/// f32 of a parameter and its copy in bf16 or f16, which are on a GPU from the beginning.
const BYTES_LOADED: u64 = 6;
/// A parameter's gradient and both moments, in f32, which come with the first step.
const BYTES_OF_STEPS: u64 = 12;

/// Memory for activations, before a model is loaded. Half of a computer's memory is left for the parameters and the
/// rest.
pub(super) fn free_memory(config: &ClipConfig, placement: &Placement) -> DeviceMemory {
    let states = if placement.device.is_cpu() { 0 } else { (BYTES_LOADED + BYTES_OF_STEPS) * n_values(config) };
    let is_half_there = placement.dtype != DType::F32 && !placement.device.is_cpu();
    DeviceMemory {
        free_bytes: free_bytes(&placement.device).saturating_sub(states),
        value_bytes: if is_half_there { 2 } else { 4 },
        is_gpu: !placement.device.is_cpu(),
    }
}
