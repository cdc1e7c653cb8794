//! Training of the image tower below a head: what it is given and what it gives back. The crate of training does it.

use super::head::{Epoch, Head, HeadOptions};
use super::tunable::TunableHead;
use anyhow::Result;
use std::path::{Path, PathBuf};

/// Trains an image tower with a head on top.
pub trait TowerTrainer {
    /// Checks, before the features of the images are computed, that the tower can be trained as it is asked for.
    ///
    /// # Errors
    /// When the model cannot be trained, or lacks what is to be trained of it.
    fn check(&self) -> Result<()>;

    /// Trains until the loss of the validation images no longer improves, and writes the model of the best epoch into the
    /// task's folder.
    ///
    /// # Errors
    /// When the model cannot be trained, an image cannot be read, or the folder cannot be written.
    fn tune(&self, task: &TowerTask<'_>) -> Result<TunedTower>;
}

/// Images with their classes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabeledFiles {
    pub files: Vec<PathBuf>,
    pub labels: Vec<usize>,
}

/// What to train.
pub struct TowerTask<'a> {
    pub train: LabeledFiles,
    pub validation: LabeledFiles,
    /// The weight of each class in the loss.
    pub class_weights: &'a [f64],
    /// The head that was trained on the frozen features.
    pub head: TunableHead,
    /// How the head was trained.
    pub head_options: &'a HeadOptions,
    /// What people must know about the model.
    pub notice: Option<String>,
    /// The folder of the trained model.
    pub folder: &'a Path,
}

/// A trained tower.
pub struct TunedTower {
    /// Of the best epoch, for plain features of the model in the task's folder.
    pub head: Head,
    pub epochs: Vec<Epoch>,
    /// Place of the best one; `None` where none was better than the frozen tower, whose model was written.
    pub best_epoch: Option<usize>,
    /// Whether the user stopped it.
    pub is_stopped: bool,
}
