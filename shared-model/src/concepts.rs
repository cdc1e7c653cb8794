//! Clinical concepts: how present a term is, against the same sentence without it.

use crate::labels::ConceptTemplates;
use crate::{Error, Result};
use candle_core::{DType, Tensor};
use serde::{Deserialize, Serialize};

/// The temperature of MAKE's concept annotation, `1 / exp(4.5944)`.
pub const TEMPERATURE: f64 = 0.010_108_283_932_210_89;

/// A concept and the words for it, one at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concept {
    pub name: String,
    pub terms: Vec<String>,
}

/// A concept and how present it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Presence {
    pub concept: String,
    /// Between 0 and 1; 0.5 says that the photo is as near to the concept's sentences as to those without it.
    pub score: f64,
}

/// Concepts ready to be looked for in images.
pub struct ConceptScorer {
    /// Of each concept, `[T, n_terms, E]`.
    targets: Vec<Tensor>,
    /// `[T, 1, E]`
    references: Tensor,
}

impl ConceptScorer {
    /// What is encoded: the reference prompts, then, concept by concept, every term in every target template.
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

    /// # Shapes
    /// - `features`: `[n, E]`, unit rows, of [`Self::prompts`] of the same arguments
    ///
    /// # Errors
    /// [`Error::Labels`] when they are not as many as the prompts.
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

    /// [`presence_scores`] of each concept, in the order of the concepts; each has a score an image.
    pub fn scores(&self, image_features: &Tensor) -> Result<Vec<Vec<f64>>> {
        self.targets.iter().map(|target| presence_scores(image_features, target, &self.references)).collect()
    }
}

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
