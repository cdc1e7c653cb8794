//! What the configs of both towers are made of.

use serde::{Deserialize, Serialize};

/// The activation of every MLP of a tower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x * sigmoid(1.702 x)`, of models that descend from OpenAI's weights (`quick_gelu: true`).
    QuickGelu,
    /// The exact GELU, with the error function.
    Gelu,
    /// GELU's approximation with the hyperbolic tangent (`gelu_pytorch_tanh`).
    TanhGelu,
}

/// The way from a pooled vector into the joint space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Projection {
    /// The tower's width is that of the joint space.
    None,
    /// One layer.
    Linear {
        /// Whether it has a bias.
        bias: bool,
    },
    /// Two layers with an exact GELU between them.
    Mlp {
        /// Width of the hidden layer.
        width: usize,
        /// Whether the first layer has a bias.
        hidden_bias: bool,
        /// Whether the second layer has a bias.
        bias: bool,
    },
}

/// Where the layer norms of a block are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormOrder {
    /// `x + f(norm(x))`, and a norm behind the last block.
    Pre,
    /// `norm(x + f(x))`, and a norm before the first block (BERT).
    Post,
}

/// Epsilon of PyTorch's layer norms, and of open_clip's and OpenAI's.
pub const TORCH_NORM_EPS: f32 = 1e-5;

/// The sizes and the activation of a tower's blocks.
#[derive(Clone, Copy)]
pub(crate) struct Blocks {
    pub width: usize,
    pub layers: usize,
    pub heads: usize,
    pub mlp_width: usize,
    pub activation: Activation,
}
