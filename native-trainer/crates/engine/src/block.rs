//! One pre-norm block, `m = x + attention(ln_1(x))`, `y = m + mlp(ln_2(m))`, forward and backward.

use super::layout::{LinearLayer, NormLayer, ParameterLayout};
use super::ops::{Ops, Sequences};
use anyhow::Result;
use shared_model::config::Activation;
use shared_model::fused::Heads;

/// The offsets of a block's parameters in the flat arrays, and its constants.
#[derive(Clone, Debug)]
pub struct Block {
    ln_1: NormLayer,
    in_proj: LinearLayer,
    out_proj: LinearLayer,
    ln_2: NormLayer,
    c_fc: LinearLayer,
    c_proj: LinearLayer,
    heads: Heads,
    activation: Activation,
}

/// Activations for the backward pass of a block: 7 D + F values per token, and H statistics.
pub struct BlockActivations<O: Ops> {
    /// `[T, D]`: x.
    pub input: O::Matrix,
    /// `[T, 3 D]`
    qkv: O::Matrix,
    /// `[T, D]`: the heads' outputs side by side.
    attended: O::Matrix,
    statistics: O::Statistics,
    /// `[T, D]`: m.
    middle: O::Matrix,
    /// `[T, F]`: what enters the activation.
    hidden: O::Matrix,
}

impl Block {
    /// # Errors
    /// When a parameter of the block is not in the layout.
    pub fn new(layout: &ParameterLayout, prefix: &str, heads: Heads, activation: Activation) -> Result<Self> {
        let norm = |name: &str| layout.layer_norm(&format!("{prefix}.{name}"));
        let linear = |weight: &str, bias: &str| {
            layout.linear(&format!("{prefix}.{weight}"), Some(&format!("{prefix}.{bias}")))
        };
        Ok(Self {
            ln_1: norm("ln_1")?,
            in_proj: linear("attn.in_proj_weight", "attn.in_proj_bias")?,
            out_proj: linear("attn.out_proj.weight", "attn.out_proj.bias")?,
            ln_2: norm("ln_2")?,
            c_fc: linear("mlp.c_fc.weight", "mlp.c_fc.bias")?,
            c_proj: linear("mlp.c_proj.weight", "mlp.c_proj.bias")?,
            heads,
            activation,
        })
    }

    /// Values a token that [`BlockActivations`] hold in the precision of activations.
    pub fn kept_width(&self) -> usize {
        6 * self.in_proj.n_in + self.c_fc.n_out
    }

    /// Statistics a token that [`BlockActivations`] hold.
    pub fn n_statistics(&self) -> usize {
        self.heads.count
    }

    /// Returns y `[T, D]` and what the backward pass needs.
    pub fn forward<O: Ops>(
        &self,
        ops: &mut O,
        input: O::Matrix,
        sequences: &Sequences,
    ) -> Result<(O::Matrix, BlockActivations<O>)> {
        let normalized = ops.layer_norm(&input, &self.ln_1)?;
        let qkv = ops.linear(&normalized, &self.in_proj, None)?;
        drop(normalized);
        let (attended, statistics) = ops.attention(&qkv, sequences, self.heads)?;
        let middle = ops.linear(&attended, &self.out_proj, Some(&input))?;
        let normalized = ops.layer_norm(&middle, &self.ln_2)?;
        let hidden = ops.linear(&normalized, &self.c_fc, None)?;
        drop(normalized);
        let activated = ops.activation(self.activation, &hidden)?;
        let output = ops.linear(&activated, &self.c_proj, Some(&middle))?;
        Ok((output, BlockActivations { input, qkv, attended, statistics, middle, hidden }))
    }

    /// Returns the gradient of x, given that of y.
    pub fn backward<O: Ops>(
        &self,
        ops: &mut O,
        kept: BlockActivations<O>,
        sequences: &Sequences,
        dy: O::Matrix,
    ) -> Result<O::Matrix> {
        let BlockActivations { input, qkv, attended, statistics, middle, hidden } = kept;
        // y = m + c_proj(activation(h))
        let activated = ops.activation(self.activation, &hidden)?;
        ops.linear_weight_gradient(&activated, &self.c_proj, &dy)?;
        drop(activated);
        let d_activated = ops.linear_input_gradient(&self.c_proj, &dy)?;
        let d_hidden = ops.activation_gradient(self.activation, &hidden, d_activated)?;
        drop(hidden);
        // h = c_fc(ln_2(m))
        let normalized = ops.layer_norm(&middle, &self.ln_2)?;
        ops.linear_weight_gradient(&normalized, &self.c_fc, &d_hidden)?;
        drop(normalized);
        let d_normalized = ops.linear_input_gradient(&self.c_fc, &d_hidden)?;
        drop(d_hidden);
        let d_middle = ops.layer_norm_gradient(&middle, &self.ln_2, d_normalized, Some(&dy))?;
        drop((middle, dy));
        // m = x + out_proj(attention(qkv))
        ops.linear_weight_gradient(&attended, &self.out_proj, &d_middle)?;
        let d_attended = ops.linear_input_gradient(&self.out_proj, &d_middle)?;
        let d_qkv = ops.attention_gradient(&qkv, sequences, self.heads, &attended, &statistics, &d_attended)?;
        drop((qkv, attended, statistics, d_attended));
        // qkv = in_proj(ln_1(x))
        let normalized = ops.layer_norm(&input, &self.ln_1)?;
        ops.linear_weight_gradient(&normalized, &self.in_proj, &d_qkv)?;
        drop(normalized);
        let d_normalized = ops.linear_input_gradient(&self.in_proj, &d_qkv)?;
        drop(d_qkv);
        ops.layer_norm_gradient(&input, &self.ln_1, d_normalized, Some(&d_middle))
    }
}
