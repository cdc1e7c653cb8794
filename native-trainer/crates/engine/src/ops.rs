//! The operations that the passes are written in.

use super::layout::{LinearLayer, NormLayer, Projection};
use anyhow::Result;
use candle_core::Tensor;
use shared_model::config::Activation;
use shared_model::fused::Heads;
use std::ops::Range;

/// Sequences of tokens, packed behind one another without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequences {
    /// The first token of each sequence, and behind them the number of all tokens.
    starts: Vec<usize>,
}

impl Sequences {
    pub fn of_lengths(lengths: impl IntoIterator<Item = usize>) -> Self {
        let mut starts = vec![0];
        let mut end = 0;
        for length in lengths {
            end += length;
            starts.push(end);
        }
        Self { starts }
    }

    pub fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// Number of sequences.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tokens of all sequences.
    pub fn n_tokens(&self) -> usize {
        self.starts[self.len()]
    }

    /// The place of each token within its sequence.
    pub fn positions(&self) -> impl Iterator<Item = u32> {
        self.starts.windows(2).flat_map(|pair| 0..(pair[1] - pair[0]) as u32)
    }
}

/// Options of cutting images into patches.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchCut {
    /// Side p of a patch, in pixels. A remainder of the image that no patch covers is left out.
    pub patch_size: usize,
    /// Of each channel of values in [0, 1].
    pub mean: [f32; 3],
    pub std: [f32; 3],
}

/// The operations of one device, over the flat weights of one model.
///
/// A gradient of an activation is returned; the gradients of parameters are added to the flat array. `dy` is the gradient
/// of what the operation of the same name returned.
pub trait Ops {
    /// Activations, row-major, in the precision that the device computes in.
    type Matrix;
    /// f32 values that attention keeps for its backward pass.
    type Statistics;

    /// `x W^T + b`, and `residual` added where there is one: `[T, n_in]` to `[T, n_out]`.
    fn linear(
        &mut self,
        x: &Self::Matrix,
        layer: &LinearLayer,
        residual: Option<&Self::Matrix>,
    ) -> Result<Self::Matrix>;

    /// `dW += dy^T x`, `db += sum of the rows of dy`.
    fn linear_weight_gradient(&mut self, x: &Self::Matrix, layer: &LinearLayer, dy: &Self::Matrix) -> Result<()>;

    /// `dx = dy W`.
    fn linear_input_gradient(&mut self, layer: &LinearLayer, dy: &Self::Matrix) -> Result<Self::Matrix>;

    /// Layer norm over rows `[T, D]`.
    fn layer_norm(&mut self, x: &Self::Matrix, layer: &NormLayer) -> Result<Self::Matrix>;

    /// `dx`, and `residual` added where there is one.
    fn layer_norm_gradient(
        &mut self,
        x: &Self::Matrix,
        layer: &NormLayer,
        dy: Self::Matrix,
        residual: Option<&Self::Matrix>,
    ) -> Result<Self::Matrix>;

    fn activation(&mut self, kind: Activation, x: &Self::Matrix) -> Result<Self::Matrix>;

    fn activation_gradient(&mut self, kind: Activation, x: &Self::Matrix, dy: Self::Matrix)
    -> Result<Self::Matrix>;

    /// Self-attention within each sequence: `[T, 3 D]` to `[T, D]`.
    fn attention(
        &mut self,
        qkv: &Self::Matrix,
        sequences: &Sequences,
        heads: Heads,
    ) -> Result<(Self::Matrix, Self::Statistics)>;

    /// `[T, 3 D]`; `attended` and `statistics` are what [`Self::attention`] returned.
    fn attention_gradient(
        &mut self,
        qkv: &Self::Matrix,
        sequences: &Sequences,
        heads: Heads,
        attended: &Self::Matrix,
        statistics: &Self::Statistics,
        dy: &Self::Matrix,
    ) -> Result<Self::Matrix>;

    /// `table[id] + positions[position]` for each token, `[T, D]`; `positions` counts within each sequence.
    fn embed_tokens(
        &mut self,
        table: &Range<usize>,
        positions: &Range<usize>,
        width: usize,
        ids: &[u32],
        sequences: &Sequences,
    ) -> Result<Self::Matrix>;

    fn embed_tokens_gradient(
        &mut self,
        table: &Range<usize>,
        positions: &Range<usize>,
        width: usize,
        ids: &[u32],
        sequences: &Sequences,
        dy: &Self::Matrix,
    ) -> Result<()>;

    /// Images `[B, 3, S, S]` cut into patches, `[B P, 3 p p]`: channels, rows and columns of a patch in this order.
    ///
    /// Images in u8 are normalized on the way; f32 are taken as they are.
    fn patches(&mut self, pixels: &Tensor, cut: &PatchCut) -> Result<Self::Matrix>;

    /// The tokens of each image: the class embedding, then its patches; the positional embedding added. `[B P, D]` to
    /// `[B (1 + P), D]`.
    fn image_tokens(
        &mut self,
        patches: &Self::Matrix,
        class: &Range<usize>,
        positions: &Range<usize>,
    ) -> Result<Self::Matrix>;

    /// The gradient of the patches.
    fn image_tokens_gradient(
        &mut self,
        class: &Range<usize>,
        positions: &Range<usize>,
        dy: &Self::Matrix,
    ) -> Result<Self::Matrix>;

    /// Rows of `x` `[T, width]`, in the order given.
    fn gather_rows(&mut self, x: &Self::Matrix, width: usize, rows: &[u32]) -> Result<Self::Matrix>;

    /// `[n_rows, width]`: `dy` in the rows that [`Self::gather_rows`] took, each of them once, and zeros.
    fn gather_rows_gradient(
        &mut self,
        width: usize,
        rows: &[u32],
        n_rows: usize,
        dy: &Self::Matrix,
    ) -> Result<Self::Matrix>;

    /// `x P` in f32: `[T, n_in]` to `[T, n_out]`.
    fn project(&mut self, x: &Self::Matrix, projection: &Projection) -> Result<Tensor>;

    /// `dP += x^T dy`; returns `dx = dy P^T`. `dy` is `[T, n_out]` f32.
    fn project_gradient(&mut self, x: &Self::Matrix, projection: &Projection, dy: &Tensor) -> Result<Self::Matrix>;
}

/// What is computed with the operations of a device.
pub trait Pass {
    type Output;

    fn run<O: Ops>(self, ops: &mut O) -> Result<Self::Output>;
}
