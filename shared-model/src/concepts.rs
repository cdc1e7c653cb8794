//! Clinical concepts: how much more a photo is like sentences with a term than like the same sentences without it.

use crate::labels::ConceptTemplates;
use crate::{Error, Result};
use candle_core::{DType, Tensor};
use serde::{Deserialize, Serialize};

/// The temperature of MAKE's concept annotation, `1 / exp(4.5944)`.
pub const TEMPERATURE: f64 = 0.010_108_283_932_210_89;

/// A concept and its terms, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concept {
    /// Name of the concept.
    pub name: String,
    /// Words that are used for it.
    pub terms: Vec<String>,
}

/// The presence score of one concept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Presence {
    /// Name of the concept.
    pub concept: String,
    /// Between 0 and 1. At 0.5 the photo is as similar to the sentences with the concept as to those without it.
    pub score: f64,
}

/// Scores images for a list of concepts.
pub struct ConceptScorer {
    /// For each concept, `[T, n_terms, E]`.
    targets: Vec<Tensor>,
    /// `[T, 1, E]`
    references: Tensor,
}

impl ConceptScorer {
    /// Returns the prompts to encode: the reference prompts, then for each concept every term in every target template.
    pub fn prompts(concepts: &[Concept], templates: &ConceptTemplates) -> Vec<String> {
        let targets = concepts.iter().flat_map(|concept| {
            templates
                .target_templates
                .as_slice()
                .iter()
                .flat_map(|template| concept.terms.iter().map(move |term| template.replacen("{}", term, 1)))
        });
        templates.reference_prompts.iter().cloned().chain(targets).collect()
    }

    /// Creates a scorer from the features of [`Self::prompts`].
    ///
    /// # Shapes
    /// - `features`: `[n, E]` f32, rows of unit length
    ///
    /// # Errors
    /// [`Error::Labels`] when there are more or fewer features than prompts.
    pub fn new(concepts: &[Concept], templates: &ConceptTemplates, features: &Tensor) -> Result<Self> {
        let n_templates = templates.reference_prompts.len();
        let (n_features, embed_dim) = features.dims2()?;
        let n_prompts = n_templates * (1 + concepts.iter().map(|concept| concept.terms.len()).sum::<usize>());
        if n_features != n_prompts {
            let expected = format!("{n_prompts} features");
            return Err(Error::Labels { what: "concepts".into(), expected, found: n_features.to_string() });
        }
        let references = features.narrow(0, 0, n_templates)?.reshape((n_templates, 1, embed_dim))?;
        let mut start = n_templates;
        let mut target = |concept: &Concept| {
            let n_terms = concept.terms.len();
            let rows = features.narrow(0, start, n_templates * n_terms)?;
            start += n_templates * n_terms;
            Ok(rows.reshape((n_templates, n_terms, embed_dim))?)
        };
        let targets = concepts.iter().map(&mut target).collect::<Result<_>>()?;
        Ok(Self { targets, references })
    }

    /// Returns the [`presence_scores`] of each concept, `[concepts][B]`.
    ///
    /// # Shapes
    /// - `image_features`: `[B, E]` f32, rows of unit length
    pub fn scores(&self, image_features: &Tensor) -> Result<Vec<Vec<f64>>> {
        self.targets.iter().map(|target| presence_scores(image_features, target, &self.references)).collect()
    }
}

/// Returns the presence scores `[B]` of one concept, between 0 and 1.
///
/// For each template, a is the mean similarity of the concept's terms to the image and b the similarity of the
/// reference prompt. The score is `softmax([a, b] / temperature)[0]`, averaged over the templates (MAKE's concept
/// annotation).
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
