//! Training data of one's own: `--data` names them in place of a folder with the recipe's table.

use super::recipe::Recipe;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

/// The table of a recipe that reads all of its folder.
pub(super) const WHOLE_FOLDER: &str = ".";

/// The folder where a recipe's paths start. A file, a pattern, or a folder that does not have the recipe's table becomes
/// the recipe's training table.
///
/// # Errors
/// When `data` is one file and the recipe names further tables.
pub(super) fn folder_of(recipe: &mut Recipe, data: &Path) -> Result<PathBuf> {
    let is_folder = data.is_dir();
    if is_folder && data.join(&recipe.data.train).exists() {
        return Ok(data.into());
    }
    let has_other_tables = recipe.data.validation.is_some() || !recipe.data.zero_shot.is_empty();
    if has_other_tables {
        if is_folder || !data.exists() {
            return Ok(data.into()); // the error of the table that is missing
        }
        bail!(
            "the recipe names further tables beside {}, expected the folder that has them all; clip-small, \
             make-small and clip-finetune are recipes for one table: {}",
            recipe.data.train,
            data.display()
        );
    }
    if is_folder {
        recipe.data.train = WHOLE_FOLDER.into();
        return Ok(data.into());
    }
    let Some(name) = data.file_name().and_then(|name| name.to_str()) else { return Ok(data.into()) };
    recipe.data.train = name.to_owned();
    Ok(data.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_or_a_folder_without_the_recipes_table_is_what_is_trained_on() {
        let root = tempfile::tempdir().unwrap();
        let table = root.path().join("captions.jsonl");
        std::fs::write(&table, "").unwrap();
        let mut recipe = Recipe::read("clip-small").unwrap();
        assert_eq!(folder_of(&mut recipe, &table).unwrap(), root.path());
        assert_eq!(recipe.data.train, "captions.jsonl");

        let mut recipe = Recipe::read("clip-small").unwrap();
        assert_eq!(folder_of(&mut recipe, root.path()).unwrap(), root.path());
        assert_eq!(recipe.data.train, ".");

        std::fs::write(root.path().join("train.csv"), "").unwrap();
        let mut recipe = Recipe::read("clip-small").unwrap();
        folder_of(&mut recipe, root.path()).unwrap();
        assert_eq!(recipe.data.train, "train.csv");
        let error = folder_of(&mut Recipe::read("smoke").unwrap(), &table).unwrap_err().to_string();
        assert!(error.contains("the recipe names further tables"), "{error}");
    }
}
