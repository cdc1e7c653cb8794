//! Loss and gradients of one batch, exact at any batch size.
//!
//! Gradient caching: the features of the whole batch are computed in micro-batches without a graph, the loss gives
//! their gradients, and each micro-batch is run again, now with a graph, and pulled by them. The numbers are those of
//! the whole batch at once; only memory and one forward pass differ. Each distinct caption is encoded once, sorted by
//! length so that a micro-batch of texts is cut where its longest text ends.

use super::backward::{TowerPass, backward};
use super::model::{Gradients, LOGIT_SCALE, TrainedModel};
use crate::objective::{Captions, Features, LocalPairs, Loss, Objective};
use anyhow::{Context, Result};
use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use serde::{Deserialize, Serialize};
use shared_model::{TextTower, VisionTower, cut_behind_last_eot, unit_length, weighted_patch_sum};
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

/// Loss of a batch and the gradients of every parameter.
pub fn loss_and_gradients(
    model: &TrainedModel,
    objective: &Objective,
    batch: &Batch<'_>,
    micro: &MicroBatches,
) -> Result<(Loss, Gradients)> {
    let keeps = micro.keep_activations && !micro.recompute_blocks;
    let text_parts = text_parts(batch.input_ids, micro.tokens);
    let towers = if keeps { &model.tracked } else { &model.plain };
    let texts = text_parts.iter().map(|part| text_features(&towers.text, part)).collect::<Result<Vec<_>>>()?;
    let text_features_of_batch = in_batch_order(&texts, &text_parts)?;

    let pairs = objective.local_pairs(batch.captions);
    let image_parts = image_parts(batch.pixel_values.dim(0)?, micro.images);
    let images = image_parts
        .iter()
        .map(|range| {
            let own_texts =
                pairs.as_ref().map(|pairs| OwnTexts::new(pairs, range, &text_features_of_batch)).transpose()?;
            let part = ImagePart::run(&towers.vision, range, batch, own_texts, objective)?;
            Ok(if keeps { part } else { part.detach() })
        })
        .collect::<Result<Vec<_>>>()?;

    let logit_scale = model.log_logit_scale()?.exp();
    let features = Features {
        image: concatenate(images.iter().map(|part| &part.features))?,
        text: text_features_of_batch.clone(),
        local: match pairs {
            Some(_) => Some(concatenate(images.iter().filter_map(|part| part.local.as_ref()))?),
            None => None,
        },
    };
    let loss = objective.loss(&features, batch.captions, logit_scale)?;

    let mut pass = BackwardPass { model, objective, batch, micro, pairs, gradients: Gradients::default() };
    let mut text_gradient = loss.text.clone();
    for (range, kept) in image_parts.iter().zip(images) {
        let pull = ImagePull {
            features: loss.image.narrow(0, range.start, range.len())?,
            local: loss.local.as_ref().map(|local| local.narrow(0, range.start, range.len())).transpose()?,
        };
        let kept = keeps.then_some(kept);
        if let Some((rows, gradient)) = pass.images(range, &pull, kept, &text_features_of_batch)? {
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

/// Texts that are encoded together.
struct TextPart {
    /// Rows of the distinct captions.
    rows: Vec<u32>,
    /// Their tokens, cut behind the longest.
    input_ids: Vec<Vec<u32>>,
}

/// Splits the texts, shortest first, so that no part has more than `max_tokens` tokens (but at least one text).
fn text_parts(input_ids: &[Vec<u32>], max_tokens: usize) -> Vec<TextPart> {
    let lengths: Vec<usize> =
        input_ids.iter().map(|ids| cut_behind_last_eot(std::slice::from_ref(ids))[0].len()).collect();
    let mut order: Vec<usize> = (0..input_ids.len()).collect();
    order.sort_by_key(|&row| (lengths[row], row));
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for row in order {
        match parts.last_mut() {
            Some(part) if (part.len() + 1) * lengths[row] <= max_tokens => part.push(row),
            _ => parts.push(vec![row]),
        }
    }
    let finish = |rows: Vec<usize>| {
        let ids: Vec<Vec<u32>> = rows.iter().map(|&row| input_ids[row].clone()).collect();
        let rows = rows.into_iter().map(|row| row as u32).collect();
        TextPart { rows, input_ids: cut_behind_last_eot(&ids) }
    };
    parts.into_iter().map(finish).collect()
}

fn image_parts(n_images: usize, at_a_time: usize) -> Vec<Range<usize>> {
    let at_a_time = at_a_time.max(1);
    (0..n_images).step_by(at_a_time).map(|start| start..(start + at_a_time).min(n_images)).collect()
}

/// `[n, E]`, rows of unit length.
fn text_features(tower: &TextTower, part: &TextPart) -> Result<Tensor> {
    let tokens = tower.transformer().forward(tower.embed(&part.input_ids)?, &mut |_, _| {})?;
    Ok(unit_length(&tower.project(&tokens, &part.input_ids)?)?)
}

/// The features of all distinct captions in the order of their rows, without a graph.
fn in_batch_order(features: &[Tensor], parts: &[TextPart]) -> Result<Tensor> {
    let sorted = concatenate(features.iter())?;
    let mut place = vec![0u32; sorted.dim(0)?];
    for (at, &row) in parts.iter().flat_map(|part| &part.rows).enumerate() {
        place[row as usize] = at as u32;
    }
    Ok(sorted.index_select(&Tensor::new(place, sorted.device())?, 0)?)
}

fn concatenate<'a>(parts: impl Iterator<Item = &'a Tensor>) -> Result<Tensor> {
    let parts: Vec<Tensor> = parts.map(Tensor::detach).collect();
    Ok(Tensor::cat(&parts, 0)?)
}

/// What a micro-batch of images gives to the loss.
struct ImagePart {
    /// `[b, E]`
    features: Tensor,
    /// `[b, K, E]`
    local: Option<Tensor>,
    own_texts: Option<OwnTexts>,
}

/// The captions that the patches of a micro-batch meet: a leaf of the graph, for the gradient that flows to texts.
#[derive(Clone)]
struct OwnTexts {
    /// `[b, K, E]`
    leaf: Var,
    /// `[b * K]`: rows of the distinct captions.
    rows: Tensor,
}

impl OwnTexts {
    fn new(pairs: &LocalPairs, range: &Range<usize>, text_features: &Tensor) -> Result<Self> {
        let k = pairs.n_queries;
        let rows: Vec<u32> =
            pairs.text_rows[range.start * k..range.end * k].iter().map(|&row| row as u32).collect();
        let rows = Tensor::new(rows, text_features.device())?;
        let own = text_features.index_select(&rows, 0)?.reshape((range.len(), k, ()))?;
        Ok(Self { leaf: Var::from_tensor(&own)?, rows })
    }

    /// Takes the leaf's gradient out of `store`: rows of the captions, and `[b * K, E]`.
    fn gradient(&self, store: &mut GradStore) -> Result<(Tensor, Tensor)> {
        let gradient = store.remove(&self.leaf).context("no gradient came through the patches")?;
        Ok((self.rows.clone(), gradient.flatten_to(1)?))
    }
}

impl ImagePart {
    fn run(
        tower: &VisionTower,
        range: &Range<usize>,
        batch: &Batch<'_>,
        own_texts: Option<OwnTexts>,
        objective: &Objective,
    ) -> Result<Self> {
        let pixel_values = batch.pixel_values.narrow(0, range.start, range.len())?;
        let tokens = tower.transformer().forward(tower.embed(&pixel_values)?, &mut |_, _| {})?;
        Self::project(tower, &tokens, own_texts, objective)
    }

    /// Lets go of the graph, which holds the patches.
    fn detach(self) -> Self {
        Self { features: self.features.detach(), local: self.local.map(|local| local.detach()), own_texts: None }
    }

    /// From the tokens that leave the blocks.
    fn project(
        tower: &VisionTower,
        tokens: &Tensor,
        own_texts: Option<OwnTexts>,
        objective: &Objective,
    ) -> Result<Self> {
        let embeddings = tower.project(tokens)?;
        let local = match &own_texts {
            Some(own) => Some(weighted_patch_sum(&embeddings.patch_embeddings()?, &own.leaf, objective.sigma)?),
            None => None,
        };
        Ok(Self { features: embeddings.image_features()?, local, own_texts })
    }
}

/// The gradients of what a micro-batch of images gave.
struct ImagePull {
    features: Tensor,
    local: Option<Tensor>,
}

impl ImagePull {
    /// A scalar whose gradient is the pull.
    fn scalar(&self, part: &ImagePart) -> Result<Tensor> {
        let scalar = (&part.features * &self.features)?.sum_all()?;
        Ok(match (&part.local, &self.local) {
            (Some(local), Some(pull)) => (scalar + (local * pull)?.sum_all()?)?,
            _ => scalar,
        })
    }
}
