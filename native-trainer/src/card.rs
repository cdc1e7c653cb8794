//! `dermake card`: shows what a model's manifest says of it, and adds to it.

mod results;
mod text;

pub use results::evaluations_of;

use anyhow::{Context, Result};
use dermake_features::manifest_sha256;
use dermake_models::manifest_folder::{ManifestFolder, manifest_of};
use dermake_process::print;
use shared_model::card::{CardEvaluation, ModelCard};
use std::path::PathBuf;

/// What to add to a card. What is given replaces what was there.
pub struct CardChanges {
    pub trained_on: Vec<String>,
    pub limits: Vec<String>,
    pub license: Option<String>,
    pub source: Option<String>,
    /// `results.json` of `dermake eval --out`.
    pub results: Vec<PathBuf>,
}

impl CardChanges {
    fn is_empty(&self) -> bool {
        let Self { trained_on, limits, license, source, results } = self;
        trained_on.is_empty() && limits.is_empty() && results.is_empty() && license.is_none() && source.is_none()
    }

    /// Changes a card. Returns the evaluations that are replaced.
    fn apply_to(self, card: &mut ModelCard, evaluations: Vec<CardEvaluation>) -> Vec<CardEvaluation> {
        if !self.trained_on.is_empty() {
            card.trained_on = self.trained_on;
        }
        if !self.limits.is_empty() {
            card.limits = self.limits;
        }
        card.license = self.license.or(card.license.take());
        card.source = self.source.or(card.source.take());
        card.add_evaluations(evaluations)
    }
}

/// Adds to the card of a model's folder, and prints it.
///
/// # Errors
/// If the model has no manifest, or results are of another model.
pub fn card(model: &str, changes: CardChanges, as_json: bool) -> Result<()> {
    if !changes.is_empty() {
        let folder = ManifestFolder::open(model)?.with_context(|| {
            format!("expected a folder of `dermake quantize`, whose manifest keeps the card, found {model}")
        })?;
        let manifest = folder.read()?;
        let name = manifest.name.clone();
        let evaluations = evaluations_of(&changes.results, &name, Some(&manifest_sha256(manifest)?))?;
        let mut replaced = Vec::new();
        folder.change(|manifest| {
            replaced = changes.apply_to(manifest.card.get_or_insert_default(), evaluations);
        })?;
        for CardEvaluation { title, metric, n, .. } in replaced {
            tracing::info!("replaced what the card said of {title}, {n} images: {metric}");
        }
        tracing::info!("written into {}", folder.path().display());
    }
    let manifest = manifest_of(model)?;
    if as_json {
        let card = manifest.card.unwrap_or_default();
        return print::summary_json(&[&serde_json::to_vec_pretty(&card)?[..], b"\n"].concat());
    }
    print::summary(&text::of(&manifest))
}
