//! One step of a run, its figures, and its checkpoints.

use super::checkpoint::{Checkpoints, KEPT, LAST};
use super::loop_state::LoopState;
use super::loss_scale::{self, LossScale};
use super::micro_batches::MicroBatches;
use super::model::TrainedModel;
use super::optimizer::AdamW;
use super::plan::Plan;
use super::progress::{RunProgress, StepFigures};
use super::rank_batch::RankBatch;
use super::ranks::Ranks;
use super::same_state;
use super::step::{Batch, loss_and_gradients_over};
use anyhow::{Error, Result, anyhow, ensure};
use dermake_collectives::RankError;
use dermake_objective::Loss;

/// What a run is made of, as long as it runs.
#[derive(Clone, Copy)]
pub struct RunParts<'a> {
    pub plan: &'a Plan,
    pub ranks: &'a Ranks,
    pub model: &'a TrainedModel,
    pub checkpoints: &'a Checkpoints,
}

/// A step that has changed the model.
pub struct Taken {
    pub loss: Loss,
    pub gradient_norm: f64,
}

impl RunParts<'_> {
    /// Takes a step; `None` if it changes nothing, which a warning explains.
    ///
    /// # Errors
    /// When a rank has ended, memory is lacking, or the loss is not finite.
    pub fn step(
        &self,
        loaded: &RankBatch,
        learning_rate: f64,
        optimizer: &mut AdamW,
        state: &mut LoopState,
        progress: &RunProgress,
    ) -> Result<Option<Taken>> {
        let Self { plan, ranks, model, .. } = *self;
        let step = state.step;
        let objective = plan.recipe.objective.at_epoch(state.position.epoch);
        if !objective.has_targets(&loaded.captions) {
            progress.warn(&format!("no caption counts in {}: step {step} changes nothing", rows(loaded)));
            return Ok(None);
        }
        let micro = &plan.recipe.run.micro_batches;
        let failed = |err: Error| match err.is::<RankError>() {
            true => err,
            false => self.stopped(&memory_hint(err, model, micro), step, loaded),
        };
        let batch = Batch { pixels: &loaded.pixels, captions: &loaded.captions, input_ids: &loaded.input_ids };
        let scale = state.loss_scale.as_ref();
        let computed = loss_and_gradients_over(ranks, model, &objective, &batch, micro, scale);
        let (loss, gradients) = computed.map_err(failed)?;
        let total = loss.total();
        ensure!(total.is_finite(), self.stopped(&format!("the loss is {total}"), step, loaded));
        let gradients = model.trained_gradients(gradients).map_err(failed)?;
        let updated = optimizer.step(model.trained().0, &gradients, learning_rate);
        let Some(gradient_norm) = loss_scale::follow(state.loss_scale.as_mut(), updated).map_err(failed)? else {
            let factor = state.loss_scale.as_ref().map_or(1.0, LossScale::factor);
            progress.warn(&format!(
                "the gradients overflow in f16: step {step} changes nothing, and the loss scale is {factor} from here on"
            ));
            return Ok(None);
        };
        model.follow_update()?;
        Ok(Some(Taken { loss, gradient_norm }))
    }

    /// The figures of a step that took `secs`.
    ///
    /// # Errors
    /// When the device fails.
    pub fn figures(&self, taken: &Taken, learning_rate: f64, secs: f64, loaded: &RankBatch) -> Result<StepFigures> {
        Ok(StepFigures {
            mkcl: taken.loss.mkcl,
            slra: taken.loss.slra,
            learning_rate,
            logit_scale: self.model.log_logit_scale()?.exp(),
            samples_per_sec: self.plan.recipe.run.batch_size as f64 / secs,
            waiting_share: loaded.waited.as_secs_f64() / secs,
        })
    }

    /// Saves a checkpoint; at the end of an epoch perhaps one that is kept, too.
    ///
    /// # Errors
    /// When ranks differ, or a file cannot be written.
    pub fn save(&self, optimizer: &AdamW, state: &LoopState) -> Result<()> {
        let Self { plan, ranks, model, checkpoints } = *self;
        same_state::check(ranks, model)?;
        // First, since the run goes on behind `last`: after an error or a kill it comes here again.
        let is_kept = |every: usize| state.begins_epoch() && state.position.epoch.is_multiple_of(every);
        if plan.recipe.run.keep_every_epochs.is_some_and(is_kept) {
            let name = format!("{KEPT}{:06}", state.step);
            ranks.on_first(|| checkpoints.save(&name, model, optimizer, state))?;
        }
        ranks.on_first(|| checkpoints.save(LAST, model, optimizer, state))
    }

    /// Says why a run stops at a step, and which checkpoint is left.
    fn stopped(&self, what: &str, step: u64, loaded: &RankBatch) -> Error {
        let last = self.checkpoints.path(LAST);
        let kept = if last.exists() { "the last checkpoint is as it was" } else { "nothing was saved yet in" };
        anyhow!("{what} at step {step} ({}); {kept}: {}", rows(loaded), last.display())
    }
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
