//! The figures that others published: `static/benchmarks/published.toml`.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The models in the order of the table's columns.
const COLUMNS: [&str; 8] =
    ["MAKE", "O-MAKE", "DermFM-Zero", "DermLIP-ViTB16", "DermLIP-PanDerm", "MONET", "BiomedCLIP", "CLIP"];

/// A figure that somebody published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// `MAKE`, `DermLIP`, ...
    pub model: String,
    /// Key of the benchmark.
    pub benchmark: String,
    /// Key of the metric.
    pub metric: String,
    pub value: f64,
    /// The table that has it.
    pub source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sources {
    source: Vec<Source>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    name: String,
    table: Vec<SourceTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceTable {
    benchmark: String,
    metric: String,
    /// By model.
    values: BTreeMap<String, f64>,
}

/// All figures, in the order of the models' columns.
pub fn published() -> Result<Vec<Published>> {
    let sources: Sources = toml::from_str(include_str!("../../../../static/benchmarks/published.toml"))
        .context("in the list of published figures")?;
    let mut figures = Vec::new();
    for Source { name, table } in sources.source {
        for SourceTable { benchmark, metric, values } in table {
            figures.extend(values.into_iter().map(|(model, value)| Published {
                model,
                benchmark: benchmark.clone(),
                metric: metric.clone(),
                value,
                source: name.clone(),
            }));
        }
    }
    let column = |figure: &Published| COLUMNS.iter().position(|model| *model == figure.model);
    figures.sort_by_key(|figure| column(figure).unwrap_or(COLUMNS.len()));
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmarks::Benchmark;
    use std::collections::HashSet;

    #[test]
    fn every_figure_is_of_a_benchmark_and_a_model_that_we_know() {
        let benchmarks: HashSet<String> =
            Benchmark::built_in().unwrap().into_iter().map(|benchmark| benchmark.key).collect();
        let figures = published().unwrap();
        assert_eq!(figures[0].model, "MAKE");
        let mut seen = HashSet::new();
        for figure in figures {
            assert!(COLUMNS.contains(&figure.model.as_str()), "{figure:?}");
            assert!(benchmarks.contains(&figure.benchmark), "{figure:?}");
            assert!((0.0..=1.0).contains(&figure.value), "{figure:?}");
            let cell = (figure.model, figure.benchmark, figure.metric, figure.source);
            assert!(seen.insert(cell), "one figure of each source a cell");
        }
    }
}
