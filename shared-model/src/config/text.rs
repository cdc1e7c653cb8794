//! The text transformer (`text_cfg`).

use super::{Activation, Blocks, NormOrder, Projection, TORCH_NORM_EPS};
use serde::{Deserialize, Serialize};

/// The text transformer (`text_cfg`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextConfig {
    /// Context length L, in tokens.
    pub context_length: usize,
    /// Positions that have an embedding, where they are more than `context_length`.
    pub positions: Option<usize>,
    /// Token ids that have an embedding.
    pub vocab_size: usize,
    /// Width D of the residual stream.
    pub width: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Number of attention heads H, a divisor of the width.
    pub heads: usize,
    /// Width of the MLP's hidden layer.
    pub mlp_width: usize,
    /// Activation of the MLPs.
    pub activation: Activation,
    /// Epsilon of every layer norm.
    pub norm_eps: f32,
    /// Where the layer norms of a block are.
    pub norm_order: NormOrder,
    /// Which tokens a token sees.
    pub visibility: Visibility,
    /// BERT's number of token types; every token is of the first.
    pub token_types: Option<usize>,
    /// From tokens to one vector.
    pub pooling: TextPooling,
    /// From that vector to the feature.
    pub projection: Projection,
}

/// Which tokens a token of a text sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Itself and the tokens before it.
    Causal,
    /// All tokens, padding included (SigLIP).
    All,
    /// All tokens but those of this id (BERT).
    AllBut {
        /// The id of the padding.
        padding: u32,
    },
}

/// How the tokens of a text become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextPooling {
    /// The first token of the largest id, which is the end token of OpenAI's vocabulary.
    LargestId,
    /// The first token of this id, or the first of all where there is none.
    FirstOf {
        /// The id of the end token.
        id: u32,
    },
    /// The first token of all.
    FirstToken,
    /// The first token through a linear layer and the hyperbolic tangent (BERT's own pooler).
    PooledFirstToken,
    /// The last token, padding included.
    LastToken,
    /// The mean of all tokens that are seen.
    Mean,
}

impl TextPooling {
    /// Returns the id of the token that is pooled, where the config has one.
    pub fn end_id(self) -> Option<u32> {
        match self {
            Self::FirstOf { id } => Some(id),
            _ => None,
        }
    }

    /// Returns the position of the one token that is pooled; the last one where all are.
    pub(crate) fn position(self, ids: &[u32]) -> usize {
        match self {
            // The first of equal ones.
            Self::LargestId => (0..ids.len()).max_by_key(|&at| (ids[at], std::cmp::Reverse(at))).unwrap_or(0),
            Self::FirstOf { id } => ids.iter().position(|&other| other == id).unwrap_or(0),
            Self::LastToken | Self::Mean => ids.len().saturating_sub(1),
            Self::FirstToken | Self::PooledFirstToken => 0,
        }
    }
}

impl TextConfig {
    /// Returns the number of tokens of a row up to the last one that its feature depends on.
    pub fn n_computed(&self, ids: &[u32]) -> usize {
        match self.visibility {
            Visibility::Causal => self.pooling.position(ids) + 1,
            Visibility::All => ids.len(),
            Visibility::AllBut { padding } => ids.iter().rposition(|&id| id != padding).map_or(0, |last| last + 1),
        }
    }

    /// Sizes and activation of its blocks.
    pub(super) fn blocks(&self) -> Blocks {
        let Self { width, layers, heads, mlp_width, activation, .. } = *self;
        Blocks { width, layers, heads, mlp_width, activation }
    }

    /// Positions that have an embedding.
    pub fn n_positions(&self) -> usize {
        self.positions.unwrap_or(self.context_length)
    }

    /// open_clip's own text transformer of these sizes.
    pub(crate) fn plain(context_length: usize, vocab_size: usize, blocks: Blocks) -> Self {
        let Blocks { width, layers, heads, mlp_width, activation } = blocks;
        Self {
            context_length,
            positions: None,
            vocab_size,
            width,
            layers,
            heads,
            mlp_width,
            activation,
            norm_eps: TORCH_NORM_EPS,
            norm_order: NormOrder::Pre,
            visibility: Visibility::Causal,
            token_types: None,
            pooling: TextPooling::LargestId,
            projection: Projection::Linear { bias: false },
        }
    }
}
