//! `dermake annotate`: ranks clinical concepts for photos.

use crate::inputs::{Photo, Tally};
use anyhow::{Context, Result};
use candle_core::Device;
use dermake_features::{Encoder, FeatureStore, Identity};
use dermake_files::labels;
use dermake_models::options::ModelOptions;
use dermake_process::print::{self, shown};
use dermake_process::progress;
use serde::Serialize;
use shared_model::concepts::Presence;
use shared_model::concepts::{Concept, ConceptScorer};
use shared_model::labels::{ConceptTemplates, concept_terms};
use shared_model::preprocess::Reading;
use std::path::PathBuf;

/// Which concepts to score, and how to print the answers.
pub struct AnnotateOptions {
    /// Known concepts or custom words, each entry in the form of --concepts; empty means all known concepts.
    pub concepts: Vec<String>,
    pub top_k: usize,
    pub as_json: bool,
    pub reading: Reading,
    /// Folder of the cached features of the concepts' terms; those of photos are not cached.
    pub cache: Option<PathBuf>,
}

/// One line of `--json`.
#[derive(Serialize)]
struct Annotation<'a> {
    image: &'a str,
    concepts: Vec<Presence>,
    model: &'a str,
}

/// Prints an answer for each photo that can be read. Returns how many could and could not be read.
pub fn annotate(photos: &[Photo], model_options: &ModelOptions, options: &AnnotateOptions) -> Result<Tally> {
    let concepts = known_concepts(&options.concepts)?;
    let (model, name) = model_options.load()?;
    dermake_models::warn_of(&model);
    let store = match &options.cache {
        Some(cache) => {
            let identity = Identity::of(model_options, &model, &name, options.reading)?;
            FeatureStore::open_cache(cache, &identity)
        }
        None => None,
    };
    let templates = ConceptTemplates::skin();
    let bar = progress::prompts();
    let features = Encoder::new(&model, options.reading, store).texts(
        &ConceptScorer::prompts(&concepts, &templates),
        &mut |done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        },
    )?;
    bar.finish_and_clear();
    let scorer = ConceptScorer::new(&concepts, &templates, &features)?;

    let scores = |photo: &Photo| -> Result<Vec<f64>> {
        let image = dermake_pictures::decode(&photo.read()?, options.reading)?;
        let feature = model.decoded_image_features(image)?.to_device(&Device::Cpu)?;
        Ok(scorer.scores(&feature)?.into_iter().flatten().collect())
    };
    Tally::of(photos, scores, |photo, scores| {
        let annotation = Annotation::of(photo, &concepts, &scores, &name, options.top_k);
        if options.as_json { print::json(&annotation) } else { print::answer(&annotation.to_table()) }
    })
}

/// Returns the terms of a known concept, or the word itself.
fn known_concepts(names: &[String]) -> Result<Vec<Concept>> {
    let known = concept_terms();
    if names.is_empty() {
        return Ok(known.into_iter().map(|(name, terms)| Concept { name, terms }).collect());
    }
    let mut concepts: Vec<Concept> = Vec::new();
    for argument in names {
        for name in labels::words_from_argument(argument).context("--concepts")? {
            let name = name.to_lowercase();
            let terms = known.get(&name).cloned().unwrap_or_else(|| vec![name.clone()]);
            if concepts.iter().all(|concept| concept.name != name) {
                concepts.push(Concept { name, terms });
            }
        }
    }
    Ok(concepts)
}

impl<'a> Annotation<'a> {
    /// The concepts with the highest scores, the most present first.
    fn of(photo: &'a Photo, concepts: &[Concept], scores: &[f64], model: &'a str, top_k: usize) -> Self {
        let presence = |(concept, &score): (&Concept, &f64)| Presence { concept: concept.name.clone(), score };
        let mut ranked: Vec<Presence> = concepts.iter().zip(scores).map(presence).collect();
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
        ranked.truncate(top_k);
        Self { image: &photo.name, concepts: ranked, model }
    }

    fn to_table(&self) -> String {
        let longest = self.concepts.iter().map(|presence| presence.concept.chars().count()).max().unwrap_or(0);
        let mut text = format!("{} ({})", shown(self.image), self.model);
        for (rank, Presence { concept, score }) in self.concepts.iter().enumerate() {
            text.push_str(&format!("\n{:>4}. {concept:<longest$}  {score:.3}", rank + 1));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_concepts_bring_their_terms() {
        let concepts = known_concepts(&["Bulla".into(), "tattoo".into()]).unwrap();
        assert_eq!(concepts[0].terms, ["bullae", "blister"]);
        assert_eq!(concepts[1].terms, ["tattoo"]);
        assert_eq!(known_concepts(&[]).unwrap().len(), 64);
        let typed = known_concepts(&["Bulla; tattoo".into(), "bulla, exophytic/fungating".into()]).unwrap();
        let names: Vec<&str> = typed.iter().map(|concept| concept.name.as_str()).collect();
        assert_eq!(names, ["bulla", "tattoo", "exophytic/fungating"]);
        for bad in [" ", "concepts.txt", "[\"bulla\""] {
            assert!(known_concepts(&[bad.into()]).is_err(), "{bad}");
        }
    }
}
