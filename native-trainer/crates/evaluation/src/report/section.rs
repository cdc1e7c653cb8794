//! The section of a benchmark: what all kinds have, then the figures of its kind.

use super::mistakes::Thumbnail;
use super::svg::embedding_map;
use super::{breakdowns, classification, concepts, format, probe, retrieval};
use crate::results::{BenchmarkResult, Details, Metric, UnreadableImage};
use maud::{Markup, html};

/// Most unreadable images that are listed.
const MAX_LISTED: usize = 20;

/// `model` is the place of the model; `name` is given where there are several.
pub fn section(benchmark: &BenchmarkResult, model: usize, name: Option<&str>, thumbnail: &Thumbnail<'_>) -> Markup {
    html! {
        section id=(anchor(&benchmark.key, model)) {
            h2 { (benchmark.title) @if let Some(name) = name { ": " span.model { (name) } } }
            p {
                (format::count(benchmark.n_scored as u64)) " of " (format::count(benchmark.n_rows as u64))
                " rows scored. Table: " code { (benchmark.table.display()) }
            }
            @if !benchmark.notes.is_empty() {
                ul.notes {
                    @for note in &benchmark.notes { li { (note) } }
                }
            }
            (unreadable(&benchmark.unreadable))
            @if let Some(without) = &benchmark.without_excluded {
                p {
                    "Without the " (format::count(without.n_excluded as u64)) " images of the list to leave out, "
                    (format::count(without.n_scored as u64)) " rows are left:"
                }
                (metrics(&without.metrics))
                p { "With them:" }
            }
            @match &benchmark.details {
                Details::Classification(details) => {
                    (metrics(&benchmark.metrics)) (classification::figures(details, thumbnail))
                    @if let Some(map) = &benchmark.map {
                        h3 { "Map of the images" }
                        div.figures { (embedding_map::figures(map)) }
                    }
                }
                Details::Concepts(details) => { (metrics(&benchmark.metrics)) (concepts::figures(details)) }
                Details::Retrieval(details) => { (retrieval::figures(details, &benchmark.metrics)) }
                Details::LinearProbe(details) => { (probe::figures(details)) }
            }
            (breakdowns::breakdowns(benchmark))
        }
    }
}

/// Anchor of the section of a benchmark and a model.
pub fn anchor(key: &str, model: usize) -> String {
    let safe: String = key.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    if model == 0 { format!("benchmark-{safe}") } else { format!("benchmark-{safe}-{}", model + 1) }
}

fn metrics(metrics: &[Metric]) -> Markup {
    html! {
        dl.metrics {
            @for metric in metrics {
                div {
                    dt { (metric.title) }
                    dd { (format::figure_with_interval(metric)) }
                }
            }
        }
    }
}

fn unreadable(images: &[UnreadableImage]) -> Markup {
    html! {
        @if !images.is_empty() {
            details {
                summary { (format::count(images.len() as u64)) " unreadable images are not scored" }
                ul.files {
                    @for image in images.iter().take(MAX_LISTED) {
                        li { "row " (image.row) ": " code { (image.file) } " " (image.problem) }
                    }
                    @if images.len() > MAX_LISTED {
                        li { "and " (format::count((images.len() - MAX_LISTED) as u64)) " more" }
                    }
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
    fn twenty_unreadable_images_are_listed() {
        let image = |row| UnreadableImage { row, file: format!("{row}.jpg"), problem: "is no picture".into() };
        let images: Vec<_> = (1..=25).map(image).collect();
        let text = unreadable(&images).into_string();
        assert!(text.contains("25 unreadable") && text.contains("row 20:") && !text.contains("row 21:"));
        assert!(text.contains("and 5 more"));
        assert_eq!(unreadable(&[]).into_string(), "");
    }

    #[test]
    fn a_section_says_how_much_was_scored() {
        let text = section(&samples::classification(&["acne", "nevus"]), 0, None, &|_| None).into_string();
        assert!(text.contains("id=\"benchmark-pad\"") && text.contains("40 of 1,041 rows"), "{text}");
    }
}
