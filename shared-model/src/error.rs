//! The one error type of this crate: each variant says what was expected, what came and where.

use crate::preprocess::OtherFile;
use std::fmt;

/// Result with this crate's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong between bytes and ranked labels.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // Configuration
    #[error("the model config is not the JSON that open_clip writes")]
    ConfigJson(#[source] serde_json::Error),
    #[error("model config: `{field}` is {found}, expected {expected}")]
    Config { field: String, expected: String, found: String },

    // Weights
    #[error("the checkpoint does not fit its config:{0}")]
    CheckpointMismatch(Box<MismatchReport>),
    #[error("damaged weights: {detail}")]
    Weights { detail: String },
    #[error("cannot read the safetensors data")]
    Safetensors(#[from] safetensors::SafeTensorError),
    #[error(
        "the safetensors file is cut short: it has {found_bytes} bytes, expected {expected_bytes}; download it again"
    )]
    CutShort { found_bytes: usize, expected_bytes: usize },
    #[error("expected {expected}, found {found}; {advice}")]
    ForeignFile { expected: &'static str, found: String, advice: &'static str },
    #[error("index of sharded weights: {detail}")]
    ShardIndex { detail: String },
    #[error(
        "{what}: {n_bad} of {n_values} values are NaN or infinite; the checkpoint is damaged or its training diverged"
    )]
    NotFinite { what: String, n_bad: usize, n_values: usize },
    #[error(
        "tensor {name}: all values are zero, so that every answer would be the same; the checkpoint is damaged or was \
         never filled"
    )]
    AllZero { name: String },
    #[error("logit_scale is {found}, expected the logarithm of the scale (4.6 for a scale of 100)")]
    LogitScale { found: f32 },

    #[error("labels of one's own need the text tower, which is not loaded")]
    TextTowerMissing,

    // Images
    #[error(
        "image of {width}x{height} pixels, over the limit of {limit_megapixels} megapixels or {limit_edge} a side; \
         scale it down"
    )]
    ImageTooLarge { width: u32, height: u32, limit_megapixels: u32, limit_edge: u32 },
    #[error("not enough memory for an image of {width}x{height} pixels; scale it down")]
    ImageMemory { width: u32, height: u32 },
    #[error("{0}")]
    ImageFormat(OtherFile),
    #[error("the image is damaged or incomplete: {detail}")]
    ImageDecode { detail: String },
    #[error("cannot resample: {what} is {found}, expected {expected}")]
    Resample { what: &'static str, expected: String, found: String },

    // Text
    #[error("text of {bytes} bytes, over the limit of {limit_bytes} bytes")]
    TextTooLong { bytes: usize, limit_bytes: usize },
    #[error("tokenizer vocabulary: {detail}")]
    Vocabulary { detail: String },

    #[error(transparent)]
    TextFile(#[from] crate::text_file::TextError),

    // Labels and prompts
    #[error("{what}: expected {expected}, found {found}")]
    Labels { what: String, expected: String, found: String },

    #[error("tensor computation failed")]
    Tensor(#[from] candle_core::Error),
}

/// [`Error::Weights`] of this detail.
pub(crate) fn damaged_weights(detail: String) -> Error {
    Error::Weights { detail }
}

/// Every disagreement between a checkpoint and its config, gathered before anything is reported.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MismatchReport {
    /// Keys the config asks for and the checkpoint lacks.
    pub missing: Vec<String>,
    /// Keys the checkpoint has and the config knows nothing of.
    pub unexpected: Vec<String>,
    /// Keys both have, of different shape.
    pub misshapen: Vec<Misshapen>,
    /// What the checkpoint looks like instead, in a sentence.
    pub likeness: Option<String>,
}

/// One tensor whose shape is not what the config asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Misshapen {
    pub name: String,
    pub expected: Vec<usize>,
    pub found: Vec<usize>,
}

impl MismatchReport {
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshapen.is_empty()
    }
}

/// Names of one kind that a message lists before it only counts them.
const MAX_LISTED: usize = 8;

impl fmt::Display for MismatchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(likeness) = &self.likeness {
            write!(f, " {likeness}")?;
        }
        let and_more =
            |n: usize| if n > MAX_LISTED { format!(", and {} more", n - MAX_LISTED) } else { String::new() };
        for (kind, names) in [("missing", &self.missing), ("unexpected", &self.unexpected)] {
            if !names.is_empty() {
                let listed = names[..names.len().min(MAX_LISTED)].join(", ");
                write!(f, "\n  {kind} ({}): {listed}{}", names.len(), and_more(names.len()))?;
            }
        }
        for Misshapen { name, expected, found } in self.misshapen.iter().take(MAX_LISTED) {
            write!(f, "\n  misshapen: {name} is {found:?}, expected {expected:?}")?;
        }
        if self.misshapen.len() > MAX_LISTED {
            write!(f, "\n  misshapen{}", and_more(self.misshapen.len()))?;
        }
        Ok(())
    }
}
