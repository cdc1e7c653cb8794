//! What is evaluated, and how.

use super::embedding_map::MapMethod;
use super::image_tables::TableFiles;
use super::own_data::OwnColumns;
use super::results::Protocol;
use dermake_features::RankGroup;
use dermake_models::options::ModelOptions;
use dermake_models::scale::Scale;
use shared_model::labels::Templates;
use std::path::{Path, PathBuf};

/// Options of an evaluation.
pub struct EvalOptions<'a> {
    /// One or more.
    pub models: &'a [ModelOptions],
    /// The folder of all benchmarks, or data of one's own.
    pub data: &'a Path,
    /// About the columns of data of one's own.
    pub columns: OwnColumns<'a>,
    /// Keys of the benchmarks to run; none means all.
    pub only: &'a [String],
    pub protocol: Protocol,
    /// The share of a table's images that may be unreadable.
    pub max_unreadable: f64,
    /// A list of images without which the metrics are given, too.
    pub exclude: Option<&'a Path>,
    /// Folder of the feature cache; `None` for no cache.
    pub cache: Option<PathBuf>,
    /// A folder for the report.
    pub out: Option<&'a Path>,
    /// Files for the tables with a row for each image.
    pub tables: TableFiles<'a>,
    /// How maps of images in two dimensions are made, if they are.
    pub map: Option<MapMethod>,
    /// The factor between cosines and logits.
    pub scale: Scale,
    /// The sentences that labels of classifications are put into.
    pub templates: Templates,
    /// The ranks that compute the features.
    pub ranks: RankGroup,
}
