//! `dermake lr-find`: the loss while the learning rate grows from step to step (arXiv 1506.01186), with a picture.
//!
//! Nothing is saved of the model: the steps are for the curve alone.

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
use dermake_data::{Loader, Position};
use dermake_drawing::axes::Frame;
use dermake_drawing::lines::Line;
use dermake_drawing::marks::{Domain, Spacing};
use dermake_drawing::{path, px, standalone, write_figure};
use dermake_files::output::create_folder;
use dermake_process::interrupt::{self, Interrupted};
use dermake_process::print;
use dermake_sheets::Sheet;
use maud::html;
use std::path::Path;
use std::time::Instant;

/// The learning rates to try.
#[derive(Clone, Copy, Debug)]
pub struct RateRange {
    pub from: f64,
    pub to: f64,
    pub steps: usize,
}

/// A step of the search.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Tried {
    learning_rate: f64,
    loss: f64,
    /// The mean of the losses so far, newer ones counting more.
    smooth: f64,
}

/// Share of the earlier mean in a smoothed loss.
const SMOOTHING: f64 = 0.9;
/// The search ends when the smoothed loss is so many times the lowest.
const DIVERGED: f64 = 3.0;
const TABLE_FILE: &str = "lr-find.csv";
const PICTURE_FILE: &str = "lr-find.svg";
const RESULT_FILES: [&str; 3] = [TABLE_FILE, PICTURE_FILE, "lr-find.png"];

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
    let beginning = Beginning::of(recipe, places, &ranks)?;
    create_folder(places.out)?;
    let (plan, model) = beginning.into_model()?;
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
    write(&tried, places.out)
}

/// The exponential mean of the losses so far, without the bias of a mean that begins at 0.
#[derive(Default)]
struct SmoothedLoss {
    sum: f64,
    weight: f64,
}

impl SmoothedLoss {
    /// Adds a loss; returns the mean.
    fn with(&mut self, loss: f64) -> f64 {
        self.sum = SMOOTHING * self.sum + (1.0 - SMOOTHING) * loss;
        self.weight = SMOOTHING * self.weight + (1.0 - SMOOTHING);
        self.sum / self.weight
    }
}

fn is_diverged(before: &[Tried], next: &Tried) -> bool {
    let lowest = before.iter().map(|tried| tried.smooth).fold(f64::INFINITY, f64::min);
    !next.smooth.is_finite() || (before.len() > 5 && next.smooth > DIVERGED * lowest)
}

/// The learning rate where the smoothed loss falls fastest by the logarithm of the rate, and that of the lowest loss.
fn steepest_and_lowest(tried: &[Tried]) -> (Tried, Tried) {
    let lowest = tried.iter().copied().reduce(|a, b| if b.smooth < a.smooth { b } else { a });
    let lowest = lowest.unwrap_or(tried[0]);
    let slope =
        |pair: &[Tried]| (pair[1].smooth - pair[0].smooth) / (pair[1].learning_rate / pair[0].learning_rate).ln();
    let falling = tried.windows(2).filter(|pair| pair[1].learning_rate <= lowest.learning_rate);
    let steepest = falling.min_by(|a, b| slope(a).total_cmp(&slope(b))).map_or(lowest, |pair| pair[0]);
    (steepest, lowest)
}

fn write(tried: &[Tried], out: &Path) -> Result<()> {
    let mut sheet = Sheet::default();
    let column = |of: fn(&Tried) -> f64| tried.iter().map(|tried| Some(of(tried))).collect();
    sheet.numbers("learning_rate", column(|tried| tried.learning_rate));
    sheet.numbers("loss", column(|tried| tried.loss));
    sheet.numbers("smoothed_loss", column(|tried| tried.smooth));
    sheet.write(&out.join(TABLE_FILE))?;
    let (steepest, lowest) = steepest_and_lowest(tried);
    write_figure(&picture(tried, &steepest), &out.join(PICTURE_FILE))?;
    print::summary(&format!(
        "steepest fall   {:.1e}\nlowest loss     {:.1e}; a tenth of it is {:.1e}\npicture         {}\n",
        steepest.learning_rate,
        lowest.learning_rate,
        lowest.learning_rate / 10.0,
        out.join(PICTURE_FILE).display()
    ))
}

/// Size of the picture, and where its plot is.
const SIZE: [u32; 2] = [640, 380];
const ACROSS: [f64; 2] = [70.0, 620.0];
const UP: [f64; 2] = [320.0, 40.0];

fn picture(tried: &[Tried], steepest: &Tried) -> String {
    let range = |of: fn(&Tried) -> f64| {
        let values = || tried.iter().map(of);
        (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max))
    };
    let frame = Frame {
        x: Domain::over(range(|tried| tried.learning_rate), Spacing::Log).axis("learning rate", ACROSS),
        y: Domain::over(range(|tried| tried.smooth), Spacing::Linear).axis("loss", UP),
    };
    let points =
        |of: fn(&Tried) -> f64| path(tried.iter().map(|tried| frame.point([tried.learning_rate, of(tried)])));
    let [x, y] = frame.point([steepest.learning_rate, steepest.smooth]);
    let label = format!("steepest fall: {:.1e}", steepest.learning_rate);
    let content = html! {
        text.title x=(px(345.0)) y="22" text-anchor="middle" { "Loss by learning rate; " (label) }
        (frame.axes())
        path class={ (Line::nth(0).class()) " faint" } d=(points(|tried| tried.loss)) {}
        path class=(Line::nth(0).class()) d=(points(|tried| tried.smooth)) {}
        g class=(Line::nth(1).color_class()) { circle.point cx=(px(x)) cy=(px(y)) r="4" { title { (label) } } }
    };
    standalone(SIZE[0], SIZE[1], "The loss while the learning rate grows", &content)
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

    /// A loss that falls from 2 to 1 around 1e-3 and grows beyond 1e-1.
    fn search() -> Vec<Tried> {
        let range = RateRange { from: 1e-6, to: 10.0, steps: 141 };
        let (mut tried, mut mean) = (Vec::new(), SmoothedLoss::default());
        for step in 0..range.steps {
            let rate = range.at(step);
            let loss = 2.0 - 1.0 / (1.0 + (1e-3 / rate).powi(2)) + 10.0 * (rate / 1e-1).powi(3);
            let next = Tried { learning_rate: rate, loss, smooth: mean.with(loss) };
            if is_diverged(&tried, &next) {
                break;
            }
            tried.push(next);
        }
        tried
    }

    #[test]
    fn the_steepest_fall_and_the_lowest_loss_are_found() {
        let tried = search();
        assert!(tried.len() < 141, "it diverges");
        let (steepest, lowest) = steepest_and_lowest(&tried);
        // Smoothing delays both by some steps of a twentieth of a decade.
        assert!((1e-3..4e-3).contains(&steepest.learning_rate), "{steepest:?}");
        assert!((1e-2..1e-1).contains(&lowest.learning_rate), "{lowest:?}");
        let picture = picture(&tried, &steepest);
        assert!(picture.contains("Loss by learning rate") && picture.contains("circle"), "{picture}");
    }

    #[test]
    fn the_first_mean_is_the_first_loss_and_newer_losses_count_more() {
        let mut mean = SmoothedLoss::default();
        assert!((mean.with(3.0) - 3.0).abs() < 1e-12);
        // 0.9 times the older loss and once the newer one, of 1.9.
        assert!((mean.with(1.0) - (0.9 * 3.0 + 1.0) / 1.9).abs() < 1e-12);
    }
}
