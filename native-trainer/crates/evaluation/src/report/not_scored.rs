//! Benchmarks that failed, and those whose data are not there.

use crate::compare::Comparison;
use crate::results::{FailedBenchmark, Results, SkippedBenchmark};
use maud::{Markup, html};

pub fn sections(comparison: &Comparison) -> Markup {
    let failed = failed_of(comparison);
    // All models have the same data.
    let skipped = comparison.models.first().map_or(&[][..], |results| &results.skipped);
    html! {
        @if !failed.is_empty() { (failed_section(&failed)) }
        @if !skipped.is_empty() { (skipped_section(skipped)) }
    }
}

/// The failed models and benchmarks; with several models, titles of benchmarks name the model.
pub fn failed_of(comparison: &Comparison) -> Vec<FailedBenchmark> {
    let is_one = comparison.models.len() == 1;
    let of_model = |results: &Results| {
        let title =
            |title: &str| if is_one { title.to_string() } else { format!("{title}, {}", results.model.name) };
        let named = |failed: &FailedBenchmark| FailedBenchmark { title: title(&failed.title), ..failed.clone() };
        results.failed.iter().map(named).collect::<Vec<_>>()
    };
    let models = comparison.not_evaluated.iter().map(|failed| FailedBenchmark {
        key: String::new(),
        title: format!("the model {}", failed.name),
        problem: failed.problem.clone(),
    });
    models.chain(comparison.models.iter().flat_map(of_model)).collect()
}

fn failed_section(benchmarks: &[FailedBenchmark]) -> Markup {
    html! {
        section #failed {
            h2 { "Failed" }
            table.stacked {
                thead { tr { th scope="col" { "Benchmark or model" } th scope="col" { "Problem" } } }
                tbody {
                    @for benchmark in benchmarks {
                        tr { th scope="row" { (benchmark.title) } td { (benchmark.problem) } }
                    }
                }
            }
        }
    }
}

fn skipped_section(benchmarks: &[SkippedBenchmark]) -> Markup {
    html! {
        section #skipped {
            h2 { "Not run" }
            p { "The data of these benchmarks are not there." }
            table.stacked {
                thead {
                    tr {
                        th scope="col" { "Benchmark" }
                        th scope="col" { "Looked for" }
                        th scope="col" { "Where the data come from" }
                        th scope="col" { "What to put where" }
                    }
                }
                tbody {
                    @for benchmark in benchmarks {
                        tr {
                            th scope="row" { (benchmark.title) }
                            td data-title="Looked for" {
                                ul.plain { @for path in &benchmark.missing { li { code { (path.display()) } } } }
                            }
                            td data-title="Source" { (benchmark.source) }
                            td data-title="To do" { (benchmark.how) }
                        }
                    }
                }
            }
        }
    }
}
