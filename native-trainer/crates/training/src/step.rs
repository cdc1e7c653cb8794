//! Loss and gradients of one batch, exact at any batch size.
//!
//! Gradient caching: the features of the whole batch are computed in micro-batches, the loss gives their gradients, and
//! each micro-batch goes backward from those. Micro-batches whose activations fit into memory keep them; the others are
//! computed again, to the same bytes. Each distinct caption is encoded once.

use super::heads::{local_features, local_gradients, unit_length_gradient};
use super::model::{Gradients, TrainedModel};
use super::parameters::LOGIT_SCALE;
use anyhow::Result;
use candle_core::Tensor;
use dermake_engine::{
    ImageActivations, Keep, MemoryPlan, Ops, PackedTexts, PartBytes, Pass, ProjectedTokens, TextActivations,
    plan_memory,
};
use dermake_objective::{Captions, Features, LocalPairs, Loss, Objective};
use serde::{Deserialize, Serialize};
use shared_model::{text_length, unit_length};
use std::ops::Range;

/// Sizes of micro-batches. They decide memory and speed; results differ only in the order of f32 sums.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MicroBatches {
    /// Images at a time.
    pub images: usize,
    /// Text tokens at a time.
    pub tokens: usize,
    /// GiB of activations that are kept for the backward pass; what does not fit is computed again. Without it, what the
    /// device has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation_memory_gib: Option<f64>,
}

impl MicroBatches {
    /// Bytes of activations that are kept, where the device has `free_bytes` for them.
    pub fn activation_bytes(&self, free_bytes: u64) -> u64 {
        self.activation_memory_gib.map_or(free_bytes, |gib| (gib * f64::from(1 << 30)) as u64)
    }

    /// Cuts texts of these lengths so that no part has more than `tokens` tokens, but at least one text.
    pub fn text_parts(&self, lengths: impl IntoIterator<Item = usize>) -> Vec<Range<usize>> {
        let mut parts: Vec<Range<usize>> = Vec::new();
        let mut n_tokens = 0;
        for (row, length) in lengths.into_iter().enumerate() {
            match parts.last_mut() {
                Some(part) if n_tokens + length <= self.tokens => part.end = row + 1,
                _ => {
                    parts.push(row..row + 1);
                    n_tokens = 0;
                }
            }
            n_tokens += length;
        }
        parts
    }

    /// Cuts images into parts of `images` each; the last one may have fewer.
    pub fn image_parts(&self, n_images: usize) -> Vec<Range<usize>> {
        let images = self.images.max(1);
        (0..n_images).step_by(images).map(|start| start..(start + images).min(n_images)).collect()
    }
}

/// One batch, as the model takes it.
pub struct Batch<'a> {
    /// `[B, 3, S, S]`: RGB in u8, or normalized values in f32; on any device.
    pub pixels: &'a Tensor,
    pub captions: &'a Captions,
    /// The token rows of the distinct captions, all of one length.
    pub input_ids: &'a [Vec<u32>],
}

/// Loss of a batch, without the gradients of the parameters.
pub fn loss(model: &TrainedModel, objective: &Objective, batch: &Batch<'_>, micro: &MicroBatches) -> Result<Loss> {
    let pixels = batch.pixels.to_device(model.device())?;
    let batch = Batch { pixels: &pixels, ..*batch };
    let step = Step::new(model, objective, &batch, micro);
    model.flat_weights().run(LossPass(&step))
}

/// Loss of a batch and the gradients of every parameter.
pub fn loss_and_gradients(
    model: &TrainedModel,
    objective: &Objective,
    batch: &Batch<'_>,
    micro: &MicroBatches,
) -> Result<(Loss, Gradients)> {
    let pixels = batch.pixels.to_device(model.device())?;
    let batch = Batch { pixels: &pixels, ..*batch };
    let step = Step::new(model, objective, &batch, micro);
    let plan = step.memory_plan(micro);
    let (loss, gradients) = model.flat_weights().run_with_gradients(GradientPass(&step, &plan))?;
    let scale_gradient = Tensor::new(&[(loss.logit_scale * step.logit_scale()?) as f32], model.device())?;
    gradients.slice_set(&scale_gradient, 0, model.layout.span(LOGIT_SCALE)?.start)?;
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
struct GradientPass<'a>(&'a Step<'a>, &'a MemoryPlan);

impl Pass for GradientPass<'_> {
    type Output = Loss;

    fn run<O: Ops>(self, ops: &mut O) -> Result<Loss> {
        let Self(step, plan) = self;
        let forward = step.forward(ops, plan)?;
        step.backward(ops, plan.again, forward)
    }
}

/// One batch cut into micro-batches.
struct Step<'a> {
    model: &'a TrainedModel,
    objective: &'a Objective,
    batch: &'a Batch<'a>,
    /// Rows of the distinct captions.
    text_parts: Vec<Range<usize>>,
    image_parts: Vec<Range<usize>>,
    pairs: Option<LocalPairs>,
}

/// A batch after its forward pass.
struct Forward<O: Ops> {
    /// None where nothing was kept.
    texts: Vec<Option<TextPart<O>>>,
    images: Vec<Option<ImagePart<O>>>,
    features: Features,
    loss: Loss,
}

struct TextPart<O: Ops> {
    texts: PackedTexts,
    /// `[n, E]`
    raw: Tensor,
    activations: TextActivations<O>,
}

struct ImagePart<O: Ops> {
    /// `[b, 1 + P, E]`, or `[b, 1, E]` where no patches are needed.
    raw: Tensor,
    activations: ImageActivations<O>,
}

impl<'a> Step<'a> {
    fn new(model: &'a TrainedModel, objective: &'a Objective, batch: &'a Batch<'a>, micro: &MicroBatches) -> Self {
        Self {
            model,
            objective,
            batch,
            text_parts: micro.text_parts(batch.input_ids.iter().map(|ids| text_length(ids))),
            image_parts: micro.image_parts(batch.pixels.dims()[0]),
            pairs: objective.local_pairs(batch.captions),
        }
    }

    fn logit_scale(&self) -> Result<f64> {
        Ok(self.model.log_logit_scale()?.exp())
    }

    fn projected(&self) -> ProjectedTokens {
        if self.pairs.is_some() { ProjectedTokens::All } else { ProjectedTokens::Class }
    }

    fn nothing_kept(&self) -> MemoryPlan {
        let n_parts = self.text_parts.len() + self.image_parts.len();
        MemoryPlan { parts: vec![Keep::Nothing; n_parts], again: Keep::Inputs }
    }

    /// Texts first, then images.
    fn memory_plan(&self, micro: &MicroBatches) -> MemoryPlan {
        let (model, value_bytes) = (self.model, self.model.value_bytes());
        let of_texts = |rows: &Range<usize>| {
            let n_tokens = self.batch.input_ids[rows.clone()].iter().map(|ids| text_length(ids)).sum();
            model.text.bytes(n_tokens, value_bytes)
        };
        let of_images = |rows: &Range<usize>| model.vision.bytes(rows.len(), self.projected(), value_bytes);
        let parts: Vec<PartBytes> =
            self.text_parts.iter().map(of_texts).chain(self.image_parts.iter().map(of_images)).collect();
        plan_memory(&parts, micro.activation_bytes(model.free_bytes))
    }

    fn forward<O: Ops>(&self, ops: &mut O, plan: &MemoryPlan) -> Result<Forward<O>> {
        let (text_keeps, image_keeps) = plan.parts.split_at(self.text_parts.len());
        let (mut texts, mut text) = (Vec::with_capacity(self.text_parts.len()), Vec::new());
        for (rows, &keep) in self.text_parts.iter().zip(text_keeps) {
            let part = self.texts(ops, rows, keep)?;
            text.push(unit_length(&part.raw)?);
            texts.push((keep != Keep::Nothing).then_some(part));
        }
        let text = Tensor::cat(&text, 0)?;
        let (mut images, mut image, mut local) =
            (Vec::with_capacity(self.image_parts.len()), Vec::new(), Vec::new());
        for (rows, &keep) in self.image_parts.iter().zip(image_keeps) {
            let part = self.images(ops, rows, keep)?;
            image.push(unit_length(&class_tokens(&part.raw)?)?);
            if let Some(pairs) = &self.pairs {
                let (own_texts, _) = own_texts(pairs, rows, &text)?;
                local.push(local_features(&patch_tokens(&part.raw)?, &own_texts, self.objective.sigma)?);
            }
            images.push((keep != Keep::Nothing).then_some(part));
        }
        let local = if local.is_empty() { None } else { Some(Tensor::cat(&local, 0)?) };
        let features = Features { image: Tensor::cat(&image, 0)?, text, local };
        let loss = self.objective.loss(&features, self.batch.captions, self.logit_scale()?)?;
        Ok(Forward { texts, images, features, loss })
    }

    fn texts<O: Ops>(&self, ops: &mut O, rows: &Range<usize>, keep: Keep) -> Result<TextPart<O>> {
        let texts = PackedTexts::new(&self.batch.input_ids[rows.clone()]);
        let (raw, activations) = self.model.text.forward(ops, &texts, keep)?;
        Ok(TextPart { texts, raw, activations })
    }

    fn images<O: Ops>(&self, ops: &mut O, rows: &Range<usize>, keep: Keep) -> Result<ImagePart<O>> {
        let pixels = self.batch.pixels.narrow(0, rows.start, rows.len())?;
        let (raw, activations) = self.model.vision.forward(ops, &pixels, self.projected(), keep)?;
        let embed_dim = raw.dim(1)?;
        Ok(ImagePart { raw: raw.reshape((rows.len(), (), embed_dim))?, activations })
    }

    fn backward<O: Ops>(&self, ops: &mut O, again: Keep, forward: Forward<O>) -> Result<Loss> {
        let Forward { texts, images, features, loss } = forward;
        let mut text_gradient = loss.text.clone();
        for (rows, part) in self.image_parts.iter().zip(images) {
            let part = part.map_or_else(|| self.images(ops, rows, again), Ok)?;
            let mut d_raw = self.class_gradient(rows, &part, &loss)?;
            if let (Some(pairs), Some(local)) = (&self.pairs, &loss.local) {
                let (own_texts, text_rows) = own_texts(pairs, rows, &features.text)?;
                let local = local.narrow(0, rows.start, rows.len())?.contiguous()?;
                let (d_patches, d_texts) =
                    local_gradients(&patch_tokens(&part.raw)?, &own_texts, self.objective.sigma, &local)?;
                text_gradient = text_gradient.index_add(&text_rows, &d_texts.flatten_to(1)?, 0)?;
                d_raw = Tensor::cat(&[d_raw, d_patches], 1)?;
            }
            let pixels = self.batch.pixels.narrow(0, rows.start, rows.len())?;
            self.model.vision.backward(ops, part.activations, &pixels, &d_raw.flatten_to(1)?)?;
        }
        for (rows, part) in self.text_parts.iter().zip(texts) {
            let part = part.map_or_else(|| self.texts(ops, rows, again), Ok)?;
            let d_raw = unit_length_gradient(&part.raw, &text_gradient.narrow(0, rows.start, rows.len())?)?;
            self.model.text.backward(ops, part.activations, &part.texts, &d_raw)?;
        }
        Ok(loss)
    }

    /// `[b, 1, E]`: the gradient of the raw class tokens.
    fn class_gradient<O: Ops>(&self, rows: &Range<usize>, part: &ImagePart<O>, loss: &Loss) -> Result<Tensor> {
        let d_features = loss.image.narrow(0, rows.start, rows.len())?;
        Ok(unit_length_gradient(&class_tokens(&part.raw)?, &d_features)?.unsqueeze(1)?)
    }
}

/// `[b, N, E]` to `[b, E]`
fn class_tokens(raw: &Tensor) -> Result<Tensor> {
    Ok(raw.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?)
}

/// `[b, 1 + P, E]` to `[b, P, E]`
fn patch_tokens(raw: &Tensor) -> Result<Tensor> {
    Ok(raw.narrow(1, 1, raw.dim(1)? - 1)?.contiguous()?)
}

/// The captions that the patches of some images are compared with, `[b, K, E]`, and their rows among the distinct captions, `[b K]`.
fn own_texts(pairs: &LocalPairs, range: &Range<usize>, text_features: &Tensor) -> Result<(Tensor, Tensor)> {
    let k = pairs.n_queries;
    let rows: Vec<u32> = pairs.text_rows[range.start * k..range.end * k].iter().map(|&row| row as u32).collect();
    let rows = Tensor::new(rows, text_features.device())?;
    let own = text_features.index_select(&rows, 0)?.reshape((range.len(), k, ()))?;
    Ok((own, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_so_many_tokens_and_images() {
        let micro = |images: usize, tokens: usize| MicroBatches { images, tokens, activation_memory_gib: None };
        let texts = |tokens: usize| micro(1, tokens).text_parts([3, 4, 2, 8, 1]);
        assert_eq!(texts(9), [0..3, 3..5]);
        assert_eq!(texts(1), [0..1, 1..2, 2..3, 3..4, 4..5]);
        assert_eq!(texts(100), vec![0..5]);
        assert!(micro(1, 9).text_parts([]).is_empty());
        assert_eq!(micro(3, 1).image_parts(7), [0..3, 3..6, 6..7]);
        assert_eq!(micro(0, 1).image_parts(2), [0..1, 1..2]);
        assert!(micro(3, 1).image_parts(0).is_empty());
    }
}
