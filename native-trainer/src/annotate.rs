//! `dermake annotate`: ranks clinical concepts for photos.

use crate::inputs::{Photo, Tally};
use anyhow::{Context, Result};
use candle_core::Device;
use dermake_features::{Encoder, FeatureStore, Identity};
use dermake_files::labels;
use dermake_models::options::ModelOptions;
use dermake_models::scale::Scale;
use dermake_process::print::{self, shown};
use dermake_process::progress;
use dermake_sheets::{Sheet, SheetFormat};
use serde::Serialize;
use shared_model::concepts::{Concept, Finding, Presence, Typical, findings};
use shared_model::preprocess::Reading;
use std::path::{Path, PathBuf};

/// Which concepts to score, and how to print the answers.
pub struct AnnotateOptions {
    /// Known concepts or custom words, each entry in the form of --concepts; empty means all known concepts.
    pub concepts: Vec<String>,
    pub top_k: usize,
    /// The label whose typical concepts are marked, and printed even if they are not among the first `top_k`.
    pub typical_of: Option<String>,
    pub scale: Scale,
    pub as_json: bool,
    pub reading: Reading,
    /// Folder of the cached features of the concepts' terms; those of photos are not cached.
    pub cache: Option<PathBuf>,
    /// A file for the scores of all concepts, in place of printed answers.
    pub out: Option<PathBuf>,
    /// The lists of photos that are read, which `out` must not replace.
    pub lists: Vec<PathBuf>,
}

/// One line of `--json`.
#[derive(Serialize)]
struct Annotation<'a> {
    image: &'a str,
    concepts: Vec<Finding>,
    /// The factor between cosines and scores.
    scale: f64,
    model: &'a str,
}

/// Prints an answer for each photo that can be read. Returns how many could and could not be read.
pub fn annotate(photos: &[Photo], model_options: &ModelOptions, options: &AnnotateOptions) -> Result<Tally> {
    if let Some(out) = &options.out {
        SheetFormat::check(out)?;
        let of_concepts = options.concepts.iter().map(Path::new);
        let lists = options.lists.iter().map(PathBuf::as_path);
        let read: Vec<&Path> = photos.iter().filter_map(Photo::path).chain(lists).chain(of_concepts).collect();
        SheetFormat::refuse_inputs("--out", out, &read)?;
    }
    let concepts = concepts(&options.concepts)?;
    let typical = options.typical_of.as_deref().map(typical).transpose()?;
    let loaded = model_options.open()?;
    let model = &loaded.model;
    dermake_models::warn_of(model);
    options.scale.check(model)?;
    let store = match &options.cache {
        Some(cache) => {
            let identity = Identity::of(model_options, &loaded, options.reading)?;
            FeatureStore::open_cache(cache, &identity)
        }
        None => None,
    };
    let mut encoder = Encoder::new(model, options.reading, store);
    let scorer = progress::of_prompts(|progress| encoder.concept_scorer(&concepts, progress))?;
    let scorer = options.scale.of_concepts(scorer, model)?;

    let present = |photo: &Photo| -> Result<Vec<Presence>> {
        let image = dermake_pictures::decode(&photo.read()?, options.reading)?;
        let feature = model.decoded_image_features(image)?.to_device(&Device::Cpu)?;
        Ok(scorer.annotate(&feature, concepts.len())?.remove(0))
    };
    let Some(out) = &options.out else {
        return Tally::of(photos, present, |photo, ranked| {
            let concepts = findings(&ranked, options.top_k, typical.as_ref());
            let annotation =
                Annotation { image: &photo.name, concepts, scale: scorer.scale(), model: &loaded.name };
            if options.as_json {
                print::json(&annotation)
            } else {
                print::answer(&annotation.to_table(options.top_k))
            }
        });
    };
    let mut scores = Scores::new(&concepts);
    let tally = Tally::of(photos, present, |photo, concepts| {
        scores.push(&photo.name, &concepts);
        Ok(())
    })?;
    if tally.n_answered == 0 {
        return Ok(tally); // a table of earlier scores stays
    }
    scores.write(out)?;
    print::summary(&format!(
        "{} photos, {} concepts: {}\n",
        tally.n_answered,
        concepts.len(),
        shown(&out.to_string_lossy())
    ))?;
    Ok(tally)
}

/// The scores of all concepts for each photo, as a table.
struct Scores {
    concepts: Vec<String>,
    files: Vec<String>,
    /// By concept.
    scores: Vec<Vec<Option<f64>>>,
}

impl Scores {
    fn new(concepts: &[Concept]) -> Self {
        let concepts: Vec<String> = concepts.iter().map(|concept| concept.name.clone()).collect();
        Self { files: Vec::new(), scores: vec![Vec::new(); concepts.len()], concepts }
    }

    fn push(&mut self, file: &str, present: &[Presence]) {
        self.files.push(file.to_owned());
        for (concept, scores) in self.concepts.iter().zip(&mut self.scores) {
            let found = present.iter().find(|presence| presence.concept == *concept);
            scores.push(found.map(|presence| presence.score));
        }
    }

    fn write(self, path: &Path) -> Result<()> {
        let mut sheet = Sheet::default();
        sheet.texts("file", self.files);
        for (concept, scores) in self.concepts.into_iter().zip(self.scores) {
            sheet.numbers(concept, scores);
        }
        sheet.write(path)
    }
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

/// Reads the argument of --typical-of. A warning goes to the log.
fn typical(label: &str) -> Result<Typical> {
    let typical = Typical::of_typed(label).context("--typical-of")?;
    if let Some(warning) = typical.warning() {
        tracing::warn!("--typical-of: {warning}");
    }
    Ok(typical)
}

impl Annotation<'_> {
    /// Returns a line for each concept. Those after the first `top_k` have no number: others may be between them.
    fn to_table(&self, top_k: usize) -> String {
        let longest = self.concepts.iter().map(|finding| finding.concept.chars().count()).max().unwrap_or(0);
        let mut text = format!("{} ({})", shown(self.image), self.model);
        for (rank, Finding { concept, score, typical }) in self.concepts.iter().enumerate() {
            let number = if rank < top_k { format!("{}.", rank + 1) } else { String::new() };
            let mark = if *typical == Some(true) { "  typical" } else { "" };
            text.push_str(&format!("\n{number:>5} {concept:<longest$}  {score:.3}{mark}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typical_concepts_after_the_first_have_no_number() {
        let finding = |(concept, typical): (&str, bool)| Finding {
            concept: concept.into(),
            score: 0.5,
            typical: Some(typical),
        };
        let concepts = [("scale", true), ("bulla", false), ("erythema", true)].map(finding).to_vec();
        let annotation = Annotation { image: "a.jpg", concepts, scale: 98.9, model: "demo" };
        let lines = ["a.jpg (demo)", "   1. scale     0.500  typical", "   2. bulla     0.500"];
        let expected = [&lines[..], &["      erythema  0.500  typical"]].concat().join("\n");
        assert_eq!(annotation.to_table(2), expected);
    }

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
