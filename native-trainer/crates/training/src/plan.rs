//! A recipe with everything resolved: files found, steps counted, costs estimated.

use super::estimate::{BatchSize, StepEstimate};
use super::evaluated_on::evaluated_on;
use super::micro_batches::MicroBatches;
use super::model::DeviceMemory;
use super::ontology;
use super::parameters::parameters;
use super::ranks::Ranks;
use super::recipe::Recipe;
use super::table_hash::table_sha256;
use super::tables::{Tables, ZeroShotSet};
use anyhow::Result;
use dermake_data::shrink;
use dermake_data::{LoaderOptions, SampleSource};
use dermake_files::hash;
use shared_model::config::ClipConfig;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

mod summary;

/// The key in [`Plan::fingerprint`] of the recipe.
pub const RECIPE: &str = "recipe";

/// The plan of a run.
pub struct Plan {
    pub recipe: Recipe,
    pub config: ClipConfig,
    pub train: Arc<SampleSource>,
    pub validation: Option<Arc<SampleSource>>,
    pub zero_shot: Vec<ZeroShotSet>,
    pub steps_per_epoch: u64,
    pub total_steps: u64,
    /// Hashes of recipe, data and model, which must be the same for the run to continue.
    pub fingerprint: BTreeMap<String, String>,
    /// Hashes of the tables that the run is evaluated on.
    pub evaluated_on: BTreeMap<String, String>,
    pub estimate: StepEstimate,
    pub n_ranks: usize,
}

impl Plan {
    /// Makes the plan of `recipe` with its tables, for so many ranks, each on a device with that much memory.
    ///
    /// # Errors
    /// When the recipe does not fit the model, or a table cannot be read again.
    pub fn resolve(
        recipe: Recipe,
        config: ClipConfig,
        tables: Tables,
        memory: DeviceMemory,
        n_ranks: usize,
    ) -> Result<Self> {
        let Tables { data, train, validation, zero_shot, steps_per_epoch, total_steps } = tables;
        let (data, train) = (data.as_path(), train.samples(&config)?);
        let validation = validation.map(|validation| validation.samples(&config)).transpose()?;
        let table = table_sha256(&data.join(&recipe.data.train), train.table())?;
        let mut fingerprint = fingerprint(&recipe, &config, table, train.image_root())?;
        fingerprint.extend(ontology::fingerprint(&recipe, data)?);
        let evaluated_on = evaluated_on(&recipe, &zero_shot, data, validation.as_deref())?;
        recipe.lock.check_blocks(&config)?;
        if let Some(lora) = &recipe.lora {
            let lock = recipe.locked();
            lora.layout(&config, &lock, &lock.layout(&config))?;
        }
        let n_prefetched = loader_options(&recipe).prefetch_batches;
        let batch = BatchSize { n_ranks, ..BatchSize::of(&recipe, &train) };
        let estimate = StepEstimate::new(&recipe, &config, batch, n_prefetched, memory)?;
        Ok(Self {
            recipe,
            config,
            train,
            validation,
            zero_shot,
            steps_per_epoch,
            total_steps,
            fingerprint,
            evaluated_on,
            estimate,
            n_ranks,
        })
    }

    /// The recipe with the settings that may change set to fixed values, for comparing two sessions of a run.
    pub fn comparable_recipe(&self) -> Recipe {
        comparable(&self.recipe)
    }

    /// The hash of the recipe in [`Self::fingerprint`], had it this number of epochs.
    ///
    /// # Errors
    /// Only if the recipe cannot be written.
    pub fn recipe_sha256_with_epochs(&self, epochs: usize) -> Result<String> {
        let mut recipe = self.recipe.clone();
        recipe.run.epochs = epochs;
        recipe_sha256(&recipe)
    }

    /// Returns whether a setting may change when a run continues; `name` is its dotted name.
    pub fn may_change(name: &str) -> bool {
        MAY_CHANGE
            .iter()
            .any(|free| name.strip_prefix(free).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    }

    /// Returns whether the plan has tables for an evaluation.
    pub fn has_evaluation(&self) -> bool {
        self.validation.is_some() || !self.zero_shot.is_empty()
    }

    /// The options of one rank's loader. Ranks on one machine share its cores.
    pub fn loader_options(&self, ranks: &Ranks) -> LoaderOptions {
        let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
        LoaderOptions {
            n_workers: if ranks.n_local() == 1 { 0 } else { (n_cores / ranks.n_local()).max(1) },
            rank: ranks.rank(),
            n_ranks: ranks.size(),
            ..loader_options(&self.recipe)
        }
    }

    /// f32 values in all parameters.
    pub fn n_values(&self) -> usize {
        parameters(&self.config).iter().map(|parameter| parameter.shape.iter().product::<usize>()).sum()
    }

    /// f32 values that the optimizer changes.
    fn n_trained_values(&self) -> usize {
        let lock = self.recipe.locked();
        let layout = lock.layout(&self.config);
        let adapters = self.recipe.lora.as_ref().and_then(|lora| lora.layout(&self.config, &lock, &layout).ok());
        match adapters {
            Some(adapters) => adapters.n_values(),
            None => layout.iter_trained().map(|(_, span)| span.n_values()).sum(),
        }
    }
}

fn loader_options(recipe: &Recipe) -> LoaderOptions {
    LoaderOptions {
        batch_size: recipe.run.batch_size,
        max_bad_share: recipe.data.max_bad_share,
        n_captions: recipe.objective.n_captions(),
        ontology_sampling: recipe.data.ontology_sampling,
        ..LoaderOptions::default()
    }
}

/// Settings that may change when a run continues: how often something is written, the notice, the micro-batches, and when
/// the run ends early.
/// [`comparable`] sets them to fixed values.
const MAY_CHANGE: [&str; 6] = [
    "model.notice",
    "run.save_every_steps",
    "run.keep_every_epochs",
    "run.early_stopping",
    "run.log_every_steps",
    "run.micro_batches",
];

fn comparable(recipe: &Recipe) -> Recipe {
    let mut recipe = recipe.clone();
    recipe.model.notice = None;
    recipe.run.save_every_steps = None;
    recipe.run.keep_every_epochs = None;
    recipe.run.early_stopping = None;
    recipe.run.log_every_steps = 1;
    recipe.run.micro_batches = MicroBatches { images: 1, tokens: 1, activation_memory_gib: None };
    recipe
}

fn recipe_sha256(recipe: &Recipe) -> Result<String> {
    Ok(hash::sha256(serde_json::to_vec(&comparable(recipe))?))
}

/// Hashes of everything that decides a run's results.
fn fingerprint(
    recipe: &Recipe,
    config: &ClipConfig,
    table_sha256: String,
    images: &Path,
) -> Result<BTreeMap<String, String>> {
    let of = |name: &str, bytes: &[u8]| (name.to_string(), hash::sha256(bytes));
    let mut fingerprint = BTreeMap::from([
        (RECIPE.to_string(), recipe_sha256(recipe)?),
        ("training table".to_string(), table_sha256),
        of("model", &serde_json::to_vec(&config.to_open_clip_json())?),
    ]);
    if let Some(shrunk) = shrink::read_marker(images)? {
        fingerprint.extend([of("size of images", &serde_json::to_vec(&shrunk)?)]);
    }
    Ok(fingerprint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_goes_on_with_another_notice_and_in_other_pieces_but_not_with_another_seed() {
        let folder = tempfile::tempdir().unwrap();
        let recipe = Recipe::read("smoke").unwrap();
        let config = recipe.model.drawn_config().unwrap().unwrap();
        let of = |recipe: &Recipe| fingerprint(recipe, &config, "table".into(), folder.path()).unwrap();
        let mut other = recipe.clone();
        other.model.notice = Some("Other words.".into());
        assert!(recipe.model.notice.is_some() && recipe.model.notice != other.model.notice);
        other.run.micro_batches.images += 1;
        other.run.micro_batches.activation_memory_gib = Some(0.5);
        assert_eq!(of(&other), of(&recipe));
        let whole = of(&recipe);
        other.run.seed += 1;
        assert_ne!(of(&other), whole);
        let shrunk = br#"{"short_side": 384, "quality": 92}"#;
        std::fs::write(folder.path().join(shrink::MARKER_FILE), shrunk).unwrap();
        assert_ne!(of(&recipe), whole);
    }
}
