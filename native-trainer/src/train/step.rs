//! Loss and gradients of one batch, exact at any batch size.
//!
//! Gradient caching: the features of the whole batch are computed in micro-batches without a graph, the loss gives
//! their gradients, and each micro-batch is run again, now with a graph, and pulled by them. The numbers are those of
//! the whole batch at once; only memory and one forward pass differ. Each distinct caption is encoded once, sorted by
//! length so that a micro-batch of texts is cut where its longest text ends.

use super::backward::{TowerPass, backward};
use super::model::{Gradients, LOGIT_SCALE, Towers, TrainedModel};
use super::parts::{
    ImagePart, ImagePull, OwnTexts, TextPart, concatenate, image_parts, in_batch_order, text_features, text_parts,
};
use crate::objective::{Captions, Features, LocalPairs, Loss, Objective};
use anyhow::Result;
use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use shared_model::unit_length;
use std::ops::Range;

/// How much is computed at a time, which changes memory and speed but no result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MicroBatches {
    /// Images at a time.
    pub images: usize,
    /// Text tokens at a time, padding included.
    pub tokens: usize,
    /// Keep the activations of every micro-batch for the backward pass instead of computing them again: a quarter
    /// faster, and as much memory as the whole batch at once.
    #[serde(default)]
    pub keep_activations: bool,
    /// Keep only what stands between blocks while a micro-batch is pulled, and compute each block again: about the
    /// memory of one block instead of all.
    #[serde(default)]
    pub recompute_blocks: bool,
}

/// One batch, as the model takes it.
pub struct Batch<'a> {
    /// `[B, 3, S, S]` f32
    pub pixel_values: &'a Tensor,
    pub captions: &'a Captions,
    /// The token rows of the distinct captions, all of one length.
    pub input_ids: &'a [Vec<u32>],
}

/// A batch seen by the model, up to its loss.
struct Forward {
    text_parts: Vec<TextPart>,
    /// One tensor a part; with its graph if activations are kept.
    texts: Vec<Tensor>,
    image_parts: Vec<Range<usize>>,
    images: Vec<ImagePart>,
    pairs: Option<LocalPairs>,
    features: Features,
}

impl Forward {
    fn run(
        towers: &Towers,
        objective: &Objective,
        batch: &Batch<'_>,
        micro: &MicroBatches,
        keeps: bool,
    ) -> Result<Self> {
        let text_parts = text_parts(batch.input_ids, micro.tokens);
        let texts = text_parts.iter().map(|part| text_features(&towers.text, part)).collect::<Result<Vec<_>>>()?;
        let all_texts = in_batch_order(&texts, &text_parts)?;
        let pairs = objective.local_pairs(batch.captions);
        let image_parts = image_parts(batch.pixel_values.dim(0)?, micro.images);
        let image_part = |range: &Range<usize>| {
            let own_texts = pairs.as_ref().map(|pairs| OwnTexts::new(pairs, range, &all_texts)).transpose()?;
            let part = ImagePart::run(&towers.vision, range, batch, own_texts, objective)?;
            Ok(if keeps { part } else { part.detach() })
        };
        let images = image_parts.iter().map(image_part).collect::<Result<Vec<_>>>()?;
        let local = match pairs {
            Some(_) => Some(concatenate(images.iter().filter_map(|part| part.local.as_ref()))?),
            None => None,
        };
        let image = concatenate(images.iter().map(|part| &part.features))?;
        let features = Features { image, text: all_texts, local };
        Ok(Self { text_parts, texts, image_parts, images, pairs, features })
    }
}

/// Loss of a batch, without the gradients of the parameters.
pub fn loss(model: &TrainedModel, objective: &Objective, batch: &Batch<'_>, micro: &MicroBatches) -> Result<Loss> {
    let forward = Forward::run(&model.plain, objective, batch, micro, false)?;
    objective.loss(&forward.features, batch.captions, model.log_logit_scale()?.exp())
}

/// Loss of a batch and the gradients of every parameter.
pub fn loss_and_gradients(
    model: &TrainedModel,
    objective: &Objective,
    batch: &Batch<'_>,
    micro: &MicroBatches,
) -> Result<(Loss, Gradients)> {
    let keeps = micro.keep_activations && !micro.recompute_blocks;
    let towers = if keeps { &model.tracked } else { &model.plain };
    let Forward { text_parts, texts, image_parts, images, pairs, features } =
        Forward::run(towers, objective, batch, micro, keeps)?;
    let logit_scale = model.log_logit_scale()?.exp();
    let loss = objective.loss(&features, batch.captions, logit_scale)?;

    let mut pass = BackwardPass { model, objective, batch, micro, pairs, gradients: Gradients::default() };
    let mut text_gradient = loss.text.clone();
    for (range, kept) in image_parts.iter().zip(images) {
        let pull = ImagePull {
            features: loss.image.narrow(0, range.start, range.len())?,
            local: loss.local.as_ref().map(|local| local.narrow(0, range.start, range.len())).transpose()?,
        };
        let kept = keeps.then_some(kept);
        if let Some((rows, gradient)) = pass.images(range, &pull, kept, &features.text)? {
            text_gradient = text_gradient.index_add(&rows, &gradient, 0)?;
        }
    }
    for (part, kept) in text_parts.iter().zip(texts) {
        let rows = Tensor::new(&part.rows[..], text_gradient.device())?;
        pass.texts(part, &text_gradient.index_select(&rows, 0)?, keeps.then_some(kept))?;
    }
    let mut gradients = pass.gradients;
    let scale_gradient = Tensor::new((loss.logit_scale * logit_scale) as f32, model.device())?;
    gradients.add(LOGIT_SCALE, scale_gradient)?;
    Ok((loss, gradients))
}

/// The second half of a step: micro-batches pulled by the gradients of their features.
struct BackwardPass<'a> {
    model: &'a TrainedModel,
    objective: &'a Objective,
    batch: &'a Batch<'a>,
    micro: &'a MicroBatches,
    pairs: Option<LocalPairs>,
    gradients: Gradients,
}

impl BackwardPass<'_> {
    /// Returns the gradient that flows to captions through the patches: rows of the captions, and `[n, E]`.
    fn images(
        &mut self,
        range: &Range<usize>,
        pull: &ImagePull,
        kept: Option<ImagePart>,
        text_features: &Tensor,
    ) -> Result<Option<(Tensor, Tensor)>> {
        let Self { model, objective, batch, micro, pairs, gradients } = self;
        if let Some(part) = kept {
            let mut store = pull.scalar(&part)?.backward()?;
            model.collect(&mut store, gradients)?;
            return part.own_texts.map(|own| own.gradient(&mut store)).transpose();
        }
        let own_texts = pairs.as_ref().map(|pairs| OwnTexts::new(pairs, range, text_features)).transpose()?;
        let pixel_values = batch.pixel_values.narrow(0, range.start, range.len())?;
        let mut text_gradient = None;
        let pass = TowerPass {
            tracked: model.tracked.vision.transformer(),
            plain: model.plain.vision.transformer(),
            embed_tracked: &|| Ok(model.tracked.vision.embed(&pixel_values)?),
            embed_plain: &|| Ok(model.plain.vision.embed(&pixel_values)?),
            scalar: &|tokens| {
                let own_texts = own_texts.as_ref();
                pull.scalar(&ImagePart::project(&model.tracked.vision, tokens, own_texts.cloned(), objective)?)
            },
        };
        backward(&pass, micro.recompute_blocks, &mut |store| {
            if let Some(own) = own_texts.as_ref().filter(|own| store.get(&own.leaf).is_some()) {
                text_gradient = Some(own.gradient(store)?);
            }
            model.collect(store, gradients)
        })?;
        Ok(text_gradient)
    }

    fn texts(&mut self, part: &TextPart, pull: &Tensor, kept: Option<Tensor>) -> Result<()> {
        let Self { model, micro, gradients, .. } = self;
        if let Some(features) = kept {
            let mut store = (features * pull)?.sum_all()?.backward()?;
            return model.collect(&mut store, gradients);
        }
        let pass = TowerPass {
            tracked: model.tracked.text.transformer(),
            plain: model.plain.text.transformer(),
            embed_tracked: &|| Ok(model.tracked.text.embed(&part.input_ids)?),
            embed_plain: &|| Ok(model.plain.text.embed(&part.input_ids)?),
            scalar: &|tokens| {
                let features = unit_length(&model.tracked.text.project(tokens, &part.input_ids)?)?;
                Ok((features * pull)?.sum_all()?)
            },
        };
        backward(&pass, micro.recompute_blocks, &mut |store| model.collect(store, gradients))
    }
}
