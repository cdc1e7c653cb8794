//! Decides whether a run may continue in its folder: with the settings it started with, from its newest checkpoint.

use super::checkpoint::{Checkpoints, KEPT, LAST};
use super::early_stopping::Watched;
use super::evaluated_on::{VALIDATION, table_of};
use super::loop_state::LoopState;
use super::plan::{Plan, RECIPE};
use super::sinks::metrics;
use anyhow::{Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The recipe of a run, in its folder.
pub const PLAN_FILE: &str = "plan.toml";
/// Number of settings that are named; further ones are counted.
const MAX_NAMED: usize = 5;

/// Returns the state that the run in the folder `out` continues from; `None` for a new run.
///
/// # Errors
/// When the run was started with something else, its newest checkpoint cannot be read, or is gone while others of its
/// files are there, which a new run would replace.
pub fn state(checkpoints: &Checkpoints, plan: &Plan, out: &Path, metrics_file: &Path) -> Result<Option<LoopState>> {
    let Some(mut state) = checkpoints.last_state()? else {
        refuse_without_last(checkpoints, out, metrics_file)?;
        return Ok(None);
    };
    match earlier_epochs(&state.fingerprint, plan, out)? {
        Some(epochs) => extend(&mut state, plan, epochs),
        None => check_fingerprint(&state.fingerprint, plan, &checkpoints.path(LAST), out)?,
    }
    follow_evaluation(&mut state, &plan.evaluated_on);
    Ok(Some(state))
}

/// Refuses to start a new run over one whose newest checkpoint was removed.
fn refuse_without_last(checkpoints: &Checkpoints, out: &Path, metrics_file: &Path) -> Result<()> {
    let others = checkpoints.others();
    let last = checkpoints.path(LAST);
    if let Some(newest) = others.iter().rfind(|name| name.starts_with(KEPT)).or(others.last()) {
        bail!(
            "the run in this folder has {}, but not the checkpoint {LAST} that it goes on from; copy the folder {newest} \
             to {LAST}, or give --out a new folder: {}",
            others.join(", "),
            last.display()
        );
    }
    // A run that was killed in its first epoch may have saved nothing, and starts over.
    let records = metrics::read(metrics_file).unwrap_or_default();
    if let Some(record) = records.iter().rfind(|record| record.epoch > 0) {
        bail!(
            "the run in this folder has metrics up to step {}, but no checkpoint {LAST} to go on from; give --out a new \
             folder, or remove this one: {}",
            record.step,
            out.display()
        );
    }
    Ok(())
}

/// The epochs that the run was started with, if the recipe has more of them and is the same otherwise.
fn earlier_epochs(found: &BTreeMap<String, String>, plan: &Plan, out: &Path) -> Result<Option<usize>> {
    if differing(found, &plan.fingerprint) != BTreeSet::from([RECIPE]) {
        return Ok(None);
    }
    let epochs = || -> Option<usize> {
        let earlier: toml::Table = std::fs::read_to_string(out.join(PLAN_FILE)).ok()?.parse().ok()?;
        usize::try_from(earlier.get("run")?.get("epochs")?.as_integer()?).ok()
    };
    let Some(epochs) = epochs().filter(|&epochs| epochs < plan.recipe.run.epochs) else { return Ok(None) };
    Ok((found.get(RECIPE) == Some(&plan.recipe_sha256_with_epochs(epochs)?)).then_some(epochs))
}

/// Continues a run of `epochs` epochs as one of more: the schedule is that of the longer run from here on.
fn extend(state: &mut LoopState, plan: &Plan, epochs: usize) {
    let (schedule, step) = (&plan.recipe.schedule, state.step);
    let last = schedule.at(step.saturating_sub(1), plan.steps_per_epoch * epochs as u64);
    let next = schedule.at(step.min(plan.total_steps - 1), plan.total_steps);
    tracing::warn!(
        "the run was planned for {epochs} epochs and goes on as one of {}: its schedule is that of the longer run, with \
         a learning rate of {next:.2e} after step {step}, where the last one was {last:.2e}",
        plan.recipe.run.epochs
    );
    state.fingerprint = plan.fingerprint.clone();
}

/// Writes into the newest checkpoint that its run is now a longer one, if so. This comes before [`PLAN_FILE`] says it: a
/// longer run that ends before it saves must still go on from there.
///
/// # Errors
/// When the checkpoint cannot be read or written.
pub fn keep_extension(checkpoints: &Checkpoints, state: &LoopState) -> Result<()> {
    match checkpoints.last_state()? {
        Some(written) if written.fingerprint != state.fingerprint => checkpoints.update_last(state),
        _ => Ok(()),
    }
}

/// Refuses to continue a run with other settings than it started with.
fn check_fingerprint(found: &BTreeMap<String, String>, plan: &Plan, last: &Path, out: &Path) -> Result<()> {
    let differing = differing(found, &plan.fingerprint);
    if differing.is_empty() {
        return Ok(());
    }
    let settings = if differing.contains(RECIPE) { changed_settings(plan, out) } else { String::new() };
    let differing: Vec<&str> = differing.into_iter().collect();
    bail!(
        "the run in this folder was started with another {}{settings}; give --out a new folder, or the recipe and data \
         of that run (to train its model further, a recipe names it as model.from = {:?}): {}",
        differing.join(", another "),
        last.display().to_string(),
        out.display()
    );
}

/// The names under which the two have different hashes.
fn differing<'a>(found: &'a BTreeMap<String, String>, expected: &'a BTreeMap<String, String>) -> BTreeSet<&'a str> {
    let names = found.keys().chain(expected.keys());
    names.filter(|name| found.get(*name) != expected.get(*name)).map(String::as_str).collect()
}

/// The settings that differ from those in the run's folder, in brackets; nothing where that is not known.
fn changed_settings(plan: &Plan, out: &Path) -> String {
    let earlier =
        std::fs::read_to_string(out.join(PLAN_FILE)).ok().and_then(|text| text.parse::<toml::Table>().ok());
    let now = toml::Table::try_from(plan.comparable_recipe()).ok();
    let (Some(earlier), Some(now)) = (earlier, now) else { return String::new() };
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    settings(&toml::Value::Table(earlier), "", &mut before);
    settings(&toml::Value::Table(now), "", &mut after);
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let value = |of: &BTreeMap<String, String>, name: &String| of.get(name).map_or("unset".into(), Clone::clone);
    let is_changed = |name: &&String| before.get(*name) != after.get(*name) && !Plan::may_change(name);
    let changed: Vec<String> = names
        .into_iter()
        .filter(is_changed)
        .map(|name| format!("{name} was {}, is {}", value(&before, name), value(&after, name)))
        .collect();
    match changed.len() {
        0 => String::new(),
        n if n > MAX_NAMED => format!(" ({}, and {} more)", changed[..MAX_NAMED].join("; "), n - MAX_NAMED),
        _ => format!(" ({})", changed.join("; ")),
    }
}

/// Collects the values of a table by their dotted names.
fn settings(value: &toml::Value, name: &str, found: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => {
            let dotted = |key: &String| if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
            table.iter().for_each(|(key, value)| settings(value, &dotted(key), found));
        }
        value => drop(found.insert(name.to_string(), value.to_string())),
    }
}

/// Resets the best validation loss and what early stopping watches if their tables have changed, since figures of two
/// tables cannot be compared.
fn follow_evaluation(state: &mut LoopState, now: &BTreeMap<String, String>) {
    let differing = differing(&state.evaluated_on, now);
    if !state.evaluated_on.is_empty() && !differing.is_empty() {
        let names: Vec<&str> = differing.iter().copied().collect();
        let is_watched = |watched: &Watched| differing.contains(table_of(&watched.metric).as_str());
        let resets_watched = state.watched.as_ref().is_some_and(is_watched);
        let forgets_loss = differing.contains(VALIDATION);
        let mut consequence = String::new();
        if forgets_loss {
            consequence += "; the best validation loss so far is forgotten";
        }
        if resets_watched {
            consequence += "; early stopping begins anew";
        }
        if resets_watched || (forgets_loss && state.watched.is_none()) {
            consequence += ", and the next evaluation replaces `best`";
        }
        tracing::warn!(
            "the run was evaluated on another {}: figures before and after this step cannot be compared{consequence}",
            names.join(", another ")
        );
        if forgets_loss {
            state.best_validation_loss = None;
        }
        if resets_watched {
            state.watched = None;
        }
    }
    state.evaluated_on = now.clone();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_dotted_names() {
        let table: toml::Table = "a = 1\n[b]\nc = \"x\"\n[b.d]\ne = [1, 2]".parse().unwrap();
        let mut found = BTreeMap::new();
        settings(&toml::Value::Table(table), "", &mut found);
        let found: Vec<(&str, &str)> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, [("a", "1"), ("b.c", "\"x\""), ("b.d.e", "[1, 2]")]);
    }

    #[test]
    fn a_figure_is_forgotten_if_its_own_table_is_another_one() {
        let synth = table_of("zero_shot_top1_synth");
        let hashes = |validation: &str, zero_shot: &str| {
            BTreeMap::from([
                (VALIDATION.to_string(), validation.to_string()),
                (synth.clone(), zero_shot.to_string()),
            ])
        };
        let followed = |earlier: BTreeMap<String, String>, metric: &str| {
            let watched = Watched { metric: metric.into(), best: 0.5, n_without_improvement: 1 };
            let mut state = LoopState {
                optimizer_steps: None,
                loss_scale: None,
                step: 3,
                position: dermake_data::Position::default(),
                samples_seen: 0,
                trained_secs: 0.0,
                best_validation_loss: Some(0.5),
                watched: Some(watched),
                is_evaluation_due: false,
                n_failed_evaluations: 0,
                fingerprint: BTreeMap::new(),
                evaluated_on: earlier,
            };
            let now = hashes("a", "b");
            follow_evaluation(&mut state, &now);
            assert_eq!(state.evaluated_on, now);
            (state.best_validation_loss.is_some(), state.watched.is_some())
        };
        for (validation, zero_shot, metric, kept) in [
            ("a", "b", "validation_loss", (true, true)),
            ("a", "c", "validation_loss", (true, true)),
            ("a", "c", "zero_shot_top1_synth", (true, false)),
            ("c", "b", "validation_loss", (false, false)),
            ("c", "b", "zero_shot_top1_synth", (false, true)),
        ] {
            assert_eq!(followed(hashes(validation, zero_shot), metric), kept, "{validation} {zero_shot} {metric}");
        }
        // A checkpoint of an older version does not say.
        assert_eq!(followed(BTreeMap::new(), "validation_loss"), (true, true));
    }
}
