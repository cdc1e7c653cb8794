//! The fused operations against the composed ones, values and gradients.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use super::*;
use crate::config::Activation;
use crate::fused::{self, Heads};
use crate::random::randn;
use crate::weights::{Placement, Weights};
use candle_core::{DType, Device, Tensor, Var};

fn random(shape: &[usize]) -> Var {
    Var::from_tensor(&randn(0.0, 1.0, shape)).unwrap()
}

fn largest_difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.dims(), b.dims());
    (a - b).unwrap().abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar().unwrap()
}

/// Returns candle's gradient of each variable, where that of `y` is `gradient`.
fn reference(y: &Tensor, gradient: &Tensor, variables: &[&Var]) -> Vec<Vec<f32>> {
    let store = (y * gradient).unwrap().sum_all().unwrap().backward().unwrap();
    variables.iter().map(|variable| values(store.get(variable).unwrap())).collect()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn assert_near(what: &str, ours: &[f32], reference: &[f32]) {
    assert_eq!(ours.len(), reference.len(), "{what}");
    let square = |x: f32| f64::from(x) * f64::from(x);
    let difference: f64 = ours.iter().zip(reference).map(|(a, b)| square(a - b)).sum();
    let norm: f64 = reference.iter().map(|&x| square(x)).sum();
    assert!(difference.sqrt() <= 1e-6 + 2e-6 * norm.sqrt(), "{what}: {:e} of {norm:e}", difference.sqrt());
}

#[test]
fn attention_and_its_gradient() {
    for (batch, n_tokens, heads, width) in [(1, 1, 1, 4), (3, 7, 2, 8), (2, 50, 3, 16), (1, 197, 1, 64)] {
        for is_causal in [false, true] {
            let qkv = random(&[batch, n_tokens, 3 * heads * width]);
            let composite = attention::composite(&qkv, heads, is_causal).unwrap();
            let fused = attention(&qkv.detach(), None, heads, is_causal).unwrap();
            assert!(largest_difference(&fused, &composite) < 1e-5);
            let gradient = random(&[batch, n_tokens, heads * width]);
            let expected = reference(&composite, &gradient, &[&qkv]);

            let (starts, heads) =
                (attention::equal_starts(batch, n_tokens), Heads { count: heads, width, is_causal });
            let (mut joined, mut logarithms) =
                (vec![f32::NAN; fused.elem_count()], vec![f32::NAN; batch * n_tokens * heads.count]);
            fused::attention(&values(&qkv), &starts, heads, &mut joined, Some(&mut logarithms));
            assert_eq!(joined, values(&fused));
            let ours =
                fused::attention_gradient(&values(&qkv), &starts, heads, &joined, &logarithms, &values(&gradient));
            assert_near(&format!("{n_tokens} tokens, causal {is_causal}"), &ours, &expected[0]);
        }
    }
}

/// Sequences of different lengths behind one another give what each gives alone.
#[test]
fn packed_sequences_do_not_see_each_other() {
    let lengths = [3, 1, 0, 18, 7];
    let starts: Vec<usize> = lengths
        .iter()
        .scan(0, |sum, n| {
            *sum += n;
            Some(*sum)
        })
        .collect();
    let starts = [vec![0], starts].concat();
    let n_tokens = starts[lengths.len()];
    let heads = Heads { count: 2, width: 4, is_causal: true };
    let (qkv, gradient) = (values(&random(&[n_tokens, 24])), values(&random(&[n_tokens, 8])));
    let run = |qkv: &[f32], gradient: &[f32], starts: &[usize]| {
        let n_tokens = gradient.len() / 8;
        let (mut joined, mut logarithms) = (vec![f32::NAN; n_tokens * 8], vec![f32::NAN; n_tokens * 2]);
        fused::attention(qkv, starts, heads, &mut joined, Some(&mut logarithms));
        let d_qkv = fused::attention_gradient(qkv, starts, heads, &joined, &logarithms, gradient);
        (joined, d_qkv)
    };
    let (joined, d_qkv) = run(&qkv, &gradient, &starts);
    for pair in starts.windows(2) {
        let of = |values: &[f32], width: usize| values[pair[0] * width..pair[1] * width].to_vec();
        let alone = run(&of(&qkv, 24), &of(&gradient, 8), &[0, pair[1] - pair[0]]);
        // Products of one row are summed in another order than those of several.
        assert_near("attention", &of(&joined, 8), &alone.0);
        assert_near("its gradient", &of(&d_qkv, 24), &alone.1);
    }
}

#[test]
fn attention_in_short_integers_is_within_their_rounding() {
    for (batch, n_tokens, heads, head_width) in [(1, 1, 1, 4), (3, 7, 2, 8), (2, 50, 3, 16), (1, 197, 2, 64)] {
        for is_causal in [false, true] {
            let qkv = random(&[batch, n_tokens, 3 * heads * head_width]);
            let width = heads * head_width;
            let dims = short_attention::Heads { batch, n_tokens, n_queries: n_tokens, width, heads, is_causal };
            let mut joined = vec![f32::NAN; batch * n_tokens * width];
            short_attention::join_heads(&values(&qkv), dims, &mut joined);
            let short = Tensor::from_vec(joined, (batch, n_tokens, width), &Device::Cpu).unwrap();
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
        let norm_of = |tensor: fn(&Var) -> Tensor| {
            let weights = Weights::from_live(named.into_iter().map(|(name, var)| (name.to_string(), tensor(var))));
            LayerNorm::load(&weights, "n", 1e-5, &Placement::default()).unwrap()
        };
        let composite = norm_of(|var| var.as_tensor().clone()).composite(&x).unwrap();
        let fused = norm_of(|var| var.detach()).forward(&x.detach()).unwrap();
        assert!(largest_difference(&fused, &composite) < 1e-5);
        let gradient = random(&[rows, width]);
        let expected = reference(&composite, &gradient, &[&x, &weight, &bias]);

        let residual = values(&random(&[rows, width]));
        let mut ours = [values(&gradient), vec![0.0; width], vec![0.0; width]];
        let [dx, d_weight, d_bias] = &mut ours;
        fused::layer_norm_gradient(&values(&x), &values(&weight), Some(&residual), dx, d_weight, d_bias);
        dx.iter_mut().zip(&residual).for_each(|(dx, residual)| *dx -= residual);
        for (what, (ours, expected)) in ["x", "weight", "bias"].iter().zip(ours.iter().zip(&expected)) {
            assert_near(&format!("{what} of {rows} rows"), ours, expected);
        }
    }
}

#[test]
fn activations_and_their_gradients() {
    for kind in [Activation::QuickGelu, Activation::Gelu, Activation::TanhGelu] {
        let x = random(&[9, 33]);
        let composite = activation::composite(&x, kind).unwrap();
        assert!(largest_difference(&activation(&x.detach(), kind).unwrap(), &composite) < 1e-5);
        let gradient = random(&[9, 33]);
        let expected = reference(&composite, &gradient, &[&x]);
        let mut ours = values(&gradient);
        fused::activation_gradient(kind, &values(&x), &mut ours);
        assert_near(&format!("{kind:?}"), &ours, &expected[0]);
    }
}

#[test]
fn matrix_products_and_their_gradients() {
    let (n_rows, n_in, n_out) = (200, 6, 5);
    let (x, weight, bias) = (random(&[n_rows, n_in]), random(&[n_out, n_in]), random(&[n_out]));
    let composite = x.matmul(&weight.t().unwrap()).unwrap().broadcast_add(&bias).unwrap();
    let fused = matmul_bias(&x.detach(), &weight.detach(), Some(&bias.detach())).unwrap();
    assert!(largest_difference(&fused, &composite) < 1e-5);
    let gradient = random(&[n_rows, n_out]);
    let expected = reference(&composite, &gradient, &[&x, &weight, &bias]);

    let (x, weight, bias, gradient) = (values(&x), values(&weight), values(&bias), values(&gradient));
    let dx = fused::input_gradient(&gradient, &weight, n_out);
    let (mut d_weight, mut d_bias) = (vec![0.0; weight.len()], vec![0.0; n_out]);
    fused::add_weight_gradient(&gradient, &x, n_out, &mut d_weight);
    fused::add_column_sums(&gradient, &mut d_bias);
    for (what, (ours, expected)) in ["x", "weight", "bias"].iter().zip([dx, d_weight, d_bias].iter().zip(&expected))
    {
        assert_near(what, ours, expected);
    }

    let residual = values(&random(&[n_rows, n_out]));
    let sum = fused::linear(&x, &weight, n_out, Some(&bias), Some(&residual));
    let apart: Vec<f32> = values(&fused).iter().zip(&residual).map(|(y, residual)| y + residual).collect();
    assert_near("with a residual", &sum, &apart);
    let transposed: Vec<f32> = (0..n_in * n_out).map(|at| weight[at % n_out * n_in + at / n_out]).collect();
    let plain = fused::linear(&x, &weight, n_out, None, None);
    assert_near("a projection", &fused::project(&x, &transposed, n_out), &plain);
}

#[test]
fn every_dtype_but_f32_is_composed() {
    let x = Tensor::zeros((2, 3), DType::BF16, &Device::Cpu).unwrap();
    assert!(!has_fused_form(&x));
}
