//! Attention beside the formula.

use crate::launch::{Draw, constant, output, run};
use shared_model::gpu::{Buffer, Dispatch};

/// `softmax(Q K^T / sqrt(W)) V` of one head, in f64.
fn expected(qkv: &[f32], [n_tokens, heads, width]: [usize; 3], is_causal: bool) -> Vec<f64> {
    let at = |sample: usize, token: usize, part: usize, head: usize, column: usize| {
        let row = sample * n_tokens + token;
        f64::from(qkv[((row * 3 + part) * heads + head) * width + column])
    };
    let n_samples = qkv.len() / (n_tokens * 3 * heads * width);
    let mut joined = Vec::new();
    for sample in 0..n_samples {
        for query in 0..n_tokens {
            for head in 0..heads {
                let end = if is_causal { query + 1 } else { n_tokens };
                let logit = |key: usize| {
                    let products = (0..width).map(|c| at(sample, query, 0, head, c) * at(sample, key, 1, head, c));
                    products.sum::<f64>() / (width as f64).sqrt()
                };
                let weights: Vec<f64> = (0..end).map(|key| logit(key).exp()).collect();
                let total: f64 = weights.iter().sum();
                joined.extend((0..width).map(|column| {
                    let values = weights.iter().enumerate().map(|(key, w)| w * at(sample, key, 2, head, column));
                    values.sum::<f64>() / total
                }));
            }
        }
    }
    joined
}

#[test]
fn attention_is_the_formula() {
    for (n_samples, n_tokens, heads, width) in [(1, 1, 1, 4), (2, 17, 2, 32), (1, 50, 3, 64), (3, 33, 2, 20)] {
        for is_causal in [false, true] {
            let mut qkv = Draw(n_tokens as u64).values(n_samples * n_tokens * 3 * heads * width);
            qkv.iter_mut().for_each(|value| *value *= 3.0);
            let n_out = n_samples * n_tokens * heads * width;
            let dispatch = Dispatch::attention(
                [n_samples, n_tokens],
                [heads, width],
                is_causal,
                [Buffer::Constant(0), output(0)],
            );
            let found: Vec<f32> = run(&[constant(&qkv)], &[], dispatch, &[n_out], output(0));
            let expected = expected(&qkv, [n_tokens, heads, width], is_causal);
            for (at, (&found, expected)) in found.iter().zip(expected).enumerate() {
                assert!((f64::from(found) - expected).abs() < 1e-5, "{n_tokens} tokens, {at}: {found}, {expected}");
            }
        }
    }
}
