//! A block whose four matrices are packed alike, as one operation without a gradient.
//!
//! The steps between two products are fused into them: a row is normalized (and quantized, for int8) in one pass, bias
//! and activation are applied to the values of a product before they are stored, and the residuals are added in place.
//! All blocks of a tower share their buffers.

use super::attention::equal_starts;
use super::layer_norm::{LayerNorm, NormRows};
use super::short_attention::{self, Heads};
use super::values;
use crate::Result;
use crate::config::Activation;
use crate::fused::{self, activate};
use crate::kernels::int8::panels;
use crate::kernels::{PanelMatrix, Place, Values};
use crate::output::Output;
use crate::parallel::on_threads;
use crate::shared_tokens::SharedTokens;
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};
use std::sync::{Mutex, PoisonError};

/// The parameters of one block, whose weights have the form `M`.
pub(crate) struct FusedBlock<'a, M> {
    /// Norm before attention.
    pub ln_1: &'a LayerNorm,
    /// Queries, keys and values, `[3 D, D]`.
    pub in_proj: &'a M,
    /// `[D, D]`
    pub out_proj: &'a M,
    /// Norm before the MLP.
    pub ln_2: &'a LayerNorm,
    /// `[4 D, D]`, or another width of the MLP.
    pub c_fc: &'a M,
    /// `[D, 4 D]`
    pub c_proj: &'a M,
    /// Number of heads.
    pub heads: usize,
    /// Whether a token attends only to itself and the tokens before it.
    pub is_causal: bool,
    /// The activation of the MLP.
    pub activation: Activation,
}

/// The buffers of one tower that are free. A call takes one, and puts it back; without a free one it makes another. `B`
/// is the buffer of rows to multiply.
#[derive(Default)]
pub(crate) struct Workspace<B>(Mutex<Vec<Buffers<B>>>);

impl<B: Default> Workspace<B> {
    fn take(&self) -> Buffers<B> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn put_back(&self, buffers: Buffers<B>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(buffers);
    }
}

#[derive(Default)]
struct Buffers<B> {
    rows: B,
    /// What the activation gives, as rows of the layer behind it.
    hidden_rows: B,
    /// `[B, N, 3 D]`
    qkv: Vec<f32>,
    /// `[B, queries, D]`
    joined: Vec<f32>,
    /// Queries, keys and values of all tokens of texts that share some, `[T, 3 D]`, and what attention joins, `[T, D]`.
    unshared: [Vec<f32>; 2],
    /// `[B * queries, 4 D]`
    hidden: Vec<f32>,
}

/// The tokens of a call.
#[derive(Clone, Copy)]
enum Call<'a> {
    /// The first so many tokens of each sample are computed.
    First(usize),
    /// Texts that share tokens, of which these rows are computed, or all.
    Shared(&'a SharedTokens, Option<&'a [usize]>),
}

/// The sizes of a call: each sample has `n_tokens` tokens, of which the first `n_wanted` are computed.
#[derive(Clone, Copy)]
struct Tokens {
    batch: usize,
    n_tokens: usize,
    n_wanted: usize,
}

impl<M: PanelMatrix> FusedBlock<'_, M> {
    /// Computes the first `n_wanted` tokens of each sample.
    ///
    /// # Shapes
    /// - `x`: `[B, N, D]` f32 on the CPU
    /// - returns `[B, wanted, D]`
    pub fn forward(&self, x: &Tensor, n_wanted: usize, workspace: &Workspace<M::Buffer>) -> Result<Tensor> {
        let norms = [self.ln_1.rows()?, self.ln_2.rows()?];
        let call = Call::First(n_wanted);
        Ok(x.contiguous()?.apply_op1_no_bwd(&BlockOp { block: self, norms, call, workspace })?)
    }

    /// Computes the `wanted` rows of texts that share tokens, or all.
    ///
    /// # Shapes
    /// - `x`: `[1, T, D]` f32 on the CPU, the distinct tokens
    /// - returns `[1, wanted, D]`
    pub fn forward_shared(
        &self,
        x: &Tensor,
        shared: &SharedTokens,
        wanted: Option<&[usize]>,
        workspace: &Workspace<M::Buffer>,
    ) -> Result<Tensor> {
        let norms = [self.ln_1.rows()?, self.ln_2.rows()?];
        let call = Call::Shared(shared, wanted);
        Ok(x.contiguous()?.apply_op1_no_bwd(&BlockOp { block: self, norms, call, workspace })?)
    }

    /// Adds the output of attention to the `rows_wanted` of `x` `[T, D]`, the distinct tokens of texts.
    fn attend_shared(
        &self,
        x: &[f32],
        wanted: &mut [f32],
        norm: &NormRows,
        (shared, rows_wanted): (&SharedTokens, &[usize]),
        buffers: &mut Buffers<M::Buffer>,
    ) {
        let Buffers { rows, qkv, joined, unshared: [unshared, all_joined], .. } = buffers;
        let width = self.out_proj.n_out();
        let n_rows = x.len() / width;
        qkv.resize(n_rows * 3 * width, 0.0);
        let fused = Output::new(qkv);
        let normalized = self.in_proj.rows_by(rows, n_rows, |row, to| norm.normalize(row_of(x, row, width), to));
        let put = |place: Place, values: &Values| {
            // SAFETY: a channel of a row is computed by one task.
            unsafe { fused.slice(place.row * 3 * width + place.channel, values.len()) }.copy_from_slice(values);
        };
        self.in_proj.multiply(normalized, 0..3 * width, |_| (), put);
        unshared.clear();
        shared.rows.iter().for_each(|&row| unshared.extend_from_slice(row_of(qkv, row, 3 * width)));
        all_joined.resize(shared.rows.len() * width, 0.0);
        let heads = fused::Heads { count: self.heads, width: width / self.heads, is_causal: self.is_causal };
        fused::attention(unshared, &shared.starts, heads, all_joined, None);
        joined.clear();
        let of_row = |&row: &usize| row_of(all_joined, shared.places[row], width);
        rows_wanted.iter().for_each(|row| joined.extend_from_slice(of_row(row)));
        add_product(self.out_proj, self.out_proj.rows(rows, joined), wanted);
    }

    /// Adds the output of attention to `wanted` `[B, wanted, D]`, the first tokens of each sample of `x` `[B, N, D]`.
    fn attend(
        &self,
        x: &[f32],
        wanted: &mut [f32],
        norm: &NormRows,
        tokens: Tokens,
        buffers: &mut Buffers<M::Buffer>,
    ) {
        let Tokens { batch, n_tokens, n_wanted } = tokens;
        let Buffers { rows, qkv, joined, .. } = buffers;
        let width = self.out_proj.n_out();
        qkv.resize(batch * n_tokens * 3 * width, 0.0);
        let fused = Output::new(qkv);
        let put = |token: usize, channel: usize, values: &Values| {
            // SAFETY: a channel of a token is computed by one task.
            unsafe { fused.slice(token * 3 * width + channel, values.len()) }.copy_from_slice(values);
        };
        // Only wanted tokens need queries; all tokens need keys and values.
        let token_of = |row: usize| row / n_wanted * n_tokens + row % n_wanted;
        if n_wanted < n_tokens {
            let normalized = self.in_proj.rows_by(rows, batch * n_wanted, |row, to| {
                norm.normalize(row_of(x, token_of(row), width), to);
            });
            let put_query = |place: Place, values: &Values| put(token_of(place.row), place.channel, values);
            self.in_proj.multiply(normalized, 0..width, |_| (), put_query);
        }
        let first = if n_wanted < n_tokens { width } else { 0 };
        let normalized =
            self.in_proj.rows_by(rows, batch * n_tokens, |row, to| norm.normalize(row_of(x, row, width), to));
        let put_row = |place: Place, values: &Values| put(place.row, place.channel, values);
        self.in_proj.multiply(normalized, first..3 * width, |_| (), put_row);
        joined.resize(batch * n_wanted * width, 0.0);
        self.join_heads(qkv, tokens, joined);
        add_product(self.out_proj, self.out_proj.rows(rows, joined), wanted);
    }

    /// Computes attention from `qkv` `[B, N, 3 D]` into `joined` `[B, wanted, D]`.
    ///
    /// Texts attend in f32 beside int8 weights, too: 16-bit integers take their scale from all tokens, so a text's values
    /// would depend on the padding, and thus on the other texts of its batch.
    fn join_heads(&self, qkv: &[f32], tokens: Tokens, joined: &mut [f32]) {
        let Tokens { batch, n_tokens, n_wanted } = tokens;
        let (width, heads, is_causal) = (self.out_proj.n_out(), self.heads, self.is_causal);
        let of_heads = fused::Heads { count: heads, width: width / heads, is_causal };
        if M::ATTENDS_IN_SHORT && !(is_causal && n_wanted == n_tokens) {
            let dims = Heads { batch, n_tokens, n_queries: n_wanted, width, heads, is_causal };
            short_attention::join_heads(qkv, dims, joined);
        } else if n_wanted == n_tokens {
            fused::attention(qkv, &equal_starts(batch, n_tokens), of_heads, joined, None);
        } else {
            fused::attention_of_first(qkv, n_tokens, n_wanted, of_heads, joined);
        }
    }

    /// Adds the output of the MLP to tokens `[rows, D]`.
    fn transform(&self, tokens: &mut [f32], norm: &NormRows, buffers: &mut Buffers<M::Buffer>) {
        let Buffers { rows, hidden_rows, hidden, .. } = buffers;
        let width = self.c_fc.n_in();
        let n_rows = tokens.len() / width;
        let normalized = self.c_fc.rows_by(rows, n_rows, |row, to| norm.normalize(row_of(tokens, row, width), to));
        let activate = |values: &mut [f32]| activate(self.activation, values);
        let activated = self.c_fc.multiply_for(normalized, activate, self.c_proj, (hidden_rows, hidden));
        add_product(self.c_proj, activated, tokens);
    }
}

fn row_of(values: &[f32], row: usize, width: usize) -> &[f32] {
    &values[row * width..][..width]
}

/// Adds the product of `weight` and `rows` to tokens `[rows, D]`.
fn add_product<M: PanelMatrix>(weight: &M, rows: M::Rows<'_>, tokens: &mut [f32]) {
    let width = weight.n_out();
    let out = Output::new(tokens);
    let add = |place: Place, values: &Values| {
        // SAFETY: a channel of a row is computed by one task.
        panels::add(unsafe { out.slice(place.row * width + place.channel, values.len()) }, values);
    };
    weight.multiply(rows, 0..width, |_| (), add);
}

struct BlockOp<'a, M: PanelMatrix> {
    block: &'a FusedBlock<'a, M>,
    norms: [NormRows; 2],
    call: Call<'a>,
    workspace: &'a Workspace<M::Buffer>,
}

impl<M: PanelMatrix> CustomOp1 for BlockOp<'_, M> {
    fn name(&self) -> &'static str {
        "fused-block"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (batch, n_tokens, width) = layout.shape().dims3()?;
        let x = values::slice(storage, layout)?;
        let FusedBlock { in_proj, out_proj, heads, .. } = self.block;
        if *heads == 0 || width % heads != 0 || (in_proj.n_in(), out_proj.n_out()) != (width, width) {
            candle_core::bail!(
                "a fused block of width {} and {heads} heads on {:?}",
                out_proj.n_out(),
                layout.shape()
            );
        }
        if let Call::Shared(shared, _) = self.call
            && (batch, n_tokens) != (1, shared.ids.len())
        {
            candle_core::bail!("{} distinct tokens on {:?}", shared.ids.len(), layout.shape());
        }
        let mut buffers = self.workspace.take();
        let wanted = on_threads(|| self.compute(x, (batch, n_tokens), &mut buffers));
        self.workspace.put_back(buffers);
        let n_wanted = wanted.len() / (batch * width).max(1);
        Ok((CpuStorage::F32(wanted), Shape::from((batch, n_wanted, width))))
    }
}

impl<M: PanelMatrix> BlockOp<'_, M> {
    /// Computes the wanted tokens of `x` `[B, N, D]`.
    fn compute(&self, x: &[f32], (batch, n_tokens): (usize, usize), buffers: &mut Buffers<M::Buffer>) -> Vec<f32> {
        let width = self.block.out_proj.n_out();
        let mut wanted = Vec::new();
        match self.call {
            Call::First(n_wanted) => {
                let n_wanted = n_wanted.min(n_tokens);
                for sample in x.chunks_exact((n_tokens * width).max(1)) {
                    wanted.extend_from_slice(&sample[..n_wanted * width]);
                }
                let tokens = Tokens { batch, n_tokens, n_wanted };
                if !wanted.is_empty() {
                    self.block.attend(x, &mut wanted, &self.norms[0], tokens, buffers);
                }
            }
            Call::Shared(shared, rows) => {
                let all: Vec<usize> = if rows.is_some() { vec![] } else { (0..n_tokens).collect() };
                let rows = rows.unwrap_or(&all);
                rows.iter().for_each(|&row| wanted.extend_from_slice(row_of(x, row, width)));
                self.block.attend_shared(x, &mut wanted, &self.norms[0], (shared, rows), buffers);
            }
        }
        if !wanted.is_empty() {
            self.block.transform(&mut wanted, &self.norms[1], buffers);
        }
        wanted
    }
}
