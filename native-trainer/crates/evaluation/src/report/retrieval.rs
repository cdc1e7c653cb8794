//! Figures of retrieval: recall in both directions, and ranks.

use super::bars::{Bar, Bars};
use super::format::figure_with_interval;
use crate::results::{Metric, RetrievalDetails};
use maud::{Markup, html};

/// The end of a metric's key, and what it means.
const DIRECTIONS: [(&str, &str); 2] = [
    ("image_to_text", "Image to text: the caption of each image"),
    ("text_to_image", "Text to image: the image of each caption"),
];

pub fn figures(details: &RetrievalDetails, metrics: &[Metric]) -> Markup {
    html! {
        div.figures {
            @for (key, title) in DIRECTIONS {
                figure.half {
                    figcaption {
                        strong { (title) ". " }
                        "Recall@k: the share of queries whose partner is among the first k."
                    }
                    (recalls(details, metrics, key))
                }
            }
            figure.half {
                figcaption { strong { "Rank of the partner " } "among all candidates; 1 is best." }
                (ranks(metrics))
            }
        }
    }
}

fn recalls(details: &RetrievalDetails, metrics: &[Metric], direction: &str) -> Markup {
    let values = if direction == "image_to_text" { &details.image_to_text } else { &details.text_to_image };
    let bar = |(k, value): (&usize, &f64)| Bar {
        name: format!("recall@{k}"),
        value: Some(*value),
        interval: find(metrics, &format!("recall_at_{k}_{direction}")).and_then(|metric| metric.interval),
        ..Bar::default()
    };
    let rows = details.recall_ks.iter().zip(values).map(bar).collect();
    Bars { name_title: "Recall", n_title: "", value_title: "Share", more_titles: &[], marks: &[0.5], rows }.table()
}

fn ranks(metrics: &[Metric]) -> Markup {
    let cell =
        |kind: &str, direction: &str| find(metrics, &format!("{kind}_rank_{direction}")).map(figure_with_interval);
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "Direction" }
                    th.number scope="col" { "Mean rank" }
                    th.number scope="col" { "Median rank" }
                }
            }
            tbody {
                @for (key, title) in DIRECTIONS {
                    tr {
                        th scope="row" { (title.split(':').next().unwrap_or(title)) }
                        @for kind in ["mean", "median"] {
                            td.number { (cell(kind, key).unwrap_or_else(|| html! { (super::format::UNDEFINED) })) }
                        }
                    }
                }
            }
        }
    }
}

fn find<'a>(metrics: &'a [Metric], key: &str) -> Option<&'a Metric> {
    metrics.iter().find(|metric| metric.key == key)
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::results::Details;

    #[test]
    fn ranks_that_are_not_there_are_undefined() {
        let benchmark = samples::retrieval();
        let Details::Retrieval(details) = &benchmark.details else { panic!("a sample of retrieval") };
        let text = figures(details, &benchmark.metrics).into_string();
        assert!(text.contains("12.0") && text.contains("n/a"), "a mean rank one way, none the other: {text}");
        assert!(text.contains("recall@100"));
    }
}
