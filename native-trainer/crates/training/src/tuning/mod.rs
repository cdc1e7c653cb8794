//! `dermake finetune --unfreeze`: trains the image tower below a classifier, by the engine that `dermake train` uses.
//!
//! The head starts as it was trained on the frozen features, so that its first gradients do not destroy what the tower
//! knows (LP-FT, arXiv 2202.10054). The text tower stays as it is. The model of the epoch with the lowest validation loss
//! is written; if that is the frozen one, the frozen one is written.

mod images;
mod options;
mod pass;

pub use options::{TuningOptions, Unfreeze};
pub use pass::{HeadBatch, loss_and_gradients};

use super::loss_scale::{self, LossScale};
use super::model::{Gradients, TrainedModel};
use super::model_folder::write_model;
use super::optimizer::{AdamW, AdamWConfig};
use super::schedule::{Schedule, Shape};
use anyhow::{Context, Result, ensure};
use candle_core::Tensor;
use dermake_data::epoch_order;
use dermake_evaluation::{
    Epoch, HeadGradients, HeadOptions, LabeledFiles, TowerTask, TowerTrainer, TunableHead, TunedTower,
};
use dermake_models::options::ModelOptions;
use dermake_process::interrupt;
use dermake_process::progress;
use images::{Images, TrainingBatches};
use pass::micro_batch;

/// Trains the tower of a model.
pub struct TowerTuning<'a> {
    pub model: &'a ModelOptions,
    pub options: TuningOptions,
}

/// Share of the steps over which the learning rate grows; after them, it falls as half a cosine.
const WARMUP_SHARE: f64 = 0.1;
/// Rate of the head, in that with which it was trained alone.
const HEAD_RATE_FACTOR: f64 = 0.1;
/// Largest norm of the tower's gradients, as in the recipes.
const CLIP_NORM: f64 = 1.0;

impl TowerTrainer for TowerTuning<'_> {
    fn check(&self) -> Result<()> {
        self.options.check(self.model)
    }

    fn tune(&self, task: &TowerTask<'_>) -> Result<TunedTower> {
        self.options.validate()?;
        let model = self.options.model(self.model)?;
        let mut training = Training::new(&self.options, task, &model, LossScale::of(self.model.dtype))?;
        interrupt::listen("batch")?;
        let mut is_stopped = false;
        for epoch in 0..self.options.epochs {
            let Some(train_loss) = training.epoch(epoch)? else {
                is_stopped = true;
                break;
            };
            let is_improved = training.end_epoch(train_loss)?;
            if !is_improved && epoch + 1 - training.best_epoch.map_or(0, |best| best + 1) >= self.options.patience {
                break;
            }
        }
        training.take_best()?;
        write_model(&model, task.notice.as_deref(), task.folder)?;
        Ok(TunedTower {
            head: training.head.plain(),
            epochs: training.epochs,
            best_epoch: training.best_epoch,
            is_stopped,
        })
    }
}

/// The state of a training.
struct Training<'a> {
    options: &'a TuningOptions,
    task: &'a TowerTask<'a>,
    model: &'a TrainedModel,
    images: Images<'a>,
    optimizer: AdamW,
    /// In f16.
    loss_scale: Option<LossScale>,
    schedule: Schedule,
    step: u64,
    total_steps: u64,
    head: TunableHead,
    epochs: Vec<Epoch>,
    best_epoch: Option<usize>,
    best_loss: f64,
    /// What the optimizer changes, and the head, of the best epoch.
    best: (Tensor, TunableHead),
}

impl<'a> Training<'a> {
    fn new(
        options: &'a TuningOptions,
        task: &'a TowerTask<'a>,
        model: &'a TrainedModel,
        loss_scale: Option<LossScale>,
    ) -> Result<Self> {
        let config = AdamWConfig {
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: task.head_options.weight_decay,
            clip_norm: Some(CLIP_NORM),
        };
        let total_steps = (options.epochs * task.train.files.len().div_ceil(options.batch_size)) as u64;
        let mut training = Self {
            options,
            task,
            model,
            images: Images { preprocess: &model.config.preprocess, micro_batch: micro_batch(model) },
            optimizer: AdamW::new(config, model.trained().1.clone(), model.device())?,
            loss_scale,
            schedule: Schedule {
                learning_rate: options.learning_rate,
                warmup_steps: (WARMUP_SHARE * total_steps as f64) as u64,
                shape: Shape::Cosine,
                layer_decay: 1.0,
            },
            step: 0,
            total_steps,
            head: task.head.clone(),
            epochs: Vec::new(),
            best_epoch: None,
            best_loss: f64::INFINITY,
            best: (values(model)?, task.head.clone()),
        };
        training.best_loss = training.validation_loss()?;
        tracing::info!(
            "training {} values of the image tower in {total_steps} steps at most; validation loss {:.4}",
            model.trained().1.n_trained(),
            training.best_loss
        );
        Ok(training)
    }

    /// The mean loss of an epoch's batches; `None` after a stop request.
    fn epoch(&mut self, epoch: usize) -> Result<Option<f64>> {
        let task = self.task;
        let LabeledFiles { files, labels } = &task.train;
        let order = epoch_order(self.options.seed, epoch, files.len());
        let bar = progress::images(files.len());
        bar.set_message(format!("epoch {}", epoch + 1));
        let batches = TrainingBatches { files, order: &order, epoch, options: self.options };
        let (model, images) = (self.model, self.images);
        let (mut sum, mut n_done) = (0.0, 0);
        let is_whole = images.each_batch(&batches, |places, pixels| {
            let labels: Vec<usize> = places.iter().map(|&place| labels[place]).collect();
            let batch = HeadBatch { pixels, labels: &labels, class_weights: task.class_weights };
            let (of_head, gradients) =
                loss_and_gradients(model, &self.head, &batch, images.micro_batch, self.loss_scale.as_ref())?;
            ensure!(
                of_head.loss.is_finite(),
                "the loss is {} in step {}; lower --tower-learning-rate",
                of_head.loss,
                self.step + 1
            );
            self.update(&of_head, gradients)?;
            sum += of_head.loss * places.len() as f64;
            n_done += places.len();
            bar.set_position(n_done as u64);
            Ok(!interrupt::is_requested())
        });
        bar.finish_and_clear();
        Ok(is_whole?.then_some(sum / files.len() as f64))
    }

    fn update(&mut self, of_head: &HeadGradients, gradients: Gradients) -> Result<()> {
        let rate = self.schedule.at(self.step, self.total_steps);
        let gradients = self.model.trained_gradients(gradients)?;
        let lower = "lower --tower-learning-rate";
        let updated = self.optimizer.step(self.model.trained().0, &gradients, rate);
        let is_taken = loss_scale::follow(self.loss_scale.as_mut(), updated).context(lower)?.is_some();
        self.step += 1;
        if !is_taken {
            tracing::warn!("the gradients overflow in f16: step {} changes nothing", self.step);
            return Ok(());
        }
        follow(self.model)?;
        let share = rate / self.options.learning_rate;
        let learning_rate = HEAD_RATE_FACTOR * share * self.task.head_options.learning_rate;
        self.head.update(&of_head.head, &HeadOptions { learning_rate, ..self.task.head_options.clone() });
        Ok(())
    }

    /// Measures the validation loss, and remembers the best; returns whether it is better than before.
    fn end_epoch(&mut self, train_loss: f64) -> Result<bool> {
        let validation_loss = self.validation_loss()?;
        let number = self.epochs.len();
        self.epochs.push(Epoch { train_loss, validation_loss });
        let is_improved = validation_loss < self.best_loss;
        if is_improved {
            (self.best_epoch, self.best_loss) = (Some(number), validation_loss);
            self.best = (values(self.model)?, self.head.clone());
        }
        let best = if is_improved { ", the best so far" } else { "" };
        tracing::info!(
            "epoch {}: training loss {train_loss:.4}, validation loss {validation_loss:.4}{best}",
            number + 1
        );
        Ok(is_improved)
    }

    fn validation_loss(&self) -> Result<f64> {
        let LabeledFiles { files, labels } = &self.task.validation;
        let features = self.images.features(self.model, files)?;
        Ok(self.head.loss(&features, labels, self.task.class_weights))
    }

    /// Puts the values of the best epoch into the model and the head.
    fn take_best(&mut self) -> Result<()> {
        let (values, head) = &self.best;
        self.model.trained().0.slice_set(values, 0, 0)?;
        self.head = head.clone();
        follow(self.model)
    }
}

/// A copy of what the optimizer changes.
fn values(model: &TrainedModel) -> Result<Tensor> {
    let (values, layout) = model.trained();
    Ok(values.narrow(0, 0, layout.n_trained())?.force_contiguous()?)
}

/// Merges adapters, and updates the copies that are computed with. The logit scale is not trained and stays.
fn follow(model: &TrainedModel) -> Result<()> {
    if model.adapters().is_some() { model.follow_update() } else { model.refresh() }
}
