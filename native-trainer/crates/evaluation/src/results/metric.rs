//! Figures, and figures of groups.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    /// `top1_accuracy`, `macro_auroc`, `recall_at_10_image_to_text`, ...
    pub key: String,
    /// For people: "top-1 accuracy".
    pub title: String,
    /// The figure; `None` where it is undefined.
    pub value: Option<f64>,
    /// 95 % bootstrap interval over the rows.
    pub interval: Option<[f64; 2]>,
}

/// The main metric within each group of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Breakdown {
    /// `fitzpatrick`, `monk`, `ita`, `skin_tone`, `sex`, `age`.
    pub column: String,
    /// Key of the metric.
    pub metric: String,
    /// In their order, rows of an unknown group last.
    pub groups: Vec<Group>,
    /// Best minus worst, over the groups with a figure; `None` with fewer than two.
    pub gap: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// The group for people: "Fitzpatrick type 5", "female", "40–59".
    pub name: String,
    /// Its rows.
    pub n: usize,
    /// The metric over these; `None` where it is undefined.
    pub value: Option<f64>,
    /// 95 % bootstrap interval over the rows.
    pub interval: Option<[f64; 2]>,
}
