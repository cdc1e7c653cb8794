//! Loss and gradients of a batch: the image tower by the engine, the head on top in f64.

use crate::heads::unit_length_gradient;
use crate::loss_scale::LossScale;
use crate::model::{Gradients, TrainedModel};
use anyhow::{Context, Result};
use candle_core::{DType, Device, Tensor};
use dermake_engine::{Keep, Ops, Pass, ProjectedTokens};
use dermake_evaluation::{HeadGradients, TunableHead};
use ndarray::Array2;
use shared_model::unit_length;
use std::ops::Range;

/// Images that pass through the tower at once, at most.
const MAX_MICRO_BATCH: usize = 16;

/// Images with their labels.
pub struct HeadBatch<'a> {
    /// `[B, 3, S, S]`: RGB in u8, or normalized values in f32; on any device.
    pub pixels: &'a Tensor,
    pub labels: &'a [usize],
    /// The weight of each class in the loss.
    pub class_weights: &'a [f64],
}

/// How many images fit into half of the free memory with all that their backward pass needs, but at least one.
pub(super) fn micro_batch(model: &TrainedModel) -> usize {
    let of_image = model.vision.bytes(1, ProjectedTokens::Class, model.value_bytes()).all.max(1);
    let fitting = model.free_bytes / 2 / of_image;
    (fitting as usize).clamp(1, MAX_MICRO_BATCH)
}

/// The loss of a batch, and the gradients of the head and of the tower's parameters: those of the weighted mean of the
/// cross-entropy. They do not depend on the size of the micro-batches, nor on the scale of the loss in the backward pass,
/// unless they overflow.
///
/// # Errors
/// When an operation fails.
pub fn loss_and_gradients(
    model: &TrainedModel,
    head: &TunableHead,
    batch: &HeadBatch<'_>,
    micro_batch: usize,
    loss_scale: Option<&LossScale>,
) -> Result<(HeadGradients, Gradients)> {
    let pixels = batch.pixels.to_device(model.device())?;
    let batch = HeadBatch { pixels: &pixels, ..*batch };
    let pass = GradientPass { model, head, batch: &batch, micro_batch, loss_scale };
    let (of_head, flat) = model.flat_weights().run_with_gradients(model.layout.n_trained(), pass)?;
    if let Some(scale) = loss_scale {
        scale.unscale(&flat)?;
    }
    Ok((of_head, Gradients::new(model.layout.clone(), flat)))
}

/// Unit features `[b, E]` of pixels.
pub(super) fn features(model: &TrainedModel, pixels: &Tensor) -> Result<Array2<f64>> {
    let pixels = pixels.to_device(model.device())?;
    rows(&unit_length(&model.flat_weights().run(FeaturePass { model, pixels: &pixels })?)?)
}

struct FeaturePass<'a> {
    model: &'a TrainedModel,
    pixels: &'a Tensor,
}

impl Pass for FeaturePass<'_> {
    /// `[b, E]`
    type Output = Tensor;

    fn run<O: Ops>(self, ops: &mut O) -> Result<Tensor> {
        Ok(self.model.vision.forward(ops, self.pixels, ProjectedTokens::Class, Keep::Nothing)?.0)
    }
}

struct GradientPass<'a> {
    model: &'a TrainedModel,
    head: &'a TunableHead,
    batch: &'a HeadBatch<'a>,
    micro_batch: usize,
    loss_scale: Option<&'a LossScale>,
}

impl GradientPass<'_> {
    /// Forward and backward of some images.
    fn part<O: Ops>(&self, ops: &mut O, rows: Range<usize>, total: f64) -> Result<HeadGradients> {
        let vision = &self.model.vision;
        let pixels = self.batch.pixels.narrow(0, rows.start, rows.len())?;
        let (raw, activations) = vision.forward(ops, &pixels, ProjectedTokens::Class, Keep::All)?;
        let features = self::rows(&unit_length(&raw)?)?;
        let labels = &self.batch.labels[rows];
        let gradients = self.head.gradients(&features, labels, self.batch.class_weights, total);
        let factor = self.loss_scale.map_or(1.0, LossScale::factor);
        let values = gradients.features.iter().map(|&value| factor * value as f32).collect();
        let d_features = Tensor::from_vec::<_, f32>(values, gradients.features.dim(), self.model.device())?;
        vision.backward(ops, activations, &pixels, &unit_length_gradient(&raw, &d_features)?)?;
        Ok(gradients)
    }
}

impl Pass for GradientPass<'_> {
    type Output = HeadGradients;

    fn run<O: Ops>(self, ops: &mut O) -> Result<HeadGradients> {
        let labels = self.batch.labels;
        let total: f64 = labels.iter().map(|&label| self.batch.class_weights[label]).sum();
        let mut sum: Option<HeadGradients> = None;
        for start in (0..labels.len()).step_by(self.micro_batch) {
            let part = self.part(ops, start..(start + self.micro_batch).min(labels.len()), total)?;
            match &mut sum {
                Some(sum) => sum.add(&part),
                None => sum = Some(part),
            }
        }
        sum.context("the batch has no image")
    }
}

/// Rows of a matrix on any device.
fn rows(x: &Tensor) -> Result<Array2<f64>> {
    let values: Vec<f32> = x.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
    Ok(Array2::from_shape_vec(x.dims2()?, values.into_iter().map(f64::from).collect())?)
}
