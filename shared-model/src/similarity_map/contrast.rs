//! What sets a text apart from the labels beside it.

use crate::Result;
use crate::transformer::unit_length;
use crate::zero_shot::Classifier;
use candle_core::{DType, Tensor};

impl Classifier {
    /// Returns the text of one label less the mean of all labels: what all have in common, such as that it is a photo of
    /// skin, marks no place in a photo. A label without others beside it is returned as it is.
    ///
    /// # Shapes
    /// - returns `[E]`
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) when `class` is not below the number of labels.
    pub fn contrast(&self, class: usize) -> Result<Tensor> {
        self.less_common(&self.weights().narrow(1, class, 1)?.squeeze(1)?)
    }

    /// Returns the feature of a text, which need not be a label, less the mean of all labels.
    ///
    /// # Shapes
    /// - `text_feature`: `[E]` or `[1, E]`; returns `[E]`
    pub fn contrast_of(&self, text_feature: &Tensor) -> Result<Tensor> {
        let text_feature = text_feature.flatten_all()?.to_dtype(DType::F32)?;
        self.less_common(&unit_length(&text_feature)?)
    }

    fn less_common(&self, text_feature: &Tensor) -> Result<Tensor> {
        let (_, n_labels) = self.weights().dims2()?;
        if n_labels < 2 {
            return Ok(text_feature.clone());
        }
        Ok((text_feature - self.weights().mean(1)?)?)
    }
}
