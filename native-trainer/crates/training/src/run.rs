//! `dermake train`: from a recipe to a trained model, one visible loop.

pub use super::beginning::RunPlaces;
use super::beginning::{Beginning, optimizer_of};
use super::checkpoint::{Checkpoints, LAST};
use super::destination::{self, RUN_FILES};
use super::device_batches::DeviceBatches;
use super::evaluation::Evaluator;
use super::evaluation_of_run::evaluate;
pub use super::loop_state::Ending;
use super::loop_state::LoopState;
use super::loss_scale::LossScale;
use super::optimizer::AdamW;
use super::plan::Plan;
use super::progress::RunProgress;
use super::rank_batch::RankBatches;
use super::ranks::Ranks;
use super::recipe::Recipe;
use super::resume::{self, PLAN_FILE};
use super::run_parts::RunParts;
use super::run_sinks::{METRICS_FILE, RunSinks, draw_curves};
use super::same_state;
use super::settings::Setting;
use anyhow::{Context, Result};
use dermake_data::{Loader, LoaderOptions};
use dermake_files::lock::Lock;
use dermake_files::output::{create_folder, replace_file};
use dermake_process::interrupt;
use dermake_process::print;
use std::path::Path;
use std::time::Instant;

/// Trains with a recipe and settings beside it, or continues the run in `places.out`. With several ranks, all of them call
/// it; the first one writes the run's files.
pub fn train(recipe_name: &str, settings: &[Setting], places: &RunPlaces<'_>, ranks: &Ranks) -> Result<Ending> {
    let recipe = Recipe::read_with(recipe_name, settings);
    let trained = recipe.and_then(|recipe| {
        destination::refuse_recipe(recipe_name, places.out, &RUN_FILES)?;
        train_recipe(recipe, places, ranks)
    });
    trained.inspect_err(|err| ranks.abort(err))
}

/// The same with a recipe that has been read; an error is not told to other ranks.
pub fn train_recipe(recipe: Recipe, places: &RunPlaces<'_>, ranks: &Ranks) -> Result<Ending> {
    destination::refuse_data(&recipe, places, &RUN_FILES)?;
    destination::refuse_foreign(places.out)?;
    let beginning = Beginning::of(recipe, places, ranks)?;
    check_same(&beginning.plan, ranks)?;
    let _lock = lock_folder(&beginning.plan, places.out, ranks)?;
    let (plan, model) = beginning.into_model()?;
    let model = model.sharing_memory(ranks.n_local());
    let mut optimizer = optimizer_of(&plan, &model)?;
    let checkpoints = Checkpoints::of(places.out, plan.recipe.model.notice.clone());
    let parts = RunParts { plan: &plan, ranks, model: &model, checkpoints: &checkpoints };

    let mut state = state_of(parts, &mut optimizer, places.out)?;
    if state.is_over(&plan) && !state.is_evaluation_due {
        let why = if state.is_stopped_early(&plan) { "was stopped early" } else { "is finished" };
        if ranks.is_first() {
            print::remark(format_args!("this run {why}: {}", checkpoints.path(LAST).display()));
        }
        return Ok(state.ending());
    }
    let mut sinks = open_files(parts, &state, places.out)?;
    interrupt::listen("step")?;
    let mut progress = RunProgress::start(state.step, plan.total_steps, ranks.is_first());
    if state.step > 0 {
        progress.say(&format!("going on after step {}", state.step));
    }
    let options = plan.loader_options(ranks);
    let loader = loader_of(&plan, &options, &state)?;
    let mut loaded_parts = DeviceBatches::new(loader, &model, options.n_training_rows())?;
    let mut batches = RankBatches::new(ranks, plan.train.clone(), &options);
    let mut evaluator = Evaluator::new(&plan, &model, ranks);
    let mut ending = Ending::Finished;
    if state.is_evaluation_due {
        ending = evaluate(&mut evaluator, &checkpoints, &optimizer, &mut state, sinks.as_mut(), &progress)?;
    }

    let run = &plan.recipe.run;
    while !state.is_over(&plan) && ending == Ending::Finished {
        let started = Instant::now();
        let part = loaded_parts.next_batch()?.context("the loader ended before the run")?;
        let loaded = batches.complete(part)?;
        let learning_rate = plan.recipe.schedule.at(state.step, plan.total_steps);
        let taken = parts.step(&loaded, learning_rate, &mut optimizer, &mut state, &progress)?;

        let secs = started.elapsed().as_secs_f64();
        state.advance(&plan, secs, optimizer.steps());
        let is_last = state.step == plan.total_steps;
        let ends_epoch = state.begins_epoch();
        if let Some(taken) = taken {
            let figures = parts.figures(&taken, learning_rate, secs, &loaded)?;
            progress.step(state.step, &figures);
            let is_logged = state.step.is_multiple_of(run.log_every_steps) || is_last;
            if let Some(sinks) = sinks.as_mut().filter(|_| is_logged) {
                let n_texts = loaded.captions.n_rows;
                let mut scalars = figures.scalars(taken.loss.total(), taken.gradient_norm, n_texts);
                scalars.extend(state.loss_scale.iter().flat_map(LossScale::scalars));
                sinks.log(&state, scalars)?;
            }
        }

        // Once in a while, and on a stop request: save a checkpoint.
        let evaluates = ends_epoch && (state.position.epoch.is_multiple_of(run.evaluate_every_epochs) || is_last);
        state.is_evaluation_due = evaluates && plan.has_evaluation();
        let stops = ranks.any(interrupt::is_requested())?;
        if ends_epoch || stops || run.save_every_steps.is_some_and(|every| state.step.is_multiple_of(every)) {
            parts.save(&optimizer, &state)?;
        }
        if stops && (!is_last || state.is_evaluation_due) {
            ending = Ending::Interrupted;
        }
        // Once in a while: evaluate.
        if state.is_evaluation_due && ending == Ending::Finished {
            ending = evaluate(&mut evaluator, &checkpoints, &optimizer, &mut state, sinks.as_mut(), &progress)?;
        }
    }
    drop(progress);
    if ranks.is_first() {
        say_outcome(ending, &checkpoints, places.out);
    }
    Ok(if ending == Ending::Finished { state.ending() } else { ending })
}

/// # Errors
/// When ranks have different recipes, tables, models or programs.
fn check_same(plan: &Plan, ranks: &Ranks) -> Result<()> {
    let program = ("program".to_string(), env!("CARGO_PKG_VERSION").to_string());
    let hashes = plan.fingerprint.clone().into_iter().chain(plan.evaluated_on.clone());
    let hashes = hashes.chain(plan.recipe.run.decided_together()?).chain([program]);
    ranks.check_same(&hashes.collect())
}

/// Shows the plan, and locks the run's folder as long as the lock is kept.
fn lock_folder(plan: &Plan, out: &Path, ranks: &Ranks) -> Result<Option<Lock>> {
    let mut lock = None;
    ranks.on_first(|| {
        print::remark(plan);
        create_folder(out)?;
        lock = Some(Lock::of_folder(out)?);
        Ok(())
    })?;
    Ok(lock)
}

/// Where the run is: as its last checkpoint says, which model and optimizer then have, or before the first step.
fn state_of(parts: RunParts<'_>, optimizer: &mut AdamW, out: &Path) -> Result<LoopState> {
    let RunParts { plan, ranks, model, checkpoints } = parts;
    let earlier = ranks.on_first(|| {
        checkpoints.open()?;
        let earlier = resume::state(checkpoints, plan, out, &out.join(METRICS_FILE))?;
        if let Some(earlier) = &earlier {
            checkpoints.restore(model, optimizer, earlier)?;
        }
        Ok(earlier)
    })?;
    same_state::of_first(ranks, model, optimizer, earlier.is_some())?;
    Ok(earlier.unwrap_or_else(|| LoopState::start(plan)))
}

/// Writes the plan and opens the files of figures; `None` for all ranks but the first.
fn open_files(parts: RunParts<'_>, state: &LoopState, out: &Path) -> Result<Option<RunSinks>> {
    let mut sinks = None;
    parts.ranks.on_first(|| {
        resume::keep_extension(parts.checkpoints, state)?;
        replace_file(&out.join(PLAN_FILE), toml::to_string_pretty(&parts.plan.recipe)?.as_bytes())?;
        sinks = Some(RunSinks::open(out, state.step)?);
        Ok(())
    })?;
    Ok(sinks)
}

/// Loads the batches that come next.
fn loader_of(plan: &Plan, options: &LoaderOptions, state: &LoopState) -> Result<Loader> {
    let Plan { train, recipe, .. } = plan;
    let (augmentation, run) = (&recipe.data.augmentation, &recipe.run);
    Loader::training(train.clone(), options, augmentation, run.seed, run.epochs, state.position)
}

/// Draws the curves, and says where the model is.
fn say_outcome(ending: Ending, checkpoints: &Checkpoints, out: &Path) {
    match draw_curves(out) {
        Ok(Some(curves)) => print::remark(format_args!("curves: {}", curves.display())),
        Ok(None) => {}
        Err(err) => tracing::warn!("the curves could not be drawn: {err:#}"),
    }
    let outcome = if ending == Ending::Finished { "done" } else { "saved" };
    print::remark(format_args!("{outcome}: {}", checkpoints.path(LAST).display()));
}
