//! The report of an evaluation: a table for the terminal, and one self-contained page with figures.

mod bars;
mod breakdowns;
mod classification;
mod concepts;
mod differences;
mod effort;
mod figure_legend;
mod figures;
mod format;
mod heading;
mod left_out;
mod markdown;
mod mistakes;
mod not_scored;
mod probe;
mod retrieval;
#[cfg(test)]
pub(crate) mod samples;
mod section;
mod summary;
mod svg;

use super::compare::Comparison;
use super::published::Published;
use dermake_drawing::{page, page_css};
use maud::{Markup, html};
use mistakes::Thumbnail;

pub(super) use figures::{figures, slug};
pub(super) use format::listed;
pub use left_out::{sentence as left_out, share as scored_share, unreadable};
pub use markdown::{markdown, terminal};

const STYLE: &str = include_str!("style.css");

/// The HTML page. It has no script and loads no other file.
pub fn html(comparison: &Comparison, published: &[Published], thumbnail: &Thumbnail<'_>) -> String {
    let is_one = comparison.models.len() == 1;
    let body = html! {
        (heading::header(comparison))
        (contents(comparison))
        main {
            (summary::section(comparison, published))
            (differences::section(&comparison.differences))
            @for (model, results) in comparison.models.iter().enumerate() {
                @let name = Some(results.model.name.as_str()).filter(|_| !is_one);
                @for benchmark in &results.benchmarks {
                    (section::section(benchmark, model, name, thumbnail))
                }
            }
            (not_scored::sections(comparison))
            (effort::section(comparison))
        }
    };
    page(&format!("Evaluation of {}", heading::names(comparison)), &(page_css() + STYLE), &body)
}

fn contents(comparison: &Comparison) -> Markup {
    let is_one = comparison.models.len() == 1;
    html! {
        nav aria-label="Contents" {
            ol {
                li { a href="#summary" { "Summary" } }
                @if !comparison.differences.is_empty() {
                    li { a href="#differences" { "Differences" } }
                }
                @for (model, results) in comparison.models.iter().enumerate() {
                    @for benchmark in &results.benchmarks {
                        li {
                            a href={ "#" (section::anchor(&benchmark.key, model)) } {
                                (benchmark.title) @if !is_one { ": " (results.model.name) }
                            }
                        }
                    }
                }
                @if !not_scored::failed_of(comparison).is_empty() {
                    li { a href="#failed" { "Failed" } }
                }
                @if comparison.models.iter().any(|results| !results.skipped.is_empty()) {
                    li { a href="#skipped" { "Not run" } }
                }
                @if !effort::is_none(comparison) {
                    li { a href="#effort" { "Effort" } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{BenchmarkResult, Metric};

    fn page(benchmarks: Vec<BenchmarkResult>) -> String {
        html(&samples::comparison(benchmarks), &[], &|_| None)
    }

    #[test]
    fn several_models_have_sections_and_differences_of_their_own() {
        let mut comparison = samples::comparison(vec![samples::classification(&["acne", "nevus"])]);
        let mut other = comparison.models[0].clone();
        other.model.name = "another".into();
        comparison.models.push(other);
        comparison.differences = vec![samples::difference()];
        let page = html(&comparison, &[], &|_| None);
        for text in ["id=\"benchmark-pad\"", "id=\"benchmark-pad-2\"", "id=\"differences\"", "PAD-UFES-20: another"]
        {
            assert!(page.contains(text), "{text}");
        }
        let ids = page.matches(" id=\"").count();
        let distinct: std::collections::HashSet<&str> =
            page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(ids, distinct.len(), "an anchor is of one place");
    }

    #[test]
    fn names_are_escaped_wherever_they_appear() {
        let page = page(vec![samples::classification(&["<b>", "nevus"])]);
        assert!(!page.contains("<b>"), "a class name is no markup");
        assert!(page.matches("&lt;b&gt;").count() >= 4, "matrix, curves, bars and mistakes name it");
    }

    #[test]
    fn undefined_figures_are_not_numbers() {
        let mut benchmark = samples::classification(&["acne", "nevus"]);
        benchmark.metrics =
            vec![Metric { key: "macro_auroc".into(), title: "macro AUROC".into(), value: None, interval: None }];
        assert!(page(vec![benchmark]).contains("n/a"));
    }

    #[test]
    fn a_page_without_benchmarks_says_so_and_asks_for_nothing() {
        let page = page(Vec::new());
        assert!(page.contains("No benchmark was scored."));
        assert!(page.contains("Research software, not a medical device."));
        for request in ["<script", "<link", "@import", "src=\"http", "url("] {
            assert!(!page.contains(request), "{request}");
        }
    }

    #[test]
    fn many_classes_are_folded_and_their_confusions_listed() {
        let names: Vec<String> = (0..114).map(|class| format!("condition {class}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let page = page(vec![samples::classification(&names)]);
        assert!(page.contains("<details>") && page.contains("most frequent confusions"));
        assert!(!page.contains("class=\"cell-count"), "no numbers in cells of five pixels");
    }

    #[test]
    fn every_kind_has_its_figures_and_groups_only_where_there_are_some() {
        let all = [samples::concepts(), samples::retrieval(), samples::probe()];
        let page = page(all.to_vec());
        for text in ["pass mark", "recall@10", "log scale", "role=\"img\""] {
            assert!(page.contains(text), "{text}");
        }
        assert!(!page.contains("By sex"), "no sample has groups");
    }
}
