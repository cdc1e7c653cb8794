//! The weights that a run starts from.

use super::recipe::Recipe;
use anyhow::{Context, Result, ensure};
use dermake_hub::{WeightsKind, demo_model};
use dermake_models::{CONFIG_FILE, Checkpoint, init};
use shared_model::config::ClipConfig;
use shared_model::weights::Weights;

/// The weights that the recipe starts from, and the model that they belong to.
///
/// # Errors
/// When they cannot be found or read, or are no dense weights of a model that can be trained.
pub fn initial_weights(recipe: &Recipe) -> Result<(ClipConfig, Weights)> {
    if let Some(config) = recipe.model.drawn_config()? {
        let weights = init::weights(&config, recipe.model.seed);
        return Ok((config, weights));
    }
    let from = recipe.model.from.as_deref().context("the recipe names no model")?;
    let quantized = "model.from is a quantized model, expected a dense checkpoint";
    ensure!(!demo_model::is_name(from), "{quantized}: {from}");
    let files = dermake_hub::resolve(from)?;
    ensure!(files.weights_kind != WeightsKind::Quantized, "{quantized}: {from}");
    ensure!(
        files.config.is_some() || recipe.model.architecture.is_some(),
        "no {CONFIG_FILE} beside the weights; name their shape as model.architecture in the recipe: {}",
        files.weights.display()
    );
    let checkpoint = Checkpoint::open(&files, recipe.model.architecture.as_deref())?;
    ensure!(
        checkpoint.config.is_plain(),
        "only open_clip's own ViT-CLIP models can be trained, and this is a model of another kind: {from}"
    );
    Ok((checkpoint.config, checkpoint.weights))
}
