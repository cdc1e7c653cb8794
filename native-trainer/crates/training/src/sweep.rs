//! Sweeps: one run for each combination of settings, in folders side by side, with their results in one page.
//!
//! The same command continues a sweep: finished runs stay, and an interrupted one goes on.

use super::destination::{self, RUN_FILES};
use super::ranks::Ranks;
use super::recipe::Recipe;
use super::run::{Ending, RunPlaces, train_recipe};
use super::settings::{Setting, Sweep};
use super::sweep_results::{self, RESULT_FILES, SweepRun};
use anyhow::{Result, ensure};
use dermake_files::output::create_folder;
use dermake_process::print;

/// How a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepEnding {
    Finished,
    /// Some runs failed; the others are done.
    Partial,
    /// Ctrl-C; the same command continues.
    Interrupted,
}

/// Trains once for each combination of the sweeps' values, into folders of `places.out`.
///
/// # Errors
/// When a recipe makes no sense, before the first run; when results cannot be written.
pub fn sweep(
    recipe_name: &str,
    fixed: &[Setting],
    sweeps: &[Sweep],
    places: &RunPlaces<'_>,
) -> Result<SweepEnding> {
    let keys: Vec<String> = sweeps.iter().map(Sweep::key).collect();
    for (place, key) in keys.iter().enumerate() {
        ensure!(!keys[..place].contains(key), "{key} is swept twice, expected all of its values in one list");
        let is_fixed = fixed.iter().any(|setting| setting.key() == *key);
        ensure!(!is_fixed, "{key} has a value in --set and several in --sweep, expected one of the two");
    }
    let mut runs: Vec<SweepRun> =
        Sweep::combinations(sweeps).into_iter().map(|settings| run_of(settings, places)).collect();
    for (place, run) in runs.iter().enumerate() {
        let is_there = runs[..place].iter().any(|earlier| earlier.name == run.name);
        ensure!(
            !is_there,
            "two runs of the sweep have the folder {}; sweep their values one after the other",
            run.name
        );
    }
    let recipe = |run: &SweepRun| Recipe::read_with(recipe_name, &[fixed, &run.settings].concat());
    let recipes = runs.iter().map(recipe).collect::<Result<Vec<Recipe>>>()?;
    refuse_results(recipe_name, &recipes, &runs, places)?;
    create_folder(places.out)?;
    let n_runs = runs.len();
    for (place, recipe) in recipes.into_iter().enumerate() {
        let run = &mut runs[place];
        print::remark(format_args!("run {} of {n_runs}: {}", place + 1, run.name));
        match train_recipe(recipe, &RunPlaces { out: &run.folder, ..*places }, &Ranks::alone()) {
            Ok(Ending::Finished) => {}
            Ok(Ending::Unevaluated) => run.failure = Some("an evaluation failed".into()),
            Ok(Ending::Interrupted) => return Ok(SweepEnding::Interrupted),
            Err(err) => {
                tracing::error!("the run {} failed, and the sweep goes on: {err:#}", run.name);
                run.failure = Some(format!("{err:#}"));
            }
        }
        // After each run, so that what is there can be looked at.
        sweep_results::write(&runs[..=place], places.out)?;
    }
    print::remark(format_args!("results: {}", places.out.join(sweep_results::PAGE_FILE).display()));
    let has_failed = runs.iter().any(|run| run.failure.is_some());
    Ok(if has_failed { SweepEnding::Partial } else { SweepEnding::Finished })
}

/// Checks, before the first run, that no result replaces a file that is read or that no sweep has written.
fn refuse_results(name: &str, recipes: &[Recipe], runs: &[SweepRun], places: &RunPlaces<'_>) -> Result<()> {
    destination::refuse_recipe(name, places.out, &RESULT_FILES)?;
    runs.iter().try_for_each(|run| destination::refuse_recipe(name, &run.folder, &RUN_FILES))?;
    recipes.iter().try_for_each(|recipe| destination::refuse_data(recipe, places, &RESULT_FILES))?;
    sweep_results::refuse_foreign(places.out)
}

/// The run with these settings; its folder has them in its name.
fn run_of(settings: Vec<Setting>, places: &RunPlaces<'_>) -> SweepRun {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._=-+".contains(letter);
    let name = settings.iter().map(ToString::to_string).collect::<Vec<_>>().join("_");
    let name: String =
        name.chars().filter(|letter| *letter != ' ').map(|c| if is_plain(c) { c } else { '-' }).collect();
    SweepRun { folder: places.out.join(&name), name, settings, failure: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dermake_device::DeviceChoice;
    use std::path::Path;

    #[test]
    fn runs_that_would_share_a_folder_are_refused() {
        let sweeps = [Sweep::parse("model.from=a/b,a-b").unwrap()];
        let places = RunPlaces { data: Path::new("data"), out: Path::new("out"), device: DeviceChoice::Cpu };
        let error = sweep("smoke", &[], &sweeps, &places).unwrap_err().to_string();
        assert!(error.contains("two runs of the sweep have the folder model.from=a-b"), "{error}");
    }
}
