//! The text tower, forward and backward: token ids to raw embeddings.

use super::keep::{Keep, PartBytes};
use super::layout::{NormLayer, ParameterLayout, Projection};
use super::locked::Locked;
use super::ops::{Ops, Sequences};
use super::stack::{KeptBlocks, Stack};
use anyhow::{Result, ensure};
use candle_core::Tensor;
use shared_model::config::ClipConfig;
use shared_model::fused::Heads;
use shared_model::text_length;
use std::ops::Range;

/// Texts behind one another, each cut behind its end token: attention is causal, so what follows cannot matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedTexts {
    /// Token ids of all texts, `[T]`.
    pub ids: Vec<u32>,
    pub sequences: Sequences,
}

impl PackedTexts {
    /// # Shapes
    /// - `input_ids`: one row a text; what follows the end token is left out
    pub fn new(input_ids: &[Vec<u32>]) -> Self {
        let lengths: Vec<usize> = input_ids.iter().map(|ids| text_length(ids)).collect();
        let ids = input_ids.iter().zip(&lengths).flat_map(|(ids, &length)| &ids[..length]).copied().collect();
        Self { ids, sequences: Sequences::of_lengths(lengths) }
    }

    /// Texts of these lengths whose tokens do not matter.
    pub fn of_lengths(lengths: Vec<usize>) -> Self {
        let sequences = Sequences::of_lengths(lengths);
        Self { ids: vec![0; sequences.n_tokens()], sequences }
    }

    /// Rows of the end tokens.
    fn last_rows(&self) -> Vec<u32> {
        self.sequences.starts()[1..].iter().map(|&end| end as u32 - 1).collect()
    }
}

/// The offsets of the tower's parameters in the flat arrays.
#[derive(Clone, Debug)]
pub struct TextEngine {
    token_embedding: Range<usize>,
    positional_embedding: Range<usize>,
    blocks: Stack,
    ln_final: NormLayer,
    text_projection: Projection,
    context_length: usize,
    vocab_size: usize,
}

/// Activations for the backward pass.
pub struct TextActivations<O: Ops> {
    blocks: KeptBlocks<O>,
    /// `[B, D]`: what enters `ln_final`, of the end tokens; none if the tower is locked.
    pooled: Option<O::Matrix>,
}

impl TextEngine {
    /// # Errors
    /// When a parameter of the tower is not in the layout.
    pub fn new(layout: &ParameterLayout, config: &ClipConfig) -> Result<Self> {
        let text = &config.text;
        let heads = Heads { count: text.heads, width: text.width / text.heads, is_causal: true };
        Ok(Self {
            token_embedding: layout.span("token_embedding.weight")?.range(),
            positional_embedding: layout.span("positional_embedding")?.range(),
            blocks: Stack::new(layout, "transformer.resblocks", text.layers, heads, text.activation)?,
            ln_final: layout.layer_norm("ln_final")?,
            text_projection: layout.projection("text_projection")?,
            context_length: text.context_length,
            vocab_size: text.vocab_size,
        })
    }

    /// The tower with a locked part, whose gradients are neither computed nor written.
    pub fn with_locked(mut self, locked: Locked) -> Self {
        self.blocks.lock(locked);
        self
    }

    /// Whether the whole tower is locked.
    pub fn is_locked(&self) -> bool {
        self.blocks.locked() == Locked::Tower
    }

    /// Bytes that [`TextActivations`] of `n_tokens` hold, in values of `value_bytes`.
    pub fn bytes(&self, n_tokens: usize, value_bytes: usize) -> PartBytes {
        self.blocks.bytes(n_tokens, value_bytes)
    }

    /// Encodes texts: returns `[B, E]` f32, not normalized to unit length.
    ///
    /// # Errors
    /// When a text is empty or longer than the context, or an id is outside the vocabulary.
    pub fn forward<O: Ops>(
        &self,
        ops: &mut O,
        texts: &PackedTexts,
        keep: Keep,
    ) -> Result<(Tensor, TextActivations<O>)> {
        self.check(texts)?;
        let PackedTexts { ids, sequences } = texts;
        let width = self.blocks.width();
        let x = ops.embed_tokens(&self.token_embedding, &self.positional_embedding, width, ids, sequences)?;
        let (x, blocks) = self.blocks.forward(ops, x, sequences, keep)?;
        let pooled = ops.gather_rows(&x, width, &texts.last_rows())?;
        let normalized = ops.layer_norm(&pooled, &self.ln_final)?;
        let raw = ops.project(&normalized, &self.text_projection)?;
        Ok((raw, TextActivations { blocks, pooled: (!self.is_locked()).then_some(pooled) }))
    }

    /// Adds the gradients of the tower's parameters that are not locked, given that of the raw embeddings, `[B, E]` f32.
    ///
    /// # Errors
    /// When nothing was kept.
    pub fn backward<O: Ops>(
        &self,
        ops: &mut O,
        kept: TextActivations<O>,
        texts: &PackedTexts,
        d_raw: &Tensor,
    ) -> Result<()> {
        let TextActivations { blocks, pooled } = kept;
        let Some(pooled) = pooled else { return Ok(()) };
        let PackedTexts { ids, sequences } = texts;
        let width = self.blocks.width();
        let normalized = ops.layer_norm(&pooled, &self.ln_final)?;
        let d_normalized = ops.project_gradient(&normalized, &self.text_projection, d_raw)?;
        drop(normalized);
        let d_pooled = ops.layer_norm_gradient(&pooled, &self.ln_final, d_normalized, None)?;
        let d_x = ops.gather_rows_gradient(width, &texts.last_rows(), sequences.n_tokens(), &d_pooled)?;
        let d_x = self.blocks.backward(ops, blocks, sequences, d_x)?;
        if self.blocks.locked() != Locked::Nothing {
            return Ok(());
        }
        ops.embed_tokens_gradient(&self.token_embedding, &self.positional_embedding, width, ids, sequences, &d_x)
    }

    fn check(&self, texts: &PackedTexts) -> Result<()> {
        for pair in texts.sequences.starts().windows(2) {
            let length = pair[1] - pair[0];
            let context = self.context_length;
            ensure!((1..=context).contains(&length), "a text has {length} tokens, expected 1 to {context}");
        }
        match texts.ids.iter().find(|&&id| id as usize >= self.vocab_size) {
            Some(id) => anyhow::bail!("token id {id} is outside the vocabulary of {}", self.vocab_size),
            None => Ok(()),
        }
    }
}
