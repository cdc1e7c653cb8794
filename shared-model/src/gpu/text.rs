//! The text tower as a program for a GPU.

use super::blocks::{BlockSizes, Transformer};
use super::buffer::Buffer;
use super::constants::{Constant, Constants};
use super::dispatch::Dispatch;
use super::plan::Plan;
use super::vision::check_family;
use crate::config::{ClipConfig, TextConfig};
use crate::text::text_length;
use crate::weights::Weights;
use crate::{Error, Result};

/// The text tower of an int8 model: its constants, and plans for batches.
pub struct TextProgram {
    /// The constant buffers.
    pub constants: Vec<Constant>,
    /// What computes some of the constants, once.
    pub preparation: Vec<Dispatch>,
    config: TextConfig,
    embed_dim: usize,
    table: [Buffer; 2],
    positional_embedding: Buffer,
    transformer: Transformer,
    ln_final: Buffer,
    projection: Buffer,
}

/// Texts of one length, as a plan takes them.
pub struct Texts {
    /// `[B, L]`, cut behind the last end token of the batch and padded.
    pub ids: Vec<u32>,
    /// `[B]`: the position of each end token.
    pub positions: Vec<u32>,
    /// L
    pub length: usize,
}

/// Lengths are rounded up to these, so that batches share plans.
const LENGTHS_IN: usize = 8;

impl TextProgram {
    /// Reads the tower of open_clip's own models in int8 or int4.
    ///
    /// # Errors
    /// As [`VisionProgram::load`](super::VisionProgram::load).
    pub fn load(weights: &Weights, config: &ClipConfig) -> Result<Self> {
        check_family(config)?;
        weights.check(&config.text_parameters(), &config.vision_parameters())?;
        let text = &config.text;
        let mut constants = Constants::new(weights);
        let sizes = BlockSizes {
            width: text.width,
            heads: text.heads,
            mlp_width: text.mlp_width,
            activation: text.activation,
            norm_eps: text.norm_eps,
            is_causal: true,
        };
        Ok(Self {
            config: text.clone(),
            embed_dim: config.embed_dim,
            table: constants.table("token_embedding.weight")?,
            positional_embedding: constants.float("positional_embedding")?,
            transformer: Transformer::load(&mut constants, "transformer.resblocks", text.layers, sizes)?,
            ln_final: constants.norm("ln_final")?,
            projection: constants.projection("text_projection")?,
            constants: constants.constants,
            preparation: constants.preparation,
        })
    }

    /// Returns token rows as a plan takes them. What follows an end token changes nothing and is left out.
    ///
    /// # Errors
    /// [`Error::Tensor`] for rows that are empty or longer than the context, and for unknown ids.
    pub fn texts(&self, input_ids: &[Vec<u32>]) -> Result<Texts> {
        let TextConfig { context_length, vocab_size, .. } = self.config;
        let fail = |detail: String| Err(Error::Tensor(candle_core::Error::Msg(detail)));
        let lengths: Vec<usize> = input_ids.iter().map(|row| text_length(row)).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        if longest == 0 || longest > context_length || input_ids.iter().any(Vec::is_empty) {
            return fail(format!("texts have 1 to {context_length} tokens, found {longest}"));
        }
        if let Some(id) = input_ids.iter().flatten().find(|&&id| id as usize >= vocab_size) {
            return fail(format!("token id {id} is outside the vocabulary of {vocab_size}"));
        }
        let length = longest.next_multiple_of(LENGTHS_IN).min(context_length);
        let ids = input_ids
            .iter()
            .zip(&lengths)
            .flat_map(|(row, &end)| row[..end].iter().copied().chain(std::iter::repeat_n(0, length - end)));
        Ok(Texts { ids: ids.collect(), positions: lengths.iter().map(|&end| end as u32 - 1).collect(), length })
    }

    /// Returns the plan for `batch` texts of `length` tokens.
    pub fn plan(&self, batch: usize, length: usize) -> Plan {
        let TextConfig { width, norm_eps, .. } = self.config;
        let mut plan = Plan::new(batch, batch * length, self.embed_dim);
        let x = plan.buffer(batch * length * width);
        let [rows, scales] = self.table;
        let buffers = [plan.input, rows, scales, self.positional_embedding, x];
        plan.dispatches.push(Dispatch::embed_tokens([batch, length], width, buffers));
        let pooled = self.transformer.append(&mut plan, [batch, length], x);
        let buffers = [pooled, self.ln_final, self.projection, plan.output];
        plan.dispatches.push(Dispatch::project(batch, [width, self.embed_dim], norm_eps, buffers));
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo;
    use crate::manifest::Manifest;
    use bytes::Bytes;

    #[test]
    fn buffers_grow_with_the_batch() {
        let file = |name| demo::file(name).unwrap();
        let config = Manifest::from_json(file(Manifest::FILE_NAME)).unwrap().clip_config().unwrap();
        let weights = Weights::from_safetensors(Bytes::from_static(file("text.safetensors"))).unwrap();
        let program = TextProgram::load(&weights, &config).unwrap();
        let largest = |batch| program.plan(batch, config.text.context_length).largest_bytes();
        assert_eq!(largest(5), 5 * largest(1));
    }
}
