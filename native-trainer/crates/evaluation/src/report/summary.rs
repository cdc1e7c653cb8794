//! The table of all metrics beside published figures.

use super::{format, left_out, section};
use crate::results::{BenchmarkResult, Metric, Published, Results};
use maud::{Markup, html};

/// All metrics with what was published of them.
pub struct Summary<'a> {
    /// Models with a figure in any row, in the order of the list.
    pub models: Vec<&'a str>,
    /// The sources of the figures, numbered from 1 in the order of the table.
    pub sources: Vec<&'a str>,
    pub groups: Vec<SummaryGroup<'a>>,
}

/// The rows of a benchmark.
pub struct SummaryGroup<'a> {
    pub benchmark: &'a BenchmarkResult,
    pub rows: Vec<SummaryRow<'a>>,
}

pub struct SummaryRow<'a> {
    pub metric: &'a Metric,
    /// For each of the models.
    pub published: Vec<Option<Cited>>,
}

/// A published figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Cited {
    pub text: String,
    /// Number of the source.
    pub source: usize,
}

impl<'a> Summary<'a> {
    pub fn new(results: &'a Results, published: &'a [Published]) -> Self {
        let mut models: Vec<&str> = Vec::new();
        for figure in published {
            let has_row = results.benchmarks.iter().any(|benchmark| {
                benchmark.key == figure.benchmark
                    && benchmark.metrics.iter().any(|metric| metric.key == figure.metric)
            });
            if has_row && !models.contains(&figure.model.as_str()) {
                models.push(&figure.model);
            }
        }
        let mut summary = Self { models, sources: Vec::new(), groups: Vec::new() };
        for benchmark in &results.benchmarks {
            let rows = benchmark.metrics.iter().map(|metric| summary.row(benchmark, metric, published)).collect();
            summary.groups.push(SummaryGroup { benchmark, rows });
        }
        summary
    }

    fn row(&mut self, of: &BenchmarkResult, metric: &'a Metric, published: &'a [Published]) -> SummaryRow<'a> {
        let matches = |figure: &&Published| figure.benchmark == of.key && figure.metric == metric.key;
        let mut cells = Vec::new();
        for model in &self.models {
            let figure = published.iter().filter(matches).find(|figure| figure.model == *model);
            cells.push(
                figure.map(|figure| (format::value(&metric.key, Some(figure.value)), figure.source.as_str())),
            );
        }
        let published =
            cells.into_iter().map(|cell| cell.map(|(text, source)| Cited { text, source: self.number(source) }));
        SummaryRow { metric, published: published.collect() }
    }

    fn number(&mut self, source: &'a str) -> usize {
        let at = self.sources.iter().position(|known| *known == source).unwrap_or_else(|| {
            self.sources.push(source);
            self.sources.len() - 1
        });
        at + 1
    }
}

pub fn section(results: &Results, published: &[Published]) -> Markup {
    let summary = Summary::new(results, published);
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
                        th scope="col" { "This model" br; span.quiet { "95 % interval" } }
                        @for model in &summary.models {
                            th scope="col" { (model) }
                        }
                    }
                }
                @for group in &summary.groups {
                    tbody {
                        tr.group {
                            th scope="rowgroup" colspan=(2 + summary.models.len()) {
                                a href={ "#" (section::anchor(&group.benchmark.key)) } { (group.benchmark.title) }
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
            th scope="row" { (row.metric.title) }
            td { (format::figure_with_interval(row.metric)) }
            @for cell in &row.published {
                td {
                    @if let Some(Cited { text, source }) = cell {
                        (text) sup { a href={ "#source-" (source) } aria-label={ "source " (source) } { (source) } }
                    } @else {
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
        let results = samples::results(vec![samples::classification(&["acne", "nevus"])]);
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
        ];
        let summary = Summary::new(&results, &published);
        assert_eq!(summary.models, ["MAKE", "CLIP"], "MONET has no row");
        assert_eq!(summary.sources, ["first", "second"]);
        let cited = |source| Some(Cited { text: "0.667".into(), source });
        assert_eq!(summary.groups[0].rows[0].published, [None, cited(1)]);
        assert_eq!(summary.groups[0].rows[1].published, [cited(2), None]);
    }
}
