//! The evaluation of a run that is due: figures, the best model, early stopping.

use super::checkpoint::{BEST, Checkpoints};
use super::early_stopping::{EarlyStopping, Watched};
use super::evaluation::{Evaluator, Measured};
use super::loop_state::{Ending, LoopState};
use super::optimizer::AdamW;
use super::progress::RunProgress;
use super::run_sinks::RunSinks;
use anyhow::Result;
use dermake_collectives::RankError;
use dermake_process::interrupt::Interrupted;

/// Runs the evaluation that is due, saves the best model and logs the figures.
///
/// A failed evaluation is a warning; the run continues, and its exit code tells. An interrupted one is repeated when the
/// run continues.
///
/// # Errors
/// When a rank has ended, a file cannot be written, or the evaluation failed that would have given early stopping its first
/// figure.
pub fn evaluate(
    evaluator: &mut Evaluator<'_>,
    checkpoints: &Checkpoints,
    optimizer: &AdamW,
    state: &mut LoopState,
    sinks: Option<&mut RunSinks>,
    progress: &RunProgress,
) -> Result<Ending> {
    let (epoch, ranks) = (state.position.epoch, evaluator.ranks());
    let stopping = evaluator.plan().recipe.run.early_stopping.as_ref();
    if let (None, Some(stopping)) = (&state.watched, stopping) {
        state.watched = Watched::from_best_loss(stopping, state.best_validation_loss);
    }
    let Measured { scalars, validation_loss, not_scored } = match evaluator.measure() {
        Ok(measured) => measured,
        Err(err) if err.is::<Interrupted>() => return Ok(Ending::Interrupted),
        Err(err) if err.is::<RankError>() => return Err(err),
        Err(err) => {
            if let (None, Some(EarlyStopping { metric, .. })) = (&state.watched, stopping) {
                return Err(err.context(format!(
                    "the evaluation after epoch {epoch} failed, and early stopping has no {metric} to watch; the same \
                     command evaluates again"
                )));
            }
            state.n_failed_evaluations += 1;
            progress.warn(&format!("the evaluation after epoch {epoch} failed, and the run goes on: {err:#}"));
            Measured::default()
        }
    };
    not_scored.iter().for_each(|line| progress.warn(line));
    state.is_evaluation_due = false;
    let has_lowest = |loss: &f64| loss.is_finite() && state.best_validation_loss.is_none_or(|best| *loss <= best);
    let lowest_loss = validation_loss.filter(has_lowest);
    state.best_validation_loss = lowest_loss.or(state.best_validation_loss);
    let is_best = match stopping {
        Some(stopping) => {
            let figure = scalars.iter().find(|(name, _)| *name == stopping.metric);
            figure.is_some_and(|(_, figure)| Watched::follow(&mut state.watched, stopping, *figure))
        }
        None => lowest_loss.is_some(),
    };
    if is_best {
        ranks.on_first(|| checkpoints.save(BEST, evaluator.model(), optimizer, state))?;
    }
    if !scalars.is_empty() {
        let figures: Vec<String> = scalars.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
        progress.say(&format!("epoch {epoch}: {}", figures.join(", ")));
        if let Some(sinks) = sinks {
            sinks.log(state, scalars)?;
        }
    }
    if let (true, Some(watched)) = (state.is_stopped_early(evaluator.plan()), &state.watched) {
        let Watched { metric, best, n_without_improvement } = watched;
        progress.say(&format!(
            "stopped early: {metric} has not improved on {best:.4} in {n_without_improvement} evaluations"
        ));
    }
    ranks.on_first(|| checkpoints.update_last(state))?;
    Ok(Ending::Finished)
}
