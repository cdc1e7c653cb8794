//! What the objective is given, and what it returns.

use candle_core::Tensor;

/// The features of a whole batch, f32, rows of unit length but for the local ones.
#[derive(Clone, Debug)]
pub struct Features {
    /// `[B, E]`
    pub image: Tensor,
    /// `[D, E]`, one row a distinct caption of [`Captions`](super::Captions).
    pub text: Tensor,
    /// `[B, K, E]`: the patches of image i summed for each caption of [`Objective::local_pairs`](super::Objective::local_pairs); none for `clip`.
    pub local: Option<Tensor>,
}

/// The loss of a batch, and the gradient of the total.
#[derive(Clone, Debug)]
pub struct Loss {
    /// lambda_m * MKCL
    pub mkcl: f64,
    /// lambda_s * SLRA
    pub slra: f64,
    /// Gradients in the shapes of [`Features`].
    pub image: Tensor,
    pub text: Tensor,
    pub local: Option<Tensor>,
    /// Gradient of the scale itself; that of its logarithm is this times the scale.
    pub logit_scale: f64,
    /// 0 for all but `siglip`.
    pub logit_bias: f64,
}

impl Loss {
    pub fn total(&self) -> f64 {
        self.mkcl + self.slra
    }
}
