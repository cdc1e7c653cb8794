//! The fused operations against the composed ones, values and gradients.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use super::*;
use crate::config::Activation;
use crate::weights::{Placement, Weights};
use candle_core::{DType, Device, Tensor, Var};

fn random(shape: &[usize]) -> Var {
    Var::from_tensor(&Tensor::randn(0f32, 1.0, shape, &Device::Cpu).unwrap()).unwrap()
}

fn largest_difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.dims(), b.dims());
    (a - b).unwrap().abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar().unwrap()
}

/// Compares values and the gradients that flow to every variable.
fn assert_same(fused: &Tensor, composite: &Tensor, variables: &[&Var]) {
    assert!(largest_difference(fused, composite) < 1e-5);
    let pull = Tensor::randn(0f32, 1.0, fused.shape(), &Device::Cpu).unwrap();
    let gradients = |y: &Tensor| (y * &pull).unwrap().sum_all().unwrap().backward().unwrap();
    let (fused, composite) = (gradients(fused), gradients(composite));
    for (index, variable) in variables.iter().enumerate() {
        let (fused, composite) = (fused.get(variable).unwrap(), composite.get(variable).unwrap());
        let difference = largest_difference(fused, composite);
        assert!(difference < 1e-4, "gradient of variable {index} differs by {difference}");
    }
}

#[test]
fn attention_and_its_gradient() {
    for (batch, n_tokens, heads, head_width) in [(1, 1, 1, 4), (3, 7, 2, 8), (2, 50, 3, 16)] {
        for is_causal in [false, true] {
            let qkv = random(&[batch, n_tokens, 3 * heads * head_width]);
            let fused = attention(&qkv, heads, is_causal).unwrap();
            assert_same(&fused, &attention::composite(&qkv, heads, is_causal).unwrap(), &[&qkv]);
        }
    }
}

#[test]
fn attention_in_short_integers_is_within_their_rounding() {
    for (batch, n_tokens, heads, head_width) in [(1, 1, 1, 4), (3, 7, 2, 8), (2, 50, 3, 16), (1, 197, 2, 64)] {
        for is_causal in [false, true] {
            let qkv = random(&[batch, n_tokens, 3 * heads * head_width]);
            let short = short_attention(&qkv, heads, is_causal).unwrap();
            let exact = attention::composite(&qkv, heads, is_causal).unwrap();
            let difference = largest_difference(&short, &exact);
            assert!(difference < 2e-3, "{n_tokens} tokens: {difference}");
        }
    }
}

#[test]
fn layer_norm_and_its_gradient() {
    for (rows, width) in [(1, 5), (130, 48), (7, 64)] {
        let x = random(&[rows, width]);
        let (weight, bias) = (random(&[width]), random(&[width]));
        let named = [("n.weight", &weight), ("n.bias", &bias)];
        let weights = Weights::from_live(named.map(|(name, var)| (name.to_string(), var.as_tensor().clone())));
        let norm = LayerNorm::load(&weights, "n", &Placement::default()).unwrap();
        assert_same(&norm.forward(&x).unwrap(), &norm.composite(&x).unwrap(), &[&x, &weight, &bias]);
    }
}

#[test]
fn activations_and_their_gradients() {
    for kind in [Activation::QuickGelu, Activation::Gelu] {
        let x = random(&[9, 33]);
        assert_same(&activation(&x, kind).unwrap(), &activation::composite(&x, kind).unwrap(), &[&x]);
    }
}

#[test]
fn matrix_product_with_bias_and_its_gradient() {
    let (x, weight, bias) = (random(&[11, 6]), random(&[5, 6]), random(&[5]));
    let composite = x.matmul(&weight.t().unwrap()).unwrap().broadcast_add(&bias).unwrap();
    assert_same(&matmul_bias(&x, &weight, Some(&bias)).unwrap(), &composite, &[&x, &weight, &bias]);
}

#[test]
fn every_dtype_but_f32_is_composed() {
    let x = Tensor::zeros((2, 3), DType::BF16, &Device::Cpu).unwrap();
    assert!(!has_fused_form(&x));
}
