//! The kernels: their WGSL and their bindings.

use crate::kernels::int8::{FINE_STEPS, STEPS};

/// A compute kernel. Its entry point is `main`.
///
/// Binding 0 of group 0 is a uniform buffer of [`Kernel::SIZES`] numbers. Then come the buffers that it reads, and those
/// that it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// Sums of weights by channel and block, once for each matrix.
    WeightSums,
    /// The patch embedding of images.
    Patchify,
    /// Class token, patches and positions, normalized.
    EmbedPatches,
    /// Rows of the token embedding, and positions.
    EmbedTokens,
    /// Layer norm, rounded to levels.
    NormLevels,
    /// Activations, rounded to levels.
    Levels,
    /// Product of levels and int8 weights.
    Product,
    /// Multi-head attention.
    Attention,
    /// One token of each sample.
    GatherRows,
    /// Layer norm and projection into the joint space.
    Project,
}

const DOT_PRODUCT: &str = "requires packed_4x8_integer_dot_product;\n";

impl Kernel {
    /// All kernels.
    pub const ALL: [Self; 10] = [
        Self::WeightSums,
        Self::Patchify,
        Self::EmbedPatches,
        Self::EmbedTokens,
        Self::NormLevels,
        Self::Levels,
        Self::Product,
        Self::Attention,
        Self::GatherRows,
        Self::Project,
    ];

    /// 32-bit numbers in the uniform buffer of a dispatch.
    pub const SIZES: usize = 8;

    /// Rows of a tile of [`Self::Product`] that one thread computes; a tile has 16 times as many.
    pub const ROWS_PER_THREAD: usize = 2;

    /// Returns the name, as in the file of its source.
    pub fn name(self) -> &'static str {
        match self {
            Self::WeightSums => "weight_sums",
            Self::Patchify => "patchify",
            Self::EmbedPatches => "embed_patches",
            Self::EmbedTokens => "embed_tokens",
            Self::NormLevels => "norm_levels",
            Self::Levels => "levels",
            Self::Product => "product",
            Self::Attention => "attention",
            Self::GatherRows => "gather_rows",
            Self::Project => "project",
        }
    }

    /// Returns the WGSL source.
    pub fn source(self) -> String {
        let levels = include_str!("wgsl/block_levels.wgsl");
        let norm = include_str!("wgsl/row_norm.wgsl");
        let steps = format!("const STEPS = {STEPS:?};\nconst FINE_STEPS = {FINE_STEPS:?};\n");
        match self {
            Self::WeightSums => format!("{DOT_PRODUCT}{}", include_str!("wgsl/weight_sums.wgsl")),
            Self::Patchify => include_str!("wgsl/patchify.wgsl").into(),
            Self::EmbedPatches => format!("{}{norm}", include_str!("wgsl/embed_patches.wgsl")),
            Self::EmbedTokens => format!("{DOT_PRODUCT}{}", include_str!("wgsl/embed_tokens.wgsl")),
            Self::NormLevels => format!("{steps}{}{norm}{levels}", include_str!("wgsl/norm_levels.wgsl")),
            Self::Levels => format!("{steps}{}{levels}", include_str!("wgsl/levels.wgsl")),
            Self::Product => {
                let rows = format!("const ROWS_PER_THREAD = {}u;\n", Self::ROWS_PER_THREAD);
                format!("{DOT_PRODUCT}{rows}{}", include_str!("wgsl/product.wgsl"))
            }
            Self::Attention => include_str!("wgsl/attention.wgsl").into(),
            Self::GatherRows => include_str!("wgsl/gather_rows.wgsl").into(),
            Self::Project => format!("{}{norm}", include_str!("wgsl/project.wgsl")),
        }
    }

    /// Returns the number of storage buffers that it reads and of those that it writes.
    pub fn n_buffers(self) -> (usize, usize) {
        match self {
            Self::WeightSums | Self::Attention => (1, 1),
            Self::Patchify | Self::GatherRows => (2, 1),
            Self::EmbedPatches | Self::EmbedTokens => (4, 1),
            Self::NormLevels | Self::Levels => (2, 2),
            Self::Product => (5, 1),
            Self::Project => (3, 1),
        }
    }
}
