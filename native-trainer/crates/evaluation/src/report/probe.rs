//! Figures of linear probes: the metrics against the share of the training images.

use super::format;
use super::section::figure_with_interval;
use super::svg::lines::{Line, legend};
use super::svg::probe_curves;
use crate::results::{Metric, ProbeDetails, ProbeShare};
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
                                @if let Some(found) = of_share(share, &metric.key) { (figure_with_interval(found)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A share as people write it: "1 %".
pub fn percent(share: f64) -> String {
    format!("{} %", (1000.0 * share).round() / 10.0)
}

/// A metric at a share.
pub fn of_share<'a>(share: &'a ProbeShare, key: &str) -> Option<&'a Metric> {
    share.metrics.iter().find(|metric| metric.key == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percentages() {
        assert_eq!([0.01, 0.1, 1.0, 0.005].map(percent), ["1 %", "10 %", "100 %", "0.5 %"]);
    }

    #[test]
    fn a_probe_without_shares_has_empty_figures() {
        assert!(figures(&ProbeDetails { shares: Vec::new() }).into_string().contains("<svg"));
    }
}
