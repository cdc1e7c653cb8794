//! Recipes: the settings of a training run, in a TOML file.

use super::optimizer::AdamWConfig;
use super::schedule::Schedule;
use super::step::MicroBatches;
use super::unused;
use anyhow::{Context, Result, bail};
use dermake_data::{Augmentation, TableOptions};
use dermake_device::Precision;
use dermake_files::text_file;
use dermake_objective::Objective;
use serde::{Deserialize, Serialize};
use shared_model::config::ClipConfig;
use std::collections::HashSet;
use std::path::Path;

/// The recipes that come with the program.
const BUILT_IN: [(&str, &str); 5] = [
    ("pretrain-vit-b-16", include_str!("../../../recipes/pretrain-vit-b-16.toml")),
    ("synth-demo", include_str!("../../../recipes/synth-demo.toml")),
    ("synth-demo-further", include_str!("../../../recipes/synth-demo-further.toml")),
    ("synth-demo-last", include_str!("../../../recipes/synth-demo-last.toml")),
    ("smoke", include_str!("../../../recipes/smoke.toml")),
];

/// All settings that decide what a run computes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    pub model: ModelRecipe,
    pub data: DataRecipe,
    pub objective: Objective,
    pub optimizer: AdamWConfig,
    pub schedule: Schedule,
    pub run: RunRecipe,
}

/// Source of the first weights: exactly one of `from`, `architecture` and `model_cfg`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRecipe {
    /// A checkpoint: `hf-hub:owner/name`, a folder or a file.
    pub from: Option<String>,
    /// A named architecture: with `from`, that of a weights file without config; else with random weights from `seed`.
    pub architecture: Option<String>,
    /// open_clip's `model_cfg`, with random weights from `seed`.
    pub model_cfg: Option<toml::Table>,
    /// Seed of random weights.
    #[serde(default)]
    pub seed: u64,
    /// What people must know about the trained model, in one sentence; each checkpoint has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
}

/// Training data. Paths start at the `--data` folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRecipe {
    /// The training table, in MAKE's columns.
    pub train: String,
    /// A table of the same columns for the validation loss.
    pub validation: Option<String>,
    /// Folder where image names start; by default the table's.
    pub image_root: Option<String>,
    #[serde(default)]
    pub table: TableOptions,
    #[serde(default)]
    pub augmentation: Augmentation,
    /// Share of the rows that may be bad before the run stops.
    #[serde(default = "default_max_bad_share")]
    pub max_bad_share: f64,
    /// Tables to measure zero-shot accuracy on.
    #[serde(default)]
    pub zero_shot: Vec<ZeroShotRecipe>,
}

fn default_max_bad_share() -> f64 {
    0.01
}

/// A labeled table in the layout of the benchmarks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecipe {
    pub epochs: usize,
    /// Samples B of one optimizer step.
    pub batch_size: usize,
    /// Seed of the order of the samples and of their augmentation.
    #[serde(default)]
    pub seed: u64,
    /// Precision of the computation; parameters and moments are always f32.
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
    /// Reads a built-in recipe by its name, or a TOML file.
    ///
    /// # Errors
    /// For bad TOML, unknown fields and values that make no sense, with the place.
    pub fn read(name_or_path: &str) -> Result<Self> {
        let is_file = Path::new(name_or_path).exists();
        let is_meant = |name: &str| name == name_or_path || (!is_file && name.eq_ignore_ascii_case(name_or_path));
        let recipe: Self = match BUILT_IN.iter().find(|(name, _)| is_meant(name)) {
            Some((_, text)) => toml::from_str(text).with_context(|| format!("in recipe {name_or_path}"))?,
            None if is_file => text_file::read_toml(Path::new(name_or_path))?,
            None => bail!("{}: {name_or_path}", no_such_recipe(name_or_path)),
        };
        recipe.validate().with_context(|| format!("in recipe {name_or_path}"))?;
        Ok(recipe)
    }

    fn validate(&self) -> Result<()> {
        self.run.validate()?;
        self.objective.validate().context("objective")?;
        self.optimizer.validate().context("optimizer")?;
        self.schedule.validate().context("schedule")?;
        self.data.validate().context("data")?;
        self.model.validate()?;
        unused::check(self)
    }
}

/// Says that the recipe does not exist, and lists those that do.
fn no_such_recipe(typed: &str) -> String {
    let spelled = typed.to_ascii_lowercase();
    let spelled = spelled.strip_suffix(".toml").unwrap_or(&spelled);
    let near = BUILT_IN.iter().map(|(name, _)| *name).find(|name| strsim::damerau_levenshtein(name, spelled) <= 2);
    let near = near.map(|name| format!("did you mean {name}? ")).unwrap_or_default();
    let names: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
    format!("no such recipe; {near}there are {}, or give a TOML file", names.join(", "))
}

impl RunRecipe {
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
            (None, 1) | (Some(_), _) => Ok(()),
            (None, n) => bail!("model names {n} of from, architecture and model_cfg, expected one"),
        }
    }

    /// Returns the architecture with random weights; none if the weights are from a checkpoint.
    pub fn drawn_config(&self) -> Result<Option<ClipConfig>> {
        if self.from.is_some() {
            return Ok(None);
        }
        if let Some(architecture) = &self.architecture {
            return Ok(Some(ClipConfig::named(architecture)?));
        }
        let json = serde_json::to_vec(&self.model_cfg).context("in model.model_cfg")?;
        Ok(Some(ClipConfig::from_open_clip_json(&json).context("in model.model_cfg")?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_recipes_are_sound() {
        for (name, _) in BUILT_IN {
            let recipe = Recipe::read(name).unwrap();
            recipe.model.drawn_config().unwrap();
        }
    }

    #[test]
    fn what_a_recipe_says_is_checked() {
        let (_, text) = BUILT_IN[4];
        let fails = |change: (&str, &str), expected: &str| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("r.toml");
            assert!(text.contains(change.0), "{}", change.0);
            std::fs::write(&path, text.replace(change.0, change.1)).unwrap();
            let err = format!("{:#}", Recipe::read(path.to_str().unwrap()).unwrap_err());
            assert!(err.contains(expected), "{err}");
        };
        fails(("epochs = ", "epocs = "), "epocs");
        fails(("[model]", "[model]\nfrom = \"m\""), "both from and model_cfg");
        fails(("batch_size = ", "batch_size = 0 # "), "run.batch_size is 0");
        fails(("batch_size = ", "batch_size = 1 # "), "run.batch_size is 1");
        fails(("learning_rate = ", "learning_rate = nan # "), "learning_rate is NaN");
        fails(("weight_decay = 0.1", "weight_decay = -0.1"), "weight_decay is -0.1");
        fails(("weight_decay = 0.1", "weight_decay = 0.1\nclip_norm = 0.0"), "clip_norm is 0");
        fails(("weight_decay = 0.1", "weight_decay = 0.1\nbeta2 = 1.0"), "beta2 is 1");
        fails(
            ("variant = \"paper\"", "variant = \"paper\"\nlambda_m = 0.0\nlambda_s = 0.0"),
            "lambda_m and lambda_s",
        );
        fails(("validation = ", "max_bad_share = 2.0\nvalidation = "), "max_bad_share is 2");
        let again = "[[data.zero_shot]]\nname = \"synth\"\ntable = \"a\"\nclasses = \"pad\"\n[objective]";
        fails(("[objective]", again), "two zero_shot tables");
        assert_eq!(Recipe::read("Smoke").unwrap(), Recipe::read("smoke").unwrap());
        for near in ["smoke.toml", "Smoek"] {
            let err = Recipe::read(near).unwrap_err().to_string();
            assert!(err.contains("did you mean smoke?") && err.ends_with(near), "{err}");
        }
        assert!(!Recipe::read("nonsense").unwrap_err().to_string().contains("did you mean"));
        assert!(Recipe::read("nonsense").unwrap_err().to_string().contains("synth-demo"));
    }
}
