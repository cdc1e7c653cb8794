//! Both towers for inference: the forward passes of this crate over the weights of one model.

use super::keep::Keep;
use super::layout::ParameterLayout;
use super::ops::{Ops, Pass};
use super::pass::FlatWeights;
use super::rounding::Rounding;
use super::text::{PackedTexts, TextEngine};
use super::vision::{ProjectedTokens, VisionEngine};
use anyhow::{Context, Result};
use candle_core::{Device, Tensor};
use shared_model::config::ClipConfig;
use shared_model::weights::{Placement, Weights};
use shared_model::{TowerEngine, text_length};
use std::ops::Range;

/// Text tokens of one pass.
const TOKENS_AT_ONCE: usize = 16_384;
/// Texts that are passed at once: some passes of short prompts.
const TEXTS_AT_ONCE: usize = 2048;

/// Both towers of open_clip's own ViT-CLIP models, forward only.
pub struct InferenceTowers {
    /// Flat, f32.
    masters: Tensor,
    /// Flat, in the precision that is computed in, if that is not f32.
    copies: Option<Tensor>,
    rounding: Rounding,
    vision: VisionEngine,
    text: TextEngine,
}

impl InferenceTowers {
    /// Copies the weights of a model to its device. `config` must be plain.
    ///
    /// # Errors
    /// When a tensor is missing, unexpected or misshapen, all of them named; when the device has no memory for them.
    pub fn load(weights: &Weights, config: &ClipConfig, placement: &Placement) -> Result<Self> {
        let parameters: Vec<_> = config.vision_parameters().into_iter().chain(config.text_parameters()).collect();
        weights.check(&parameters, &[])?;
        let layout = ParameterLayout::new(&parameters, |_, _| true);
        let no_memory = "the model does not fit into the device's memory";
        let masters =
            Tensor::from_vec(layout.flattened(weights)?, layout.len(), &placement.device).context(no_memory)?;
        let rounding = Rounding::of(placement.dtype)?;
        Ok(Self {
            copies: rounding.copy_of(&masters).context(no_memory)?,
            masters,
            rounding,
            vision: VisionEngine::new(&layout, config)?,
            text: TextEngine::new(&layout, config)?,
        })
    }

    /// Towers over the flat weights of a model that is being trained: they see every later change of the values.
    pub fn over(weights: FlatWeights<'_>, vision: VisionEngine, text: TextEngine) -> Self {
        let FlatWeights { masters, copies, rounding } = weights;
        Self { masters: masters.clone(), copies: copies.cloned(), rounding, vision, text }
    }

    fn device(&self) -> &Device {
        self.masters.device()
    }

    fn run<P: Pass>(&self, pass: P) -> candle_core::Result<P::Output> {
        let weights = FlatWeights { masters: &self.masters, copies: self.copies.as_ref(), rounding: self.rounding };
        // The causes are part of the text, which says if memory is lacking.
        weights.run(pass).map_err(|err| candle_core::Error::Msg(format!("{err:#}")))
    }
}

impl TowerEngine for InferenceTowers {
    fn raw_image_features(&self, pixels: &Tensor) -> candle_core::Result<Tensor> {
        let pixels = pixels.to_device(self.device())?;
        self.run(ImagePass { vision: &self.vision, pixels: &pixels })
    }

    fn raw_text_features(&self, input_ids: &[Vec<u32>]) -> candle_core::Result<Tensor> {
        let encode = |rows: Range<usize>| {
            let texts = PackedTexts::new(&input_ids[rows]);
            self.run(TextPass { text: &self.text, texts: &texts })
        };
        let lengths = input_ids.iter().map(|ids| text_length(ids));
        let parts: Vec<Tensor> =
            parts_of_tokens(lengths, TOKENS_AT_ONCE).into_iter().map(encode).collect::<candle_core::Result<_>>()?;
        Tensor::cat(&parts, 0)
    }

    fn texts_at_once(&self) -> usize {
        TEXTS_AT_ONCE
    }
}

/// Cuts texts of these lengths so that no part has more than `most` tokens, but at least one text.
pub fn parts_of_tokens(lengths: impl IntoIterator<Item = usize>, most: usize) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut n_tokens = 0;
    for (row, length) in lengths.into_iter().enumerate() {
        match parts.last_mut() {
            Some(part) if n_tokens + length <= most => part.end = row + 1,
            _ => {
                parts.push(row..row + 1);
                n_tokens = 0;
            }
        }
        n_tokens += length;
    }
    parts
}

struct ImagePass<'a> {
    vision: &'a VisionEngine,
    pixels: &'a Tensor,
}

impl Pass for ImagePass<'_> {
    type Output = Tensor;

    fn run<O: Ops>(self, ops: &mut O) -> Result<Tensor> {
        Ok(self.vision.forward(ops, self.pixels, ProjectedTokens::Class, Keep::Nothing)?.0)
    }
}

struct TextPass<'a> {
    text: &'a TextEngine,
    texts: &'a PackedTexts,
}

impl Pass for TextPass<'_> {
    type Output = Tensor;

    fn run<O: Ops>(self, ops: &mut O) -> Result<Tensor> {
        Ok(self.text.forward(ops, self.texts, Keep::Nothing)?.0)
    }
}
