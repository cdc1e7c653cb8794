//! The model while it is being trained: parameters by open_clip key, and both towers over them.

use anyhow::{Context, Result};
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};
use shared_model::config::{ClipConfig, Parameter};
use shared_model::weights::{Placement, Weights};
use shared_model::{TextTower, VisionTower};
use std::collections::BTreeMap;

/// Parameters in f32 and towers that compute with them, or with copies of lower precision.
pub struct TrainedModel {
    pub config: ClipConfig,
    /// f32, by open_clip key.
    masters: BTreeMap<String, Var>,
    /// What the towers compute with: the masters themselves, or bf16 copies of them.
    compute: BTreeMap<String, Var>,
    /// Builds a graph; gradients reach the parameters.
    pub tracked: Towers,
    /// The same values without a graph.
    pub plain: Towers,
    pub placement: Placement,
}

/// Both towers.
pub struct Towers {
    pub vision: VisionTower,
    pub text: TextTower,
}

/// Gradients of the total loss by open_clip key, f32.
#[derive(Clone, Debug, Default)]
pub struct Gradients(pub BTreeMap<String, Tensor>);

impl TrainedModel {
    /// Copies a checkpoint's tensors into parameters.
    ///
    /// # Errors
    /// When a tensor is missing, unexpected or misshapen, all of them named.
    pub fn new(mut weights: Weights, config: &ClipConfig, placement: &Placement) -> Result<Self> {
        weights.fit_positions(config)?;
        let parameters = parameters(config);
        weights.check(&parameters, &[])?;
        let on_device = Placement { device: placement.device.clone(), dtype: DType::F32 };
        let master = |Parameter { name, .. }: &Parameter| -> Result<(String, Var)> {
            let tensor = weights.tensor(name, &on_device)?;
            Ok((name.clone(), Var::from_tensor(&tensor.copy()?)?))
        };
        let masters: BTreeMap<_, _> = parameters.iter().map(master).collect::<Result<_>>()?;
        let compute = match placement.dtype {
            DType::F32 => masters.clone(),
            dtype => {
                let copy =
                    |(name, var): (&String, &Var)| Ok((name.clone(), Var::from_tensor(&var.to_dtype(dtype)?)?));
                masters.iter().map(copy).collect::<Result<_>>()?
            }
        };
        let tracked = compute.iter().map(|(name, var)| (name.clone(), var.as_tensor().clone()));
        let tracked = Towers::over(tracked, config, placement)?;
        let plain =
            Towers::over(compute.iter().map(|(name, var)| (name.clone(), var.detach())), config, placement)?;
        Ok(Self { config: config.clone(), masters, compute, tracked, plain, placement: placement.clone() })
    }

    pub fn device(&self) -> &Device {
        &self.placement.device
    }

    /// The parameters by open_clip key, f32.
    pub fn parameters(&self) -> &BTreeMap<String, Var> {
        &self.masters
    }

    /// Number of values in all parameters.
    pub fn n_values(&self) -> usize {
        self.masters.values().map(|var| var.elem_count()).sum()
    }

    /// Brings the copies that the towers compute with up to date; to be called after parameters changed.
    pub fn refresh(&self) -> Result<()> {
        if self.placement.dtype != DType::F32 {
            for (name, var) in &self.compute {
                var.set(&self.masters[name].to_dtype(self.placement.dtype)?)?;
            }
        }
        Ok(())
    }

    fn logit_scale_parameter(&self) -> &Var {
        // `parameters` lists it for every model, and `new` has checked that it is there.
        &self.masters[LOGIT_SCALE]
    }

    /// The logarithm of the logit scale.
    pub fn log_logit_scale(&self) -> Result<f64> {
        Ok(f64::from(self.logit_scale_parameter().to_scalar::<f32>()?))
    }

    /// Keeps the logarithm of the logit scale in [0, ln 100].
    pub fn clamp_logit_scale(&self) -> Result<()> {
        let var = self.logit_scale_parameter();
        var.set(&var.clamp(0f32, 100f32.ln())?)?;
        self.refresh()
    }

    /// Adds the gradients of the parameters in `store` to `gradients`.
    pub fn collect(&self, store: &mut GradStore, gradients: &mut Gradients) -> Result<()> {
        for (name, var) in &self.compute {
            if let Some(gradient) = store.remove(var) {
                gradients.add(name, gradient.to_dtype(DType::F32)?)?;
            }
        }
        Ok(())
    }
}

/// open_clip's key of the log parameter.
pub const LOGIT_SCALE: &str = "logit_scale";

/// Every parameter of a model.
pub fn parameters(config: &ClipConfig) -> Vec<Parameter> {
    config.vision_parameters().into_iter().chain(config.text_parameters()).collect()
}

impl Towers {
    fn over(
        tensors: impl Iterator<Item = (String, Tensor)>,
        config: &ClipConfig,
        placement: &Placement,
    ) -> Result<Self> {
        let weights = Weights::from_live(tensors);
        let vision = VisionTower::load(&weights, config, placement).context("vision tower")?;
        let text = TextTower::load(&weights, config, placement).context("text tower")?;
        Ok(Self { vision, text })
    }
}

impl Gradients {
    pub fn add(&mut self, name: &str, gradient: Tensor) -> Result<()> {
        let sum = match self.0.remove(name) {
            Some(sum) => (sum + gradient)?,
            None => gradient,
        };
        self.0.insert(name.into(), sum);
        Ok(())
    }

    /// The L2 norm over all gradients together.
    pub fn norm(&self) -> Result<f64> {
        let mut sum = 0.0;
        for gradient in self.0.values() {
            sum += f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?);
        }
        Ok(sum.sqrt())
    }

    /// Scales all gradients, of this norm together, down to at most `max_norm`, as `clip_grad_norm_` does.
    pub fn clip(&mut self, norm: f64, max_norm: f64) -> Result<()> {
        let factor = max_norm / (norm + 1e-6);
        if factor < 1.0 {
            for gradient in self.0.values_mut() {
                *gradient = (&*gradient * factor)?;
            }
        }
        Ok(())
    }
}
