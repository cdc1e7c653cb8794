//! Attention in 16-bit integers, for int8 towers. In wasm it is twice as fast as f32, and its error is far below that
//! of eight-bit weights. It has no gradient.

use crate::fused::exp::powers;
use crate::kernels::short::tile::TileKernel;
use crate::kernels::short::{ShortPanels, ShortRows, Source, fastest_kernel, multiply};
use crate::output::{Output, Rows, RowsSize};
use crate::parallel::for_each_task;

/// Levels of the attention weights and of the values. The weights of a row add up to 1, so a sum of products fits 32
/// bits.
const FINEST: f32 = i16::MAX as f32;

/// The sizes of a call of [`join_heads`].
#[derive(Clone, Copy)]
pub(super) struct Heads {
    /// Samples B.
    pub batch: usize,
    /// Tokens N of each sample.
    pub n_tokens: usize,
    /// Number of queries: the first tokens of each sample. All tokens have keys and values.
    pub n_queries: usize,
    /// Width D of all heads together.
    pub width: usize,
    /// Number of heads.
    pub heads: usize,
    /// Whether a token attends only to itself and the tokens before it.
    pub is_causal: bool,
}

/// The memory of one task.
#[derive(Default)]
struct Scratch {
    queries: ShortRows,
    keys: ShortPanels,
    logits: Vec<f32>,
    weights: ShortRows,
    values: ShortPanels,
}

/// Computes the heads' outputs, side by side. One task computes one head of one sample.
///
/// # Shapes
/// - `qkv`: `[B, N, 3 D]`
/// - `joined`: `[B, queries, D]`
pub(super) fn join_heads(qkv: &[f32], dims: Heads, joined: &mut [f32]) {
    let Heads { batch, n_tokens, n_queries, width, heads, is_causal } = dims;
    let (head_width, fused_width) = (width / heads, 3 * width);
    assert_eq!((qkv.len(), joined.len()), (batch * n_tokens * fused_width, batch * n_queries * width));
    let kernel = fastest_kernel();
    let out = Output::new(joined);
    for_each_task(batch * heads, Scratch::default, |scratch, task| {
        let (sample, head) = (task / heads, task % heads);
        let part = |part: usize, n_rows: usize| Source {
            values: &qkv[sample * n_tokens * fused_width + part * width + head * head_width..],
            n_rows,
            width: head_width,
            stride: fused_width,
        };
        let size = RowsSize { n_rows: n_queries, width: head_width, stride: width };
        // SAFETY: the task is the only one of this sample's rows and this head's columns.
        let mut out = unsafe { out.rows(sample * n_queries * width + head * head_width, size) };
        let parts = [part(0, n_queries), part(1, n_tokens), part(2, n_tokens)];
        scratch.head(parts, is_causal, kernel, &mut out);
    });
}

impl Scratch {
    /// Computes one head of one sample into `out` `[queries, W]`.
    fn head(
        &mut self,
        [queries, keys, head_values]: [Source<'_>; 3],
        is_causal: bool,
        kernel: TileKernel,
        out: &mut Rows<'_, f32>,
    ) {
        let (width, n_tokens) = (queries.width, keys.n_rows);
        // The most with which a sum of `width` products fits 32 bits.
        let levels = (i32::MAX as f32 / width as f32).sqrt().floor().min(FINEST);
        self.queries.quantize(queries, levels);
        self.keys.pack_rows(keys, levels);
        self.logits.resize(queries.n_rows * n_tokens, 0.0);
        let mut logits = Rows::of(&mut self.logits, n_tokens);
        multiply(&self.queries, &self.keys, (width as f32).powf(-0.5), kernel, &mut logits);
        self.weights.clear(n_tokens);
        for (row, logits) in self.logits.chunks_exact_mut(n_tokens).enumerate() {
            let seen = &mut logits[..if is_causal { row + 1 } else { n_tokens }];
            let total = powers(seen);
            // The division by the total is part of the rounding, so that the weights add up to 1.
            self.weights.push(seen, FINEST / total, 1.0 / FINEST);
        }
        self.values.pack_columns(head_values, FINEST);
        multiply(&self.weights, &self.values, 1.0, kernel, out);
    }
}
