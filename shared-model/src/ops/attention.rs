//! Multi-head self-attention, from the fused projection to the heads' joined outputs.

use crate::Result;
use candle_core::{D, DType, Device, Tensor};

/// `softmax(Q K^T / sqrt(width of a head)) V` for every head.
///
/// # Shapes
/// - `qkv`: `[B, N, 3 D]`, queries, keys and values behind one another, each `heads` heads of width D / heads
/// - returns `[B, N, D]`
///
/// With `is_causal`, a token sees itself and what stands before it.
pub(crate) fn attention(qkv: &Tensor, heads: usize, is_causal: bool) -> Result<Tensor> {
    if super::has_fused_form(qkv) {
        return Ok(qkv.contiguous()?.apply_op1(fused::Attention { heads, is_causal })?);
    }
    composite(qkv, heads, is_causal)
}

pub(super) fn composite(qkv: &Tensor, heads: usize, is_causal: bool) -> Result<Tensor> {
    let (batch, n_tokens, fused_width) = qkv.dims3()?;
    let width = fused_width / 3;
    let head_width = width / heads;
    let qkv = qkv.reshape((batch, n_tokens, 3, heads, head_width))?;
    // [B, N, H, W] to [B, H, N, W]
    let part =
        |index| -> Result<Tensor> { Ok(qkv.narrow(2, index, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous()?) };
    let (query, key, value) = (part(0)?, part(1)?, part(2)?);
    let logits = (query * (head_width as f64).powf(-0.5))?.matmul(&key.t()?)?; // [B, H, N, N]
    let logits = match is_causal {
        true => logits.broadcast_add(&causal_mask(n_tokens, logits.dtype(), logits.device())?)?,
        false => logits,
    };
    let weights = match logits.track_op() {
        true => candle_nn::ops::softmax(&logits, D::Minus1)?,
        false => candle_nn::ops::softmax_last_dim(&logits)?,
    };
    Ok(weights.matmul(&value)?.transpose(1, 2)?.reshape((batch, n_tokens, width))?)
}

/// `[N, N]`: -inf above the diagonal, else 0.
fn causal_mask(n_tokens: usize, dtype: DType, device: &Device) -> Result<Tensor> {
    let mask: Vec<f32> = (0..n_tokens * n_tokens)
        .map(|index| if index % n_tokens > index / n_tokens { f32::NEG_INFINITY } else { 0.0 })
        .collect();
    Ok(Tensor::from_vec(mask, (n_tokens, n_tokens), device)?.to_dtype(dtype)?)
}

pub(super) mod fused {
    use crate::ops::exp::softmax;
    use crate::ops::values;
    use crate::parallel::{Output, for_each_task};
    use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
    use gemm::Parallelism;

    /// `qkv` `[B, N, 3 D]` to `[B, N, D]`; one task a head and sample, whose logits stay in cache.
    pub struct Attention {
        pub heads: usize,
        pub is_causal: bool,
    }

    /// Where the heads lie in memory.
    #[derive(Clone, Copy)]
    pub struct Dims {
        pub n_tokens: usize,
        pub width: usize,
        pub heads: usize,
        pub head_width: usize,
    }

    /// A row-major matrix somewhere in memory: address, rows apart, values apart.
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
    unsafe fn product(
        out: *mut f32,
        stride: usize,
        (m, n, k): (usize, usize, usize),
        a: View,
        b: View,
        scale: f32,
    ) {
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

    impl Dims {
        fn new(shape: &Shape, heads: usize) -> Result<(usize, Self)> {
            let (batch, n_tokens, fused_width) = shape.dims3()?;
            let width = fused_width / 3;
            if heads == 0 || fused_width % 3 != 0 || width % heads != 0 {
                candle_core::bail!("attention with {heads} heads on {shape:?}");
            }
            Ok((batch, Self { n_tokens, width, heads, head_width: width / heads }))
        }

        /// Offset of query (0), key (1) or value (2) of a head within `qkv`.
        fn offset(&self, sample: usize, part: usize, head: usize) -> usize {
            sample * self.n_tokens * 3 * self.width + part * self.width + head * self.head_width
        }

        fn views(&self, qkv: &[f32], sample: usize, head: usize) -> [View; 3] {
            [0, 1, 2].map(|part| View(qkv[self.offset(sample, part, head)..].as_ptr(), 3 * self.width, 1))
        }

        fn scale(&self) -> f32 {
            (self.head_width as f32).powf(-0.5)
        }

        /// The attention weights of one head, `[N, N]`, into `weights`.
        fn weights(&self, query: View, key: View, is_causal: bool, weights: &mut [f32]) {
            let n = self.n_tokens;
            // SAFETY: query and key are views of one head of a whole `[B, N, 3 D]`; `weights` has N * N values.
            unsafe { product(weights.as_mut_ptr(), n, (n, n, self.head_width), query, key.t(), self.scale()) };
            for (row, logits) in weights.chunks_exact_mut(n).enumerate() {
                let (seen, hidden) = logits.split_at_mut(if is_causal { row + 1 } else { n });
                softmax(seen);
                hidden.fill(0.0);
            }
        }
    }

    /// The heads' outputs side by side, one task a head and sample.
    ///
    /// # Shapes
    /// - `qkv`: `[B, N, 3 D]`
    /// - `joined`: `[B, N, D]`
    pub fn join_heads(qkv: &[f32], dims: Dims, is_causal: bool, joined: &mut [f32]) {
        let n = dims.n_tokens;
        let batch = joined.len() / (n * dims.width).max(1);
        assert_eq!(qkv.len(), batch * n * 3 * dims.width);
        let out = Output::new(joined);
        for_each_task(
            batch * dims.heads,
            || vec![0f32; n * n],
            |weights, task| {
                let (sample, head) = (task / dims.heads, task % dims.heads);
                let [query, key, value] = dims.views(qkv, sample, head);
                dims.weights(query, key, is_causal, weights);
                let to = out.at(sample * n * dims.width + head * dims.head_width);
                let weights = View(weights.as_ptr(), n, 1);
                // SAFETY: the head's own columns of the sample's own rows.
                unsafe { product(to, dims.width, (n, dims.head_width, n), weights, value, 1.0) };
            },
        );
    }

    impl CustomOp1 for Attention {
        fn name(&self) -> &'static str {
            "attention"
        }

        fn cpu_fwd(&self, qkv: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
            let (batch, dims) = Dims::new(layout.shape(), self.heads)?;
            let mut joined = vec![0f32; batch * dims.n_tokens * dims.width];
            join_heads(values::slice(qkv, layout)?, dims, self.is_causal, &mut joined);
            Ok((CpuStorage::F32(joined), Shape::from((batch, dims.n_tokens, dims.width))))
        }

        fn bwd(&self, qkv: &Tensor, _joined: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
            let (batch, dims) = Dims::new(qkv.shape(), self.heads)?;
            let dqkv =
                values::with(qkv, |qkv| values::with(grad, |grad| Ok(self.gradient(qkv, grad, batch, dims))))?;
            Ok(Some(Tensor::from_vec(dqkv, qkv.shape(), qkv.device())?))
        }
    }

    impl Attention {
        /// Computes the weights again instead of having kept them: they are the largest thing of a block.
        fn gradient(&self, qkv: &[f32], grad: &[f32], batch: usize, dims: Dims) -> Vec<f32> {
            let Dims { n_tokens: n, width, heads, head_width } = dims;
            let mut dqkv = vec![0f32; qkv.len()];
            let out = Output::new(&mut dqkv);
            let stride = 3 * width;
            for_each_task(
                batch * heads,
                || (vec![0f32; n * n], vec![0f32; n * n]),
                |(weights, dlogits), task| {
                    let (sample, head) = (task / heads, task % heads);
                    let [query, key, value] = dims.views(qkv, sample, head);
                    dims.weights(query, key, self.is_causal, weights);
                    let grad = View(grad[sample * n * width + head * head_width..].as_ptr(), width, 1);
                    let weights_view = View(weights.as_ptr(), n, 1);
                    let to = |part| out.at(dims.offset(sample, part, head));
                    // SAFETY: the head's own columns of the sample's own rows, in and out.
                    unsafe {
                        product(to(2), stride, (n, head_width, n), weights_view.t(), grad, 1.0);
                        product(dlogits.as_mut_ptr(), n, (n, n, head_width), grad, value.t(), 1.0);
                    }
                    softmax_gradient(weights, dlogits, n);
                    let dlogits = View(dlogits.as_ptr(), n, 1);
                    // SAFETY: as above.
                    unsafe {
                        product(to(0), stride, (n, head_width, n), dlogits, key, dims.scale());
                        product(to(1), stride, (n, head_width, n), dlogits.t(), query, dims.scale());
                    }
                },
            );
            dqkv
        }
    }

    /// From the gradient of the weights to that of the logits, in place: w * (g - sum(w * g)).
    fn softmax_gradient(weights: &[f32], grad: &mut [f32], n: usize) {
        for (weights, grad) in weights.chunks_exact(n).zip(grad.chunks_exact_mut(n)) {
            let dot: f32 = weights.iter().zip(grad.iter()).map(|(w, g)| w * g).sum();
            weights.iter().zip(grad).for_each(|(w, g)| *g = w * (*g - dot));
        }
    }
}
