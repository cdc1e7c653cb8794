//! The transformer that both towers are made of.

mod block;
mod config;
mod contribution;

pub(crate) use contribution::on_cpu;

use crate::Result;
use crate::linear::Linear;
use crate::parallel::{map_alone, n_threads};
use crate::shared_tokens::SharedTokens;
use crate::weights::{Placement, Weights};
use block::Buffers;
pub(crate) use block::{Block, Layer, Mlp, biased, joined_block_width};
use candle_core::{D, Tensor};
pub(crate) use config::TransformerConfig;

/// Sees the activations of a forward pass by stage name: `conv1`, `ln_pre`, `block0`, ..., `ln_post`, `ln_final`,
/// `pooled`.
pub type Observer<'a> = &'a mut dyn FnMut(&str, &Tensor);

/// `resblocks`: the blocks of one tower.
pub(crate) struct Transformer {
    blocks: Vec<Block>,
    buffers: Buffers,
}

impl Transformer {
    pub(crate) fn load(
        weights: &Weights,
        prefix: &str,
        config: &TransformerConfig,
        placement: &Placement,
    ) -> Result<Self> {
        let block = |layer| Block::load(weights, &format!("{prefix}.{layer}"), config, placement);
        Ok(Self { blocks: (0..config.layers).map(block).collect::<Result<_>>()?, buffers: Buffers::default() })
    }

    /// Whether its matrices are int8, on the CPU.
    pub(crate) fn is_int8(&self) -> bool {
        self.blocks.first().is_some_and(|block| block.linear(Layer::CFc).int8().is_some())
    }

    /// Whether its blocks compute `x` as one operation each.
    fn is_fused(&self, x: &Tensor) -> bool {
        self.blocks.iter().all(|block| block.is_fused(x))
    }

    /// Computes each sample of a batch by `run`: as many at a time as there are threads, each on one of them, and those
    /// that are left over together, on all threads. A sample has the same bits in both ways.
    ///
    /// # Shapes
    /// - `x`: `[B, N, D]`
    /// - `run`: `[b, N, D]` to `[b, M, D]`, by blocks of this transformer alone
    /// - returns `[B, M, D]`
    pub fn each_sample(&self, x: Tensor, run: impl Fn(Tensor) -> Result<Tensor> + Send + Sync) -> Result<Tensor> {
        let batch = x.dim(0)?;
        let n_alone = batch - batch % n_threads();
        if batch == 1 || n_alone == 0 || !self.is_fused(&x) {
            return run(x);
        }
        let mut parts =
            map_alone(n_alone, |sample| run(x.narrow(0, sample, 1)?)).into_iter().collect::<Result<Vec<_>>>()?;
        if n_alone < batch {
            parts.push(run(x.narrow(0, n_alone, batch - n_alone)?)?);
        }
        Ok(Tensor::cat(&parts, 0)?)
    }

    /// All blocks.
    ///
    /// # Shapes
    /// - `x`: `[B, N, D]`; returns the same
    /// - `starts`: of sequences of different lengths in a batch of one, as [`attention`] takes them
    pub fn forward(&self, x: Tensor, starts: Option<&[usize]>, observe: Observer<'_>) -> Result<Tensor> {
        let mut x = x;
        for (layer, block) in self.blocks.iter().enumerate() {
            x = block.forward(&x, starts, &self.buffers)?;
            observe(&format!("block{layer}"), &x);
        }
        Ok(x)
    }

    /// The first token as it leaves the blocks: of the last block, nothing else is computed but what it attends to.
    /// `see` sees the input of each block.
    ///
    /// # Shapes
    /// - `x`: `[B, N, D]`; returns `[B, 1, D]`
    pub fn forward_first_token(&self, mut x: Tensor, see: &mut dyn FnMut(&Tensor)) -> Result<Tensor> {
        let Some((last, others)) = self.blocks.split_last() else { return Ok(x.narrow(1, 0, 1)?) };
        for block in others {
            see(&x);
            x = block.forward(&x, None, &self.buffers)?;
        }
        see(&x);
        last.forward_first_token(&x, &self.buffers)
    }

    /// What each token but the first adds, through the attention of the last blocks, to the dot product of the first
    /// token and `direction`. See [`Block::contributions`].
    ///
    /// # Shapes
    /// - `inputs`: `[1, N, D]` each, of the last blocks
    /// - `direction`: `[D]`
    /// - returns `[N - 1]`
    pub fn contributions(&self, inputs: &[Tensor], direction: &[f32]) -> Result<Vec<f32>> {
        let first = self.blocks.len().saturating_sub(inputs.len());
        let mut sums = Vec::new();
        for (block, x) in self.blocks[first..].iter().zip(inputs) {
            let added = block.contributions(x, direction)?;
            sums.resize(added.len(), 0.0);
            sums.iter_mut().zip(&added).for_each(|(sum, added)| *sum += added);
        }
        Ok(sums)
    }

    /// The last token of each text as it leaves the blocks; `None` where a block has no fused form of int8.
    ///
    /// # Shapes
    /// - `x`: `[1, T, D]`, the distinct tokens; returns `[1, B, D]`
    pub fn forward_last_of_shared(&self, mut x: Tensor, shared: &SharedTokens) -> Result<Option<Tensor>> {
        let last = shared.last_rows();
        for (layer, block) in self.blocks.iter().enumerate() {
            let wanted = (layer + 1 == self.blocks.len()).then_some(&last[..]);
            let Some(fused) = block.fused(&x, Linear::int8) else { return Ok(None) };
            x = fused.forward_shared(&x, shared, wanted, &self.buffers.int8)?;
        }
        Ok(Some(x))
    }
}

/// Smallest square of a norm that [`unit_length`] divides by: the norm is then 1e-12.
pub const SMALLEST_SQUARED_NORM: f64 = 1e-24;

/// Divides the last axis by its L2 norm, at least 1e-12, as `torch.nn.functional.normalize`.
///
/// # Shapes
/// - `x`: `[.., E]`; returns the same shape, rows of unit length (a zero row stays zero)
pub fn unit_length(x: &Tensor) -> Result<Tensor> {
    // The bound stands under the root, whose gradient would be infinite at zero.
    let norm = x.sqr()?.sum_keepdim(D::Minus1)?.maximum(SMALLEST_SQUARED_NORM)?.sqrt()?;
    Ok(x.broadcast_div(&norm)?)
}
