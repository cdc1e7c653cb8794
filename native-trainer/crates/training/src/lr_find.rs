//! `dermake lr-find`: the loss while the learning rate grows from step to step (arXiv 1506.01186), with a picture.
//!
//! Nothing is saved of the model: the steps are for the curve alone.

mod curve;

use super::beginning::{Beginning, RunPlaces, optimizer_of};
use super::destination;
use super::device_batches::DeviceBatches;
use super::loss_scale::{self, LossScale};
use super::progress::{RunProgress, StepFigures};
use super::ranks::Ranks;
use super::recipe::Recipe;
use super::settings::Setting;
use super::step::{Batch, loss_and_gradients_over};
use anyhow::{Context, Result, bail, ensure};
use curve::{RESULT_FILES, SmoothedLoss, Tried, is_diverged};
use dermake_data::{Loader, Position};
use dermake_files::output::{check_file, create_folder};
use dermake_process::interrupt::{self, Interrupted};
use std::time::Instant;

/// The learning rates to try.
#[derive(Clone, Copy, Debug)]
pub struct RateRange {
    pub from: f64,
    pub to: f64,
    pub steps: usize,
}

impl RateRange {
    /// # Errors
    /// For a range that is none.
    pub fn validate(&self) -> Result<()> {
        let Self { from, to, steps } = *self;
        ensure!(
            from > 0.0 && to > from && to.is_finite(),
            "the learning rates are {from} to {to}, expected two that grow"
        );
        ensure!(steps >= 10, "there are {steps} steps, expected at least 10");
        Ok(())
    }

    fn at(&self, step: usize) -> f64 {
        self.from * (self.to / self.from).powf(step as f64 / (self.steps - 1) as f64)
    }
}

/// Tries the learning rates on a recipe's data, and writes `lr-find.csv`, `lr-find.svg` and `lr-find.png` into
/// `places.out`.
///
/// # Errors
/// [`Interrupted`] on Ctrl-C; when the recipe, the data or the model cannot be used; when too few steps have a loss.
pub fn lr_find(recipe: &str, settings: &[Setting], places: &RunPlaces<'_>, range: RateRange) -> Result<()> {
    range.validate()?;
    let ranks = Ranks::alone();
    let name = recipe;
    let recipe = Recipe::read_with(name, settings)?;
    destination::refuse_recipe(name, places.out, &RESULT_FILES)?;
    destination::refuse_data(&recipe, places, &RESULT_FILES)?;
    curve::refuse_foreign(places.out)?;
    let (plan, model) = Beginning::of(recipe, places, &ranks)?.into_model()?;
    create_folder(places.out)?;
    RESULT_FILES.iter().try_for_each(|file| check_file(&places.out.join(file)))?;
    let run = &plan.recipe.run;
    let epochs = range.steps.div_ceil(plan.steps_per_epoch as usize);
    let loader = Loader::training(
        plan.train.clone(),
        &plan.loader_options(&ranks),
        &plan.recipe.data.augmentation,
        run.seed,
        epochs,
        Position::default(),
    )?;
    let mut batches = DeviceBatches::new(loader, &model, run.batch_size)?;
    let mut optimizer = optimizer_of(&plan, &model)?;
    let mut loss_scale = LossScale::of(run.precision);
    interrupt::listen("step")?;
    let mut progress = RunProgress::start(0, range.steps as u64, true);
    let (mut tried, mut mean): (Vec<Tried>, SmoothedLoss) = (Vec::new(), SmoothedLoss::default());
    for step in 0..range.steps {
        if interrupt::is_requested() {
            bail!(Interrupted);
        }
        let started = Instant::now();
        let loaded = batches.next_batch()?.context("the loader ended before the search")?;
        if !plan.recipe.objective.has_targets(&loaded.captions) {
            continue;
        }
        let batch = Batch { pixels: &loaded.pixels, captions: &loaded.captions, input_ids: &loaded.input_ids };
        let (objective, scale) = (&plan.recipe.objective, loss_scale.as_ref());
        let (loss, gradients) =
            loss_and_gradients_over(&Ranks::alone(), &model, objective, &batch, &run.micro_batches, scale)?;
        let next = Tried { learning_rate: range.at(step), loss: loss.total(), smooth: mean.with(loss.total()) };
        if is_diverged(&tried, &next) {
            break;
        }
        tried.push(next);
        let gradients = model.trained_gradients(gradients)?;
        let is_finite = gradients.norm()?.is_finite();
        match &mut loss_scale {
            Some(scale) => scale.follow(is_finite),
            None if !is_finite => break,
            None => {}
        }
        if !is_finite {
            continue; // the scale is smaller now
        }
        optimizer.step(model.trained().0, &gradients, range.at(step))?;
        model.follow_update()?;
        let secs = started.elapsed().as_secs_f64();
        progress.step(
            step as u64 + 1,
            &StepFigures {
                mkcl: loss.mkcl,
                slra: loss.slra,
                learning_rate: range.at(step),
                logit_scale: model.log_logit_scale()?.exp(),
                samples_per_sec: run.batch_size as f64 / secs,
                waiting_share: loaded.waited.as_secs_f64() / secs,
            },
        );
    }
    drop(progress);
    loss_scale::check_updates(loss_scale.as_ref(), optimizer.steps())?;
    ensure!(tried.len() >= 5, "only {} steps had a loss; begin with a smaller learning rate (--from)", tried.len());
    curve::write(&tried, places.out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_grow_by_equal_factors() {
        let range = RateRange { from: 1e-6, to: 1.0, steps: 13 };
        range.validate().unwrap();
        for step in 0..13 {
            let expected = 10f64.powf(-6.0 + step as f64 / 2.0);
            assert!((range.at(step) / expected - 1.0).abs() < 1e-12);
        }
        for bad in [
            RateRange { from: 0.0, ..range },
            RateRange { to: 1e-6, ..range },
            RateRange { to: f64::NAN, ..range },
            RateRange { steps: 9, ..range },
        ] {
            assert!(bad.validate().is_err(), "{bad:?}");
        }
    }
}
