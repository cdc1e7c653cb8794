//! Texts that are longer than a model's context: what is behind it is not encoded.

use super::ZeroShotModel;
use crate::{Error, Result};

impl ZeroShotModel {
    /// Returns those of `texts` of which only the beginning is encoded, in their order.
    ///
    /// # Errors
    /// As [`Self::tokenize`].
    pub fn cut_texts<'t>(&self, texts: &'t [String]) -> Result<Vec<&'t str>> {
        let tokenizer = self.tokenizer.as_ref().ok_or(Error::TextTowerMissing)?;
        let mut cut = Vec::new();
        for text in texts {
            if tokenizer.cuts(text)? {
                cut.push(text.as_str());
            }
        }
        Ok(cut)
    }
}
