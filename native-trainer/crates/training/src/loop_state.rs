//! Where a run is.

use super::early_stopping::Watched;
use super::loss_scale::LossScale;
use super::plan::Plan;
use dermake_data::Position;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The progress of a run, beside its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoopState {
    /// Batches taken.
    pub step: u64,
    /// Optimizer updates made: fewer where a batch had no caption that counts, or a step was skipped. None in checkpoints of
    /// older versions.
    #[serde(default)]
    pub optimizer_steps: Option<u64>,
    /// The factor of the loss, in f16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_scale: Option<LossScale>,
    /// The batch that comes next.
    pub position: Position,
    pub samples_seen: u64,
    /// Seconds of training so far, over all sessions of the run.
    pub trained_secs: f64,
    /// The lowest validation loss so far.
    pub best_validation_loss: Option<f64>,
    /// The figure that early stopping watches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched: Option<Watched>,
    /// Whether the evaluation after the last step has not been done yet.
    #[serde(default)]
    pub is_evaluation_due: bool,
    /// Evaluations that failed, of the whole run.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub n_failed_evaluations: u64,
    /// What the run was started with; a run continues only with the same.
    pub fingerprint: BTreeMap<String, String>,
    /// Hashes of the tables that it is evaluated on; empty in checkpoints of older versions.
    #[serde(default)]
    pub evaluated_on: BTreeMap<String, String>,
}

/// Outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Finished,
    /// The run has made all its steps, but some of its evaluations failed.
    Unevaluated,
    /// Ctrl-C: a checkpoint was saved, and the same command continues.
    Interrupted,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl LoopState {
    /// The state before the first step.
    pub fn start(plan: &Plan) -> Self {
        Self {
            step: 0,
            optimizer_steps: None,
            loss_scale: LossScale::of(plan.recipe.run.precision),
            position: Position::default(),
            samples_seen: 0,
            trained_secs: 0.0,
            best_validation_loss: None,
            watched: None,
            is_evaluation_due: false,
            n_failed_evaluations: 0,
            fingerprint: plan.fingerprint.clone(),
            evaluated_on: plan.evaluated_on.clone(),
        }
    }

    /// Whether the run has made all its steps, or is stopped early.
    pub fn is_over(&self, plan: &Plan) -> bool {
        self.step >= plan.total_steps || self.is_stopped_early(plan)
    }

    /// Whether the figure that the recipe watches has stopped improving.
    pub fn is_stopped_early(&self, plan: &Plan) -> bool {
        match (&self.watched, &plan.recipe.run.early_stopping) {
            (Some(watched), Some(stopping)) => watched.is_over(stopping),
            _ => false,
        }
    }

    /// The outcome of a run that is over.
    pub fn ending(&self) -> Ending {
        if self.n_failed_evaluations > 0 { Ending::Unevaluated } else { Ending::Finished }
    }

    /// Whether the next batch is the first of an epoch.
    pub fn begins_epoch(&self) -> bool {
        self.position.batch == 0
    }

    /// Counts a step that took `secs`.
    pub fn advance(&mut self, plan: &Plan, secs: f64, optimizer_steps: u64) {
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
