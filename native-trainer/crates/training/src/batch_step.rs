//! One batch cut into micro-batches, and its forward and backward passes.

use super::heads::{class_tokens, local_features, local_gradients, patch_tokens, unit_length_gradient};
use super::loss_scale::LossScale;
use super::memory::BatchSizes;
use super::micro_batches::MicroBatches;
use super::model::TrainedModel;
use super::ranks::Ranks;
use anyhow::{Context, Result, ensure};
use candle_core::Tensor;
use dermake_collectives::{even_shares, shares_by_weight};
use dermake_engine::{
    ImageActivations, Keep, MemoryPlan, Ops, PackedTexts, PartBytes, ProjectedTokens, TextActivations, plan_memory,
};
use dermake_objective::{
    Captions, Features, LocalPairs, Loss, Objective, PairLogits, Share, Variant, sum_rows_by_key,
};
use shared_model::{text_length, unit_length};
use std::ops::Range;

/// One batch, as the model takes it.
pub struct Batch<'a> {
    /// `[B, 3, S, S]`: RGB in u8, or normalized values in f32; on any device. With several ranks, those of this rank's
    /// images, an even part of the batch.
    pub pixels: &'a Tensor,
    pub captions: &'a Captions,
    /// The token rows of the distinct captions, all of one length.
    pub input_ids: &'a [Vec<u32>],
}

/// One batch cut into micro-batches, of one rank.
pub(super) struct Step<'a> {
    ranks: &'a Ranks,
    model: &'a TrainedModel,
    objective: &'a Objective,
    batch: &'a Batch<'a>,
    /// Images of each rank, and the rows of the distinct captions that each encodes.
    images_of_ranks: Vec<Range<usize>>,
    texts_of_ranks: Vec<Range<usize>>,
    /// Rows of the distinct captions, of this rank.
    text_parts: Vec<Range<usize>>,
    /// Counted from this rank's first image.
    image_parts: Vec<Range<usize>>,
    pairs: Option<LocalPairs>,
    pub logit_scale: f64,
    pub logit_bias: Option<f64>,
}

/// A batch after its forward pass.
pub(super) struct Forward<O: Ops> {
    /// None where nothing was kept.
    texts: Vec<Option<TextPart<O>>>,
    images: Vec<Option<ImagePart<O>>>,
    features: Features,
    pub loss: Loss,
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
    pub fn new(
        ranks: &'a Ranks,
        model: &'a TrainedModel,
        objective: &'a Objective,
        batch: &'a Batch<'a>,
        micro: &MicroBatches,
    ) -> Result<Self> {
        let images_of_ranks: Vec<_> = even_shares(batch.captions.n_samples(), ranks.size()).collect();
        let (n_images, own) = (batch.pixels.dim(0)?, images_of_ranks[ranks.rank()].len());
        ensure!(n_images == own, "rank {} has {n_images} images of the batch, expected {own}", ranks.rank());
        let lengths: Vec<usize> = batch.input_ids.iter().map(|ids| text_length(ids)).collect();
        let texts_of_ranks = shares_by_weight(&lengths, ranks.size());
        let own_texts = texts_of_ranks[ranks.rank()].clone();
        let of_batch = |rows: Range<usize>| own_texts.start + rows.start..own_texts.start + rows.end;
        Ok(Self {
            ranks,
            model,
            objective,
            batch,
            text_parts: micro
                .text_parts(lengths[own_texts.clone()].iter().copied())
                .into_iter()
                .map(of_batch)
                .collect(),
            image_parts: micro.image_parts(n_images),
            images_of_ranks,
            texts_of_ranks,
            pairs: objective.local_pairs(batch.captions),
            logit_scale: model.log_logit_scale()?.exp(),
            logit_bias: model.logit_bias()?,
        })
    }

    /// This rank's images and captions of the batch.
    fn share(&self) -> Share {
        let rank = self.ranks.rank();
        Share { images: self.images_of_ranks[rank].clone(), texts: self.texts_of_ranks[rank].clone() }
    }

    fn projected(&self) -> ProjectedTokens {
        if self.pairs.is_some() { ProjectedTokens::All } else { ProjectedTokens::Class }
    }

    pub fn nothing_kept(&self) -> MemoryPlan {
        let n_parts = self.text_parts.len() + self.image_parts.len();
        MemoryPlan { parts: vec![Keep::Nothing; n_parts], again: Keep::Inputs }
    }

    /// Texts first, then images.
    pub fn memory_plan(&self, micro: &MicroBatches) -> MemoryPlan {
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

    pub fn forward<O: Ops>(&self, ops: &mut O, plan: &MemoryPlan) -> Result<Forward<O>> {
        let (text_keeps, image_keeps) = plan.parts.split_at(self.text_parts.len());
        let (mut texts, mut text) = (Vec::with_capacity(self.text_parts.len()), Vec::new());
        for (rows, &keep) in self.text_parts.iter().zip(text_keeps) {
            let part = self.texts(ops, rows, keep)?;
            text.push(unit_length(&part.raw)?);
            texts.push((keep != Keep::Nothing).then_some(part));
        }
        let (embed_dim, device) = (self.model.config.embed_dim, self.model.device());
        let text = self.ranks.gather_rows(&text, embed_dim, device)?;
        let (mut images, mut image, mut local) =
            (Vec::with_capacity(self.image_parts.len()), Vec::new(), Vec::new());
        for (rows, &keep) in self.image_parts.iter().zip(image_keeps) {
            let part = self.images(ops, rows, keep)?;
            image.push(unit_length(&class_tokens(&part.raw)?)?);
            if let Some(pairs) = &self.pairs {
                let own_texts = self.own_texts(pairs, rows, &text)?;
                local.push(local_features(&patch_tokens(&part.raw)?, &own_texts, self.objective.sigma)?);
            }
            images.push((keep != Keep::Nothing).then_some(part));
        }
        let local = if local.is_empty() { None } else { Some(Tensor::cat(&local, 0)?) };
        let image = self.ranks.gather_rows(&image, embed_dim, device)?;
        let features = Features { image, text, local };
        let loss = self.loss(&features)?;
        Ok(Forward { texts, images, features, loss })
    }

    /// The loss of all ranks; the gradient of the images is this rank's, and that of the texts a part of the sum.
    fn loss(&self, features: &Features) -> Result<Loss> {
        let part = self.part_of_loss(features)?;
        let mut sums = [part.mkcl, part.slra, part.logit_scale, part.logit_bias];
        self.ranks.sum_numbers(&mut sums)?;
        let image = self.ranks.sum_rows(part.image, &self.images_of_ranks)?;
        let [mkcl, slra, logit_scale, logit_bias] = sums;
        Ok(Loss { mkcl, slra, logit_scale, logit_bias, image, ..part })
    }

    fn part_of_loss(&self, features: &Features) -> Result<Loss> {
        let (objective, captions, share) = (self.objective, self.batch.captions, self.share());
        if objective.variant != Variant::SigLip {
            return objective.loss_of_share(features, captions, self.logit_scale, &share);
        }
        let bias = self.logit_bias.context("the model has no logit_bias, which the objective `siglip` trains")?;
        objective.pairwise_loss_of_share(features, captions, PairLogits { scale: self.logit_scale, bias }, &share)
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

    /// Adds up the gradients of the parameters, multiplied by the loss scale where there is one; returns the loss.
    pub fn backward<O: Ops>(
        &self,
        ops: &mut O,
        again: Keep,
        forward: Forward<O>,
        loss_scale: Option<&LossScale>,
    ) -> Result<Loss> {
        let Forward { texts, images, features, loss: unscaled } = forward;
        let loss = loss_scale.map_or_else(|| Ok(unscaled.clone()), |scale| scale.scaled(&unscaled))?;
        let (vision, text) = (&self.model.vision, &self.model.text);
        // The patches of images give gradients to their captions, too.
        let needs_images = !vision.is_locked() || (self.pairs.is_some() && !text.is_locked());
        let mut own_text_gradients = Vec::new();
        for (rows, part) in self.image_parts.iter().zip(images).filter(|_| needs_images) {
            let part = part.map_or_else(|| self.images(ops, rows, again), Ok)?;
            let mut d_raw = self.class_gradient(rows, &part, &loss)?;
            if let (Some(pairs), Some(local)) = (&self.pairs, &loss.local) {
                let own_texts = self.own_texts(pairs, rows, &features.text)?;
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
            let first = rows.start - self.share().texts.start;
            let d_raw = unit_length_gradient(&part.raw, &text_gradient.narrow(0, first, rows.len())?)?;
            text.backward(ops, part.activations, &part.texts, &d_raw)?;
        }
        Ok(unscaled)
    }

    /// The gradient of this rank's text features, with those that the patches of all images gave to their captions.
    fn text_gradient(&self, loss: &Loss, of_own_texts: Vec<Tensor>) -> Result<Tensor> {
        let Some(pairs) = self.pairs.as_ref().filter(|_| !of_own_texts.is_empty()) else {
            return self.ranks.sum_rows(loss.text.clone(), &self.texts_of_ranks);
        };
        let images = self.share().images;
        let rows = &pairs.text_rows[images.start * pairs.n_queries..images.end * pairs.n_queries];
        let keys: Vec<u32> = rows.iter().map(|&row| row as u32).collect();
        let of_own_texts = sum_rows_by_key(&Tensor::cat(&of_own_texts, 0)?, &keys, loss.text.dim(0)?)?;
        self.ranks.sum_rows((&loss.text + of_own_texts)?, &self.texts_of_ranks)
    }

    /// The captions that the patches of some of this rank's images are compared with, `[b, K, E]`.
    fn own_texts(&self, pairs: &LocalPairs, range: &Range<usize>, text_features: &Tensor) -> Result<Tensor> {
        let (k, first) = (pairs.n_queries, self.share().images.start);
        let rows = &pairs.text_rows[(first + range.start) * k..(first + range.end) * k];
        let rows: Vec<u32> = rows.iter().map(|&row| row as u32).collect();
        let rows = Tensor::new(rows, text_features.device())?;
        Ok(text_features.index_select(&rows, 0)?.reshape((range.len(), k, ()))?)
    }

    /// `[b, 1, E]`: the gradient of the raw class tokens.
    fn class_gradient<O: Ops>(&self, rows: &Range<usize>, part: &ImagePart<O>, loss: &Loss) -> Result<Tensor> {
        let d_features = loss.image.narrow(0, rows.start, rows.len())?;
        Ok(unit_length_gradient(&class_tokens(&part.raw)?, &d_features)?.unsqueeze(1)?)
    }
}
