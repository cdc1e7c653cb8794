//! The weights that a run starts from.

use super::parameters::{LOGIT_BIAS, LOGIT_SCALE};
use super::recipe::Recipe;
use anyhow::{Context, Result, anyhow, ensure};
use candle_core::{Device, Tensor};
use dermake_hub::{WeightsKind, demo_model};
use dermake_models::{CONFIG_FILE, Checkpoint, NoConfig, init};
use dermake_objective::{PairLogits, Variant};
use shared_model::config::ClipConfig;
use shared_model::weights::Weights;

/// The weights that the recipe starts from, and the model that they belong to.
///
/// # Errors
/// When they cannot be found or read, or are no dense weights of a model that can be trained.
pub fn initial_weights(recipe: &Recipe) -> Result<(ClipConfig, Weights)> {
    let (config, weights) = match recipe.model.drawn_config()? {
        Some(config) => {
            let weights = init::weights(&config, recipe.model.seed);
            (config, weights)
        }
        None => checkpoint(recipe)?,
    };
    match recipe.objective.variant {
        Variant::SigLip if !config.has_logit_bias => with_logit_bias(config, weights),
        _ => Ok((config, weights)),
    }
}

/// The model for SigLIP's loss, whose logits begin as in its paper.
fn with_logit_bias(mut config: ClipConfig, mut weights: Weights) -> Result<(ClipConfig, Weights)> {
    let scalar = |value: f64| Tensor::new(value as f32, &Device::Cpu);
    weights.set(LOGIT_SCALE, &scalar(PairLogits::START.scale.ln())?)?;
    weights.set(LOGIT_BIAS, &scalar(PairLogits::START.bias)?)?;
    config.has_logit_bias = true;
    Ok((config, weights))
}

/// The checkpoint that the recipe names.
fn checkpoint(recipe: &Recipe) -> Result<(ClipConfig, Weights)> {
    let from = recipe.model.from.as_deref().context("the recipe names no model")?;
    let found = dense(from, recipe.model.architecture.as_deref());
    let (config, weights) = found.map_err(without_option).context("model.from")?;
    Ok((recipe.model.sized(config)?, weights))
}

/// Names the recipe's field for the architecture, where other commands have an option.
fn without_option(err: anyhow::Error) -> anyhow::Error {
    match err.downcast::<NoConfig>() {
        Ok(NoConfig { weights }) => anyhow!(
            "no {CONFIG_FILE} beside the weights; name their shape as model.architecture in the recipe: {}",
            weights.display()
        ),
        Err(err) => err,
    }
}

/// A checkpoint that can be trained: `demo`, or what [`dermake_hub::resolve`] finds.
///
/// # Errors
/// When it cannot be found or read, or is no dense checkpoint of a model that can be trained.
pub(super) fn dense(from: &str, architecture: Option<&str>) -> Result<(ClipConfig, Weights)> {
    if demo_model::is_name(from) {
        return Ok(shared_model::demo::dense()?);
    }
    let files = dermake_hub::resolve(from)?;
    ensure!(
        files.weights_kind != WeightsKind::Quantized,
        "a quantized model cannot be trained, expected a dense checkpoint, or demo: {from}"
    );
    if files.config.is_none() && architecture.is_none() {
        return Err(NoConfig { weights: files.weights }.into());
    }
    let checkpoint = Checkpoint::open(&files, architecture)?;
    ensure!(
        checkpoint.config.is_plain(),
        "only open_clip's own ViT-CLIP models can be trained, and this is a model of another kind: {from}"
    );
    Ok((checkpoint.config, checkpoint.weights))
}
