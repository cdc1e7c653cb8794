//! `dermake train`: from a recipe to a trained model, one visible loop.

use super::checkpoint::{BEST, Checkpoints, KEPT, LAST, LoopState};
use super::evaluation::{Evaluator, Measured, distinct_captions};
use super::model::{self, TrainedModel};
use super::optimizer::AdamW;
use super::plan::Plan;
use super::progress::{RunProgress, StepFigures};
use super::recipe::Recipe;
use super::resume::{self, PLAN_FILE};
use super::sinks::{EventWriter, MetricsLog, Panel, Record, curves, metrics};
use super::step::{Batch, loss_and_gradients};
use anyhow::{Context, Result, anyhow, ensure};
use dermake_data::{Batch as LoadedBatch, Loader, Position};
use dermake_device::{DeviceChoice, placement};
use dermake_files::lock::Lock;
use dermake_files::output::create_folder;
use dermake_hub::WeightsKind;
use dermake_hub::demo_model;
use dermake_models::init;
use dermake_models::{CONFIG_FILE, Checkpoint};
use dermake_process::interrupt::{self, Interrupted};
use dermake_process::print;
use shared_model::config::ClipConfig;
use shared_model::weights::Weights;
use std::fs;
use std::path::Path;
use std::time::Instant;

/// Folders and device of a run.
#[derive(Clone, Debug)]
pub struct RunPlaces<'a> {
    pub data: &'a Path,
    pub out: &'a Path,
    pub device: DeviceChoice,
}

/// Outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Finished,
    /// Ctrl-C: a checkpoint was saved, and the same command continues.
    Interrupted,
}

/// Trains with a recipe, or continues the run in `places.out`.
pub fn train(recipe_name: &str, places: &RunPlaces<'_>) -> Result<Ending> {
    let recipe = Recipe::read(recipe_name)?;
    let placement = placement(places.device, recipe.run.precision)?;
    let (config, weights) = first_weights(&recipe)?;
    let memory = model::free_memory(&config, &placement);
    let plan = Plan::resolve(recipe, config, places.data, memory)?;
    print::remark(&plan);
    create_folder(places.out)?;
    let _lock = Lock::of_folder(places.out)?;
    let model = TrainedModel::new(weights, &plan.config, &placement)?;
    let mut optimizer = AdamW::new(plan.recipe.optimizer.clone(), model.layout.clone(), model.device())?;

    let checkpoints = Checkpoints::of(places.out, plan.recipe.model.notice.clone())?;
    let earlier = resume::state(&checkpoints, &plan, places.out, &places.out.join(METRICS_FILE))?;
    if let Some(earlier) = &earlier {
        checkpoints.restore(&model, &mut optimizer, earlier)?;
    }
    let mut state = earlier.unwrap_or_else(|| LoopState::start(&plan));
    if state.step >= plan.total_steps && !state.is_evaluation_due {
        print::remark(format_args!("this run is finished: {}", checkpoints.path(LAST).display()));
        return Ok(Ending::Finished);
    }
    fs::write(places.out.join(PLAN_FILE), toml::to_string_pretty(&plan.recipe)?)
        .with_context(|| format!("cannot write {PLAN_FILE} in {}", places.out.display()))?;
    let mut sinks = Sinks::open(places.out, state.step)?;
    interrupt::listen("step")?;
    let mut progress = RunProgress::start(state.step, plan.total_steps);
    if state.step > 0 {
        progress.say(&format!("going on after step {}", state.step));
    }
    let mut loader = Loader::training(
        plan.train.clone(),
        &plan.loader_options(),
        &plan.recipe.data.augmentation,
        plan.recipe.run.seed,
        plan.recipe.run.epochs,
        state.position,
    )?;
    let run = &plan.recipe.run;
    let mut evaluator = Evaluator::new(&plan, &model);
    let mut ending = Ending::Finished;
    if state.is_evaluation_due {
        ending = evaluate(&mut evaluator, &checkpoints, &optimizer, &mut state, &mut sinks, &progress)?;
    }

    while state.step < plan.total_steps && ending == Ending::Finished {
        let started = Instant::now();
        let loaded = loader.next_batch()?.context("the loader ended before the run")?;
        let (captions, input_ids) = distinct_captions(&loaded, &plan.recipe.objective);
        let batch = Batch { pixels: &loaded.pixels, captions: &captions, input_ids: &input_ids };
        let learning_rate = plan.recipe.schedule.at(state.step, plan.total_steps);

        // ---- the step
        let mut taken = None;
        if plan.recipe.objective.has_targets(&captions) {
            let (loss, gradients) = loss_and_gradients(&model, &plan.recipe.objective, &batch, &run.micro_batches)?;
            let diverged = |what: &str| diverged(what, state.step, &loaded, &checkpoints);
            ensure!(loss.total().is_finite(), diverged(&format!("the loss is {}", loss.total())));
            let updated = optimizer.step(model.flat_parameters(), &gradients, learning_rate);
            let gradient_norm = updated.map_err(|err| anyhow!(diverged(&format!("{err:#}"))))?;
            model.clamp_logit_scale()?;
            taken = Some((loss, gradient_norm));
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
            if state.step.is_multiple_of(run.log_every_steps) || is_last {
                sinks.log(&state, step_scalars(&figures, loss.total(), gradient_norm, captions.n_rows))?;
            }
        }

        // Once in a while, and on a stop request: save a checkpoint.
        let evaluates = ends_epoch && (state.position.epoch.is_multiple_of(run.evaluate_every_epochs) || is_last);
        state.is_evaluation_due = evaluates && plan.has_evaluation();
        let stops = interrupt::is_requested();
        if ends_epoch || stops || run.save_every_steps.is_some_and(|every| state.step.is_multiple_of(every)) {
            checkpoints.save(LAST, &model, &optimizer, &state)?;
        }
        if ends_epoch && run.keep_every_epochs.is_some_and(|every| state.position.epoch.is_multiple_of(every)) {
            checkpoints.save(&format!("{KEPT}{:06}", state.step), &model, &optimizer, &state)?;
        }
        if stops && (!is_last || state.is_evaluation_due) {
            ending = Ending::Interrupted;
        }
        // Once in a while: evaluate.
        if state.is_evaluation_due && ending == Ending::Finished {
            ending = evaluate(&mut evaluator, &checkpoints, &optimizer, &mut state, &mut sinks, &progress)?;
        }
    }
    drop(progress);
    if let Err(err) = draw_curves(places.out) {
        tracing::warn!("the curves could not be drawn: {err:#}");
    }
    let outcome = if ending == Ending::Finished { "done" } else { "saved" };
    print::remark(format_args!("{outcome}: {}", checkpoints.path(LAST).display()));
    Ok(ending)
}

/// Explains why a run stops at a step, and which checkpoint is left.
fn diverged(what: &str, step: u64, loaded: &LoadedBatch, checkpoints: &Checkpoints) -> String {
    let last = checkpoints.path(LAST);
    let kept = if last.exists() { "the last checkpoint is as it was" } else { "nothing was saved yet in" };
    format!("{what} at step {step} ({}); {kept}: {}", rows(loaded), last.display())
}

/// The first rows of a batch, counted from 1 as `data check` counts them.
fn rows(loaded: &LoadedBatch) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<usize> = loaded.rows.iter().take(SHOWN).map(|row| row + 1).collect();
    let more = if loaded.rows.len() > SHOWN { " and on" } else { "" };
    format!("rows {shown:?}{more}")
}

/// The weights that the recipe starts from, and the model that they belong to.
fn first_weights(recipe: &Recipe) -> Result<(ClipConfig, Weights)> {
    if let Some(config) = recipe.model.drawn_config()? {
        let weights = init::weights(&config, recipe.model.seed);
        return Ok((config, weights));
    }
    let from = recipe.model.from.as_deref().context("the recipe names no model")?;
    let quantized = "model.from is a quantized model, expected a dense checkpoint";
    ensure!(!demo_model::is_name(from), "{quantized}: {from}");
    let files = dermake_hub::resolve(from)?;
    ensure!(files.weights_kind != WeightsKind::Quantized, "{quantized}: {from}");
    ensure!(
        files.config.is_some() || recipe.model.architecture.is_some(),
        "no {CONFIG_FILE} beside the weights; name their shape as model.architecture in the recipe: {}",
        files.weights.display()
    );
    let checkpoint = Checkpoint::open(&files, recipe.model.architecture.as_deref())?;
    ensure!(
        checkpoint.config.is_plain(),
        "only open_clip's own ViT-CLIP models can be trained, and this is a model of another kind: {from}"
    );
    Ok((checkpoint.config, checkpoint.weights))
}

impl LoopState {
    fn start(plan: &Plan) -> Self {
        Self {
            step: 0,
            optimizer_steps: None,
            position: Position::default(),
            samples_seen: 0,
            trained_secs: 0.0,
            best_validation_loss: None,
            is_evaluation_due: false,
            fingerprint: plan.fingerprint.clone(),
            evaluated_on: plan.evaluated_on.clone(),
        }
    }

    fn advance(&mut self, plan: &Plan, secs: f64, optimizer_steps: u64) {
        self.step += 1;
        self.optimizer_steps = Some(optimizer_steps);
        self.samples_seen += plan.recipe.run.batch_size as u64;
        self.trained_secs += secs;
        self.position.batch += 1;
        if self.position.batch as u64 == plan.steps_per_epoch {
            self.position = Position { epoch: self.position.epoch + 1, batch: 0 };
        }
    }
}

/// Outputs of a run's figures.
struct Sinks {
    metrics: MetricsLog,
    events: EventWriter,
}

const METRICS_FILE: &str = "metrics.jsonl";

impl Sinks {
    fn open(out: &Path, step: u64) -> Result<Self> {
        let (metrics, folder) = (out.join(METRICS_FILE), out.join("tensorboard"));
        // Figures after the checkpoint that the run continues from are logged again.
        Ok(Self { metrics: MetricsLog::resume_at(&metrics, step)?, events: EventWriter::resume_at(&folder, step)? })
    }

    /// Logs under the step that was finished last.
    fn log(&mut self, state: &LoopState, scalars: Vec<(String, f64)>) -> Result<()> {
        let epoch = state.position.epoch as u64 - u64::from(state.position.batch == 0);
        let record = Record::now(state.step - 1, epoch, scalars);
        self.metrics.append(&record)?;
        self.events.append(&record)
    }
}

fn step_scalars(figures: &StepFigures, loss: f64, gradient_norm: f64, n_texts: usize) -> Vec<(String, f64)> {
    let named = [
        ("loss", loss),
        ("mkcl", figures.mkcl),
        ("slra", figures.slra),
        ("learning_rate", figures.learning_rate),
        ("logit_scale", figures.logit_scale),
        ("gradient_norm", gradient_norm),
        ("distinct_captions", n_texts as f64),
        ("samples_per_sec", figures.samples_per_sec),
        ("waiting_share", figures.waiting_share),
    ];
    named.map(|(name, value)| (name.to_string(), value)).to_vec()
}

/// Runs the evaluation that is due, saves the best model and logs the figures.
///
/// A failed evaluation is a warning; the run continues. An interrupted one is repeated when the run continues.
fn evaluate(
    evaluator: &mut Evaluator<'_>,
    checkpoints: &Checkpoints,
    optimizer: &AdamW,
    state: &mut LoopState,
    sinks: &mut Sinks,
    progress: &RunProgress,
) -> Result<Ending> {
    let epoch = state.position.epoch;
    let Measured { scalars, validation_loss, not_scored } = match evaluator.measure() {
        Ok(measured) => measured,
        Err(err) if err.is::<Interrupted>() => return Ok(Ending::Interrupted),
        Err(err) => {
            progress.warn(&format!("the evaluation after epoch {epoch} failed, and the run goes on: {err:#}"));
            Measured::default()
        }
    };
    not_scored.iter().for_each(|line| progress.warn(line));
    state.is_evaluation_due = false;
    let is_better = |loss: &f64| loss.is_finite() && state.best_validation_loss.is_none_or(|best| *loss <= best);
    if let Some(loss) = validation_loss.filter(is_better) {
        state.best_validation_loss = Some(loss);
        checkpoints.save(BEST, evaluator.model(), optimizer, state)?;
    }
    if !scalars.is_empty() {
        let figures: Vec<String> = scalars.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
        progress.say(&format!("epoch {epoch}: {}", figures.join(", ")));
        sinks.log(state, scalars)?;
    }
    checkpoints.update_last(state)?;
    Ok(Ending::Finished)
}

/// Draws the run's curves from its metrics.
fn draw_curves(out: &Path) -> Result<()> {
    let records = metrics::read(&out.join(METRICS_FILE))?;
    let panel = |title: &str, scalars: &[String], is_log: bool| Panel {
        title: title.into(),
        scalars: scalars.to_vec(),
        is_log,
    };
    let has = |name: &str| records.iter().any(|record| record.scalar(name).is_some_and(f64::is_finite));
    let named = |names: &[&str]| names.iter().filter(|name| has(name)).map(|name| name.to_string()).collect();
    let names = records.iter().flat_map(|record| record.scalars.iter().map(|(name, _)| name.clone()));
    let mut accuracies: Vec<String> = names.filter(|name| name.starts_with("zero_shot")).collect();
    accuracies.sort_unstable();
    accuracies.dedup();
    let losses: Vec<String> = named(&["mkcl", "slra", "validation_mkcl", "validation_slra"]);
    let panels = [
        panel("loss", &losses, false),
        panel("zero-shot top-1", &accuracies, false),
        panel("learning rate", &named(&["learning_rate"]), false),
        panel("logit scale", &named(&["logit_scale"]), false),
    ];
    let drawn: Vec<Panel> = panels.into_iter().filter(|panel| !panel.scalars.is_empty()).collect();
    if drawn.is_empty() {
        return Ok(());
    }
    curves::draw(&records, &drawn, &out.join("curves.svg"))
}
