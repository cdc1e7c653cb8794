//! The error type of this crate: each variant says what was expected, what was found and where.

use crate::file_kind::OtherFile;
use std::fmt;

/// Result with this crate's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong between bytes and ranked labels.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // Configuration
    /// A model config is not JSON.
    #[error("the model config is not the JSON that open_clip writes")]
    ConfigJson(#[source] serde_json::Error),
    /// A field of a config has a value that is not supported.
    #[error("model config: `{field}` is {found}, expected {expected}")]
    Config {
        /// Path of the field, as in `model_cfg.vision_cfg.layers`.
        field: String,
        /// The values that are supported.
        expected: String,
        /// The value in the file.
        found: String,
    },
    /// A manifest is not the JSON that `dermake quantize` writes.
    #[error("manifest: `{field}` is not as expected")]
    ManifestJson {
        /// Path of the innermost object or field that could be found, as in `files[0].bytes`.
        field: String,
        /// What is wrong with it, and where.
        source: serde_json::Error,
    },
    /// A field of a manifest has a value that cannot be used.
    #[error("manifest: `{field}` is {found}, expected {expected}")]
    Manifest {
        /// Path of the field, as in `files[0].sha256`.
        field: String,
        /// The values that can be used.
        expected: String,
        /// The value in the manifest.
        found: String,
    },

    // Weights
    /// Tensors are missing, unexpected or of another shape.
    #[error("the checkpoint does not fit its config:{0}")]
    CheckpointMismatch(Box<MismatchReport>),
    /// A checkpoint or one of its tensors is damaged.
    #[error("damaged weights: {detail}")]
    Weights {
        /// Which tensor or member, and what is wrong with it.
        detail: String,
    },
    /// The kernels of [`gpu`](crate::gpu) cannot compute a model.
    #[error("the GPU kernels cannot compute this model: {detail}")]
    GpuConfig {
        /// Why not.
        detail: String,
    },
    /// The header of a safetensors file is invalid.
    #[error("cannot read the safetensors data")]
    Safetensors(#[from] safetensors::SafeTensorError),
    /// A safetensors file is shorter than its header says.
    #[error(
        "the safetensors file is cut short: it has {found_bytes} bytes, expected {expected_bytes}; download it again"
    )]
    CutShort {
        /// Length of the file.
        found_bytes: usize,
        /// Length that the header announces.
        expected_bytes: usize,
    },
    /// A file of another kind than expected.
    #[error("expected {expected}, found {found}; {advice}")]
    ForeignFile {
        /// The kind of file that was expected.
        expected: &'static str,
        /// The kind of file that was found.
        found: String,
        /// What to do about it.
        advice: &'static str,
    },
    /// The index of a sharded checkpoint is invalid.
    #[error("index of sharded weights: {detail}")]
    ShardIndex {
        /// What is wrong with it.
        detail: String,
    },
    /// Values are NaN or infinite.
    #[error(
        "{what}: {n_bad} of {n_values} values are NaN or infinite; the checkpoint is damaged or its training diverged"
    )]
    NotFinite {
        /// The tensor or features.
        what: String,
        /// How many values are NaN or infinite.
        n_bad: usize,
        /// How many values there are.
        n_values: usize,
    },
    /// A projection into the joint space is zero.
    #[error(
        "tensor {name}: all values are zero, so that every answer would be the same; the checkpoint is damaged or was \
         never filled"
    )]
    AllZero {
        /// The tensor.
        name: String,
    },
    /// `logit_scale` is not the logarithm of a scale.
    #[error("logit_scale is {found}, expected the logarithm of the scale (4.6 for a scale of 100)")]
    LogitScale {
        /// The value in the checkpoint.
        found: f32,
    },
    /// Labels or texts were to be encoded by a model without its text tower.
    #[error("labels of one's own need the text tower, which is not loaded")]
    TextTowerMissing,

    // Maps
    /// A model cannot say where a photo is like a text.
    #[error("no map of where a photo is like a text: {detail}")]
    NoMap {
        /// Why not, and what to do.
        detail: String,
    },

    // Images
    /// An image has too many pixels or too long an edge.
    #[error(
        "image of {width}x{height} pixels, over the limit of {limit_megapixels} megapixels or {limit_edge} a side; \
         scale it down"
    )]
    ImageTooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Most pixels that are allowed, in millions.
        limit_megapixels: u32,
        /// Longest edge that is allowed, in pixels.
        limit_edge: u32,
    },
    /// The memory for an image's pixels could not be allocated.
    #[error("not enough memory for an image of {width}x{height} pixels; scale it down")]
    ImageMemory {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// A file is not a picture of a supported format.
    #[error("{0}")]
    ImageFormat(OtherFile),
    /// A picture is damaged or incomplete.
    #[error("the image is damaged or incomplete: {detail}")]
    ImageDecode {
        /// What the decoder reports.
        detail: String,
    },
    /// An image cannot be cropped or resized as requested.
    #[error("cannot resample: {what} is {found}, expected {expected}")]
    Resample {
        /// The size or box.
        what: &'static str,
        /// What is allowed.
        expected: String,
        /// What was requested.
        found: String,
    },

    // Text
    /// A text exceeds the limit of the tokenizer.
    #[error("text of {bytes} bytes, over the limit of {limit_bytes} bytes")]
    TextTooLong {
        /// Length of the text.
        bytes: usize,
        /// The limit.
        limit_bytes: usize,
    },
    /// The merges of a tokenizer are damaged, or do not suit the context length.
    #[error("tokenizer vocabulary: {detail}")]
    Vocabulary {
        /// What is wrong with it.
        detail: String,
    },
    /// The bytes of a text file are not text.
    #[error(transparent)]
    TextFile(#[from] crate::text_file::TextError),

    // Labels and prompts
    /// Labels, templates or features that do not fit.
    #[error("{what}: expected {expected}, found {found}")]
    Labels {
        /// The label, template or classifier.
        what: String,
        /// What is allowed.
        expected: String,
        /// What was given.
        found: String,
    },

    /// candle reports an error.
    #[error("tensor computation failed")]
    Tensor(#[from] candle_core::Error),
}

impl Error {
    /// Makes an [`Error::NoMap`] of a model whose image feature is `found`.
    pub(crate) fn no_map(found: &str) -> Self {
        let detail = format!(
            "it takes a model whose image feature is its class token, projected linearly; this one's is {found}"
        );
        Self::NoMap { detail }
    }
}

/// Makes an [`Error::Weights`].
pub(crate) fn damaged_weights(detail: String) -> Error {
    Error::Weights { detail }
}

/// All differences between a checkpoint and its config.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MismatchReport {
    /// Keys of the config that the checkpoint lacks.
    pub missing: Vec<String>,
    /// Keys of the checkpoint that the config does not have.
    pub unexpected: Vec<String>,
    /// Keys of both, with different shapes.
    pub misshapen: Vec<Misshapen>,
    /// The kind of model that the checkpoint seems to hold instead, in a sentence.
    pub likeness: Option<String>,
}

/// A tensor whose shape is not that of the config.
#[derive(Debug, PartialEq, Eq)]
pub struct Misshapen {
    /// open_clip's key.
    pub name: String,
    /// The shape that the config gives.
    pub expected: Vec<usize>,
    /// The shape in the checkpoint.
    pub found: Vec<usize>,
}

impl MismatchReport {
    /// Returns whether there are no differences.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshapen.is_empty()
    }
}

/// Most names of one kind that a message lists; it counts the others.
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
