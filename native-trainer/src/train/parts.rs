//! The pieces that a batch is cut into, and what each gives to the loss.

use super::step::Batch;
use crate::objective::{LocalPairs, Objective};
use anyhow::{Context, Result};
use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use shared_model::{TextTower, VisionTower, cut_behind_last_eot, text_length, unit_length, weighted_patch_sum};
use std::ops::Range;

/// Texts that are encoded together.
pub(super) struct TextPart {
    /// Rows of the distinct captions.
    pub rows: Vec<u32>,
    /// Their tokens, cut behind the longest.
    pub input_ids: Vec<Vec<u32>>,
}

/// Splits the texts, shortest first, so that no part has more than `max_tokens` tokens (but at least one text).
pub(super) fn text_parts(input_ids: &[Vec<u32>], max_tokens: usize) -> Vec<TextPart> {
    let lengths: Vec<usize> = input_ids.iter().map(|ids| text_length(ids)).collect();
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

pub(super) fn image_parts(n_images: usize, at_a_time: usize) -> Vec<Range<usize>> {
    let at_a_time = at_a_time.max(1);
    (0..n_images).step_by(at_a_time).map(|start| start..(start + at_a_time).min(n_images)).collect()
}

/// `[n, E]`, rows of unit length.
pub(super) fn text_features(tower: &TextTower, part: &TextPart) -> Result<Tensor> {
    let tokens = tower.transformer().forward(tower.embed(&part.input_ids)?, &mut |_, _| {})?;
    Ok(unit_length(&tower.project(&tokens, &part.input_ids)?)?)
}

/// The features of all distinct captions in the order of their rows, without a graph.
pub(super) fn in_batch_order(features: &[Tensor], parts: &[TextPart]) -> Result<Tensor> {
    let sorted = concatenate(features.iter())?;
    let mut place = vec![0u32; sorted.dim(0)?];
    for (at, &row) in parts.iter().flat_map(|part| &part.rows).enumerate() {
        place[row as usize] = at as u32;
    }
    Ok(sorted.index_select(&Tensor::new(place, sorted.device())?, 0)?)
}

pub(super) fn concatenate<'a>(parts: impl Iterator<Item = &'a Tensor>) -> Result<Tensor> {
    let parts: Vec<Tensor> = parts.map(Tensor::detach).collect();
    Ok(Tensor::cat(&parts, 0)?)
}

/// What a micro-batch of images gives to the loss.
pub(super) struct ImagePart {
    /// `[b, E]`
    pub features: Tensor,
    /// `[b, K, E]`
    pub local: Option<Tensor>,
    pub own_texts: Option<OwnTexts>,
}

/// The captions that the patches of a micro-batch meet: a leaf of the graph, for the gradient that flows to texts.
#[derive(Clone)]
pub(super) struct OwnTexts {
    /// `[b, K, E]`
    pub leaf: Var,
    /// `[b * K]`: rows of the distinct captions.
    rows: Tensor,
}

impl OwnTexts {
    pub fn new(pairs: &LocalPairs, range: &Range<usize>, text_features: &Tensor) -> Result<Self> {
        let k = pairs.n_queries;
        let rows: Vec<u32> =
            pairs.text_rows[range.start * k..range.end * k].iter().map(|&row| row as u32).collect();
        let rows = Tensor::new(rows, text_features.device())?;
        let own = text_features.index_select(&rows, 0)?.reshape((range.len(), k, ()))?;
        Ok(Self { leaf: Var::from_tensor(&own)?, rows })
    }

    /// Takes the leaf's gradient out of `store`: rows of the captions, and `[b * K, E]`.
    pub fn gradient(&self, store: &mut GradStore) -> Result<(Tensor, Tensor)> {
        let gradient = store.remove(&self.leaf).context("no gradient came through the patches")?;
        Ok((self.rows.clone(), gradient.flatten_to(1)?))
    }
}

impl ImagePart {
    pub fn run(
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
    pub fn detach(self) -> Self {
        Self { features: self.features.detach(), local: self.local.map(|local| local.detach()), own_texts: None }
    }

    /// From the tokens that leave the blocks.
    pub fn project(
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
pub(super) struct ImagePull {
    pub features: Tensor,
    pub local: Option<Tensor>,
}

impl ImagePull {
    /// A scalar whose gradient is the pull.
    pub fn scalar(&self, part: &ImagePart) -> Result<Tensor> {
        let scalar = (&part.features * &self.features)?.sum_all()?;
        Ok(match (&part.local, &self.local) {
            (Some(local), Some(pull)) => (scalar + (local * pull)?.sum_all()?)?,
            _ => scalar,
        })
    }
}
