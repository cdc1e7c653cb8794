//! The ontology of a run: where the diagnosis of each row is.

use super::recipe::Recipe;
use anyhow::{Context, Result, bail};
use dermake_data::{Lineages, Ontology, TrainingTable, check_diagnoses};
use dermake_files::{hash, text_file};
use std::path::Path;

/// Reads the ontology file that a recipe names, if any.
///
/// # Errors
/// When it cannot be read, or is no ontology.
pub fn read(recipe: &Recipe, data: &Path) -> Result<Option<Ontology>> {
    let Some(name) = &recipe.data.ontology else { return Ok(None) };
    let path = data.join(name);
    let ontology = Ontology::from_json(&text_file::read(&path)?);
    ontology.map(Some).with_context(|| format!("data.ontology is no ontology: {}", path.display()))
}

/// The places of a table's diagnoses, if the recipe needs them.
pub fn lineages(table: &TrainingTable, recipe: &Recipe, ontology: Option<&Ontology>) -> Option<Lineages> {
    recipe.needs_lineages().then(|| Lineages::of_table(table, ontology))
}

/// Checks that the place of some diagnosis of the training table is known.
///
/// # Errors
/// Says what is missing.
pub fn check(lineages: Option<&Lineages>, recipe: &Recipe) -> Result<()> {
    let Some(Err(lacks)) = lineages.map(check_diagnoses) else { return Ok(()) };
    let why = match recipe.objective.soft_targets() {
        Some(_) => format!("the objective `{}` with soft targets", recipe.objective.variant.name()),
        None => "data.ontology_sampling".to_owned(),
    };
    match &recipe.data.ontology {
        Some(file) => {
            bail!("{why} needs diagnoses of an ontology, and {file} has none of the table's ontology captions")
        }
        None => bail!("{why} needs diagnoses of an ontology: {lacks}"),
    }
}

/// `("ontology", SHA-256)` of a recipe's ontology file; `None` if the recipe names none.
///
/// # Errors
/// When it cannot be read.
pub fn fingerprint(recipe: &Recipe, data: &Path) -> Result<Option<(String, String)>> {
    let Some(name) = &recipe.data.ontology else { return Ok(None) };
    let path = data.join(name);
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Some(("ontology".to_owned(), hash::sha256(bytes))))
}
