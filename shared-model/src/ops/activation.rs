//! The activation between the two layers of an MLP.

use crate::Result;
use crate::config::Activation;
use crate::lanes::widest;
use candle_core::Tensor;

/// # Shapes
/// - `x`: any; returns the same
pub(crate) fn activation(x: &Tensor, kind: Activation) -> Result<Tensor> {
    if super::has_fused_form(x) {
        return Ok(x.contiguous()?.apply_op1(fused::ActivationOp(kind))?);
    }
    composite(x, kind)
}

pub(super) fn composite(x: &Tensor, kind: Activation) -> Result<Tensor> {
    Ok(match kind {
        Activation::QuickGelu => (x * candle_nn::ops::sigmoid(&(x * 1.702)?)?)?,
        Activation::Gelu => x.gelu_erf()?,
    })
}

/// Of some values, in place.
pub(super) fn activate(kind: Activation, values: &mut [f32]) {
    match kind {
        Activation::QuickGelu => quick_gelu(values),
        Activation::Gelu => gelu(values),
    }
}

widest! {
    fn quick_gelu(values: &mut [f32]) {
        values.iter_mut().for_each(|x| *x = fused::quick_gelu(*x));
    }
}

widest! {
    fn gelu(values: &mut [f32]) {
        values.iter_mut().for_each(|x| *x = fused::gelu(*x));
    }
}

mod fused {
    use crate::config::Activation;
    use crate::ops::exp::exp;
    use crate::ops::values;
    use crate::parallel::for_each_chunk;
    use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
    use std::f32::consts::{FRAC_1_SQRT_2, PI};

    const VALUES_PER_TASK: usize = 16 * 1024;

    pub struct ActivationOp(pub Activation);

    impl CustomOp1 for ActivationOp {
        fn name(&self) -> &'static str {
            "activation"
        }

        fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
            let x = values::slice(x, layout)?;
            let y = match self.0 {
                Activation::QuickGelu => map(x, quick_gelu),
                Activation::Gelu => map(x, gelu),
            };
            Ok((CpuStorage::F32(y), layout.shape().clone()))
        }

        fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
            let dx = values::with(x, |x| {
                values::with(grad, |grad| {
                    Ok(match self.0 {
                        Activation::QuickGelu => map2(x, grad, |x, grad| {
                            let s = sigmoid(1.702 * x);
                            grad * s * (1.0 + 1.702 * x * (1.0 - s))
                        }),
                        Activation::Gelu => map2(x, grad, |x, grad| {
                            let density = exp(-0.5 * x * x) * (0.5 / PI).sqrt();
                            grad * (normal_cdf(x) + x * density)
                        }),
                    })
                })
            })?;
            Ok(Some(Tensor::from_vec(dx, x.shape(), x.device())?))
        }
    }

    #[inline(always)]
    pub fn quick_gelu(x: f32) -> f32 {
        x * sigmoid(1.702 * x)
    }

    #[inline(always)]
    pub fn gelu(x: f32) -> f32 {
        x * normal_cdf(x)
    }

    #[inline(always)]
    fn sigmoid(x: f32) -> f32 {
        1.0 / (1.0 + exp(-x))
    }

    /// The normal distribution's share below x, within 1e-7: Abramowitz and Stegun 7.1.26, in arithmetic that the
    /// compiler turns into SIMD.
    #[inline(always)]
    fn normal_cdf(x: f32) -> f32 {
        let z = x.abs() * FRAC_1_SQRT_2;
        let t = 1.0 / (1.0 + 0.327_591_1 * z);
        let poly = 0.254_829_6 + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4)));
        let beyond = 0.5 * t * poly * exp(-z * z);
        if x < 0.0 { beyond } else { 1.0 - beyond }
    }

    fn map(x: &[f32], f: impl Fn(f32) -> f32 + Sync) -> Vec<f32> {
        let mut y = vec![0f32; x.len()];
        for_each_chunk(&mut y, VALUES_PER_TASK, |task, y| {
            let x = &x[task * VALUES_PER_TASK..][..y.len()];
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = f(x));
        });
        y
    }

    fn map2(x: &[f32], grad: &[f32], f: impl Fn(f32, f32) -> f32 + Sync) -> Vec<f32> {
        let mut y = vec![0f32; x.len()];
        for_each_chunk(&mut y, VALUES_PER_TASK, |task, y| {
            let start = task * VALUES_PER_TASK;
            let (x, grad) = (&x[start..][..y.len()], &grad[start..][..y.len()]);
            y.iter_mut().zip(x).zip(grad).for_each(|((y, &x), &grad)| *y = f(x, grad));
        });
        y
    }
}
