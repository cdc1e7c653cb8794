//! What every config must satisfy, whichever file it was read from.

use super::section::{MAX_LAYERS, MAX_SIZE, config_error};
use super::{ClipConfig, Projection, Visibility};
use crate::Result;
use serde_json::json;

impl ClipConfig {
    /// Returns the config if its sizes fit each other.
    ///
    /// # Errors
    /// [`crate::Error::Config`] naming the first field that does not fit.
    pub(super) fn checked(self) -> Result<Self> {
        let Self { vision, text, .. } = &self;
        let sizes = [
            ("embed_dim", self.embed_dim),
            ("vision.image_size", vision.image_size),
            ("vision.patch_size", vision.patch_size),
            ("vision.width", vision.width),
            ("vision.heads", vision.heads),
            ("vision.mlp_width", vision.mlp_width),
            ("text.context_length", text.context_length),
            ("text.positions", text.n_positions()),
            ("text.vocab_size", text.vocab_size),
            ("text.width", text.width),
            ("text.heads", text.heads),
            ("text.mlp_width", text.mlp_width),
            ("text.token_types", text.token_types.unwrap_or(1)),
        ];
        if let Some((field, size)) = sizes.into_iter().find(|(_, size)| !(1..=MAX_SIZE).contains(size)) {
            return Err(config_error(field, size, "a positive integer, at most 1048576"));
        }
        for (field, layers) in [("vision.layers", vision.layers), ("text.layers", text.layers)] {
            if !(1..=MAX_LAYERS).contains(&layers) {
                return Err(config_error(field, layers, &format!("1 to {MAX_LAYERS}")));
            }
        }
        if vision.patch_size > vision.image_size {
            return Err(config_error("vision.patch_size", vision.patch_size, "at most the image_size"));
        }
        for (tower, width, heads) in [("vision", vision.width, vision.heads), ("text", text.width, text.heads)] {
            if !width.is_multiple_of(heads) {
                let expected = format!("a divisor of the width, {width}");
                return Err(config_error(&format!("{tower}.heads"), heads, &expected));
            }
        }
        for (field, eps) in [("vision.norm_eps", vision.norm_eps), ("text.norm_eps", text.norm_eps)] {
            if !(eps > 0.0 && eps < 1.0) {
                return Err(config_error(field, eps, "a number between 0 and 1"));
            }
        }
        if text.context_length > text.n_positions() {
            let expected = format!("at most the {} positions that have an embedding", text.n_positions());
            return Err(config_error("text.context_length", text.context_length, &expected));
        }
        self.check_projections()?;
        self.check_preprocess()?;
        Ok(self)
    }

    fn check_projections(&self) -> Result<()> {
        let towers = [
            ("vision.projection", self.vision.projection, self.vision.width),
            ("text.projection", self.text.projection, self.text.width),
        ];
        for (field, projection, width) in towers {
            match projection {
                Projection::None if width != self.embed_dim => {
                    let expected = format!("one, because the tower's width {width} is not embed_dim");
                    return Err(config_error(field, "none", &expected));
                }
                Projection::Mlp { width, .. } if !(1..=MAX_SIZE).contains(&width) => {
                    return Err(config_error(field, width, "a hidden layer"));
                }
                _ => {}
            }
        }
        if let Visibility::AllBut { padding } = self.text.visibility
            && padding as usize >= self.text.vocab_size
        {
            return Err(config_error("text.visibility.padding", padding, "an id of the vocabulary"));
        }
        Ok(())
    }

    fn check_preprocess(&self) -> Result<()> {
        let preprocess = &self.preprocess;
        if preprocess.image_size != self.vision.image_size {
            let expected = format!("the tower's image_size, {}", self.vision.image_size);
            return Err(config_error("preprocess_cfg.size", preprocess.image_size, &expected));
        }
        if preprocess.std.iter().any(|s| !(s.is_finite() && *s > 0.0))
            || preprocess.mean.iter().any(|m| !m.is_finite())
        {
            return Err(config_error("preprocess_cfg.std", json!(preprocess.std), "positive numbers"));
        }
        Ok(())
    }
}
