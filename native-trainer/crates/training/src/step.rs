//! Loss and gradients of one batch, exact at any batch size.
//!
//! Gradient caching: the features of the whole batch are computed in micro-batches, the loss gives their gradients, and
//! each micro-batch goes backward from those. Micro-batches whose activations fit into memory keep them; the others are
//! computed again, to the same bytes. Each distinct caption is encoded once.

use super::heads::{local_features, local_gradients, unit_length_gradient};
use super::memory::BatchSizes;
use super::micro_batches::MicroBatches;
use super::model::{Gradients, TrainedModel};
use super::parameters::{LOGIT_BIAS, LOGIT_SCALE};
use anyhow::{Context, Result};
use candle_core::Tensor;
use dermake_engine::{
    ImageActivations, Keep, MemoryPlan, Ops, PackedTexts, PartBytes, Pass, ProjectedTokens, TextActivations,
    plan_memory,
};
use dermake_objective::{Captions, Features, LocalPairs, Loss, Objective, PairLogits, Variant, sum_rows_by_key};
use shared_model::{text_length, unit_length};
use std::ops::Range;

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
    let step = Step::new(model, objective, &batch, micro)?;
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
    let step = Step::new(model, objective, &batch, micro)?;
    let plan = step.memory_plan(micro);
    let (loss, gradients) =
        model.flat_weights().run_with_gradients(model.layout.n_trained(), GradientPass(&step, &plan))?;
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
    logit_scale: f64,
    logit_bias: Option<f64>,
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
    fn new(
        model: &'a TrainedModel,
        objective: &'a Objective,
        batch: &'a Batch<'a>,
        micro: &MicroBatches,
    ) -> Result<Self> {
        Ok(Self {
            model,
            objective,
            batch,
            text_parts: micro.text_parts(batch.input_ids.iter().map(|ids| text_length(ids))),
            image_parts: micro.image_parts(batch.pixels.dims()[0]),
            pairs: objective.local_pairs(batch.captions),
            logit_scale: model.log_logit_scale()?.exp(),
            logit_bias: model.logit_bias()?,
        })
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
        let reserved = self.sizes(micro).reserved_bytes(!model.device().is_cpu());
        plan_memory(&parts, micro.activation_bytes(model.free_bytes.saturating_sub(reserved)))
    }

    fn sizes(&self, micro: &MicroBatches) -> BatchSizes {
        let n_local = self.pairs.as_ref().map_or(0, |pairs| pairs.n_queries);
        BatchSizes {
            n_images: self.batch.pixels.dims()[0],
            n_texts: self.batch.captions.n_rows,
            n_local,
            n_patches: if n_local == 0 { 0 } else { self.model.vision.n_tokens() - 1 },
            images_at_once: micro.images,
            embed_dim: self.model.config.embed_dim,
            side: self.model.config.preprocess.image_size,
        }
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
                let own_texts = own_texts(pairs, rows, &text)?;
                local.push(local_features(&patch_tokens(&part.raw)?, &own_texts, self.objective.sigma)?);
            }
            images.push((keep != Keep::Nothing).then_some(part));
        }
        let local = if local.is_empty() { None } else { Some(Tensor::cat(&local, 0)?) };
        let features = Features { image: Tensor::cat(&image, 0)?, text, local };
        let loss = self.loss(&features)?;
        Ok(Forward { texts, images, features, loss })
    }

    fn loss(&self, features: &Features) -> Result<Loss> {
        if self.objective.variant != Variant::SigLip {
            return self.objective.loss(features, self.batch.captions, self.logit_scale);
        }
        let bias = self.logit_bias.context("the model has no logit_bias, which the objective `siglip` trains")?;
        let logits = PairLogits { scale: self.logit_scale, bias };
        self.objective.pairwise_loss(features, self.batch.captions, logits)
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
        let (vision, text) = (&self.model.vision, &self.model.text);
        // The patches of images give gradients to their captions, too.
        let needs_images = !vision.is_locked() || (self.pairs.is_some() && !text.is_locked());
        let mut own_text_gradients = Vec::new();
        for (rows, part) in self.image_parts.iter().zip(images).filter(|_| needs_images) {
            let part = part.map_or_else(|| self.images(ops, rows, again), Ok)?;
            let mut d_raw = self.class_gradient(rows, &part, &loss)?;
            if let (Some(pairs), Some(local)) = (&self.pairs, &loss.local) {
                let own_texts = own_texts(pairs, rows, &features.text)?;
                let local = local.narrow(0, rows.start, rows.len())?.contiguous()?;
                let (d_patches, d_texts) =
                    local_gradients(&patch_tokens(&part.raw)?, &own_texts, self.objective.sigma, &local)?;
                own_text_gradients.push(d_texts.flatten_to(1)?);
                d_raw = Tensor::cat(&[d_raw, d_patches], 1)?;
            }
            let pixels = self.batch.pixels.narrow(0, rows.start, rows.len())?;
            vision.backward(ops, part.activations, &pixels, &d_raw.flatten_to(1)?)?;
        }
        let text_gradient = self.text_gradient(&loss, own_text_gradients)?;
        for (rows, part) in self.text_parts.iter().zip(texts).filter(|_| !text.is_locked()) {
            let part = part.map_or_else(|| self.texts(ops, rows, again), Ok)?;
            let d_raw = unit_length_gradient(&part.raw, &text_gradient.narrow(0, rows.start, rows.len())?)?;
            text.backward(ops, part.activations, &part.texts, &d_raw)?;
        }
        Ok(loss)
    }

    /// `[D, E]`: the gradient of the text features, with those that the patches gave to their captions, image by image.
    fn text_gradient(&self, loss: &Loss, of_own_texts: Vec<Tensor>) -> Result<Tensor> {
        let Some(pairs) = self.pairs.as_ref().filter(|_| !of_own_texts.is_empty()) else {
            return Ok(loss.text.clone());
        };
        let keys: Vec<u32> = pairs.text_rows.iter().map(|&row| row as u32).collect();
        let of_own_texts = sum_rows_by_key(&Tensor::cat(&of_own_texts, 0)?, &keys, loss.text.dim(0)?)?;
        Ok((&loss.text + of_own_texts)?)
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

/// The captions that the patches of some images are compared with, `[b, K, E]`.
fn own_texts(pairs: &LocalPairs, range: &Range<usize>, text_features: &Tensor) -> Result<Tensor> {
    let k = pairs.n_queries;
    let rows: Vec<u32> = pairs.text_rows[range.start * k..range.end * k].iter().map(|&row| row as u32).collect();
    let rows = Tensor::new(rows, text_features.device())?;
    Ok(text_features.index_select(&rows, 0)?.reshape((range.len(), k, ()))?)
}
