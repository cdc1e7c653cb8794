//! Loss and gradients of one batch, exact at any batch size.
//!
//! Gradient caching: the features of the whole batch are computed in micro-batches, the loss gives their gradients, and
//! each micro-batch goes backward from those. Micro-batches whose activations fit into memory keep them; the others are
//! computed again, to the same bytes. Each distinct caption is encoded once.
//!
//! With several ranks, each has an even part of the images, encodes a part of the distinct captions, and computes the part
//! of the loss whose queries these are, beside the features of all. What it knows of the gradients of others' features is
//! sent to them, and the gradients of the parameters are summed.

pub use super::batch_step::Batch;
use super::batch_step::Step;
use super::loss_scale::LossScale;
use super::micro_batches::MicroBatches;
use super::model::{Gradients, TrainedModel};
use super::parameters::{LOGIT_BIAS, LOGIT_SCALE};
use super::ranks::Ranks;
use anyhow::Result;
use candle_core::Tensor;
use dermake_engine::{MemoryPlan, Ops, Pass};
use dermake_objective::{Loss, Objective};

/// Loss of a batch, without the gradients of the parameters.
pub fn loss(model: &TrainedModel, objective: &Objective, batch: &Batch<'_>, micro: &MicroBatches) -> Result<Loss> {
    let pixels = batch.pixels.to_device(model.device())?;
    let batch = Batch { pixels: &pixels, ..*batch };
    let ranks = Ranks::alone();
    let step = Step::new(&ranks, model, objective, &batch, micro)?;
    model.flat_weights().run(LossPass(&step))
}

/// Loss of a batch and the gradients of every parameter.
pub fn loss_and_gradients(
    model: &TrainedModel,
    objective: &Objective,
    batch: &Batch<'_>,
    micro: &MicroBatches,
) -> Result<(Loss, Gradients)> {
    loss_and_gradients_over(&Ranks::alone(), model, objective, batch, micro, None)
}

/// Loss of a batch and the gradients of every parameter, computed by several ranks; each gets the same numbers.
///
/// The backward pass computes with a loss that is `loss_scale` times as large; the result does not, but where gradients
/// overflowed it is not finite. Of [`Loss`], the gradients of features are those of this rank's images, and parts of the sum for its captions.
///
/// # Errors
/// When a rank fails, or `batch` does not have an even part of the images.
pub fn loss_and_gradients_over(
    ranks: &Ranks,
    model: &TrainedModel,
    objective: &Objective,
    batch: &Batch<'_>,
    micro: &MicroBatches,
    loss_scale: Option<&LossScale>,
) -> Result<(Loss, Gradients)> {
    let pixels = batch.pixels.to_device(model.device())?;
    let batch = Batch { pixels: &pixels, ..*batch };
    let step = Step::new(ranks, model, objective, &batch, micro)?;
    let plan = step.memory_plan(micro);
    let pass = GradientPass { step: &step, plan: &plan, loss_scale };
    let (loss, gradients) = model.flat_weights().run_with_gradients(model.layout.n_trained(), pass)?;
    let gradients = ranks.sum(gradients)?;
    if let Some(scale) = loss_scale {
        scale.unscale(&gradients)?;
    }
    let scale_gradient = Tensor::new(&[(loss.logit_scale * step.logit_scale) as f32], model.device())?;
    gradients.slice_set(&scale_gradient, 0, model.layout.span(LOGIT_SCALE)?.start)?;
    if step.logit_bias.is_some() {
        let bias_gradient = Tensor::new(&[loss.logit_bias as f32], model.device())?;
        gradients.slice_set(&bias_gradient, 0, model.layout.span(LOGIT_BIAS)?.start)?;
    }
    Ok((loss, Gradients::new(model.layout.clone(), gradients)))
}

/// The forward pass, and the loss.
struct LossPass<'a>(&'a Step<'a>);

impl Pass for LossPass<'_> {
    type Output = Loss;

    fn run<O: Ops>(self, ops: &mut O) -> Result<Loss> {
        Ok(self.0.forward(ops, &self.0.nothing_kept())?.loss)
    }
}

/// Both passes; returns the loss.
struct GradientPass<'a> {
    step: &'a Step<'a>,
    plan: &'a MemoryPlan,
    loss_scale: Option<&'a LossScale>,
}

impl Pass for GradientPass<'_> {
    type Output = Loss;

    fn run<O: Ops>(self, ops: &mut O) -> Result<Loss> {
        let Self { step, plan, loss_scale } = self;
        let forward = step.forward(ops, plan)?;
        step.backward(ops, plan.again, forward, loss_scale)
    }
}
