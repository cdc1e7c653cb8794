//! Evaluation: the figures of `dermake eval`, as what its `results.json` has.

use anyhow::{Result, anyhow, bail, ensure};
use dermake_evaluation::compare::Comparison;
use dermake_evaluation::results::Protocol;
use dermake_evaluation::{Ending, EvalOptions, MapMethod, OwnColumns, TableFiles, compare_models};
use dermake_features::{RankGroup, default_cache};
use dermake_models::options::ModelOptions;
use dermake_models::scale::Scale;
use dermake_process::interrupt::Interrupted;
use pyo3::prelude::*;
use shared_model::labels::Templates;
use std::path::PathBuf;

/// What to evaluate on, and what to write: the options of the same names of `dermake eval`.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Evaluation {
    data: PathBuf,
    labels: Option<String>,
    image_column: Option<String>,
    label_column: Option<String>,
    caption_column: Option<String>,
    images: Option<PathBuf>,
    split: Option<String>,
    only: Vec<String>,
    protocol: String,
    max_unreadable: f64,
    exclude: Option<PathBuf>,
    scale: String,
    templates: Vec<String>,
    embeddings: Option<PathBuf>,
    predictions: Option<PathBuf>,
    concept_scores: Option<PathBuf>,
    map: Option<String>,
    out: Option<PathBuf>,
    cache: Option<PathBuf>,
    use_cache: bool,
}

impl Evaluation {
    /// Evaluates models.
    ///
    /// # Errors
    /// Those of [`compare_models`], and for an option that has no such value; when no benchmark could be scored;
    /// [`Interrupted`] after a request to stop.
    pub fn run(&self, models: &[ModelOptions]) -> Result<Comparison> {
        let protocol = serde_json::from_value::<Protocol>(self.protocol.replace('-', "_").into());
        let protocol = protocol
            .map_err(|_| anyhow!("protocol is {:?}, expected all, released or dermfm-zero", self.protocol))?;
        let wrong = |expected: String| anyhow!("scale is {:?}, expected {expected}", self.scale);
        let scale = self.scale.parse::<Scale>().map_err(wrong)?;
        let method = |name: &String| {
            name.parse::<MapMethod>().map_err(|expected| anyhow!("map is {name:?}, expected {expected}"))
        };
        let map = self.map.as_ref().map(method).transpose()?;
        ensure!(map.is_none() || self.out.is_some(), "map is drawn into the folder `out`, which is not given");
        let share = self.max_unreadable;
        ensure!((0.0..=1.0).contains(&share), "max_unreadable is {share}, expected a number from 0 to 1");
        let (comparison, ending) = compare_models(&EvalOptions {
            models,
            data: &self.data,
            columns: OwnColumns {
                image: self.image_column.as_deref(),
                label: self.label_column.as_deref(),
                caption: self.caption_column.as_deref(),
                classes: self.labels.as_deref(),
                split: self.split.as_deref(),
                images: self.images.as_deref(),
            },
            only: &self.only,
            protocol,
            max_unreadable: self.max_unreadable,
            exclude: self.exclude.as_deref(),
            cache: if self.use_cache { self.cache.clone().or_else(default_cache) } else { None },
            out: self.out.as_deref(),
            tables: TableFiles {
                embeddings: self.embeddings.as_deref(),
                predictions: self.predictions.as_deref(),
                concept_scores: self.concept_scores.as_deref(),
            },
            map,
            scale,
            templates: Templates::given_or_skin(self.templates.clone())?,
            ranks: RankGroup::alone(),
        })?;
        if ending == Ending::Interrupted {
            bail!(Interrupted);
        }
        ensure!(!comparison.is_all_failed(), "no benchmark could be scored: {}", problems(&comparison));
        Ok(comparison)
    }
}

/// Why benchmarks could not be scored, each reason once.
fn problems(comparison: &Comparison) -> String {
    let mut problems: Vec<String> = Vec::new();
    for failed in comparison.models.iter().flat_map(|model| &model.failed) {
        let problem = format!("{}: {}", failed.title, failed.problem);
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems.join("; ")
}
