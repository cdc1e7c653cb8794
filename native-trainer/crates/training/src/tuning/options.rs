//! What of a tower is trained, and how.

use crate::initial_weights::dense;
use crate::lock::Lock;
use crate::low_rank::{LowRank, Matrix};
use crate::model::TrainedModel;
use crate::place::{Tower, n_blocks};
use anyhow::{Context, Result, ensure};
use dermake_device::placement;
use dermake_models::options::ModelOptions;
use shared_model::config::ClipConfig;
use std::str::FromStr;

/// What of the image tower is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfreeze {
    All,
    /// So many blocks, from the last one on, and the tower's end.
    Blocks(usize),
    /// Low-rank adapters of this rank in every block, for queries and values.
    LowRank(usize),
}

/// Rank of adapters where none is given.
const RANK: usize = 8;

impl FromStr for Unfreeze {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<usize>().ok().filter(|&number| number > 0);
        let text = text.to_ascii_lowercase();
        let found = match text.as_str() {
            "all" => Some(Self::All),
            "lora" => Some(Self::LowRank(RANK)),
            _ => match text.strip_prefix("lora:") {
                Some(rank) => number(rank).map(Self::LowRank),
                None => number(&text).map(Self::Blocks),
            },
        };
        found.ok_or_else(|| format!("expected all, a number of blocks, lora or lora:RANK, found {text}"))
    }
}

/// How a tower is trained.
#[derive(Clone, Debug)]
pub struct TuningOptions {
    pub unfreeze: Unfreeze,
    /// Passes over the training images at most.
    pub epochs: usize,
    /// Passes without an improvement after which the training ends.
    pub patience: usize,
    /// Images of a step.
    pub batch_size: usize,
    /// Of the tower, after warm-up.
    pub learning_rate: f64,
    /// Decides the order of the images and their crops.
    pub seed: u64,
}

impl TuningOptions {
    /// # Errors
    /// Names a value with which nothing can be trained.
    pub fn validate(&self) -> Result<()> {
        let Self { epochs, batch_size, learning_rate, .. } = self;
        ensure!(*epochs > 0 && *batch_size > 0, "the tower's epochs and its batch must be at least 1");
        ensure!(
            *learning_rate > 0.0 && learning_rate.is_finite(),
            "the tower's learning rate is {learning_rate}, expected a positive number"
        );
        Ok(())
    }

    /// Checks the options and the model, before any work.
    ///
    /// # Errors
    /// Those of [`Self::model`], as far as they depend on the model's config and kind of weights.
    pub(super) fn check(&self, options: &ModelOptions) -> Result<()> {
        self.validate()?;
        placement(options.device, options.dtype)?;
        let (config, _) = dense(&options.model, options.arch.as_deref())?;
        self.unlocked(&config).map(drop)
    }

    /// What is locked, and the adapters if there are some.
    ///
    /// # Errors
    /// When the image tower has fewer blocks, or a matrix of a smaller rank.
    fn unlocked(&self, config: &ClipConfig) -> Result<(Lock, Option<LowRank>)> {
        let text = Lock { text: true, ..Lock::default() };
        Ok(match self.unfreeze {
            Unfreeze::All => (text, None),
            Unfreeze::LowRank(rank) => {
                let lock = LowRank::lock(&text);
                let adapters = LowRank { rank, alpha: None, matrices: vec![Matrix::Q, Matrix::V], seed: self.seed };
                adapters
                    .layout(config, &lock, &lock.layout(config))
                    .with_context(|| format!("--unfreeze lora:{rank} does not fit the model"))?;
                (lock, Some(adapters))
            }
            Unfreeze::Blocks(n) => {
                let there = n_blocks(config, Tower::Image);
                ensure!(n <= there, "--unfreeze is {n}, but the image tower has {there} blocks");
                (Lock { image_blocks: Some(there - n), ..text }, None)
            }
        })
    }

    /// The model with what is locked or adapted.
    ///
    /// # Errors
    /// When it cannot be loaded or trained, or has fewer blocks.
    pub(super) fn model(&self, options: &ModelOptions) -> Result<TrainedModel> {
        let placement = placement(options.device, options.dtype)?;
        let (config, weights) = dense(&options.model, options.arch.as_deref())?;
        let (lock, adapters) = self.unlocked(&config)?;
        let model = TrainedModel::with_lock(weights, &config, &placement, &lock)?;
        match adapters {
            Some(adapters) => model.with_adapters(&adapters, &lock),
            None => Ok(model),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unfrozen_is_read_as_it_is_written() {
        for (text, expected) in [
            ("all", Unfreeze::All),
            ("ALL", Unfreeze::All),
            ("2", Unfreeze::Blocks(2)),
            ("lora", Unfreeze::LowRank(8)),
            ("LoRA:4", Unfreeze::LowRank(4)),
        ] {
            assert_eq!(text.parse(), Ok(expected));
        }
        for text in ["", "0", "-1", "lora:0", "lora:", "none", "head"] {
            assert!(text.parse::<Unfreeze>().unwrap_err().starts_with("expected all, a number"), "{text}");
        }
    }

    #[test]
    fn the_last_blocks_are_unlocked_and_the_text_tower_never() {
        let config = ClipConfig::named("ViT-B-16").unwrap();
        let options = |unfreeze| TuningOptions {
            unfreeze,
            epochs: 1,
            patience: 1,
            batch_size: 1,
            learning_rate: 1e-5,
            seed: 0,
        };
        let lock = |unfreeze| options(unfreeze).unlocked(&config).map(|(lock, _)| lock);
        let two = lock(Unfreeze::Blocks(2)).unwrap();
        assert!(two.locks("visual.transformer.resblocks.9.ln_1.bias") && two.locks("visual.conv1.weight"));
        assert!(!two.locks("visual.transformer.resblocks.10.ln_1.bias") && !two.locks("visual.proj"));
        for unfreeze in [Unfreeze::All, Unfreeze::Blocks(2), Unfreeze::LowRank(4)] {
            assert!(lock(unfreeze).unwrap().locks("transformer.resblocks.11.ln_1.bias"), "{unfreeze:?}");
        }
        let error = lock(Unfreeze::Blocks(13)).unwrap_err().to_string();
        assert_eq!(error, "--unfreeze is 13, but the image tower has 12 blocks");
        let error = format!("{:#}", lock(Unfreeze::LowRank(769)).unwrap_err());
        assert!(error.starts_with("--unfreeze lora:769 does not fit the model: lora.rank is 769"), "{error}");
        assert!(TuningOptions { learning_rate: f64::NAN, ..options(Unfreeze::All) }.validate().is_err());
    }
}
