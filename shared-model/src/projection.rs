//! The way from a tower's pooled vector into the joint space.

use crate::config::{Activation, Projection as Kind};
use crate::linear::Linear;
use crate::ops::activation;
use crate::weights::{Placement, Weights};
use crate::{Error, Result};
use candle_core::Tensor;

/// What is behind a tower's pooling.
pub(crate) enum Projection {
    None,
    Linear(Linear),
    /// Two layers with an exact GELU between them.
    Mlp {
        c_fc: Linear,
        c_proj: Linear,
    },
}

impl Projection {
    pub fn load(weights: &Weights, prefix: &str, kind: Kind, placement: &Placement) -> Result<Self> {
        Ok(match kind {
            Kind::None => Self::None,
            Kind::Linear { bias } => {
                let weight = weights.projection(prefix, placement)?.t()?;
                let bias = bias.then(|| weights.tensor(&format!("{prefix}_bias"), placement)).transpose()?;
                Self::Linear(Linear::dense(weight, bias)?)
            }
            Kind::Mlp { hidden_bias, bias, .. } => {
                let layer = |name: &str, has_bias: bool| {
                    let bias = has_bias.then(|| format!("{prefix}.{name}.bias"));
                    Linear::load(weights, &format!("{prefix}.{name}.weight"), bias.as_deref(), placement)
                };
                Self::Mlp { c_fc: layer("c_fc", hidden_bias)?, c_proj: layer("c_proj", bias)? }
            }
        })
    }

    /// # Shapes
    /// - `x`: `[.., D]`; returns `[.., E]`
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::None => Ok(x.clone()),
            Self::Linear(linear) => linear.forward(x),
            Self::Mlp { c_fc, c_proj } => c_proj.forward(&activation(&c_fc.forward(x)?, Activation::Gelu)?),
        }
    }

    /// The direction before the projection whose dot products are those with `direction` behind it, but for a bias.
    ///
    /// # Shapes
    /// - `direction`: `[E]`; returns `[D]`
    ///
    /// # Errors
    /// [`Error::NoMap`] where the projection is not linear.
    pub fn direction_before(&self, direction: &[f32]) -> Result<Vec<f32>> {
        match self {
            Self::None => Ok(direction.to_vec()),
            Self::Linear(linear) => linear.weighted_rows(0, direction, 1),
            Self::Mlp { .. } => Err(Error::no_map("projected by an MLP")),
        }
    }
}
