//! Checks that a run overwrites neither a file that it reads nor a file that no run has written.

use super::beginning::RunPlaces;
use super::checkpoint::Checkpoints;
use super::own_data;
use super::recipe::Recipe;
use super::resume::PLAN_FILE;
use super::run_sinks::{CURVES_FILE, METRICS_FILE};
use anyhow::{Result, bail};
use dermake_files::inputs::is_same_place;
use dermake_files::text_file;
use dermake_sources::files_named;
use std::path::{Path, PathBuf};

/// The files of a run's folder that a run replaces.
pub(super) const RUN_FILES: [&str; 4] = [PLAN_FILE, METRICS_FILE, CURVES_FILE, "curves.png"];

/// Checks, before the work, that none of these results in `out` replaces the recipe, unless a run has written that as its
/// plan: a run may be continued with it.
///
/// # Errors
/// When one does.
pub(super) fn refuse_recipe(recipe: &str, out: &Path, results: &[&str]) -> Result<()> {
    let recipe = Path::new(recipe);
    match results.iter().find(|result| is_same_place(&out.join(result), recipe)) {
        Some(&result) if result != PLAN_FILE || !is_plan(recipe) => bail!(would_overwrite(recipe)),
        _ => Ok(()),
    }
}

/// Checks, before the work, that none of these results in `places.out` replaces a file that the recipe names, or would be
/// read as data the next time.
///
/// # Errors
/// When one does.
pub(super) fn refuse_data(recipe: &Recipe, places: &RunPlaces<'_>, results: &[&str]) -> Result<()> {
    let mut recipe = recipe.clone();
    let folder = own_data::folder_of(&mut recipe, places.data)?;
    let data = &recipe.data;
    let of_sets = data.zero_shot.iter().flat_map(|set| [&set.table, &set.classes]);
    let below = [Some(&data.train), data.validation.as_ref(), data.ontology.as_ref()].into_iter().flatten();
    let tables = below.chain(of_sets).flat_map(|table| files_named(&folder.join(table)));
    for file in tables.chain(recipe.model.from.map(PathBuf::from)) {
        if results.iter().any(|result| is_same_place(&places.out.join(result), &file)) {
            bail!(would_overwrite(&file));
        }
    }
    // In a folder below it, results are known (`dermake_sources::is_results_folder`).
    if data.train == own_data::WHOLE_FOLDER && is_same_place(places.out, &folder) {
        bail!(
            "--out is the folder of the data, where the results would be read as data; give --out another folder: {}",
            places.out.display()
        );
    }
    Ok(())
}

/// Checks that a run in the folder `out` replaces no files but those of an earlier run there.
///
/// # Errors
/// Names the first file that is no run's.
pub(super) fn refuse_foreign(out: &Path) -> Result<()> {
    if Checkpoints::of(out, None).are_begun() || is_plan(&out.join(PLAN_FILE)) {
        return Ok(());
    }
    match RUN_FILES.map(|file| out.join(file)).into_iter().find(|file| file.symlink_metadata().is_ok()) {
        Some(file) => bail!(
            "a run would overwrite this file, which no run has written; give --out a new folder: {}",
            file.display()
        ),
        None => Ok(()),
    }
}

fn would_overwrite(file: &Path) -> String {
    format!("the results would overwrite a file that is read; give --out another folder: {}", file.display())
}

/// Returns whether a file is a recipe in the very form in which a run writes its plan, without remarks.
fn is_plan(path: &Path) -> bool {
    let Some(name) = path.to_str().filter(|_| path.is_file()) else { return false };
    let (Ok(text), Ok(recipe)) = (text_file::read(path), Recipe::read(name)) else { return false };
    toml::to_string_pretty(&recipe).is_ok_and(|plan| plan == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dermake_device::DeviceChoice;
    use std::fs;

    #[test]
    fn a_recipe_is_replaced_only_where_it_is_the_plan_of_a_run() {
        let folder = tempfile::tempdir().unwrap();
        let plan = folder.path().join(PLAN_FILE);
        let refuse = || refuse_recipe(plan.to_str().unwrap(), folder.path(), &RUN_FILES);
        for name in ["smoke", "make-small", "pretrain-vit-b-16", "synth-demo-last"] {
            let text = toml::to_string_pretty(&Recipe::read(name).unwrap()).unwrap();
            fs::write(&plan, &text).unwrap();
            refuse().unwrap();
            refuse_foreign(folder.path()).unwrap();
            fs::write(&plan, format!("# My remark\n{text}")).unwrap();
            let error = refuse().unwrap_err().to_string();
            assert!(error.starts_with("the results would overwrite a file that is read"), "{error}");
            assert!(refuse_foreign(folder.path()).unwrap_err().to_string().ends_with(PLAN_FILE));
        }
        refuse_recipe("smoke", folder.path(), &RUN_FILES).unwrap();
        refuse_recipe(plan.to_str().unwrap(), &folder.path().join("run"), &RUN_FILES).unwrap();
    }

    #[test]
    fn files_that_no_run_has_written_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        refuse_foreign(&folder.path().join("new")).unwrap();
        for name in RUN_FILES {
            let file = folder.path().join(name);
            fs::write(&file, "mine").unwrap();
            let error = refuse_foreign(folder.path()).unwrap_err().to_string();
            assert!(error.contains("which no run has written") && error.ends_with(name), "{error}");
            // With a checkpoint, the folder is a run's.
            let checkpoint = folder.path().join("checkpoints/.previous-last");
            fs::create_dir_all(&checkpoint).unwrap();
            refuse_foreign(folder.path()).unwrap();
            fs::remove_dir(&checkpoint).unwrap();
            fs::remove_file(&file).unwrap();
        }
    }

    #[test]
    fn the_folder_of_a_run_is_no_data() {
        let folder = tempfile::tempdir().unwrap();
        for file in [PLAN_FILE, METRICS_FILE] {
            fs::write(folder.path().join(file), "").unwrap();
        }
        assert!(dermake_sources::is_results_folder(folder.path()));
    }

    #[test]
    fn tables_that_results_would_replace_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join(METRICS_FILE);
        fs::write(&table, "").unwrap();
        let recipe = Recipe::read("clip-small").unwrap();
        for data in [table.clone(), folder.path().join("*.jsonl")] {
            let refuse = |out: &Path| {
                refuse_data(&recipe, &RunPlaces { data: &data, out, device: DeviceChoice::Cpu }, &RUN_FILES)
            };
            let error = refuse(folder.path()).unwrap_err().to_string();
            assert!(error.ends_with(METRICS_FILE), "{error}");
            refuse(&folder.path().join("run")).unwrap();
        }
    }

    #[test]
    fn results_that_would_be_read_as_data_are_refused() {
        let root = tempfile::tempdir().unwrap();
        let (table, pictures) = (root.path().join("table"), root.path().join("pictures"));
        fs::create_dir_all(pictures.join("acne")).unwrap();
        fs::create_dir(&table).unwrap();
        fs::write(table.join("captions.csv"), "image,caption\na.jpg,acne\n").unwrap();
        for picture in [pictures.join("acne/a.jpg"), table.join("a.jpg")] {
            fs::write(picture, "").unwrap();
        }
        let recipe = Recipe::read("clip-small").unwrap();
        let refuse = |data: &Path, out: &Path| {
            refuse_data(&recipe, &RunPlaces { data, out, device: DeviceChoice::Cpu }, &RUN_FILES)
        };
        for (data, out) in
            [(&table, table.clone()), (&pictures, pictures.clone()), (&pictures, pictures.join("acne/.."))]
        {
            let error = refuse(data, &out).unwrap_err().to_string();
            assert!(error.starts_with("--out is the folder of the data"), "{error}");
        }
        for (data, out) in [
            (&table, table.join("runs/1")),
            (&pictures, pictures.join("run")),
            (&pictures, pictures.join("acne/new/run")),
            (&table.join("captions.csv"), table.clone()),
            (&pictures, root.path().join("run")),
            (&pictures, root.path().to_path_buf()),
        ] {
            refuse(data, &out).unwrap();
        }
        // A recipe's own table is read alone.
        fs::write(table.join("train.csv"), "image,caption\na.jpg,acne\n").unwrap();
        refuse(&table, &table).unwrap();
    }
}
