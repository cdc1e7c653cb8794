//! What a classifier is fine-tuned on, and how.

use super::head::HeadOptions;
use super::split::SplitOptions;
use super::tower::TowerTrainer;
use crate::own_data::OwnColumns;
use dermake_models::options::ModelOptions;
use std::path::{Path, PathBuf};

/// Options of a fine-tuned classifier.
pub struct FinetuneOptions<'a> {
    pub model: &'a ModelOptions,
    /// Labeled images of one's own.
    pub data: &'a Path,
    pub columns: OwnColumns<'a>,
    pub split: SplitOptions<'a>,
    pub head: HeadOptions,
    /// Whether each class counts as much as any other.
    pub is_balanced: bool,
    /// Trains the image tower, too, once the head is trained; `None` leaves it as it is.
    pub tower: Option<&'a dyn TowerTrainer>,
    pub max_unreadable: f64,
    /// Folder of the feature cache; `None` for no cache.
    pub cache: Option<PathBuf>,
    /// The folder of the head and of the report.
    pub out: &'a Path,
}
