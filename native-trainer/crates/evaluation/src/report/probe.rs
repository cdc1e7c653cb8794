//! Figures of linear probes: the metrics against the share of the training images.

use super::format::{self, figure_with_interval, percent};
use super::svg::probe_curves;
use crate::results::{Metric, ProbeDetails};
use dermake_drawing::lines::{Line, legend};
use maud::{Markup, html};

pub fn figures(details: &ProbeDetails) -> Markup {
    let metrics: Vec<&Metric> =
        details.shares.first().map_or_else(Vec::new, |share| share.metrics.iter().collect());
    let name = |metric: &&Metric| (metric.title.clone(), String::new());
    let names: Vec<(String, String)> = metrics.iter().map(name).collect();
    html! {
        div.figures {
            figure.with-legend {
                figcaption {
                    strong { "Linear probe. " }
                    "Metrics on the test split against the share of the training images (log scale), "
                    "with 95 % intervals."
                }
                (probe_curves::drawing(details))
                div { (legend(&names, Line::nth)) }
            }
            figure.half {
                figcaption { strong { "By share of the training images." } }
                div.scroll tabindex="0" role="region" aria-label="Metrics by share" { (table(&metrics, details)) }
            }
        }
    }
}

fn table(metrics: &[&Metric], details: &ProbeDetails) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "Metric" }
                    @for share in &details.shares {
                        th.number scope="col" {
                            (percent(share.share)) br;
                            span.quiet { (format::count(share.n_train as u64)) " images" }
                        }
                    }
                }
            }
            tbody {
                @for metric in metrics {
                    tr {
                        th scope="row" { (metric.title) }
                        @for share in &details.shares {
                            td.number {
                                @if let Some(found) = share.metric(&metric.key) { (figure_with_interval(found)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_without_shares_has_empty_figures() {
        assert!(figures(&ProbeDetails { shares: Vec::new() }).into_string().contains("<svg"));
    }
}
