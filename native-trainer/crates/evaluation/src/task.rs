//! What a benchmark measures, and from which columns and files.

use anyhow::Result;
use dermake_files::labels;
use dermake_sources::columns::LABEL_COLUMN;
use schemars::JsonSchema;
use serde::Deserialize;
use shared_model::labels::LabelSet;
use std::path::Path;

/// What a benchmark measures.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Task {
    /// Name what is on each image.
    Classification {
        classes: Classes,
        /// Column of the label.
        #[serde(default = "label")]
        label_column: String,
        /// Key of the main metric.
        #[serde(default = "accuracy")]
        metric: String,
    },
    /// Score how present each concept is.
    Concepts {
        /// Folder of the images, from the table's.
        images: String,
        /// A file beside the table that names the concepts to score, in order.
        list: String,
        /// The concepts to score if `list` does not exist. If this is empty too, all columns with known terms are scored.
        #[serde(default)]
        concepts: Vec<String>,
    },
    /// Find the caption of each image among all, and the image of each caption.
    Retrieval {
        /// Column of the caption.
        #[serde(default = "caption")]
        caption_column: String,
    },
    /// Train a linear classifier on frozen features of a training split, and evaluate it on the test split.
    LinearProbe {
        /// A table of the test images, from the training table's folder; without one, `split` tells them apart.
        #[serde(default)]
        test: Option<String>,
        /// Column of the label.
        #[serde(default = "label")]
        label_column: String,
        /// Key of the main metric.
        #[serde(default = "accuracy")]
        metric: String,
    },
}

/// Class names in label order.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Classes {
    Names(Vec<String>),
    /// The key of a built-in set, or a label file, from the table's folder.
    Named(String),
}

impl Classes {
    /// The names; a label file's path counts from `folder`.
    pub fn resolve(&self, folder: &Path) -> Result<LabelSet> {
        match self {
            Self::Names(names) => Ok(LabelSet::from_class_names(names.clone())?),
            Self::Named(name) => labels::class_list(name, folder),
        }
    }
}

fn label() -> String {
    LABEL_COLUMN.into()
}

fn accuracy() -> String {
    "top1_accuracy".into()
}

fn caption() -> String {
    "caption_zh_polish_en".into()
}
