//! Recipes: the settings of a training run, in a TOML file.

use super::early_stopping::{self, EarlyStopping};
use super::lock::Lock;
use super::low_rank::LowRank;
use super::micro_batches::MicroBatches;
use super::optimizer::AdamWConfig;
use super::schedule::Schedule;
use anyhow::{Context, Result, bail, ensure};
use dermake_data::{Augmentation, OntologySampling, TableOptions};
use dermake_device::Precision;
use dermake_objective::{Objective, Variant};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared_model::config::ClipConfig;
use std::collections::{BTreeMap, HashSet};

/// All settings that decide what a run computes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    pub model: ModelRecipe,
    #[serde(default, skip_serializing_if = "Lock::is_empty")]
    pub lock: Lock,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lora: Option<LowRank>,
    pub data: DataRecipe,
    pub objective: Objective,
    pub optimizer: AdamWConfig,
    pub schedule: Schedule,
    pub run: RunRecipe,
}

/// Source of the first weights: exactly one of `from`, `architecture` and `model_cfg`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelRecipe {
    /// A checkpoint: `hf-hub:owner/name`, a folder or a file, or `demo` for the demo model.
    pub from: Option<String>,
    /// A named architecture: with `from`, that of a weights file without config; else with random weights from `seed`.
    pub architecture: Option<String>,
    /// open_clip's `model_cfg`, with random weights from `seed`.
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    pub model_cfg: Option<toml::Table>,
    /// Side of the images in pixels, if not the checkpoint's; its position embeddings are resized as in open_clip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_size: Option<usize>,
    /// Seed of random weights.
    #[serde(default)]
    pub seed: u64,
    /// What people must know about the trained model, in one sentence; each checkpoint has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
}

/// Training data. Paths start at the `--data` folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataRecipe {
    /// The training table: an image and a caption in each row, and MAKE's other columns if it has them.
    pub train: String,
    /// A table of the same columns for the validation loss.
    pub validation: Option<String>,
    /// Folder where image names start; by default the usual place that has most of the first images, from the table's
    /// folder on.
    pub image_root: Option<String>,
    #[serde(default)]
    pub table: TableOptions,
    #[serde(default)]
    pub augmentation: Augmentation,
    /// Share of the rows that may be bad before the run stops.
    #[serde(default = "default_max_bad_share")]
    pub max_bad_share: f64,
    /// A JSON file with the ontology of diagnoses, as Derm1M's or nested objects; by default the ontology captions have
    /// the path to each diagnosis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ontology: Option<String>,
    /// Batches that bring related diagnoses together, as O-MAKE's sampler does; by default batches are random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ontology_sampling: Option<OntologySampling>,
    /// Tables to measure zero-shot accuracy on.
    #[serde(default)]
    pub zero_shot: Vec<ZeroShotRecipe>,
}

fn default_max_bad_share() -> f64 {
    0.01
}

/// A labeled table in the layout of the benchmarks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZeroShotRecipe {
    /// Its name in the log.
    pub name: String,
    /// CSV with `filename` and an integer `label`; file names count from its own folder.
    pub table: String,
    /// A key of the built-in label sets, or a file with the class names in label order.
    pub classes: String,
}

/// The run itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunRecipe {
    /// Passes over the training table.
    pub epochs: usize,
    /// Samples B of one optimizer step.
    pub batch_size: usize,
    /// Seed of the order of the samples and of their augmentation.
    #[serde(default)]
    pub seed: u64,
    /// Precision of the computation; parameters and moments are always f32. In f16 the loss is scaled, as PyTorch's
    /// GradScaler does it.
    #[serde(default)]
    pub precision: Precision,
    pub micro_batches: MicroBatches,
    /// Epochs between two evaluations; there is also one after the last epoch.
    #[serde(default = "one")]
    pub evaluate_every_epochs: usize,
    /// Steps between two saves of `last`; it is also saved at the end of every epoch.
    pub save_every_steps: Option<u64>,
    /// Epochs between two checkpoints that are kept for good.
    pub keep_every_epochs: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    /// Steps between two lines of metrics.
    #[serde(default = "one_step")]
    pub log_every_steps: u64,
}

fn one() -> usize {
    1
}

fn one_step() -> u64 {
    1
}

impl Recipe {
    /// # Errors
    /// For values that make no sense, with their field.
    pub(super) fn validate(&self) -> Result<()> {
        self.run.validate()?;
        self.objective.validate().context("objective")?;
        self.optimizer.validate().context("optimizer")?;
        self.schedule.validate().context("schedule")?;
        self.lock.validate().context("lock")?;
        self.lora.as_ref().map_or(Ok(()), LowRank::validate).context("lora")?;
        ensure!(
            self.lora.is_none() || self.objective.variant != Variant::SigLip,
            "[lora] trains adapters alone, and objective.variant = \"siglip\" needs a logit bias that is trained; use \
             another variant, or leave out [lora]"
        );
        if let Some(stopping) = &self.run.early_stopping {
            let zero_shot = self.data.zero_shot.iter().map(|set| &*set.name);
            let measured = early_stopping::measured(self.data.validation.is_some(), zero_shot);
            stopping.validate(&measured).context("run.early_stopping")?;
        }
        self.data.validate().context("data")?;
        self.model.validate()
    }

    /// Whether the run needs to know where diagnoses are in an ontology.
    pub fn needs_lineages(&self) -> bool {
        self.objective.soft_targets().is_some() || self.data.ontology_sampling.is_some()
    }

    /// What gets no gradients: what is locked, and beside adapters the embeddings.
    pub fn locked(&self) -> Lock {
        if self.lora.is_some() { LowRank::lock(&self.lock) } else { self.lock.clone() }
    }
}

impl RunRecipe {
    /// The settings by which all ranks save and end at the same step. They may change when a run continues, so that
    /// they are no part of its fingerprint.
    ///
    /// # Errors
    /// Only if they cannot be written.
    pub(super) fn decided_together(&self) -> Result<BTreeMap<String, String>> {
        Ok(BTreeMap::from([
            ("run.save_every_steps".into(), serde_json::to_string(&self.save_every_steps)?),
            ("run.keep_every_epochs".into(), serde_json::to_string(&self.keep_every_epochs)?),
            ("run.early_stopping".into(), serde_json::to_string(&self.early_stopping)?),
        ]))
    }

    fn validate(&self) -> Result<()> {
        for (name, value) in [
            ("run.epochs", self.epochs),
            ("run.batch_size", self.batch_size),
            ("run.evaluate_every_epochs", self.evaluate_every_epochs),
            ("run.log_every_steps", self.log_every_steps as usize),
            ("run.micro_batches.images", self.micro_batches.images),
            ("run.micro_batches.tokens", self.micro_batches.tokens),
            ("run.save_every_steps", self.save_every_steps.unwrap_or(1) as usize),
            ("run.keep_every_epochs", self.keep_every_epochs.unwrap_or(1)),
        ] {
            if value == 0 {
                bail!("{name} is 0, expected at least 1");
            }
        }
        let kept = self.micro_batches.activation_memory_gib;
        if let Some(kept) = kept.filter(|gib| !(*gib >= 0.0 && gib.is_finite())) {
            bail!("run.micro_batches.activation_memory_gib is {kept}, expected 0 or more");
        }
        if self.batch_size == 1 {
            bail!(
                "run.batch_size is 1, expected at least 2: samples are contrasted with the others of their batch"
            );
        }
        Ok(())
    }
}

impl DataRecipe {
    fn validate(&self) -> Result<()> {
        self.augmentation.validate().context("augmentation")?;
        self.ontology_sampling.as_ref().map_or(Ok(()), OntologySampling::validate).context("ontology_sampling")?;
        if !(0.0..=1.0).contains(&self.max_bad_share) {
            bail!("max_bad_share is {}, expected 0 to 1", self.max_bad_share);
        }
        let mut names = HashSet::new();
        match self.zero_shot.iter().find(|set| !names.insert(&set.name)) {
            Some(set) => bail!("two zero_shot tables have the name {:?}, expected different ones", set.name),
            None => Ok(()),
        }
    }
}

impl ModelRecipe {
    fn validate(&self) -> Result<()> {
        let drawn = usize::from(self.model_cfg.is_some()) + usize::from(self.architecture.is_some());
        match (&self.from, drawn) {
            (Some(_), _) if self.model_cfg.is_some() => bail!("model has both from and model_cfg, expected one"),
            _ if self.model_cfg.is_some() && self.image_size.is_some() => {
                bail!("model has both model_cfg and image_size; the size belongs into model_cfg.vision_cfg")
            }
            (None, 1) | (Some(_), _) => Ok(()),
            (None, n) => bail!("model names {n} of from, architecture and model_cfg, expected one"),
        }
    }

    /// The architecture for images of the recipe's size.
    ///
    /// # Errors
    /// When the size does not fit the architecture.
    pub fn sized(&self, config: ClipConfig) -> Result<ClipConfig> {
        match self.image_size {
            Some(image_size) => config.with_image_size(image_size).context("in model.image_size"),
            None => Ok(config),
        }
    }

    /// Returns the architecture with random weights; none if the weights are from a checkpoint.
    pub fn drawn_config(&self) -> Result<Option<ClipConfig>> {
        if self.from.is_some() {
            return Ok(None);
        }
        if let Some(architecture) = &self.architecture {
            return self.sized(ClipConfig::named(architecture)?).map(Some);
        }
        let json = serde_json::to_vec(&self.model_cfg).context("in model.model_cfg")?;
        let config = ClipConfig::from_open_clip_json(&json).context("in model.model_cfg")?;
        ensure!(
            config.is_plain(),
            "model.model_cfg is not of a plain ViT-CLIP model, the only kind that can be trained"
        );
        Ok(Some(config))
    }
}
