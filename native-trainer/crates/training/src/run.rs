//! `dermake train`: from a recipe to a trained model, one visible loop.

use super::checkpoint::{Checkpoints, KEPT, LAST};
use super::device_batches::DeviceBatches;
use super::evaluation::Evaluator;
use super::evaluation_of_run::evaluate;
use super::initial_weights::initial_weights;
pub use super::loop_state::Ending;
use super::loop_state::LoopState;
use super::loss_scale::{self, LossScale};
use super::micro_batches::MicroBatches;
use super::model::{self, TrainedModel};
use super::optimizer::AdamW;
use super::own_data;
use super::plan::Plan;
use super::progress::{RunProgress, StepFigures};
use super::rank_batch::{RankBatch, RankBatches};
use super::ranks::Ranks;
use super::recipe::Recipe;
use super::resume::{self, PLAN_FILE};
use super::run_sinks::{METRICS_FILE, RunSinks, draw_curves};
use super::same_state;
use super::settings::Setting;
use super::step::{Batch, loss_and_gradients_over};
use super::tables::Tables;
use anyhow::{Context, Error, Result, anyhow, ensure};
use dermake_collectives::RankError;
use dermake_data::Loader;
use dermake_device::{DeviceChoice, placement};
use dermake_files::lock::Lock;
use dermake_files::output::{create_folder, replace_file};
use dermake_process::interrupt;
use dermake_process::print;
use shared_model::weights::{Placement, Weights};
use std::path::Path;
use std::time::Instant;

/// Folders and device of a run.
#[derive(Clone, Debug)]
pub struct RunPlaces<'a> {
    pub data: &'a Path,
    pub out: &'a Path,
    pub device: DeviceChoice,
}

/// Trains with a recipe and settings beside it, or continues the run in `places.out`. With several ranks, all of them call
/// it; the first one writes the run's files.
pub fn train(recipe_name: &str, settings: &[Setting], places: &RunPlaces<'_>, ranks: &Ranks) -> Result<Ending> {
    let recipe = Recipe::read_with(recipe_name, settings);
    recipe.and_then(|recipe| train_recipe(recipe, places, ranks)).inspect_err(|err| ranks.abort(err))
}

/// The same with a recipe that has been read; an error is not told to other ranks.
pub fn train_recipe(mut recipe: Recipe, places: &RunPlaces<'_>, ranks: &Ranks) -> Result<Ending> {
    let data = own_data::folder_of(&mut recipe, places.data)?;
    let placement = placement(places.device, recipe.run.precision)?;
    let tables = Tables::read(&recipe, &data, ranks.size())?;
    let (config, weights) = initial_weights(&recipe)?;
    let memory = model::free_memory(&config, &placement).of_rank(ranks.n_local());
    let plan = Plan::resolve(recipe, config, tables, memory, ranks.size())?;
    let program = ("program".to_string(), env!("CARGO_PKG_VERSION").to_string());
    let hashes = plan.fingerprint.clone().into_iter().chain(plan.evaluated_on.clone());
    let hashes = hashes.chain(plan.recipe.run.decided_together()?).chain([program]);
    ranks.check_same(&hashes.collect())?;
    let mut lock = None;
    ranks.on_first(|| {
        print::remark(&plan);
        create_folder(places.out)?;
        lock = Some(Lock::of_folder(places.out)?);
        Ok(())
    })?;
    let model = model_of(&plan, weights, &placement)?.sharing_memory(ranks.n_local());
    let mut optimizer = AdamW::new(plan.recipe.optimizer.clone(), model.trained().1.clone(), model.device())?
        .with_rate_factors(|name| plan.recipe.schedule.rate_factor(name, &plan.config));

    let checkpoints = Checkpoints::of(places.out, plan.recipe.model.notice.clone());
    let earlier = ranks.on_first(|| {
        checkpoints.open()?;
        let earlier = resume::state(&checkpoints, &plan, places.out, &places.out.join(METRICS_FILE))?;
        if let Some(earlier) = &earlier {
            checkpoints.restore(&model, &mut optimizer, earlier)?;
        }
        Ok(earlier)
    })?;
    same_state::of_first(ranks, &model, &mut optimizer, earlier.is_some())?;
    let mut state = earlier.unwrap_or_else(|| LoopState::start(&plan));
    if state.is_over(&plan) && !state.is_evaluation_due {
        let why = if state.is_stopped_early(&plan) { "was stopped early" } else { "is finished" };
        if ranks.is_first() {
            print::remark(format_args!("this run {why}: {}", checkpoints.path(LAST).display()));
        }
        return Ok(Ending::Finished);
    }
    let mut sinks = None;
    ranks.on_first(|| {
        resume::keep_extension(&checkpoints, &state)?;
        replace_file(&places.out.join(PLAN_FILE), toml::to_string_pretty(&plan.recipe)?.as_bytes())?;
        sinks = Some(RunSinks::open(places.out, state.step)?);
        Ok(())
    })?;
    interrupt::listen("step")?;
    let mut progress = RunProgress::start(state.step, plan.total_steps, ranks.is_first());
    if state.step > 0 {
        progress.say(&format!("going on after step {}", state.step));
    }
    let options = plan.loader_options(ranks);
    let loader = Loader::training(
        plan.train.clone(),
        &options,
        &plan.recipe.data.augmentation,
        plan.recipe.run.seed,
        plan.recipe.run.epochs,
        state.position,
    )?;
    let run = &plan.recipe.run;
    let n_own = options.n_training_rows();
    let mut parts = DeviceBatches::new(loader, &model, n_own)?;
    let mut batches = RankBatches::new(ranks, plan.train.clone(), &options);
    let mut evaluator = Evaluator::new(&plan, &model, ranks);
    let mut ending = Ending::Finished;
    if state.is_evaluation_due {
        ending = evaluate(&mut evaluator, &checkpoints, &optimizer, &mut state, sinks.as_mut(), &progress)?;
    }

    while !state.is_over(&plan) && ending == Ending::Finished {
        let started = Instant::now();
        let part = parts.next_batch()?.context("the loader ended before the run")?;
        let loaded = batches.complete(part)?;
        let batch = Batch { pixels: &loaded.pixels, captions: &loaded.captions, input_ids: &loaded.input_ids };
        let learning_rate = plan.recipe.schedule.at(state.step, plan.total_steps);
        let objective = plan.recipe.objective.at_epoch(state.position.epoch);

        // ---- the step
        let mut taken = None;
        if objective.has_targets(&loaded.captions) {
            let failed = |err: Error| match err.is::<RankError>() {
                true => err,
                false => stopped(&memory_hint(err, &model, &run.micro_batches), state.step, &loaded, &checkpoints),
            };
            let scale = state.loss_scale.as_ref();
            let computed = loss_and_gradients_over(ranks, &model, &objective, &batch, &run.micro_batches, scale);
            let (loss, gradients) = computed.map_err(failed)?;
            let total = loss.total();
            ensure!(total.is_finite(), stopped(&format!("the loss is {total}"), state.step, &loaded, &checkpoints));
            let gradients = model.trained_gradients(gradients).map_err(failed)?;
            let updated = optimizer.step(model.trained().0, &gradients, learning_rate);
            match loss_scale::follow(state.loss_scale.as_mut(), updated).map_err(failed)? {
                Some(gradient_norm) => {
                    model.follow_update()?;
                    taken = Some((loss, gradient_norm));
                }
                None => {
                    let (step, factor) = (state.step, state.loss_scale.as_ref().map_or(1.0, LossScale::factor));
                    progress.warn(&format!(
                        "the gradients overflow in f16: step {step} changes nothing, and the loss scale is {factor} from here on"
                    ));
                }
            }
        } else {
            let step = state.step;
            progress.warn(&format!("no caption counts in {}: step {step} changes nothing", rows(&loaded)));
        }
        // ----

        let secs = started.elapsed().as_secs_f64();
        state.advance(&plan, secs, optimizer.steps());
        let is_last = state.step == plan.total_steps;
        let ends_epoch = state.position.batch == 0;
        if let Some((loss, gradient_norm)) = taken {
            let figures = StepFigures {
                mkcl: loss.mkcl,
                slra: loss.slra,
                learning_rate,
                logit_scale: model.log_logit_scale()?.exp(),
                samples_per_sec: run.batch_size as f64 / secs,
                waiting_share: loaded.waited.as_secs_f64() / secs,
            };
            progress.step(state.step, &figures);
            if let Some(sinks) =
                sinks.as_mut().filter(|_| state.step.is_multiple_of(run.log_every_steps) || is_last)
            {
                let mut scalars = figures.scalars(loss.total(), gradient_norm, loaded.captions.n_rows);
                scalars.extend(state.loss_scale.iter().flat_map(LossScale::scalars));
                sinks.log(&state, scalars)?;
            }
        }

        // Once in a while, and on a stop request: save a checkpoint.
        let evaluates = ends_epoch && (state.position.epoch.is_multiple_of(run.evaluate_every_epochs) || is_last);
        state.is_evaluation_due = evaluates && plan.has_evaluation();
        let stops = ranks.any(interrupt::is_requested())?;
        if ends_epoch || stops || run.save_every_steps.is_some_and(|every| state.step.is_multiple_of(every)) {
            same_state::check(ranks, &model)?;
            // First, since the run goes on behind `last`: after an error or a kill it comes here again.
            if ends_epoch && run.keep_every_epochs.is_some_and(|every| state.position.epoch.is_multiple_of(every)) {
                let name = format!("{KEPT}{:06}", state.step);
                ranks.on_first(|| checkpoints.save(&name, &model, &optimizer, &state))?;
            }
            ranks.on_first(|| checkpoints.save(LAST, &model, &optimizer, &state))?;
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
    if !ranks.is_first() {
        return Ok(ending);
    }
    if let Err(err) = draw_curves(places.out) {
        tracing::warn!("the curves could not be drawn: {err:#}");
    }
    let outcome = if ending == Ending::Finished { "done" } else { "saved" };
    print::remark(format_args!("{outcome}: {}", checkpoints.path(LAST).display()));
    Ok(ending)
}

/// The model with what the recipe locks or adapts.
pub(super) fn model_of(plan: &Plan, weights: Weights, placement: &Placement) -> Result<TrainedModel> {
    let lock = plan.recipe.locked();
    let model = TrainedModel::with_lock(weights, &plan.config, placement, &lock)?;
    match &plan.recipe.lora {
        Some(lora) => model.with_adapters(lora, &lock),
        None => Ok(model),
    }
}

/// Says why a run stops at a step, and which checkpoint is left.
fn stopped(what: &str, step: u64, loaded: &RankBatch, checkpoints: &Checkpoints) -> Error {
    let last = checkpoints.path(LAST);
    let kept = if last.exists() { "the last checkpoint is as it was" } else { "nothing was saved yet in" };
    anyhow!("{what} at step {step} ({}); {kept}: {}", rows(loaded), last.display())
}

/// The error, and where memory is lacking, a setting with less.
fn memory_hint(err: Error, model: &TrainedModel, micro: &MicroBatches) -> String {
    let err = format!("{err:#}");
    if !dermake_device::lacks_memory(&err) {
        return err;
    }
    let (gib, images) = (micro.smaller_budget_gib(model.free_bytes), micro.images);
    format!(
        "the memory is full; set activation_memory_gib = {gib:.2} in [run.micro_batches] of the recipe, and images below \
         {images} if that is not enough ({err})"
    )
}

/// The first rows of a batch, counted from 1 as `data check` counts them.
fn rows(loaded: &RankBatch) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<usize> = loaded.rows.iter().take(SHOWN).map(|row| row + 1).collect();
    let more = if loaded.rows.len() > SHOWN { " and on" } else { "" };
    format!("rows {shown:?}{more}")
}
