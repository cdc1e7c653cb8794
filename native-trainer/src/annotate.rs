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
use shared_model::labels::ConceptTemplates;
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
    let concepts = concepts(&options.concepts)?;
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
    let prompts = ConceptScorer::prompts(&concepts, &templates);
    let mut encoder = Encoder::new(&model, options.reading, store);
    let features = progress::of_prompts(|progress| encoder.texts(&prompts, progress))?;
    let scorer = ConceptScorer::new(&concepts, &templates, &features)?;

    let present = |photo: &Photo| -> Result<Vec<Presence>> {
        let image = dermake_pictures::decode(&photo.read()?, options.reading)?;
        let feature = model.decoded_image_features(image)?.to_device(&Device::Cpu)?;
        Ok(scorer.annotate(&feature, options.top_k)?.remove(0))
    };
    Tally::of(photos, present, |photo, concepts| {
        let annotation = Annotation { image: &photo.name, concepts, model: &name };
        if options.as_json { print::json(&annotation) } else { print::answer(&annotation.to_table()) }
    })
}

/// Reads the arguments of --concepts, each concept once; without an argument, returns all known concepts.
fn concepts(arguments: &[String]) -> Result<Vec<Concept>> {
    if arguments.is_empty() {
        return Ok(Concept::known());
    }
    let mut concepts: Vec<Concept> = Vec::new();
    for argument in arguments {
        for concept in labels::concepts_from_argument(argument).context("--concepts")? {
            if concepts.iter().all(|known| known.name != concept.name) {
                concepts.push(concept);
            }
        }
    }
    Ok(concepts)
}

impl Annotation<'_> {
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
    fn each_concept_of_all_arguments_is_there_once() {
        assert_eq!(concepts(&[]).unwrap().len(), 64);
        let typed = concepts(&["Bulla; tattoo".into(), "bulla, exophytic/fungating".into()]).unwrap();
        let names: Vec<&str> = typed.iter().map(|concept| concept.name.as_str()).collect();
        assert_eq!(names, ["bulla", "tattoo", "exophytic/fungating"]);
        for bad in [" ", "concepts.txt", "[\"bulla\""] {
            assert!(concepts(&[bad.into()]).is_err(), "{bad}");
        }
    }
}
