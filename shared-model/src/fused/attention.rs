//! Multi-head self-attention over packed sequences, `softmax(Q K^T / sqrt(W)) V`, and its gradient.

use crate::lanes::{self, widest};
use crate::ops::exp::{exp, softmax};
use crate::parallel::{Output, for_each_task};
use gemm::Parallelism;

/// The heads of an attention layer.
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
    /// D, the width of all heads together.
    fn joined_width(self) -> usize {
        self.count * self.width
    }

    fn scale(self) -> f32 {
        (self.width as f32).powf(-0.5)
    }

    /// Queries, keys and values of one head of a sequence that starts at token `start`.
    fn views(self, qkv: &[f32], start: usize, head: usize) -> [View; 3] {
        [0, 1, 2].map(|part| View(qkv[self.offset(start, part, head)..].as_ptr(), 3 * self.joined_width(), 1))
    }

    /// Offset of query (0), key (1) or value (2) of a head within `qkv`.
    fn offset(self, start: usize, part: usize, head: usize) -> usize {
        (start * 3 + part) * self.joined_width() + head * self.width
    }

    /// Number of tokens after checking that everything fits.
    fn check(self, qkv: &[f32], starts: &[usize], joined: &[f32]) -> usize {
        let n_tokens = starts.last().copied().unwrap_or(0);
        assert!(starts.is_sorted() && starts.first().is_none_or(|&start| start == 0), "starts of sequences");
        assert_eq!(qkv.len(), n_tokens * 3 * self.joined_width(), "values of queries, keys and values");
        assert_eq!(joined.len(), n_tokens * self.joined_width(), "values of the joined heads");
        n_tokens
    }
}

/// A row-major matrix somewhere in memory: address, values between rows, values between columns.
#[derive(Clone, Copy)]
struct View(*const f32, usize, usize);

impl View {
    fn t(self) -> Self {
        Self(self.0, self.2, self.1)
    }
}

/// `out = a b * scale` with `a` `[m, k]`, `b` `[k, n]`, rows of `out` `stride` apart.
///
/// # Safety
/// The views and the output cover that many values, and nobody else writes there.
unsafe fn product(out: *mut f32, stride: usize, (m, n, k): (usize, usize, usize), a: View, b: View, scale: f32) {
    // SAFETY: as the caller promised.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out,
            1,
            stride as isize,
            false,
            a.0,
            a.2 as isize,
            a.1 as isize,
            b.0,
            b.2 as isize,
            b.1 as isize,
            0.0,
            scale,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

fn longest(starts: &[usize]) -> usize {
    starts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
}

/// The heads' outputs side by side; one task a head and sequence, whose logits stay in cache.
///
/// `log_sum_exp` receives the logarithm of each softmax's denominator, which [`attention_gradient`] needs.
///
/// # Shapes
/// - `qkv`: `[T, 3, H, W]`
/// - `starts`: the first token of each sequence, and behind them T
/// - `joined`: `[T, H, W]`, `log_sum_exp`: `[H, T]`
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
            let [query, key, value] = heads.views(qkv, start, head);
            let weights = &mut weights[..n * n];
            // SAFETY: query and key are views of n rows of one head; `weights` has n * n values.
            unsafe { product(weights.as_mut_ptr(), n, (n, n, heads.width), query, key.t(), heads.scale()) };
            for (row, logits) in weights.chunks_exact_mut(n).enumerate() {
                let (seen, hidden) = logits.split_at_mut(if heads.is_causal { row + 1 } else { n });
                if let Some(log_sum_exp) = log_sum_exp {
                    // SAFETY: the head's own values of the sequence's own tokens.
                    unsafe { log_sum_exp.write(head * n_tokens + start + row, [log_of_sum(seen)]) };
                }
                softmax(seen);
                hidden.fill(0.0);
            }
            let to = out.at(start * heads.joined_width() + head * heads.width);
            let weights = View(weights.as_ptr(), n, 1);
            // SAFETY: the head's own columns of the sequence's own rows.
            unsafe { product(to, heads.joined_width(), (n, heads.width, n), weights, value, 1.0) };
        },
    );
}

/// The gradient of [`attention`], given that of `joined`.
///
/// The attention weights are computed again: they are the largest array of a block.
///
/// # Shapes
/// - `qkv`, `starts`, `joined`, `log_sum_exp`: as [`attention`] took and gave them
/// - `gradient`: `[T, H, W]`; returns `[T, 3, H, W]`
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
    let (width, stride) = (heads.joined_width(), 3 * heads.joined_width());
    for_each_task(
        starts.len().saturating_sub(1) * heads.count,
        || (vec![0f32; longest * longest], vec![0f32; longest * longest]),
        |(weights, d_logits), task| {
            let (sequence, head) = (task / heads.count, task % heads.count);
            let (start, n) = (starts[sequence], starts[sequence + 1] - starts[sequence]);
            if n == 0 {
                return;
            }
            let [query, key, value] = heads.views(qkv, start, head);
            let (weights, d_logits) = (&mut weights[..n * n], &mut d_logits[..n * n]);
            let first = start * width + head * heads.width;
            let grad = View(gradient[first..].as_ptr(), width, 1);
            // SAFETY: views of n rows of one head; `weights` and `d_logits` have n * n values.
            unsafe {
                product(weights.as_mut_ptr(), n, (n, n, heads.width), query, key.t(), heads.scale());
                product(d_logits.as_mut_ptr(), n, (n, n, heads.width), grad, value.t(), 1.0);
            }
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
            let (weights, d_logits) = (View(weights.as_ptr(), n, 1), View(d_logits.as_ptr(), n, 1));
            let to = |part| out.at(heads.offset(start, part, head));
            // SAFETY: the head's own columns of the sequence's own rows, in and out.
            unsafe {
                product(to(0), stride, (n, heads.width, n), d_logits, key, heads.scale());
                product(to(1), stride, (n, heads.width, n), d_logits.t(), query, heads.scale());
                product(to(2), stride, (n, heads.width, n), weights.t(), grad, 1.0);
            }
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
    /// From logits to weights, and from the weights' gradient to that of the logits, both in place: `w (g - delta)`, where
    /// delta is the sum of `w g` over the row.
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
