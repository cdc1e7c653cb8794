//! Benchmarks that failed, and those whose data are not there.

use crate::results::{FailedBenchmark, Results, SkippedBenchmark};
use maud::{Markup, html};

pub fn sections(results: &Results) -> Markup {
    html! {
        @if !results.failed.is_empty() { (failed(&results.failed)) }
        @if !results.skipped.is_empty() { (skipped(&results.skipped)) }
    }
}

fn failed(benchmarks: &[FailedBenchmark]) -> Markup {
    html! {
        section #failed {
            h2 { "Failed" }
            table.stacked {
                thead { tr { th scope="col" { "Benchmark" } th scope="col" { "Problem" } } }
                tbody {
                    @for benchmark in benchmarks {
                        tr { th scope="row" { (benchmark.title) } td { (benchmark.problem) } }
                    }
                }
            }
        }
    }
}

fn skipped(benchmarks: &[SkippedBenchmark]) -> Markup {
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
