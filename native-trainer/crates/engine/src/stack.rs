//! The blocks of one tower, with their activations kept or computed again.

use super::block::{Block, BlockActivations};
use super::keep::{Keep, PartBytes};
use super::layout::ParameterLayout;
use super::locked::Locked;
use super::ops::{Ops, Sequences};
use anyhow::Result;
use shared_model::config::Activation;
use shared_model::fused::Heads;

/// `resblocks`: the blocks of one tower.
#[derive(Clone, Debug)]
pub struct Stack {
    blocks: Vec<Block>,
    width: usize,
    locked: Locked,
}

/// Activations of a forward pass for the backward pass.
pub enum KeptBlocks<O: Ops> {
    All(Vec<BlockActivations<O>>),
    /// The input of each block; each block is computed again.
    Inputs(Vec<O::Matrix>),
    Nothing,
}

impl Stack {
    /// # Errors
    /// When a parameter of a block is not in the layout.
    pub fn new(
        layout: &ParameterLayout,
        prefix: &str,
        layers: usize,
        heads: Heads,
        activation: Activation,
    ) -> Result<Self> {
        let block = |layer| Block::new(layout, &format!("{prefix}.{layer}"), heads, activation);
        Ok(Self {
            blocks: (0..layers).map(block).collect::<Result<_>>()?,
            width: heads.count * heads.width,
            locked: Locked::Nothing,
        })
    }

    /// Locks a part of the tower; keeps no activations of it.
    pub fn lock(&mut self, locked: Locked) {
        self.locked = locked;
    }

    /// The locked part of the tower.
    pub fn locked(&self) -> Locked {
        self.locked
    }

    /// Blocks from the first on that get no gradients.
    fn n_locked(&self) -> usize {
        self.locked.n_blocks(self.blocks.len())
    }

    /// D
    pub fn width(&self) -> usize {
        self.width
    }

    /// Bytes that are kept of `n_tokens`, in values of `value_bytes`.
    pub fn bytes(&self, n_tokens: usize, value_bytes: usize) -> PartBytes {
        let of_block = |block: &Block| block.kept_width() * value_bytes + block.n_statistics() * size_of::<f32>();
        let (n_tokens, trained) = (n_tokens as u64, &self.blocks[self.n_locked()..]);
        PartBytes {
            all: n_tokens * trained.iter().map(of_block).sum::<usize>() as u64,
            inputs: n_tokens * (trained.len() * self.width * value_bytes) as u64,
        }
    }

    /// Returns the output of the blocks, `[T, D]`, and the activations that `keep` selects.
    pub fn forward<O: Ops>(
        &self,
        ops: &mut O,
        mut x: O::Matrix,
        sequences: &Sequences,
        keep: Keep,
    ) -> Result<(O::Matrix, KeptBlocks<O>)> {
        let (mut all, mut inputs) = (Vec::new(), Vec::new());
        for (layer, block) in self.blocks.iter().enumerate() {
            let (y, activations) = block.forward(ops, x, sequences)?;
            match if layer < self.n_locked() { Keep::Nothing } else { keep } {
                Keep::All => all.push(activations),
                Keep::Inputs => inputs.push(activations.input),
                Keep::Nothing => {}
            }
            x = y;
        }
        let kept = match keep {
            Keep::All => KeptBlocks::All(all),
            Keep::Inputs => KeptBlocks::Inputs(inputs),
            Keep::Nothing => KeptBlocks::Nothing,
        };
        Ok((x, kept))
    }

    /// Returns the gradient of what entered the blocks that are not locked, given that of what left them.
    ///
    /// # Errors
    /// When nothing was kept.
    pub fn backward<O: Ops>(
        &self,
        ops: &mut O,
        kept: KeptBlocks<O>,
        sequences: &Sequences,
        mut gradient: O::Matrix,
    ) -> Result<O::Matrix> {
        let trained = &self.blocks[self.n_locked()..];
        match kept {
            KeptBlocks::All(kept) => {
                for (block, activations) in trained.iter().zip(kept).rev() {
                    gradient = block.backward(ops, activations, sequences, gradient)?;
                }
            }
            KeptBlocks::Inputs(inputs) => {
                for (block, input) in trained.iter().zip(inputs).rev() {
                    let (_, activations) = block.forward(ops, input, sequences)?;
                    gradient = block.backward(ops, activations, sequences, gradient)?;
                }
            }
            KeptBlocks::Nothing => anyhow::bail!("a backward pass needs the activations of its forward pass"),
        }
        Ok(gradient)
    }
}
