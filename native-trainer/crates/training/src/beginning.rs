//! What a run begins with: its plan, its model and its optimizer.

use super::initial_weights::initial_weights;
use super::model::{self, TrainedModel};
use super::optimizer::AdamW;
use super::own_data;
use super::plan::Plan;
use super::ranks::Ranks;
use super::recipe::Recipe;
use super::tables::Tables;
use anyhow::Result;
use dermake_device::{DeviceChoice, placement};
use shared_model::weights::{Placement, Weights};
use std::path::Path;

/// Folders and device of a run.
#[derive(Clone, Debug)]
pub struct RunPlaces<'a> {
    pub data: &'a Path,
    pub out: &'a Path,
    pub device: DeviceChoice,
}

/// A plan, and the weights that its model begins with.
pub(super) struct Beginning {
    pub plan: Plan,
    weights: Weights,
    placement: Placement,
}

impl Beginning {
    /// Reads the tables and the weights of a recipe.
    ///
    /// # Errors
    /// When they cannot be read, or the recipe does not fit them or the device.
    pub fn of(mut recipe: Recipe, places: &RunPlaces<'_>, ranks: &Ranks) -> Result<Self> {
        let data = own_data::folder_of(&mut recipe, places.data)?;
        let placement = placement(places.device, recipe.run.precision)?;
        let tables = Tables::read(&recipe, &data, ranks.size())?;
        let (config, weights) = initial_weights(&recipe)?;
        let memory = model::free_memory(&config, &placement).of_rank(ranks.n_local());
        let plan = Plan::resolve(recipe, config, tables, memory, ranks.size())?;
        Ok(Self { plan, weights, placement })
    }

    /// Returns the plan, and the model with what the recipe locks or adapts.
    ///
    /// # Errors
    /// When the weights do not fit the model or the device.
    pub fn into_model(self) -> Result<(Plan, TrainedModel)> {
        let Self { plan, weights, placement } = self;
        let lock = plan.recipe.locked();
        let model = TrainedModel::with_lock(weights, &plan.config, &placement, &lock)?;
        let model = match &plan.recipe.lora {
            Some(lora) => model.with_adapters(lora, &lock)?,
            None => model,
        };
        Ok((plan, model))
    }
}

/// The optimizer of a plan's model.
///
/// # Errors
/// When the device has no memory for its moments.
pub(super) fn optimizer_of(plan: &Plan, model: &TrainedModel) -> Result<AdamW> {
    let optimizer = AdamW::new(plan.recipe.optimizer.clone(), model.trained().1.clone(), model.device())?;
    Ok(optimizer.with_rate_factors(|name| plan.recipe.schedule.rate_factor(name, &plan.config)))
}
