//! Estimates the cost of a step and the memory of a run, by running the passes on sizes only.

use super::memory::BatchSizes;
use super::model::DeviceMemory;
use super::place::Tower;
use super::recipe::Recipe;
use anyhow::Result;
use candle_core::DType;
use dermake_data::SampleSource;
use dermake_device::Precision;
use dermake_engine::{
    Cost, CountingOps, Keep, PackedTexts, PartBytes, ProjectedTokens, TextEngine, VisionEngine, no_values,
    plan_memory,
};
use shared_model::config::ClipConfig;
use std::collections::BTreeMap;
use std::ops::Range;

/// Operations of a step's passes, and the memory of a run by purpose.
#[derive(Clone, Debug, PartialEq)]
pub struct StepEstimate {
    /// Parameters, gradients and moments in f32, and copies of lower precision.
    pub parameters: u64,
    /// The most bytes of activations at once.
    pub activations: u64,
    /// Logits and features of the loss, the raw embeddings that are kept, and what is computed between both.
    pub loss: u64,
    /// Batches that the loader has ready, and those on a GPU.
    pub batches: u64,
    /// Share of the micro-batches whose activations are kept; the others are computed again.
    pub kept_share: f64,
    /// By kind of operation, of both towers.
    pub costs: BTreeMap<&'static str, Cost>,
}

/// The batch that a step is estimated for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchSize {
    pub n_images: usize,
    /// Distinct captions.
    pub n_texts: usize,
    /// Their tokens.
    pub n_tokens: usize,
    /// Ranks that have an even part of each.
    pub n_ranks: usize,
}

impl BatchSize {
    /// A batch like the first rows of the table.
    pub fn of(recipe: &Recipe, source: &SampleSource) -> Self {
        let n_kinds = recipe.objective.n_captions().unwrap_or(usize::MAX);
        let (n_texts, n_tokens) = source.distinct_captions(recipe.run.batch_size, n_kinds);
        Self { n_images: recipe.run.batch_size, n_texts, n_tokens, n_ranks: 1 }
    }

    /// The part of one rank.
    fn of_rank(self) -> Self {
        let part = |n: usize| n.div_ceil(self.n_ranks);
        Self {
            n_images: part(self.n_images),
            n_texts: part(self.n_texts),
            n_tokens: part(self.n_tokens),
            n_ranks: 1,
        }
    }

    /// The texts with nearly equal lengths.
    fn lengths(self) -> impl Iterator<Item = usize> {
        let n_texts = self.n_texts.max(1);
        (0..self.n_texts)
            .map(move |text| (self.n_tokens * (text + 1) / n_texts - self.n_tokens * text / n_texts).max(1))
    }
}

impl StepEstimate {
    /// Estimates a step, with the free memory for activations unless the recipe gives a limit.
    ///
    /// # Errors
    /// When the model lacks a parameter.
    pub fn new(
        recipe: &Recipe,
        config: &ClipConfig,
        batch: BatchSize,
        n_prefetched: usize,
        memory: DeviceMemory,
    ) -> Result<Self> {
        let run = &recipe.run;
        let lock = recipe.locked();
        let layout = lock.layout(config);
        let n_kinds = recipe.objective.n_captions().unwrap_or(recipe.data.table.n_captions());
        let n_local = recipe.objective.n_local(n_kinds);
        let passes = Passes {
            vision: VisionEngine::new(&layout, config)?.with_locked(lock.of(Tower::Image)),
            text: TextEngine::new(&layout, config)?.with_locked(lock.of(Tower::Text)),
            projected: if n_local == 0 { ProjectedTokens::Class } else { ProjectedTokens::All },
            side: config.preprocess.image_size,
        };
        let n_texts = batch.n_texts;
        let batch = batch.of_rank();
        let sizes = BatchSizes {
            n_images: batch.n_images,
            n_texts, // each rank contrasts its images with all
            n_local,
            n_patches: if n_local == 0 { 0 } else { config.vision.n_patches() },
            images_at_once: run.micro_batches.images,
            embed_dim: config.embed_dim,
            side: passes.side,
        };
        let free_bytes = memory.free_bytes.saturating_sub(sizes.reserved_bytes(memory.is_gpu));
        let (ops, kept_share) = passes.run(recipe, batch, DeviceMemory { free_bytes, ..memory })?;
        let moments = match &recipe.lora {
            Some(lora) => lora.bytes(config, &lock, &layout)?,
            None => layout.n_trained() * 8,
        };
        let copies = if run.precision != Precision::F32 { memory.value_bytes } else { 0 };
        let n_raw = passes.vision.n_projected(batch.n_images, passes.projected) as f64 * kept_share;
        let pixels = if memory.is_gpu { sizes.pixel_bytes() } else { 0 };
        Ok(Self {
            parameters: (layout.len() * (4 + copies) + layout.n_trained() * 4 + moments) as u64,
            activations: ops.peak_bytes(),
            loss: sizes.loss_bytes() + sizes.heads_bytes() + (4 * config.embed_dim * n_raw as usize) as u64,
            batches: ((1 + n_prefetched) * 3 * batch.n_images * passes.side * passes.side) as u64 + pixels,
            kept_share,
            costs: ops.costs().clone(),
        })
    }

    /// Bytes of all.
    pub fn total_bytes(&self) -> u64 {
        self.parameters + self.activations + self.loss + self.batches
    }

    /// Floating-point operations of matrix products and attention.
    pub fn flops(&self) -> f64 {
        self.costs.values().map(|cost| cost.flops).sum()
    }
}

/// Both towers and their inputs.
struct Passes {
    vision: VisionEngine,
    text: TextEngine,
    projected: ProjectedTokens,
    /// S
    side: usize,
}

impl Passes {
    /// A step's passes in their order; also the share of the micro-batches whose activations are kept.
    fn run(
        &self,
        recipe: &Recipe,
        batch: BatchSize,
        DeviceMemory { free_bytes, value_bytes, .. }: DeviceMemory,
    ) -> Result<(CountingOps, f64)> {
        let micro = &recipe.run.micro_batches;
        let lengths: Vec<usize> = batch.lengths().collect();
        let text_parts = micro.text_parts(lengths.iter().copied());
        let texts = |rows: Range<usize>| PackedTexts::of_lengths(lengths[rows].to_vec());
        let texts: Vec<PackedTexts> = text_parts.into_iter().map(texts).collect();
        let images: Vec<usize> = micro.image_parts(batch.n_images).into_iter().map(|rows| rows.len()).collect();
        let of_texts = texts.iter().map(|texts| self.text.bytes(texts.ids.len(), value_bytes));
        let of_images = images.iter().map(|&n_images| self.vision.bytes(n_images, self.projected, value_bytes));
        let parts: Vec<PartBytes> = of_texts.chain(of_images).collect();
        let plan = plan_memory(&parts, micro.activation_bytes(free_bytes));
        let (text_keeps, image_keeps) = plan.parts.split_at(texts.len());

        let mut ops = CountingOps::new(value_bytes);
        let (mut kept_texts, mut kept_images) = (Vec::new(), Vec::new());
        for (texts, &keep) in texts.iter().zip(text_keeps) {
            let (_, kept) = self.text.forward(&mut ops, texts, keep)?;
            kept_texts.push((keep != Keep::Nothing).then_some(kept));
        }
        let pixels = |n_images: usize| no_values(&[n_images, 3, self.side, self.side], DType::U8);
        for (&n_images, &keep) in images.iter().zip(image_keeps) {
            let (_, kept) = self.vision.forward(&mut ops, &pixels(n_images)?, self.projected, keep)?;
            kept_images.push((keep != Keep::Nothing).then_some(kept));
        }
        for (&n_images, kept) in images.iter().zip(kept_images) {
            let pixels = pixels(n_images)?;
            let kept = match kept {
                Some(kept) => kept,
                None => self.vision.forward(&mut ops, &pixels, self.projected, plan.again)?.1,
            };
            let n_rows = self.vision.n_projected(n_images, self.projected);
            self.vision.backward(
                &mut ops,
                kept,
                &pixels,
                &no_values(&[n_rows, self.vision.embed_dim()], DType::F32)?,
            )?;
        }
        for (texts, kept) in texts.iter().zip(kept_texts) {
            let kept = match kept {
                Some(kept) => kept,
                None => self.text.forward(&mut ops, texts, plan.again)?.1,
            };
            let d_raw = no_values(&[texts.sequences.len(), self.vision.embed_dim()], DType::F32)?;
            self.text.backward(&mut ops, kept, texts, &d_raw)?;
        }
        let n_kept = plan.parts.iter().filter(|keep| **keep == Keep::All).count();
        Ok((ops, n_kept as f64 / plan.parts.len().max(1) as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(gib: f64) -> StepEstimate {
        let mut recipe = Recipe::read("pretrain-vit-b-16").unwrap();
        recipe.run.batch_size = 256;
        recipe.run.micro_batches.activation_memory_gib = Some(gib);
        let config = ClipConfig::named("ViT-B-16-quickgelu").unwrap();
        let batch = BatchSize { n_images: 256, n_texts: 900, n_tokens: 34_000, n_ranks: 1 };
        let memory = DeviceMemory { free_bytes: 0, value_bytes: 2, is_gpu: true };
        StepEstimate::new(&recipe, &config, batch, 2, memory).unwrap()
    }

    #[test]
    fn what_is_not_kept_is_computed_again_in_less_memory() {
        let (all, half, nothing) = (estimate(100.0), estimate(9.0), estimate(0.0));
        assert_eq!((all.kept_share, nothing.kept_share), (1.0, 0.0));
        assert!(0.0 < half.kept_share && half.kept_share < 1.0);
        assert!(all.activations > half.activations && half.activations > nothing.activations);
        // A forward pass is a third of the work; what keeps only the blocks' inputs has two more of them.
        assert!(all.flops() < half.flops() && half.flops() < 4.0 / 3.0 * all.flops());
        assert!((nothing.flops() / all.flops() - 5.0 / 3.0).abs() < 0.02);
        assert!(nothing.activations < all.activations / 4);
    }
}
