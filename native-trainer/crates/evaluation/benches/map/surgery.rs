//! CLIP Surgery (Li et al., arXiv 2304.05653), for comparison.
//!
//! From the middle block on, a second path adds up attention of values to values, without MLPs; its patches meet texts
//! from which what all labels share is taken away.

use super::subject::Subject;
use anyhow::Result;
use candle_core::{D, Tensor};
use shared_model::unit_length;
use shared_model::weights::Placement;

/// Similarities of patches and labels, `[P, C]`.
///
/// `inputs` are the tokens as they enter each block, `[1, N, D]`, and as they leave the last one.
pub fn similarities(subject: &Subject, inputs: &[Tensor]) -> Result<Tensor> {
    let vision = &subject.config.vision;
    let first = vision.layers / 2;
    let mut path = inputs[first].squeeze(0)?;
    for (layer, x) in inputs.iter().enumerate().take(vision.layers).skip(first) {
        path = (path + value_attention(subject, layer, &x.squeeze(0)?)?)?;
    }
    let tensor = |name: &str| subject.weights.tensor(name, &Placement::default());
    let normalized = layer_norm(&path, &tensor("visual.ln_post.weight")?, &tensor("visual.ln_post.bias")?)?;
    let features = unit_length(&normalized.matmul(&tensor("visual.proj")?)?)?; // [N, E]
    let cosines = features.matmul(subject.classifier.weights())?; // [N, C]
    let of_class_token = candle_nn::ops::softmax(&(cosines.narrow(0, 0, 1)? * 2.0)?, D::Minus1)?;
    let weights = of_class_token.broadcast_div(&of_class_token.mean_keepdim(1)?)?;
    let weighted = cosines.broadcast_mul(&weights)?;
    let shared = weighted.mean_keepdim(1)?;
    Ok(weighted.broadcast_sub(&shared)?.narrow(0, 1, vision.n_patches())?)
}

/// Attention whose queries and keys are the values, of tokens `[N, D]`.
fn value_attention(subject: &Subject, layer: usize, x: &Tensor) -> Result<Tensor> {
    let vision = &subject.config.vision;
    let tensor = |name: &str| {
        subject.weights.tensor(&format!("visual.transformer.resblocks.{layer}.{name}"), &Placement::default())
    };
    let (width, heads) = (vision.width, vision.heads);
    let normalized = layer_norm(x, &tensor("ln_1.weight")?, &tensor("ln_1.bias")?)?;
    let weight = tensor("attn.in_proj_weight")?.narrow(0, 2 * width, width)?.contiguous()?;
    let bias = tensor("attn.in_proj_bias")?.narrow(0, 2 * width, width)?;
    let values = normalized.matmul(&weight.t()?)?.broadcast_add(&bias)?;
    let scale = (width as f64 / heads as f64).powf(-0.5);
    let mut joined = Vec::new();
    for head in 0..heads {
        let values = values.narrow(1, head * (width / heads), width / heads)?.contiguous()?;
        let logits = (values.matmul(&values.t()?)? * scale)?;
        joined.push(candle_nn::ops::softmax(&logits, D::Minus1)?.matmul(&values)?);
    }
    let out = Tensor::cat(&joined, 1)?.matmul(&tensor("attn.out_proj.weight")?.t()?)?;
    Ok(out.broadcast_add(&tensor("attn.out_proj.bias")?)?)
}

fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let centered = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let deviation = (centered.sqr()?.mean_keepdim(D::Minus1)? + 1e-5)?.sqrt()?;
    Ok(centered.broadcast_div(&deviation)?.broadcast_mul(weight)?.broadcast_add(bias)?)
}
