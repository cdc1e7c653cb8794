//! One launch of each kernel.

use super::buffer::Buffer;
use super::kernel::Kernel;
use crate::config::Activation;
use crate::weights::packing::INT8_QUAD;

/// One launch of a kernel.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// The kernel.
    pub kernel: Kernel,
    /// The contents of its uniform buffer.
    pub sizes: [u32; Kernel::SIZES],
    /// Its storage buffers by binding, from 1.
    pub buffers: Vec<Buffer>,
    /// Number of workgroups along x, y and z.
    pub workgroups: [u32; 3],
}

/// What a product does with its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Epilogue {
    /// Stores them.
    Store,
    /// Adds them to what is there: the residual.
    Add,
    /// Applies an activation. [`Activation::TanhGelu`] has no kernel.
    Activate(Activation),
}

/// Columns of activations in blocks of one step each.
#[derive(Clone, Copy, Debug)]
pub struct Blocks {
    /// Columns.
    pub width: usize,
    /// Columns of a block, at most 256.
    pub block_width: usize,
    /// Levels of seven bits for each activation: one, or two for 14 bits.
    pub passes: usize,
}

impl Blocks {
    /// Returns the number of blocks.
    pub fn count(self) -> usize {
        self.width.div_ceil(self.block_width)
    }

    /// Returns the 32-bit words of a row's levels.
    pub fn level_words(self) -> usize {
        self.passes * self.width / INT8_QUAD
    }

    /// Returns the 32-bit words of a row's steps.
    pub fn step_words(self) -> usize {
        2 * self.passes * self.count()
    }

    fn quads(self) -> u32 {
        (self.width / INT8_QUAD) as u32
    }

    fn block_quads(self) -> u32 {
        (self.block_width / INT8_QUAD) as u32
    }
}

/// The sizes of a product.
#[derive(Clone, Copy, Debug)]
pub struct ProductSizes {
    /// Rows of activations.
    pub rows: usize,
    /// Output channels.
    pub n_out: usize,
    /// Input channels.
    pub n_in: Blocks,
}

fn sizes<const N: usize>(values: [u32; N]) -> [u32; Kernel::SIZES] {
    let mut sizes = [0; Kernel::SIZES];
    sizes[..N].copy_from_slice(&values);
    sizes
}

fn groups(n: usize, per_group: usize) -> u32 {
    n.div_ceil(per_group) as u32
}

impl Dispatch {
    /// [`Kernel::Product`] of levels, steps, values, channels and sums, into the last buffer.
    pub fn product(of: ProductSizes, epilogue: Epilogue, buffers: [Buffer; 6]) -> Self {
        let ProductSizes { rows, n_out, n_in } = of;
        let epilogue = match epilogue {
            Epilogue::Store => 0,
            Epilogue::Add => 1,
            Epilogue::Activate(Activation::QuickGelu) => 2,
            Epilogue::Activate(_) => 3,
        };
        Self {
            kernel: Kernel::Product,
            sizes: sizes([
                rows as u32,
                n_out as u32,
                n_in.quads(),
                n_in.block_quads(),
                epilogue,
                n_in.passes as u32,
            ]),
            buffers: buffers.into(),
            workgroups: [groups(n_out, 64), groups(rows, 16 * Kernel::ROWS_PER_THREAD), 1],
        }
    }

    /// [`Kernel::WeightSums`] of values into sums.
    pub fn weight_sums(n_out: usize, n_in: Blocks, buffers: [Buffer; 2]) -> Self {
        Self {
            kernel: Kernel::WeightSums,
            sizes: sizes([n_out as u32, n_in.quads(), n_in.block_quads()]),
            buffers: buffers.into(),
            workgroups: [groups(n_out, 64), n_in.count() as u32, 1],
        }
    }

    /// [`Kernel::Levels`] of values and factors of columns into levels and steps.
    pub fn levels(rows: usize, blocks: Blocks, buffers: [Buffer; 4]) -> Self {
        Self {
            kernel: Kernel::Levels,
            sizes: sizes([rows as u32, blocks.quads(), blocks.block_quads(), blocks.passes as u32]),
            buffers: buffers.into(),
            workgroups: [rows as u32, blocks.count() as u32, 1],
        }
    }

    /// [`Kernel::NormLevels`] of values and a norm into levels and steps.
    pub fn norm_levels(rows: usize, blocks: Blocks, eps: f32, buffers: [Buffer; 4]) -> Self {
        Self {
            kernel: Kernel::NormLevels,
            sizes: sizes([rows as u32, blocks.quads(), blocks.block_quads(), blocks.passes as u32, eps.to_bits()]),
            buffers: buffers.into(),
            workgroups: [rows as u32, 1, 1],
        }
    }

    /// [`Kernel::Attention`] of queries, keys and values `[B, N, 3 D]` into `[B, N, D]`.
    pub fn attention(
        [batch, n_tokens]: [usize; 2],
        [heads, head_width]: [usize; 2],
        is_causal: bool,
        buffers: [Buffer; 2],
    ) -> Self {
        let scale = (head_width as f32).powf(-0.5);
        Self {
            kernel: Kernel::Attention,
            sizes: sizes([
                n_tokens as u32,
                heads as u32,
                (head_width / INT8_QUAD) as u32,
                u32::from(is_causal),
                scale.to_bits(),
            ]),
            buffers: buffers.into(),
            workgroups: [groups(n_tokens, 16), heads as u32, batch as u32],
        }
    }

    /// [`Kernel::GatherRows`] by positions, of values `[B, N, D]` into `[B, D]`.
    pub fn gather_rows([batch, n_tokens]: [usize; 2], width: usize, buffers: [Buffer; 3]) -> Self {
        Self {
            kernel: Kernel::GatherRows,
            sizes: sizes([n_tokens as u32, (width / INT8_QUAD) as u32]),
            buffers: buffers.into(),
            workgroups: [batch as u32, 1, 1],
        }
    }

    /// [`Kernel::Project`] of tokens, a norm and a projection `[D, E]` into features.
    pub fn project(batch: usize, [width, embed_dim]: [usize; 2], eps: f32, buffers: [Buffer; 4]) -> Self {
        Self {
            kernel: Kernel::Project,
            sizes: sizes([(width / INT8_QUAD) as u32, embed_dim as u32, eps.to_bits()]),
            buffers: buffers.into(),
            workgroups: [groups(embed_dim, 64), batch as u32, 1],
        }
    }

    /// [`Kernel::Patchify`] of pixels and kernels into patches `[B, P, D]`.
    pub fn patchify(
        [batch, width]: [usize; 2],
        [image_size, patch_size]: [usize; 2],
        buffers: [Buffer; 3],
    ) -> Self {
        let grid = image_size / patch_size;
        let patches = batch * grid * grid;
        Self {
            kernel: Kernel::Patchify,
            sizes: sizes([patches as u32, width as u32, grid as u32, patch_size as u32, image_size as u32]),
            buffers: buffers.into(),
            workgroups: [groups(width, 64), groups(patches, 32), 1],
        }
    }

    /// [`Kernel::EmbedPatches`] of patches, class token, positions and a norm into tokens.
    pub fn embed_patches([batch, n_tokens]: [usize; 2], width: usize, eps: f32, buffers: [Buffer; 5]) -> Self {
        Self {
            kernel: Kernel::EmbedPatches,
            sizes: sizes([n_tokens as u32, (width / INT8_QUAD) as u32, eps.to_bits()]),
            buffers: buffers.into(),
            workgroups: [(batch * n_tokens) as u32, 1, 1],
        }
    }

    /// [`Kernel::EmbedTokens`] of ids, table, scales and positions into tokens.
    pub fn embed_tokens([batch, n_tokens]: [usize; 2], width: usize, buffers: [Buffer; 5]) -> Self {
        Self {
            kernel: Kernel::EmbedTokens,
            sizes: sizes([n_tokens as u32, (width / INT8_QUAD) as u32]),
            buffers: buffers.into(),
            workgroups: [(batch * n_tokens) as u32, 1, 1],
        }
    }
}
