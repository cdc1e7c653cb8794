//! Multi-head self-attention over packed sequences, `softmax(Q K^T / sqrt(W)) V`, and its gradient.

use super::exp::{exp, softmax};
use super::matrix::{Matrix, Mode, product};
use crate::lanes::{self, widest};
use crate::output::{Output, Rows, RowsSize};
use crate::parallel::for_each_task;
use gemm::Parallelism;

/// Number and width of the heads of an attention layer, and its mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// Number of heads H.
    pub count: usize,
    /// Width W of one head.
    pub width: usize,
    /// Whether a token sees only itself and the tokens before it.
    pub is_causal: bool,
}

impl Heads {
    /// Returns D, the width of all heads together.
    fn joined_width(self) -> usize {
        self.count * self.width
    }

    /// Returns the factor between the products of queries and keys and the logits.
    pub(crate) fn scale(self) -> f32 {
        (self.width as f32).powf(-0.5)
    }

    /// Returns queries `[n, W]`, keys and values of one head of the sequence that starts at token `start`.
    fn parts(self, qkv: &[f32], start: usize, n: usize, head: usize) -> [Matrix<'_>; 3] {
        [0, 1, 2].map(|part| self.part(qkv, start, n, head, part))
    }

    /// Returns the first `n` queries (0), keys (1) or values (2) of one head of the sequence that starts at token `start`.
    fn part(self, qkv: &[f32], start: usize, n: usize, head: usize, part: usize) -> Matrix<'_> {
        Matrix::strided(&qkv[self.offset(start, part, head)..], n, self.width, 3 * self.joined_width())
    }

    /// Returns the offset of the query (0), key (1) or value (2) of a head within `qkv`.
    fn offset(self, start: usize, part: usize, head: usize) -> usize {
        (start * 3 + part) * self.joined_width() + head * self.width
    }

    /// Computes the output of one head of one sequence. `see` gets the logits that each query sees.
    ///
    /// `weights` `[queries, keys]` is the memory for the attention weights.
    fn attend(
        self,
        [query, key, value]: [Matrix<'_>; 3],
        weights: &mut [f32],
        out: Rows<'_, f32>,
        see: impl Fn(usize, &[f32]),
    ) {
        let n_keys = key.rows();
        product(query, key.t(), Rows::of(weights, n_keys), scaled(self.scale()));
        for (row, logits) in weights.chunks_exact_mut(n_keys).enumerate() {
            let (seen, hidden) = logits.split_at_mut(if self.is_causal { row + 1 } else { n_keys });
            see(row, seen);
            softmax(seen);
            hidden.fill(0.0);
        }
        product(Matrix::new(weights, n_keys), value, out, scaled(1.0));
    }

    /// Checks that the lengths fit and returns the number of tokens.
    fn check(self, qkv: &[f32], starts: &[usize], joined: &[f32]) -> usize {
        let n_tokens = starts.last().copied().unwrap_or(0);
        assert!(starts.is_sorted() && starts.first().is_none_or(|&start| start == 0), "starts of sequences");
        assert_eq!(qkv.len(), n_tokens * 3 * self.joined_width(), "values of queries, keys and values");
        assert_eq!(joined.len(), n_tokens * self.joined_width(), "values of the joined heads");
        n_tokens
    }
}

/// A product on the calling thread that replaces the stored values.
fn scaled(scale: f32) -> Mode {
    Mode { scale, accumulates: false, parallelism: Parallelism::None }
}

fn longest(starts: &[usize]) -> usize {
    starts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
}

/// Computes the heads' outputs, side by side.
///
/// One task computes one head of one sequence, whose logits stay in the processor's cache. `log_sum_exp` receives the
/// logarithm of each softmax's denominator for [`attention_gradient`].
///
/// # Shapes
/// - `qkv`: `[T, 3, H, W]`
/// - `starts`: the first token of each sequence, then T
/// - `joined`: `[T, H, W]`
/// - `log_sum_exp`: `[H, T]`
///
/// # Panics
/// When the lengths do not fit.
pub fn attention(qkv: &[f32], starts: &[usize], heads: Heads, joined: &mut [f32], log_sum_exp: Option<&mut [f32]>) {
    let n_tokens = heads.check(qkv, starts, joined);
    let log_sum_exp = log_sum_exp.map(|values| {
        assert_eq!(values.len(), n_tokens * heads.count, "values of the logarithms");
        Output::new(values)
    });
    let (out, longest) = (Output::new(joined), longest(starts));
    for_each_task(
        starts.len().saturating_sub(1) * heads.count,
        || vec![0f32; longest * longest],
        |weights, task| {
            let (sequence, head) = (task / heads.count, task % heads.count);
            let (start, n) = (starts[sequence], starts[sequence + 1] - starts[sequence]);
            if n == 0 {
                return;
            }
            let size = RowsSize { n_rows: n, width: heads.width, stride: heads.joined_width() };
            // SAFETY: the task is the only one of this sequence's rows and this head's columns.
            let out = unsafe { out.rows(start * heads.joined_width() + head * heads.width, size) };
            heads.attend(heads.parts(qkv, start, n, head), &mut weights[..n * n], out, |row, seen| {
                if let Some(log_sum_exp) = log_sum_exp {
                    // SAFETY: the task is the only one of this head and token.
                    let value = unsafe { log_sum_exp.slice(head * n_tokens + start + row, 1) };
                    value[0] = log_of_sum(seen);
                }
            });
        },
    );
}

/// As [`attention`], for the first `n_queries` tokens of sequences of `n_tokens` each.
///
/// # Shapes
/// - `qkv`: `[B, N, 3, H, W]`
/// - `joined`: `[B, queries, H, W]`
///
/// # Panics
/// When the lengths do not fit.
pub(crate) fn attention_of_first(qkv: &[f32], n_tokens: usize, n_queries: usize, heads: Heads, joined: &mut [f32]) {
    let width = heads.joined_width();
    let batch = qkv.len() / (n_tokens * 3 * width).max(1);
    assert_eq!((qkv.len(), joined.len()), (batch * n_tokens * 3 * width, batch * n_queries * width));
    let out = Output::new(joined);
    for_each_task(
        batch * heads.count,
        || vec![0f32; n_queries * n_tokens],
        |weights, task| {
            let (sample, head) = (task / heads.count, task % heads.count);
            let start = sample * n_tokens;
            let [_, key, value] = heads.parts(qkv, start, n_tokens, head);
            let query = heads.part(qkv, start, n_queries, head, 0);
            let size = RowsSize { n_rows: n_queries, width: heads.width, stride: width };
            // SAFETY: the task is the only one of this sample's rows and this head's columns.
            let out = unsafe { out.rows(sample * n_queries * width + head * heads.width, size) };
            heads.attend([query, key, value], weights, out, |_, _| ());
        },
    );
}

/// Returns the gradient of [`attention`] with respect to `qkv`.
///
/// The attention weights, the largest array of a block, are not stored but computed again.
///
/// # Shapes
/// - `qkv`, `starts`, `joined`, `log_sum_exp`: arguments and results of [`attention`]
/// - `gradient`: `[T, H, W]`, the gradient of `joined`
/// - returns `[T, 3, H, W]`
///
/// # Panics
/// When the lengths do not fit.
pub fn attention_gradient(
    qkv: &[f32],
    starts: &[usize],
    heads: Heads,
    joined: &[f32],
    log_sum_exp: &[f32],
    gradient: &[f32],
) -> Vec<f32> {
    let n_tokens = heads.check(qkv, starts, joined);
    assert_eq!((gradient.len(), log_sum_exp.len()), (joined.len(), n_tokens * heads.count));
    let mut d_qkv = vec![0f32; qkv.len()];
    let (out, longest) = (Output::new(&mut d_qkv), longest(starts));
    let width = heads.joined_width();
    for_each_task(
        starts.len().saturating_sub(1) * heads.count,
        || (vec![0f32; longest * longest], vec![0f32; longest * longest]),
        |(weights, d_logits), task| {
            let (sequence, head) = (task / heads.count, task % heads.count);
            let (start, n) = (starts[sequence], starts[sequence + 1] - starts[sequence]);
            if n == 0 {
                return;
            }
            let [query, key, value] = heads.parts(qkv, start, n, head);
            let (weights, d_logits) = (&mut weights[..n * n], &mut d_logits[..n * n]);
            let first = start * width + head * heads.width;
            let grad = Matrix::strided(&gradient[first..], n, heads.width, width);
            product(query, key.t(), Rows::of(weights, n), scaled(heads.scale()));
            product(grad, value.t(), Rows::of(d_logits, n), scaled(1.0));
            for (row, (weights, d_logits)) in
                weights.chunks_exact_mut(n).zip(d_logits.chunks_exact_mut(n)).enumerate()
            {
                let at = first + row * width;
                let delta = dot(&joined[at..][..heads.width], &gradient[at..][..heads.width]);
                let n_seen = if heads.is_causal { row + 1 } else { n };
                let log_sum_exp = log_sum_exp[head * n_tokens + start + row];
                softmax_gradient(&mut weights[..n_seen], &mut d_logits[..n_seen], log_sum_exp, delta);
                weights[n_seen..].fill(0.0);
                d_logits[n_seen..].fill(0.0);
            }
            let (weights, d_logits) = (Matrix::new(weights, n), Matrix::new(d_logits, n));
            let size = RowsSize { n_rows: n, width: heads.width, stride: 3 * width };
            // SAFETY: the task is the only one of this sequence's rows and this head's columns.
            let to = |part| unsafe { out.rows(heads.offset(start, part, head), size) };
            product(d_logits, key, to(0), scaled(heads.scale()));
            product(d_logits.t(), query, to(1), scaled(heads.scale()));
            product(weights.t(), grad, to(2), scaled(1.0));
        },
    );
    d_qkv
}

widest! {
    /// `ln(sum of e^x)` of a row.
    fn log_of_sum(x: &[f32]) -> f32 {
        let max = lanes::max(x, f32::NEG_INFINITY);
        max + lanes::fold(x, 0.0, |sum, x| sum + exp(x - max), |a, b| a + b).ln()
    }
}

widest! {
    /// Replaces logits by weights w and the weights' gradient g by that of the logits, `w (g - delta)`. `delta` is the
    /// sum of `w g` over the row.
    fn softmax_gradient(logits: &mut [f32], gradient: &mut [f32], log_sum_exp: f32, delta: f32) {
        for (logit, gradient) in logits.iter_mut().zip(gradient.iter_mut()) {
            *logit = exp(*logit - log_sum_exp);
            *gradient = *logit * (*gradient - delta);
        }
    }
}

widest! {
    fn dot(a: &[f32], b: &[f32]) -> f32 {
        let mut sums = [0f32; 16];
        let (a_chunks, b_chunks) = (a.as_chunks::<16>(), b.as_chunks::<16>());
        for (a, b) in a_chunks.0.iter().zip(b_chunks.0) {
            for lane in 0..16 {
                sums[lane] += a[lane] * b[lane];
            }
        }
        let rest: f32 = a_chunks.1.iter().zip(b_chunks.1).map(|(a, b)| a * b).sum();
        sums.iter().sum::<f32>() + rest
    }
}
