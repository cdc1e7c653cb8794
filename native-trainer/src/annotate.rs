//! `dermake annotate`: the clinical concepts that are most present on photos.

use crate::device::placement;
use crate::features::{Encoder, FeatureStore, Identity};
use crate::labels;
use crate::model;
use crate::options::ModelOptions;
use crate::pictures;
use crate::progress;
use anyhow::{Context, Result};
use candle_core::Device;
use serde::Serialize;
use shared_model::api::Presence;
use shared_model::concepts::{Concept, ConceptScorer};
use shared_model::labels::{ConceptTemplates, concept_terms};
use shared_model::preprocess::Reading;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What to look for, and how the answers are written.
pub struct AnnotateOptions {
    /// Names of the known concepts, or words of one's own, each entry as --concepts takes it; none means all known.
    pub concepts: Vec<String>,
    pub top_k: usize,
    pub as_json: bool,
    pub reading: Reading,
    /// Where the features of the concepts' terms are kept; those of photos are not.
    pub cache: Option<PathBuf>,
}

/// One line of `--json`.
#[derive(Serialize)]
struct Annotation<'a> {
    image: &'a str,
    concepts: Vec<Presence>,
    model: &'a str,
}

/// Answers for every image that can be read; returns whether all could.
pub fn annotate(images: &[PathBuf], model_options: &ModelOptions, options: &AnnotateOptions) -> Result<bool> {
    let concepts = known_concepts(&options.concepts)?;
    let placement = placement(model_options.device, model_options.dtype)?;
    let (model, name) = model::load(&model_options.model, model_options.arch.as_deref(), &placement)?;
    model::warn_of(&model);
    let store = match &options.cache {
        Some(cache) => {
            let identity = Identity::of(model_options, &model, &name, options.reading)?;
            FeatureStore::open_cache(cache, &identity)?
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

    let mut all_read = true;
    let mut stdout = std::io::stdout().lock();
    for path in images {
        let scores = || -> Result<Vec<f64>> {
            let image = pictures::open(path, options.reading)?;
            let feature = model.decoded_image_features(&image)?.to_device(&Device::Cpu)?;
            Ok(scorer.scores(&feature)?.into_iter().flatten().collect())
        };
        match scores() {
            Ok(scores) => {
                let text = written(path, &concepts, &scores, &name, options)?;
                writeln!(stdout, "{text}").context("cannot write the answer")?;
            }
            Err(err) => {
                all_read = false;
                tracing::error!("{err:#}: {}", path.display());
            }
        }
    }
    Ok(all_read)
}

/// A known concept brings its terms; any other word stands for itself.
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

fn written(
    path: &Path,
    concepts: &[Concept],
    scores: &[f64],
    model: &str,
    options: &AnnotateOptions,
) -> Result<String> {
    let mut ranked: Vec<(&Concept, f64)> = concepts.iter().zip(scores.iter().copied()).collect();
    ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    ranked.truncate(options.top_k);
    let image = path.to_string_lossy();
    if options.as_json {
        let presence = |(concept, score): (&Concept, f64)| Presence { concept: concept.name.clone(), score };
        let concepts = ranked.into_iter().map(presence).collect();
        return Ok(serde_json::to_string(&Annotation { image: &image, concepts, model })?);
    }
    let longest = ranked.iter().map(|(concept, _)| concept.name.chars().count()).max().unwrap_or(0);
    let mut text = format!("{image} ({model})");
    for (rank, (concept, score)) in ranked.iter().enumerate() {
        text.push_str(&format!("\n{:>4}. {:<longest$}  {score:.3}", rank + 1, concept.name));
    }
    Ok(text)
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
