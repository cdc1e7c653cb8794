//! The table of all metrics: the evaluated models, and beside them published figures.

use super::{format, left_out, section};
use crate::compare::Comparison;
use crate::published::Published;
use crate::results::{BenchmarkResult, Metric};
use maud::{Markup, html};

/// All metrics with what was published of them.
pub struct Summary<'a> {
    /// Names of the evaluated models.
    pub evaluated: Vec<&'a str>,
    /// Models with a published figure in any row, in the order of the list.
    pub models: Vec<&'a str>,
    /// The sources of the figures, numbered from 1 in the order of the table.
    pub sources: Vec<&'a str>,
    pub groups: Vec<SummaryGroup<'a>>,
}

/// The rows of a benchmark.
pub struct SummaryGroup<'a> {
    /// The result of the first model that has it.
    pub benchmark: &'a BenchmarkResult,
    /// Which model that is.
    pub model: usize,
    pub rows: Vec<SummaryRow<'a>>,
}

pub struct SummaryRow<'a> {
    pub key: &'a str,
    pub title: String,
    /// For each of the evaluated models.
    pub figures: Vec<Option<&'a Metric>>,
    /// For each of the published models, the figure of each source that has one.
    pub published: Vec<Vec<Cited>>,
}

/// A published figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Cited {
    pub text: String,
    /// Number of the source.
    pub source: usize,
}

impl<'a> Summary<'a> {
    pub fn new(comparison: &'a Comparison, published: &'a [Published]) -> Self {
        let groups = groups(comparison);
        let mut models: Vec<&str> = Vec::new();
        for figure in published {
            let has_row = groups.iter().any(|(_, results)| {
                let is_metric = |metric: &Metric| metric.key == figure.metric;
                results
                    .iter()
                    .flatten()
                    .any(|result| result.key == figure.benchmark && result.metrics.iter().any(is_metric))
            });
            if has_row && !models.contains(&figure.model.as_str()) {
                models.push(&figure.model);
            }
        }
        let evaluated = comparison.models.iter().map(|results| results.model.name.as_str()).collect();
        let mut summary = Self { evaluated, models, sources: Vec::new(), groups: Vec::new() };
        for (model, results) in groups {
            let Some(benchmark) = results[model] else { continue };
            let rows = summary.rows(benchmark, &results, published);
            summary.groups.push(SummaryGroup { benchmark, model, rows });
        }
        summary
    }

    fn rows(
        &mut self,
        first: &'a BenchmarkResult,
        results: &[Option<&'a BenchmarkResult>],
        published: &'a [Published],
    ) -> Vec<SummaryRow<'a>> {
        let mut rows = Vec::new();
        for metric in &first.metrics {
            let of =
                |result: &Option<&'a BenchmarkResult>| result.and_then(|result| find(&result.metrics, &metric.key));
            let figures = results.iter().map(of).collect();
            let published = self.cited(first, metric, published);
            rows.push(SummaryRow { key: &metric.key, title: metric.title.clone(), figures, published });
            let left =
                |result: &Option<&'a BenchmarkResult>| result.and_then(|result| result.without_excluded.as_ref());
            if rows.len() == 1
                && let Some(without) = results.iter().find_map(left)
            {
                let of = |result: &Option<&'a BenchmarkResult>| find(&left(result)?.metrics, &metric.key);
                let n = format::count(without.n_excluded as u64);
                let figures = results.iter().map(of).collect();
                let title = format!("{} without the {n} excluded", metric.title);
                let published = vec![Vec::new(); self.models.len()];
                rows.push(SummaryRow { key: &metric.key, title, figures, published });
            }
        }
        rows
    }

    fn cited(&mut self, of: &BenchmarkResult, metric: &Metric, published: &'a [Published]) -> Vec<Vec<Cited>> {
        let matches = |figure: &&Published| figure.benchmark == of.key && figure.metric == metric.key;
        let mut cells = Vec::new();
        for model in self.models.clone() {
            let figures = published.iter().filter(matches).filter(|figure| figure.model == model);
            let cited = |figure: &'a Published| Cited {
                text: format::value(&metric.key, Some(figure.value)),
                source: self.number(&figure.source),
            };
            cells.push(figures.map(cited).collect());
        }
        cells
    }

    fn number(&mut self, source: &'a str) -> usize {
        let at = self.sources.iter().position(|known| *known == source).unwrap_or_else(|| {
            self.sources.push(source);
            self.sources.len() - 1
        });
        at + 1
    }

    /// Headings of the evaluated models' columns.
    pub fn headings(&self) -> Vec<&'a str> {
        if self.evaluated.len() == 1 { vec!["This model"] } else { self.evaluated.clone() }
    }
}

/// The result of each model for one benchmark, and the first model that has one.
type Group<'a> = (usize, Vec<Option<&'a BenchmarkResult>>);

/// The benchmarks of all models in the order of their first appearance.
fn groups(comparison: &Comparison) -> Vec<Group<'_>> {
    let mut keys: Vec<(&str, usize)> = Vec::new();
    for (model, results) in comparison.models.iter().enumerate() {
        for benchmark in &results.benchmarks {
            if keys.iter().all(|(key, _)| *key != benchmark.key) {
                keys.push((&benchmark.key, model));
            }
        }
    }
    let of_key = |(key, model): (&str, usize)| {
        let of_model = |at: usize| comparison.models[at].benchmarks.iter().find(|benchmark| benchmark.key == key);
        (model, (0..comparison.models.len()).map(of_model).collect())
    };
    keys.into_iter().map(of_key).collect()
}

fn find<'a>(metrics: &'a [Metric], key: &str) -> Option<&'a Metric> {
    metrics.iter().find(|metric| metric.key == key)
}

pub fn section(comparison: &Comparison, published: &[Published]) -> Markup {
    let summary = Summary::new(comparison, published);
    html! {
        section #summary {
            h2 { "Summary" }
            @if summary.groups.is_empty() {
                p { "No benchmark was scored." }
            } @else {
                (table(&summary))
                (sources(&summary))
            }
        }
    }
}

fn table(summary: &Summary<'_>) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Summary of all metrics" {
            table.summary {
                thead {
                    tr {
                        th scope="col" { "Metric" }
                        @for name in summary.headings() {
                            th scope="col" { (name) br; span.quiet { "95 % interval" } }
                        }
                        @for model in &summary.models {
                            th scope="col" { (model) }
                        }
                    }
                }
                @for group in &summary.groups {
                    tbody {
                        tr.group {
                            th scope="rowgroup" colspan=(1 + summary.evaluated.len() + summary.models.len()) {
                                a href={ "#" (section::anchor(&group.benchmark.key, group.model)) } { (group.benchmark.title) }
                                @if let Some(share) = left_out::share(group.benchmark) {
                                    " " span.quiet { "(" (share) ")" }
                                }
                            }
                        }
                        @for row in &group.rows { (table_row(row)) }
                    }
                }
            }
        }
    }
}

fn table_row(row: &SummaryRow<'_>) -> Markup {
    html! {
        tr {
            th scope="row" { (row.title) }
            @for metric in &row.figures {
                td { @if let Some(metric) = metric { (format::figure_with_interval(metric)) } @else { span.quiet { "–" } } }
            }
            @for cell in &row.published {
                td {
                    @for Cited { text, source } in cell {
                        (text) sup { a href={ "#source-" (source) } aria-label={ "source " (source) } { (source) } } " "
                    }
                    @if cell.is_empty() {
                        span.quiet { "–" }
                    }
                }
            }
        }
    }
}

fn sources(summary: &Summary<'_>) -> Markup {
    html! {
        @if !summary.sources.is_empty() {
            p.caption {
                "Columns of other models stand as their sources give them; their test sets and prompts may differ. "
                "“–”: no figure is known to us."
            }
            ol.sources {
                @for (at, source) in summary.sources.iter().enumerate() {
                    li id={ "source-" (at + 1) } { (source) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn figures_find_their_rows_and_sources_are_numbered_in_the_order_of_the_table() {
        let results = samples::comparison(vec![samples::classification(&["acne", "nevus"])]);
        let figure = |model: &str, metric: &str, source: &str| Published {
            model: model.into(),
            benchmark: "pad".into(),
            metric: metric.into(),
            value: 0.6671,
            source: source.into(),
        };
        let published = [
            figure("MAKE", "macro_auroc", "second"),
            figure("CLIP", "top1_accuracy", "first"),
            figure("MONET", "unheard_of", "third"),
            figure("CLIP", "top1_accuracy", "third"),
        ];
        let summary = Summary::new(&results, &published);
        assert_eq!(summary.models, ["MAKE", "CLIP"], "MONET has no row");
        assert_eq!(summary.sources, ["first", "third", "second"]);
        let cited = |source| Cited { text: "0.667".into(), source };
        assert_eq!(summary.groups[0].rows[0].published, [vec![], vec![cited(1), cited(2)]]);
        assert_eq!(summary.groups[0].rows[1].published, [vec![cited(3)], vec![]]);
    }

    #[test]
    fn models_are_columns_and_one_without_a_benchmark_has_none_of_its_figures() {
        let mut comparison = samples::comparison(vec![samples::classification(&["acne", "nevus"])]);
        let mut other = samples::results(vec![samples::retrieval(), samples::classification(&["acne", "nevus"])]);
        other.model.name = "other".into();
        comparison.models.push(other);
        let summary = Summary::new(&comparison, &[]);
        assert_eq!((summary.headings(), summary.groups.len()), (vec!["sample", "other"], 2));
        let shown = |group: usize, row: usize| {
            summary.groups[group].rows[row].figures.iter().map(Option::is_some).collect::<Vec<_>>()
        };
        assert_eq!((shown(0, 0), shown(1, 0), summary.groups[1].model), (vec![true, true], vec![false, true], 1));
    }

    #[test]
    fn the_main_metric_is_also_shown_without_excluded_images() {
        let mut result = samples::classification(&["acne", "nevus"]);
        let metrics = result.metrics.clone();
        result.without_excluded = Some(crate::results::WithoutExcluded { n_excluded: 3, n_scored: 37, metrics });
        let comparison = samples::comparison(vec![result]);
        let rows = &Summary::new(&comparison, &[]).groups[0].rows;
        let titles: Vec<&str> = rows.iter().map(|row| row.title.as_str()).collect();
        assert_eq!(titles, ["top-1 accuracy", "top-1 accuracy without the 3 excluded", "macro AUROC"]);
    }
}
