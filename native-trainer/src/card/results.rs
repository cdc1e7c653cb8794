//! The results of an evaluation, as a model card keeps them.

use anyhow::{Context, Result, bail};
use dermake_evaluation::results::{BenchmarkResult, Breakdown, Group, Metric, Results};
use dermake_files::text_file;
use shared_model::calibration::Figure;
use shared_model::card::{CardEvaluation, CardGroup};
use std::path::{Path, PathBuf};

/// Columns of a table that say the skin tone, the preferred one first, each with the words before its values.
const SKIN_TONES: [(&str, &str); 4] =
    [("fitzpatrick", "Fitzpatrick type "), ("monk", "Monk tone "), ("skin_tone", ""), ("ita", "ITA ")];

/// Reads the main figure of each benchmark of some `results.json`, with those by skin tone.
///
/// `name` is the model's; `sha256` is that of its weights, `None` while they are being written.
///
/// # Errors
/// If a file is no `results.json` of one model, or of a model with another name.
pub fn evaluations_of(paths: &[PathBuf], name: &str, sha256: Option<&str>) -> Result<Vec<CardEvaluation>> {
    let mut evaluations = Vec::new();
    for path in paths {
        let results = read(path, name)?;
        let is_of_these_weights = sha256 == Some(results.model.sha256.as_str());
        if !is_of_these_weights {
            tracing::info!("measured with other weights of this name, which the card says: {}", path.display());
        }
        let found = results.benchmarks.iter().filter_map(|result| evaluation(result, is_of_these_weights));
        evaluations.extend(found);
    }
    Ok(evaluations)
}

fn read(path: &Path, name: &str) -> Result<Results> {
    let json = text_file::read(path)?;
    let results: Results = serde_json::from_str(&json).with_context(|| {
        format!("expected results.json of one model, as `dermake eval --out` writes it: {}", path.display())
    })?;
    if results.model.name != name {
        bail!("the results are of {}, the model is {name}: {}", results.model.name, path.display());
    }
    Ok(results)
}

fn evaluation(result: &BenchmarkResult, is_of_these_weights: bool) -> Option<CardEvaluation> {
    let Metric { key, title, value, interval } = result.metrics.first()?;
    let of = |column: &str| result.breakdowns.iter().find(|found| found.column == column && found.metric == *key);
    let tones = SKIN_TONES.iter().find_map(|(column, before)| Some(groups(of(column)?, before)));
    Some(CardEvaluation {
        benchmark: result.key.clone(),
        title: result.title.clone(),
        metric: title.clone(),
        n: result.n_scored,
        result: Figure { value: *value, interval: *interval },
        is_of_these_weights,
        by_skin_tone: tones.unwrap_or_default(),
    })
}

fn groups(tones: &Breakdown, before: &str) -> Vec<CardGroup> {
    let group = |Group { name, n, value, interval }: &Group| CardGroup {
        name: format!("{before}{name}"),
        n: *n,
        result: Figure { value: *value, interval: *interval },
    };
    tones.groups.iter().map(group).collect()
}
