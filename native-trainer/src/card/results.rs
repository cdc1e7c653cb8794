//! The results of an evaluation, as a model card keeps them.

use anyhow::{Context, Result, bail};
use dermake_evaluation::compare::Comparison;
use dermake_evaluation::results::{BenchmarkResult, Breakdown, Group, Metric, Results};
use dermake_files::text_file;
use shared_model::calibration::Figure;
use shared_model::card::{CardEvaluation, CardGroup, ModelCard};
use std::path::{Path, PathBuf};

/// Columns of a table that say the skin tone, the preferred one first, each with the words before its values.
const SKIN_TONES: [(&str, &str); 4] =
    [("fitzpatrick", "Fitzpatrick type "), ("monk", "Monk tone "), ("skin_tone", ""), ("ita", "ITA ")];

/// Reads the main figure of each benchmark of some `results.json`, with those by skin tone. Of results of several models,
/// those of this one count; of several results of the same data, the last ones.
///
/// `name` is the model's; `sha256` is that of its weights, `None` while they are being written. Results belong to the model
/// if they are of these weights, or else by its name.
///
/// # Errors
/// If a file is no `results.json`, or has no results of this model.
pub fn evaluations_of(paths: &[PathBuf], name: &str, sha256: Option<&str>) -> Result<Vec<CardEvaluation>> {
    let mut card = ModelCard::default();
    for path in paths {
        let results = of_model(read(path)?, name, sha256).with_context(|| format!("in {}", path.display()))?;
        let is_of_these_weights = sha256 == Some(results.model.sha256.as_str());
        if !is_of_these_weights {
            tracing::info!("measured with other weights of this name, which the card says: {}", path.display());
        }
        let found = results.benchmarks.iter().filter_map(|result| evaluation(result, is_of_these_weights));
        for CardEvaluation { title, metric, .. } in card.add_evaluations(found.collect()) {
            tracing::warn!(
                "{title} ({metric}) is in an earlier --results, too; this one counts: {}",
                path.display()
            );
        }
    }
    Ok(card.evaluations)
}

/// The results of each model in a file.
fn read(path: &Path) -> Result<Vec<Results>> {
    let json = text_file::read(path)?;
    if let Ok(comparison) = serde_json::from_str::<Comparison>(&json) {
        return Ok(comparison.models);
    }
    let results = serde_json::from_str(&json)
        .with_context(|| format!("expected results.json, as `dermake eval --out` writes it: {}", path.display()))?;
    Ok(vec![results])
}

/// The results of a model among those of several.
fn of_model(mut models: Vec<Results>, name: &str, sha256: Option<&str>) -> Result<Results> {
    let is_of_weights = |results: &Results| sha256 == Some(results.model.sha256.as_str());
    if let Some(at) = models.iter().position(is_of_weights) {
        return Ok(models.swap_remove(at));
    }
    let names = models.iter().map(|results| results.model.name.as_str()).collect::<Vec<_>>().join(", ");
    models.retain(|results| results.model.name == name);
    match (models.pop(), models.len()) {
        (Some(results), 0) => Ok(results),
        (Some(_), _) => bail!("several results are of a model called {name}, and none is of its weights"),
        (None, _) => bail!("the results are of {names}, the model is {name}, and none is of its weights"),
    }
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
