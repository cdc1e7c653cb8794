//! From raw embeddings to the features of the loss, and the gradients back: unit length and weighted patch sums.

use anyhow::Result;
use candle_core::{D, Tensor};
use shared_model::{SMALLEST_SQUARED_NORM, unit_length, weighted_patch_sum};

/// The gradient of [`unit_length`]: `(dy - y (y . dy)) / |x|`, rows along the last axis.
///
/// # Shapes
/// - `x`, `dy`: `[.., E]` f32; returns the same
pub fn unit_length_gradient(x: &Tensor, dy: &Tensor) -> Result<Tensor> {
    let squares = x.sqr()?.sum_keepdim(D::Minus1)?;
    let norm = squares.maximum(SMALLEST_SQUARED_NORM)?.sqrt()?;
    let y = x.broadcast_div(&norm)?;
    // A row shorter than the bound is divided by a constant: its length has no gradient.
    let is_longer = squares.ge(SMALLEST_SQUARED_NORM)?.to_dtype(x.dtype())?;
    let along = ((&y * dy)?.sum_keepdim(D::Minus1)? * is_longer)?;
    Ok((dy - y.broadcast_mul(&along)?)?.broadcast_div(&norm)?)
}

/// `[b, N, E]` to `[b, E]`
pub fn class_tokens(raw: &Tensor) -> Result<Tensor> {
    Ok(raw.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?)
}

/// `[b, 1 + P, E]` to `[b, P, E]`
pub fn patch_tokens(raw: &Tensor) -> Result<Tensor> {
    Ok(raw.narrow(1, 1, raw.dim(1)? - 1)?.contiguous()?)
}

/// Local features of images for their own captions: [`weighted_patch_sum`] of both at unit length.
///
/// # Shapes
/// - `raw_patches`: `[b, P, E]`, `texts`: `[b, K, E]` rows of unit length; returns `[b, K, E]`
pub fn local_features(raw_patches: &Tensor, texts: &Tensor, sigma: f64) -> Result<Tensor> {
    Ok(weighted_patch_sum(&unit_length(raw_patches)?, texts, sigma)?)
}

/// The gradients of [`local_features`] with respect to the raw patches and the texts.
///
/// With similarities `s = patches texts^T`, kept ones `k = s >= sigma`, weights `w = s k`, and `u = w / |w|` over the
/// patches, the feature is `u patches`. So `du = d patches^T`, `dw = (du - u (u . du)) / |w|`, `ds = dw k`, and
/// `d_patches = u^T d + ds texts`, `d_texts = ds^T patches`.
pub fn local_gradients(raw_patches: &Tensor, texts: &Tensor, sigma: f64, d: &Tensor) -> Result<(Tensor, Tensor)> {
    let patches = unit_length(raw_patches)?;
    let similarity = texts.matmul(&patches.t()?.contiguous()?)?; // [b, K, P]
    let kept = similarity.ge(sigma)?.to_dtype(similarity.dtype())?;
    let weights = (similarity * &kept)?;
    let unit = unit_length(&weights)?;
    let d_unit = d.matmul(&patches.t()?.contiguous()?)?;
    let d_similarity = (unit_length_gradient(&weights, &d_unit)? * kept)?;
    let d_patches = (unit.t()?.contiguous()?.matmul(d)? + d_similarity.t()?.contiguous()?.matmul(texts)?)?;
    let d_texts = d_similarity.matmul(&patches)?;
    Ok((unit_length_gradient(raw_patches, &d_patches)?, d_texts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::randn;
    use candle_core::{Device, Var};

    fn random(shape: &[usize]) -> Var {
        Var::from_tensor(&randn(0.0, 1.0, shape)).unwrap()
    }

    fn assert_near(ours: &Tensor, expected: &Tensor) {
        let difference = (ours - expected).unwrap().abs().unwrap().flatten_all().unwrap().max(0).unwrap();
        assert!(difference.to_scalar::<f32>().unwrap() < 1e-5);
    }

    #[test]
    fn gradients_are_those_of_candle() {
        let (patches, texts, d) = (random(&[3, 7, 5]), random(&[3, 2, 5]), random(&[3, 2, 5]));
        let unit_texts = Var::from_tensor(&unit_length(&texts).unwrap()).unwrap();
        for sigma in [-1.0, 0.0, 0.3, 2.0] {
            let features = local_features(&patches, &unit_texts, sigma).unwrap();
            let store = (features * d.as_tensor()).unwrap().sum_all().unwrap().backward().unwrap();
            let (d_patches, d_texts) = local_gradients(&patches.detach(), &unit_texts.detach(), sigma, &d).unwrap();
            assert_near(&d_patches, store.get(&patches).unwrap());
            assert_near(&d_texts, store.get(&unit_texts).unwrap());
        }
    }

    #[test]
    fn a_row_of_zeros_has_the_gradient_of_a_division_by_the_bound() {
        let x = Tensor::zeros((1, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
        let dy = Tensor::new(&[[1e-12f32, 2e-12, 0.0]], &Device::Cpu).unwrap();
        let dx: Vec<f32> = unit_length_gradient(&x, &dy).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        assert!((dx[0] - 1.0).abs() < 1e-5 && (dx[1] - 2.0).abs() < 1e-5 && dx[2] == 0.0, "{dx:?}");
    }
}
