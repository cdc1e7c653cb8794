//! Clinical concepts: how present a term is, against the same sentence without it.

use crate::Result;
use candle_core::{DType, Tensor};

/// The temperature of MAKE's concept annotation, `1 / exp(4.5944)`.
pub const TEMPERATURE: f64 = 0.010_108_283_932_210_89;

/// Presence scores of one concept, between 0 and 1, one an image.
///
/// For each template t: a is the mean over the concept's terms of their similarity to the image, b that of the
/// reference prompt; the score is `softmax([a, b] / temperature)[0]`, averaged over the templates.
///
/// # Shapes
/// - `image_features`: `[B, E]`, unit rows
/// - `target_embeddings`: `[T, n_terms, E]`, unit rows
/// - `reference_embeddings`: `[T, 1, E]`, unit rows
pub fn presence_scores(
    image_features: &Tensor,
    target_embeddings: &Tensor,
    reference_embeddings: &Tensor,
) -> Result<Vec<f64>> {
    let images = image_features.to_dtype(DType::F64)?.t()?.contiguous()?; // [E, B]
    // [T, n, E] x [E, B] to [T, B]: mean similarity over the terms
    let similarity = |embeddings: &Tensor| -> Result<Tensor> {
        let (n_templates, n_terms, embed_dim) = embeddings.dims3()?;
        let rows = embeddings.to_dtype(DType::F64)?.reshape((n_templates * n_terms, embed_dim))?;
        Ok(rows.matmul(&images)?.reshape((n_templates, n_terms, ()))?.mean(1)?)
    };
    let margin = ((similarity(target_embeddings)? - similarity(reference_embeddings)?)? / TEMPERATURE)?;
    let mut scores = vec![0f64; images.dim(1)?];
    let rows = margin.to_vec2::<f64>()?;
    for row in &rows {
        for (score, margin) in scores.iter_mut().zip(row) {
            *score += 1.0 / (1.0 + (-margin).exp()) / rows.len() as f64;
        }
    }
    Ok(scores)
}
