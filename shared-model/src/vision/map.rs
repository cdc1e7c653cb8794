//! Where in a photo its patches add to the similarity with a text.

use super::VisionTower;
use crate::projection::Projection;
use crate::similarity_map::SimilarityMap;
use crate::transformer::{SMALLEST_SQUARED_NORM, on_cpu, unit_length};
use crate::{Error, Result};
use candle_core::Tensor;

/// Blocks whose attention a map is made of, the last ones. Before them, the class token has seen hardly anything of what
/// a text is about.
const N_BLOCKS: usize = 4;

/// What maps of one photo are made of. It holds the inputs of four blocks, which the tower computes anyway.
#[derive(Clone, Debug)]
pub struct ImageTrace {
    /// `[1, N, D]` each, of the last blocks, in their order.
    inputs: Vec<Tensor>,
    /// `[D]`: the class token as it leaves the blocks.
    class_token: Vec<f32>,
    /// Length of the feature before it was brought to unit length.
    length: f32,
    embed_dim: usize,
}

impl VisionTower {
    /// Checks that maps can be made: the image feature is the class token, projected linearly.
    ///
    /// # Errors
    /// [`Error::NoMap`] for other towers.
    pub fn check_maps(&self) -> Result<()> {
        match (self.pooling.takes_first_token(), &self.projection) {
            (false, _) => Err(Error::no_map(self.pooling.description())),
            (true, Projection::Mlp { .. }) => Err(Error::no_map("projected by an MLP")),
            (true, _) => Ok(()),
        }
    }

    /// Encodes one image and keeps what maps are made of. The feature is that of [`Self::image_features`], bit by bit,
    /// at no cost but the memory of the trace.
    ///
    /// # Shapes
    /// - `pixel_values`: `[1, 3, S, S]` f32, normalized by [`crate::preprocess`]
    /// - returns `[1, E]` f32, of unit length
    ///
    /// # Errors
    /// As [`Self::image_features`] and [`Self::check_maps`].
    pub fn image_features_with_trace(&self, pixel_values: &Tensor) -> Result<(Tensor, ImageTrace)> {
        self.check_maps()?;
        if pixel_values.dim(0)? != 1 {
            let detail = format!("a trace is of one image, found {}", pixel_values.dim(0)?);
            return Err(Error::Tensor(candle_core::Error::Msg(detail)));
        }
        let mut inputs = Vec::new();
        let tokens = self.transformer.forward_first_token(self.tokens(pixel_values)?, &mut |x| {
            if inputs.len() == N_BLOCKS {
                inputs.remove(0);
            }
            inputs.push(x.clone());
        })?;
        let raw = self.raw_feature_of(&tokens)?;
        let squared = raw.sqr()?.sum_all()?.to_scalar::<f32>()?;
        let class_token = on_cpu(&tokens.narrow(1, 0, 1)?)?;
        let length = squared.max(SMALLEST_SQUARED_NORM as f32).sqrt();
        let embed_dim = raw.dim(1)?;
        Ok((unit_length(&raw)?, ImageTrace { inputs, class_token, length, embed_dim }))
    }

    /// Returns how much each patch adds, through the attention of the last four blocks, to the dot product of the image
    /// feature and `text`.
    ///
    /// # Shapes
    /// - `text`: `[E]` or `[1, E]`; for a map of what sets a text apart from others, a contrast such as
    ///   [`Classifier::contrast`](crate::zero_shot::Classifier::contrast)
    ///
    /// # Errors
    /// As [`Self::check_maps`]; [`Error::Tensor`] for a trace or a text of another model.
    pub fn similarity_map(&self, trace: &ImageTrace, text: &Tensor) -> Result<SimilarityMap> {
        self.check_maps()?;
        let text = on_cpu(text)?;
        if text.len() != trace.embed_dim {
            let detail = format!("a text of {} values for a map of {}", text.len(), trace.embed_dim);
            return Err(Error::Tensor(candle_core::Error::Msg(detail)));
        }
        let before_projection = self.projection.direction_before(&text)?;
        let norm = self.pooling.norm().rows()?;
        let mut direction = norm.direction_of_parts(&trace.class_token, &before_projection);
        direction.iter_mut().for_each(|value| *value /= trace.length);
        let values = self.transformer.contributions(&trace.inputs, &direction)?;
        let side = self.image_size / self.patch_size;
        SimilarityMap::new(side, side, values)
    }
}
