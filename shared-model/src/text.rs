//! The text tower: token ids to one vector a text.

use crate::config::{ClipConfig, NormOrder, TextConfig, TextPooling, Visibility};
use crate::linear::{Embedding, Linear};
use crate::ops::LayerNorm;
use crate::projection::Projection;
use crate::shared_tokens::SharedTokens;
use crate::transformer::{Observer, Transformer, TransformerConfig, biased, unit_length};
use crate::weights::{Placement, Weights};
use crate::{Error, Result, finite};
use candle_core::{DType, Device, Tensor};

/// A text transformer: CLIP's, which is causal and pools at the end token; SigLIP's, in which every token sees all; or
/// BERT.
pub struct TextTower {
    token_embedding: Embedding,
    /// With BERT's type embedding of all tokens in it.
    positional_embedding: Tensor,
    ln_pre: Option<LayerNorm>,
    transformer: Transformer,
    ln_final: Option<LayerNorm>,
    pooler: Option<Linear>,
    projection: Projection,
    config: TextConfig,
    placement: Placement,
}

/// The tokens of a batch of texts that are computed.
struct Tokens {
    /// `[B, L]`; `[1, T]` where padding is left out.
    ids: Tensor,
    /// `[1, L]` or `[1, T]`
    positions: Tensor,
    /// The first token of each text and behind them the number of all, where padding is left out.
    starts: Option<Vec<usize>>,
}

impl TextTower {
    /// Builds the tower from a checkpoint that has it, alone or beside the vision tower.
    ///
    /// # Errors
    /// [`Error::CheckpointMismatch`] with every tensor that is missing, unexpected or misshapen.
    pub fn load(weights: &Weights, config: &ClipConfig, placement: &Placement) -> Result<Self> {
        weights.check(&config.text_parameters(), &config.vision_parameters())?;
        Self::build(weights, config, placement)
    }

    /// Builds the tower from weights that were checked.
    pub(crate) fn build(weights: &Weights, config: &ClipConfig, placement: &Placement) -> Result<Self> {
        let text = &config.text;
        let norm = |name: &str, is_there: bool| {
            is_there.then(|| LayerNorm::load(weights, name, text.norm_eps, placement)).transpose()
        };
        let mut positional_embedding = weights.tensor("positional_embedding", placement)?;
        if text.token_types.is_some() {
            let first_type = weights.tensor("token_type_embedding", placement)?.narrow(0, 0, 1)?;
            positional_embedding = positional_embedding.broadcast_add(&first_type)?;
        }
        let has_pooler = text.pooling == TextPooling::PooledFirstToken;
        let blocks = TransformerConfig::text(config);
        Ok(Self {
            token_embedding: Embedding::load(weights, "token_embedding.weight", placement)?,
            positional_embedding,
            ln_pre: norm("ln_pre", text.norm_order == NormOrder::Post)?,
            transformer: Transformer::load(weights, "transformer.resblocks", &blocks, placement)?,
            ln_final: norm("ln_final", text.norm_order == NormOrder::Pre)?,
            pooler: has_pooler.then(|| biased(weights, "pooler", placement)).transpose()?,
            projection: Projection::load(weights, "text_projection", text.projection, placement)?,
            config: text.clone(),
            placement: placement.clone(),
        })
    }

    /// Encodes tokenized texts.
    ///
    /// What cannot change a text's feature is not computed: where attention is causal, the batch is cut behind its last
    /// end token; where padding is not seen, it is left out.
    ///
    /// # Shapes
    /// - `input_ids`: one row a text, all of one length up to `context_length`
    /// - returns `[B, E]` f32, rows of unit length
    ///
    /// # Errors
    /// [`Error::NotFinite`] when the weights lead to values that are NaN or infinite.
    pub fn text_features(&self, input_ids: &[Vec<u32>]) -> Result<Tensor> {
        let raw = self.raw_text_features(input_ids)?;
        finite::check_features("text features", &raw)?;
        unit_length(&raw)
    }

    /// [`Self::text_features`] before normalization to unit length.
    pub fn raw_text_features(&self, input_ids: &[Vec<u32>]) -> Result<Tensor> {
        if let Some(pooled) = self.pooled_of_shared(input_ids)? {
            return Ok(self.projection.forward(&pooled)?.to_dtype(DType::F32)?);
        }
        let longest = input_ids.iter().map(|row| self.n_computed(row)).max().unwrap_or(0);
        let cut: Vec<Vec<u32>> = input_ids.iter().map(|row| row[..longest.min(row.len())].to_vec()).collect();
        self.encode_observed(&cut, &mut |_, _| {})
    }

    /// The pooled tokens `[B, D]` of a causal tower of int8 matrices on the CPU, which computes the tokens that texts
    /// begin with once for all of them, and of the last block only what is pooled.
    fn pooled_of_shared(&self, input_ids: &[Vec<u32>]) -> Result<Option<Tensor>> {
        let is_plain = self.config.visibility == Visibility::Causal
            && !matches!(self.config.pooling, TextPooling::Mean | TextPooling::PooledFirstToken);
        let (true, true, Some(ln_final)) = (is_plain, self.transformer.is_int8(), &self.ln_final) else {
            return Ok(None);
        };
        self.check_rows(input_ids)?;
        let shared = SharedTokens::of(input_ids.iter().map(|row| &row[..self.n_computed(row)]));
        let tensor = |values: &[u32]| Tensor::new(values, &Device::Cpu)?.unsqueeze(0);
        let starts = Some(vec![0, shared.ids.len()]);
        let x = self.embed(&Tokens { ids: tensor(&shared.ids)?, positions: tensor(&shared.positions)?, starts })?;
        let pooled = self.transformer.forward_last_of_shared(x, &shared)?;
        pooled.map(|pooled| ln_final.forward(&pooled.squeeze(0)?)).transpose()
    }

    /// Tokens of a row up to the last one that its feature depends on.
    pub fn n_computed(&self, ids: &[u32]) -> usize {
        self.config.n_computed(ids)
    }

    /// Raw features `[B, E]` f32 of the rows as they are, uncut, showing each stage's activations to `observe`.
    ///
    /// Where padding is not seen, activations are `[1, T, D]` of the T tokens that are no padding.
    ///
    /// # Errors
    /// When the rows are empty, of different lengths, longer than the context, hold unknown ids or nothing but padding.
    pub fn encode_observed(&self, input_ids: &[Vec<u32>], observe: Observer<'_>) -> Result<Tensor> {
        let tokens = self.tokens(input_ids)?;
        let mut x = self.embed(&tokens)?;
        if let Some(ln_pre) = &self.ln_pre {
            x = ln_pre.forward(&x)?;
            observe("ln_pre", &x);
        }
        x = self.transformer.forward(x, tokens.starts.as_deref(), observe)?;
        if let Some(ln_final) = &self.ln_final {
            x = ln_final.forward(&x)?;
            observe("ln_final", &x);
        }
        let pooled = self.pool(&x, input_ids, tokens.starts.as_deref())?;
        observe("pooled", &pooled);
        Ok(self.projection.forward(&pooled)?.to_dtype(DType::F32)?)
    }

    /// Tells which tokens are computed. Padding that is not seen is left out: nothing depends on it.
    fn tokens(&self, input_ids: &[Vec<u32>]) -> Result<Tokens> {
        let (batch, length) = self.check_rows(input_ids)?;
        if let Visibility::AllBut { padding } = self.config.visibility {
            return self.pack(input_ids, |_, _, id| id != padding);
        }
        let to_device = |tensor: Tensor| tensor.to_device(&self.placement.device);
        let ids = Tensor::from_vec(input_ids.concat(), (batch, length), &Device::Cpu)?;
        let positions = Tensor::arange(0, length as u32, &Device::Cpu)?.unsqueeze(0)?;
        Ok(Tokens { ids: to_device(ids)?, positions: to_device(positions)?, starts: None })
    }

    /// Returns the tokens that a feature depends on as they enter the blocks, without padding between the rows: `[1, T,
    /// D]`, and the first token of each row with the number of all behind them.
    pub(crate) fn packed_tokens(&self, input_ids: &[Vec<u32>]) -> Result<(Tensor, Vec<usize>)> {
        self.check_rows(input_ids)?;
        let lengths: Vec<usize> = input_ids.iter().map(|row| self.n_computed(row)).collect();
        let tokens = match self.config.visibility {
            Visibility::AllBut { .. } => self.tokens(input_ids)?,
            _ => self.pack(input_ids, |row, position, _| position < lengths[row])?,
        };
        let mut x = self.embed(&tokens)?;
        if let Some(ln_pre) = &self.ln_pre {
            x = ln_pre.forward(&x)?;
        }
        Ok((x, tokens.starts.unwrap_or_default()))
    }

    /// Puts the tokens that `is_kept` says of row, position and id behind one another.
    fn pack(&self, input_ids: &[Vec<u32>], is_kept: impl Fn(usize, usize, u32) -> bool) -> Result<Tokens> {
        let (mut ids, mut positions, mut starts) = (Vec::new(), Vec::new(), vec![0]);
        for (row, row_ids) in input_ids.iter().enumerate() {
            let kept = row_ids.iter().enumerate().filter(|(position, id)| is_kept(row, *position, **id));
            for (position, &id) in kept {
                positions.push(position as u32);
                ids.push(id);
            }
            if starts.last() == Some(&ids.len()) {
                return Err(rows_error("a row of token ids holds nothing but padding".into()));
            }
            starts.push(ids.len());
        }
        let to_device = |values: Vec<u32>| -> Result<Tensor> {
            Ok(Tensor::new(values, &Device::Cpu)?.unsqueeze(0)?.to_device(&self.placement.device)?)
        };
        Ok(Tokens { ids: to_device(ids)?, positions: to_device(positions)?, starts: Some(starts) })
    }

    /// What enters the blocks.
    fn embed(&self, Tokens { ids, positions, starts }: &Tokens) -> Result<Tensor> {
        let positions = match starts {
            None => self.positional_embedding.narrow(0, 0, positions.dim(1)?)?,
            Some(_) => self.positional_embedding.index_select(&positions.squeeze(0)?, 0)?,
        };
        Ok(self.token_embedding.forward(ids)?.broadcast_add(&positions)?)
    }

    /// `[B, D]` of the tokens as they leave the last norm.
    fn pool(&self, x: &Tensor, input_ids: &[Vec<u32>], starts: Option<&[usize]>) -> Result<Tensor> {
        let length = x.dim(1)?;
        let start = |row: usize| starts.map_or(row * length, |starts| starts[row]);
        let end = |row: usize| starts.map_or((row + 1) * length, |starts| starts[row + 1]);
        let rows = x.flatten_to(1)?;
        if self.config.pooling == TextPooling::Mean {
            let mean = |row| rows.narrow(0, start(row), end(row) - start(row))?.mean_keepdim(0);
            let means = (0..input_ids.len()).map(mean).collect::<candle_core::Result<Vec<_>>>()?;
            return Ok(Tensor::cat(&means, 0)?);
        }
        let pooled_row = |(row, ids): (usize, &Vec<u32>)| match self.config.pooling {
            TextPooling::LastToken => end(row) as u32 - 1,
            pooling => (start(row) + pooling.position(ids)) as u32,
        };
        let pooled_rows: Vec<u32> = input_ids.iter().enumerate().map(pooled_row).collect();
        let pooled = rows.index_select(&Tensor::new(pooled_rows, &self.placement.device)?, 0)?;
        match &self.pooler {
            Some(pooler) => Ok(pooler.forward(&pooled)?.tanh()?),
            None => Ok(pooled),
        }
    }

    fn check_rows(&self, input_ids: &[Vec<u32>]) -> Result<(usize, usize)> {
        let TextConfig { context_length, vocab_size, .. } = self.config;
        let length = input_ids.first().map_or(0, Vec::len);
        if length == 0 || length > context_length || input_ids.iter().any(|row| row.len() != length) {
            return Err(rows_error(format!("token rows must share one length of 1 to {context_length}")));
        }
        if let Some(id) = input_ids.iter().flatten().find(|&&id| id as usize >= vocab_size) {
            return Err(rows_error(format!("token id {id} is outside the vocabulary of {vocab_size}")));
        }
        Ok((input_ids.len(), length))
    }
}

fn rows_error(detail: String) -> Error {
    Error::Tensor(candle_core::Error::Msg(detail))
}

/// Token rows of one length, cut where the longest of them ends: causal attention makes what follows inert.
pub fn cut_behind_last_eot(input_ids: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let longest = input_ids.iter().map(|row| text_length(row)).max().unwrap_or(0);
    input_ids.iter().map(|row| row[..longest.min(row.len())].to_vec()).collect()
}

/// Tokens of one of CLIP's texts up to its end token, which is counted; what follows is padding.
pub fn text_length(ids: &[u32]) -> usize {
    TextPooling::LargestId.position(ids) + 1
}
