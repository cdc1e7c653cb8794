//! The tables of a run. They are read and checked before the model, which may have to be downloaded.

use crate::ontology;
use crate::recipe::{Recipe, ZeroShotRecipe};
use anyhow::{Context, Result, bail};
use dermake_data::{Lineages, Part, SampleSource, TableError, TrainingTable, check_countable, check_learnable};
use dermake_evaluation::LabeledImages;
use dermake_files::labels;
use shared_model::config::ClipConfig;
use shared_model::tokenizer::{CLIP_MERGES_GZ, Tokenizer};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a recipe's tables have.
pub struct Tables {
    /// The folder where the recipe's paths start.
    pub(super) data: PathBuf,
    pub(super) train: Captioned,
    pub(super) validation: Option<Captioned>,
    pub(super) zero_shot: Vec<ZeroShotSet>,
    pub(super) steps_per_epoch: u64,
    pub(super) total_steps: u64,
}

/// A table of captions, and what is known of its rows without a model.
pub struct Captioned {
    pub(super) table: TrainingTable,
    image_root: PathBuf,
    lineages: Option<Lineages>,
}

/// A labeled table to measure zero-shot accuracy on.
pub struct ZeroShotSet {
    pub name: String,
    pub class_names: Vec<String>,
    pub images: LabeledImages,
}

impl Tables {
    /// Finds and reads the tables of `recipe` below `data`, for so many ranks.
    ///
    /// # Errors
    /// When a table cannot be read, the run would learn nothing from it, the schedule is longer than the run, or a rank
    /// would have no image of a batch.
    pub fn read(recipe: &Recipe, data: &Path, n_ranks: usize) -> Result<Self> {
        let batch_size = recipe.run.batch_size;
        if batch_size < n_ranks {
            bail!(
                "run.batch_size is {batch_size}, expected at least {n_ranks}: each of the {n_ranks} ranks has images of \
                 every batch"
            );
        }
        let tree = ontology::read(recipe, data)?;
        let captioned = |table: &str, part: Part| -> Result<Captioned> {
            let table = TrainingTable::read(&data.join(table), &recipe.data.table);
            let table = match part {
                Part::Training => table.map_err(TableError::explained),
                Part::Validation => table.map_err(Into::into),
            };
            let table = table?.of_part(part);
            let image_root = match &recipe.data.image_root {
                Some(root) => image_root(&data.join(root))?,
                None => table.image_root().into(),
            };
            let lineages = ontology::lineages(&table, recipe, tree.as_ref());
            Ok(Captioned { table, image_root, lineages })
        };
        let train = captioned(&recipe.data.train, Part::Training)?;
        let path = data.join(&recipe.data.train);
        let validation =
            recipe.data.validation.as_deref().map(|table| captioned(table, Part::Validation)).transpose();
        let validation =
            validation.context("the validation table, data.validation of the recipe, cannot be used")?;
        let zero_shot =
            recipe.data.zero_shot.iter().map(|set| ZeroShotSet::read(set, data)).collect::<Result<_>>()?;
        let table = &train.table;
        let n_rows = table.usable_rows().count();
        let steps_per_epoch = (n_rows / batch_size) as u64;
        if steps_per_epoch == 0 {
            bail!(
                "{}: {}",
                too_few_rows(n_rows, table.n_rows_of_part() - n_rows, batch_size, n_ranks),
                path.display()
            );
        }
        check_learnable(table, table.usable_rows(), &recipe.objective).with_context(|| {
            let variant = recipe.objective.variant.name();
            format!("the objective `{variant}` can learn nothing from {}", path.display())
        })?;
        ontology::check(train.lineages.as_ref(), recipe)?;
        if let Some(validation) = &validation {
            check_countable(&validation.table, &recipe.objective).context("in the validation table")?;
        }
        let total_steps = steps_per_epoch.saturating_mul(recipe.run.epochs as u64);
        recipe.schedule.check_length(total_steps)?;
        Ok(Self { data: data.into(), train, validation, zero_shot, steps_per_epoch, total_steps })
    }
}

impl Captioned {
    /// The table as samples for a model.
    ///
    /// # Errors
    /// When the model's context has no room for a text.
    pub(super) fn samples(self, config: &ClipConfig) -> Result<Arc<SampleSource>> {
        let tokenizer = Tokenizer::from_merges_gz(CLIP_MERGES_GZ, config.text.context_length)?;
        let source = SampleSource::new(self.table, self.image_root, tokenizer, config.preprocess.clone());
        Ok(Arc::new(match self.lineages {
            Some(lineages) => source.with_lineages(lineages),
            None => source,
        }))
    }
}

impl ZeroShotSet {
    /// Reads the table, so that a run does not fail for it after its first epoch.
    fn read(recipe: &ZeroShotRecipe, data: &Path) -> Result<Self> {
        let labels = labels::class_list(&recipe.classes, data)?;
        let table = data.join(&recipe.table);
        let images = LabeledImages::read(&table, &labels, data)?;
        if let Some(first) = images.files.first()
            && !images.files.iter().any(|file| file.path.is_file())
        {
            bail!("none of the table's images is there ({}, for one): {}", first.path.display(), table.display());
        }
        Ok(Self { name: recipe.name.clone(), class_names: labels.class_names, images })
    }
}

/// Says that a table has fewer rows than a batch, and a size that would do.
fn too_few_rows(n_rows: usize, n_bad: usize, batch_size: usize, n_ranks: usize) -> String {
    let rows = if n_rows == 1 { "row" } else { "rows" };
    let fitting = n_rows.checked_ilog2().map_or(0, |log| 1usize << log);
    let setting = match fitting >= n_ranks.max(2) {
        true => format!("; set a smaller one with --set run.batch_size={fitting}"),
        false => String::new(),
    };
    let bad = match n_bad {
        0 => String::new(),
        n => format!(" (`dermake data check` says what is wrong with {n} more)"),
    };
    format!("the training table has {n_rows} usable {rows}, fewer than a batch of {batch_size}{setting}{bad}")
}

/// Checks the folder where image names start.
fn image_root(folder: &Path) -> Result<PathBuf> {
    if !folder.is_dir() {
        bail!("data.image_root is no folder: {}", folder.display());
    }
    Ok(folder.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_too_small_is_told_what_would_do() {
        let small = too_few_rows(3, 0, 32, 1);
        assert_eq!(
            small,
            "the training table has 3 usable rows, fewer than a batch of 32; set a smaller one with --set \
             run.batch_size=2"
        );
        assert!(
            too_few_rows(1000, 7, 2048, 4)
                .ends_with("run.batch_size=512 (`dermake data check` says what is wrong with 7 more)")
        );
        for (n_rows, n_ranks) in [(0, 1), (1, 1), (3, 4)] {
            assert!(!too_few_rows(n_rows, 0, 32, n_ranks).contains("--set"), "{n_rows} rows, {n_ranks} ranks");
        }
    }
}
