//! A matrix product with its bias.

use crate::Result;
use candle_core::Tensor;

/// `x W^T + b`.
///
/// # Shapes
/// - `x`: `[M, in]`
/// - `weight`: `[out, in]`, of any memory layout
/// - `bias`: `[out]`
/// - returns `[M, out]`
pub(crate) fn matmul_bias(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    if let (true, Some(bias)) = (super::has_fused_form(x), bias) {
        return Ok(x.contiguous()?.apply_op3(&weight.contiguous()?, bias, fused::MatmulBias)?);
    }
    let y = x.matmul(&weight.t()?)?;
    Ok(match bias {
        Some(bias) => y.broadcast_add(bias)?,
        None => y,
    })
}

mod fused {
    use crate::ops::values;
    use candle_core::{CpuStorage, CustomOp3, DType, Layout, Result, Shape, Tensor};
    use gemm::Parallelism;

    #[cfg(not(target_arch = "wasm32"))]
    fn parallelism() -> Parallelism {
        match candle_core::utils::get_num_threads() {
            1 => Parallelism::None,
            threads => Parallelism::Rayon(threads),
        }
    }

    #[cfg(target_arch = "wasm32")]
    fn parallelism() -> Parallelism {
        Parallelism::None
    }

    /// `x` `[M, K]`, weight `[N, K]`, bias `[N]`.
    pub struct MatmulBias;

    impl CustomOp3 for MatmulBias {
        fn name(&self) -> &'static str {
            "matmul_bias"
        }

        fn cpu_fwd(
            &self,
            x: &CpuStorage,
            x_layout: &Layout,
            weight: &CpuStorage,
            weight_layout: &Layout,
            bias: &CpuStorage,
            bias_layout: &Layout,
        ) -> Result<(CpuStorage, Shape)> {
            let ((m, k), (n, weight_k)) = (x_layout.shape().dims2()?, weight_layout.shape().dims2()?);
            let bias = values::slice(bias, bias_layout)?;
            if weight_k != k || bias.len() != n {
                candle_core::bail!("linear layer [{n}, {weight_k}] with bias [{}] on [{m}, {k}]", bias.len());
            }
            let x = values::slice(x, x_layout)?;
            let weight = values::slice(weight, weight_layout)?;
            let mut y = Vec::with_capacity(m * n);
            for _ in 0..m {
                y.extend_from_slice(bias);
            }
            // SAFETY: y is m x n, x is m x k and weight, read as its transpose, k x n, all of them in bounds.
            unsafe {
                gemm::gemm(
                    m,
                    n,
                    k,
                    y.as_mut_ptr(),
                    1,
                    n as isize,
                    true,
                    x.as_ptr(),
                    1,
                    k as isize,
                    weight.as_ptr(),
                    k as isize,
                    1,
                    1.0,
                    1.0,
                    false,
                    false,
                    false,
                    parallelism(),
                );
            }
            Ok((CpuStorage::F32(y), Shape::from((m, n))))
        }

        fn bwd(
            &self,
            x: &Tensor,
            weight: &Tensor,
            bias: &Tensor,
            _y: &Tensor,
            grad: &Tensor,
        ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
            let grad = grad.contiguous()?;
            let ones = Tensor::ones((1, grad.dim(0)?), DType::F32, grad.device())?;
            let dx = if x.track_op() { Some(grad.matmul(&weight.detach())?) } else { None };
            let dw = if weight.track_op() { Some(grad.t()?.matmul(&x.detach())?) } else { None };
            // A row of ones times the gradient: candle's sum over the first axis divides once an element.
            let db = if bias.track_op() { Some(ones.matmul(&grad)?.squeeze(0)?) } else { None };
            Ok((dx, dw, db))
        }
    }
}
