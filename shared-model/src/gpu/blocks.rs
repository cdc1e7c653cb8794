//! The blocks of a tower as dispatches.

use super::buffer::Buffer;
use super::constants::{Constants, Matrix};
use super::dispatch::{Blocks, Dispatch, Epilogue, ProductSizes};
use super::plan::Plan;
use crate::config::Activation;
use crate::kernels::int8::BLOCK_WIDTH;
use crate::transformer::joined_block_width;
use crate::weights::packing::INT8_QUAD;
use crate::{Error, Result};

/// The widest head of the attention kernel.
const WIDEST_HEAD: usize = 64;

/// Sizes of a tower's blocks, and how they compute.
#[derive(Clone, Copy)]
pub(super) struct BlockSizes {
    pub width: usize,
    pub heads: usize,
    pub mlp_width: usize,
    pub activation: Activation,
    pub norm_eps: f32,
    pub is_causal: bool,
}

/// The constants of one block.
struct Layer {
    ln_1: Buffer,
    in_proj: Matrix,
    out_proj: Matrix,
    out_proj_factors: Buffer,
    ln_2: Buffer,
    c_fc: Matrix,
    c_proj: Matrix,
    c_proj_factors: Buffer,
}

impl Layer {
    /// The inputs of its matrices.
    fn inputs(&self) -> [Blocks; 4] {
        [&self.in_proj, &self.out_proj, &self.c_fc, &self.c_proj].map(|matrix| matrix.n_in)
    }
}

/// The blocks of a tower.
pub(super) struct Transformer {
    sizes: BlockSizes,
    layers: Vec<Layer>,
}

/// The buffers that the blocks share.
struct Activations {
    levels: Buffer,
    steps: Buffer,
    /// `[rows, 3 D]`
    qkv: Buffer,
    /// `[rows, D]`
    joined: Buffer,
    /// `[rows, mlp_width]`
    hidden: Buffer,
    /// `[B, D]`
    joined_of_pooled: Buffer,
}

impl BlockSizes {
    /// Checks that the kernels can compute the blocks.
    ///
    /// # Errors
    /// [`Error::GpuConfig`] with what they cannot.
    pub fn check(&self) -> Result<()> {
        let Self { width, heads, mlp_width, activation, .. } = *self;
        let head_width = width / heads.max(1);
        let fail = |detail: String| Err(Error::GpuConfig { detail });
        if activation == Activation::TanhGelu {
            return fail("they have no tanh GELU".into());
        }
        if head_width > WIDEST_HEAD || !head_width.is_multiple_of(INT8_QUAD) {
            return fail(format!("heads are {head_width} wide, expected at most {WIDEST_HEAD}, in fours"));
        }
        if !width.is_multiple_of(INT8_QUAD) || !mlp_width.is_multiple_of(INT8_QUAD) {
            return fail(format!("widths are {width} and {mlp_width}, expected multiples of four"));
        }
        Ok(())
    }
}

impl Transformer {
    pub fn load(constants: &mut Constants<'_>, prefix: &str, layers: usize, sizes: BlockSizes) -> Result<Self> {
        sizes.check()?;
        let joined_width = joined_block_width(sizes.width, sizes.heads);
        let mut layer = |index: usize| {
            let name = |part: &str| format!("{prefix}.{index}.{part}");
            let mut of_norm =
                |weight: &str, bias: &str| constants.matrix_of_norm(&name(weight), &name(bias), BLOCK_WIDTH);
            let in_proj = of_norm("attn.in_proj_weight", "attn.in_proj_bias")?;
            let c_fc = of_norm("mlp.c_fc.weight", "mlp.c_fc.bias")?;
            let mut matrix = |layer: &str, block_width: usize| -> Result<(Matrix, Buffer)> {
                let weight = name(&format!("{layer}.weight"));
                let matrix = constants.matrix(&weight, &name(&format!("{layer}.bias")), block_width)?;
                Ok((matrix, constants.factors(&weight, matrix.n_in.width)?))
            };
            let (out_proj, out_proj_factors) = matrix("attn.out_proj", joined_width)?;
            let (c_proj, c_proj_factors) = matrix("mlp.c_proj", BLOCK_WIDTH)?;
            let [ln_1, ln_2] = [constants.norm(&name("ln_1"))?, constants.norm(&name("ln_2"))?];
            Ok(Layer { ln_1, in_proj, out_proj, out_proj_factors, ln_2, c_fc, c_proj, c_proj_factors })
        };
        Ok(Self { sizes, layers: (0..layers).map(&mut layer).collect::<Result<_>>()? })
    }

    /// Adds all blocks to a plan; `x` `[B, N, D]` is the input and is overwritten.
    ///
    /// Of the last block, the output of one token of each sample is computed, by the plan's positions.
    ///
    /// Returns that token, `[B, D]`.
    pub fn append(&self, plan: &mut Plan, [batch, n_tokens]: [usize; 2], x: Buffer) -> Buffer {
        let BlockSizes { width, .. } = self.sizes;
        let shared = self.activations(plan, [batch, n_tokens]);
        let pooled = plan.buffer(batch * width);
        for (index, layer) in self.layers.iter().enumerate() {
            self.attend(plan, layer, [batch, n_tokens], x, &shared);
            if index + 1 < self.layers.len() {
                self.finish(plan, layer, batch * n_tokens, [shared.joined, x], &shared);
                plan.mark(&format!("block{index}"), x);
                continue;
            }
            let positions = plan.positions;
            for (all, pooled) in [(x, pooled), (shared.joined, shared.joined_of_pooled)] {
                let buffers = [positions, all, pooled];
                plan.dispatches.push(Dispatch::gather_rows([batch, n_tokens], width, buffers));
            }
            self.finish(plan, layer, batch, [shared.joined_of_pooled, pooled], &shared);
        }
        pooled
    }

    fn activations(&self, plan: &mut Plan, [batch, n_tokens]: [usize; 2]) -> Activations {
        let BlockSizes { width, mlp_width, .. } = self.sizes;
        let rows = batch * n_tokens;
        let inputs = || self.layers.iter().flat_map(Layer::inputs);
        let most = |words: fn(Blocks) -> usize| rows * inputs().map(words).max().unwrap_or(1);
        Activations {
            levels: plan.buffer(most(Blocks::level_words)),
            steps: plan.buffer(most(Blocks::step_words)),
            qkv: plan.buffer(rows * 3 * width),
            joined: plan.buffer(rows * width),
            hidden: plan.buffer(rows * mlp_width),
            joined_of_pooled: plan.buffer(batch * width),
        }
    }

    /// The heads' outputs of all tokens.
    fn attend(
        &self,
        plan: &mut Plan,
        layer: &Layer,
        [batch, n_tokens]: [usize; 2],
        x: Buffer,
        shared: &Activations,
    ) {
        let BlockSizes { width, heads, norm_eps, is_causal, .. } = self.sizes;
        let rows = batch * n_tokens;
        let Activations { levels, steps, qkv, joined, .. } = *shared;
        let n_in = layer.in_proj.n_in;
        plan.dispatches.push(Dispatch::norm_levels(rows, n_in, norm_eps, [x, layer.ln_1, levels, steps]));
        plan.dispatches.push(product(&layer.in_proj, rows, Epilogue::Store, [levels, steps, qkv]));
        let heads = [heads, width / heads];
        plan.dispatches.push(Dispatch::attention([batch, n_tokens], heads, is_causal, [qkv, joined]));
    }

    /// What is computed for each token on its own: the output projection and the MLP, each added to `x`.
    fn finish(&self, plan: &mut Plan, layer: &Layer, rows: usize, [joined, x]: [Buffer; 2], shared: &Activations) {
        let BlockSizes { activation, norm_eps, .. } = self.sizes;
        let Activations { levels, steps, hidden, .. } = *shared;
        plan.dispatches.extend([
            Dispatch::levels(rows, layer.out_proj.n_in, [joined, layer.out_proj_factors, levels, steps]),
            product(&layer.out_proj, rows, Epilogue::Add, [levels, steps, x]),
            Dispatch::norm_levels(rows, layer.c_fc.n_in, norm_eps, [x, layer.ln_2, levels, steps]),
            product(&layer.c_fc, rows, Epilogue::Activate(activation), [levels, steps, hidden]),
            Dispatch::levels(rows, layer.c_proj.n_in, [hidden, layer.c_proj_factors, levels, steps]),
            product(&layer.c_proj, rows, Epilogue::Add, [levels, steps, x]),
        ]);
    }
}

fn product(matrix: &Matrix, rows: usize, epilogue: Epilogue, [levels, steps, out]: [Buffer; 3]) -> Dispatch {
    let Matrix { values, channels, sums, n_out, n_in } = *matrix;
    let sizes = ProductSizes { rows, n_out, n_in };
    Dispatch::product(sizes, epilogue, [levels, steps, values, channels, sums, out])
}
